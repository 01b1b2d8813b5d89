//! A sync: fetch a source, then import what it answers. It is a task of its own, which callers only wait for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;
use tributary_core::{Counts, Decider, Form, ImportOptions, PlanHash, Salt, SourceId, Strategy};

use super::failed::fail;
use super::failure::Failure;
use super::guarding::guard_of;
use super::{begun, measured, succeeded, told_of};
use crate::app::App;
use crate::clock;
use crate::config::GuardOptions;
use crate::error::ApiError;
use crate::fetch::{Fetched, Validators};
use crate::intake::Intake;
use crate::job::{Actor, Asker, ImportJob, JobKind, micros};
use crate::metrics::Outcome;
use crate::source::Source;
use crate::store::apply::{self, Demands};
use crate::store::db::Db;
use crate::store::decide::Received;
use crate::store::standing::{self, Standing};
use crate::store::{jobs, policies, sources};

/// What a sync was asked to do.
#[derive(Clone)]
pub struct SyncRequest {
    /// The source.
    pub id: String,
    /// Who asks. The schedule asks whether there is anything new; everybody else wants all of it.
    pub actor: Actor,
    /// From where; empty for the schedule.
    pub address: String,
    /// The plan that was approved, where only that may be applied.
    pub expected: Option<PlanHash>,
}

/// How a sync ended.
#[derive(Clone)]
pub enum Synced {
    /// It was applied and is on disk.
    Applied {
        /// The record of it.
        job: ImportJob,
        /// The source as it is now.
        source: Box<Source>,
        /// Entries that were not taken.
        not_taken: usize,
    },
    /// Nothing was changed; the record says why.
    Failed(ImportJob),
    /// Nothing was changed, because the plan is another one than was approved.
    PlanDiffers(ImportJob),
    /// The source is not there, or was deleted while it was fetched.
    NotFound,
    /// The source is disabled.
    Disabled,
    /// The store cannot be used; the sentence is for the log.
    Unavailable(String),
}

/// A sync of one source at one revision, and what was asked of it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    id: String,
    revision: i64,
    expected: Option<[u8; 32]>,
    scheduled: bool,
}

/// What a sync under way will have told at its end.
type Told = watch::Receiver<Option<Synced>>;

/// The syncs under way: who asks for the same waits for the same answer.
#[derive(Default)]
pub struct Syncs {
    running: Mutex<HashMap<Key, Told>>,
}

impl Syncs {
    /// The sync of this source that is under way, or the one that `start` starts.
    fn join(&self, key: Key, start: impl FnOnce(watch::Sender<Option<Synced>>)) -> Told {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = running.get(&key) {
            return waiting.clone();
        }
        let (tell, told) = watch::channel(None);
        running.insert(key, told.clone());
        start(tell);
        told
    }

    fn end(&self, key: &Key) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

/// Syncs a source, or waits for the sync of it that is under way. Hanging up cancels nothing.
pub async fn sync(app: &Arc<App>, request: SyncRequest) -> Result<Synced, ApiError> {
    let asked = request.id.clone();
    let source = match app.store.read(move |db| sources::get(db, &asked)).await? {
        Some(source) if source.enabled => source,
        Some(_) => return Ok(Synced::Disabled),
        None => return Ok(Synced::NotFound),
    };
    let key = Key {
        id: request.id.clone(),
        revision: source.revision,
        expected: request.expected.map(|hash| *hash.as_bytes()),
        scheduled: request.actor == Actor::Schedule,
    };
    let mut told = app.syncs.join(key.clone(), |tell| {
        let app = Arc::clone(app);
        tokio::spawn(async move {
            // Ended, even by a panic, before it is told: who asks from then on starts a new one.
            let ending = Ending { app: &app, key };
            let outcome = run_and_count(&app, source, request).await;
            drop(ending);
            tell.send_replace(Some(outcome));
        });
    });
    let outcome = told.wait_for(Option::is_some).await;
    let outcome = outcome.ok().and_then(|outcome| outcome.clone());
    outcome.ok_or_else(|| ApiError::internal("the sync panicked"))
}

struct Ending<'a> {
    app: &'a App,
    key: Key,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.app.syncs.end(&self.key);
    }
}

async fn run_and_count(app: &Arc<App>, source: Source, request: SyncRequest) -> Synced {
    let (begun, id, strategy) = (Instant::now(), source.id.clone(), source.strategy);
    let synced = run(app, source, request).await;
    let outcome = match synced {
        Synced::Applied { .. } => Outcome::Success,
        _ => Outcome::Failed,
    };
    app.metrics.count_import(JobKind::Sync, strategy, outcome);
    app.metrics.note_sync(&id, begun.elapsed());
    app.schedule.wake();
    synced
}

/// A sync under way.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) source: Source,
    options: ImportOptions,
    pub(super) actor: Actor,
    expected: Option<PlanHash>,
    job: ImportJob,
}

/// The whole of a sync of a source as it was asked for.
async fn run(app: &Arc<App>, source: Source, request: SyncRequest) -> Synced {
    let attempt = match begin(app, source, request).await {
        Ok(attempt) => attempt,
        Err(Failure::Gone) => return Synced::NotFound,
        Err(failure) => return Synced::Unavailable(failure.to_string()),
    };
    // A task within the task, so that a panic is a failure of this sync and its job does not stay `running`.
    let (attempt_app, attempted) = (Arc::clone(app), attempt.clone());
    let ended = tokio::spawn(async move { fetch_and_apply(&attempt_app, attempted).await });
    let panicked = |_| Err((Failure::Panicked, Box::new(attempt.job.clone())));
    match ended.await.unwrap_or_else(panicked) {
        Ok(applied) => applied,
        Err((failure, so_far)) => {
            let (source_id, job_id, cause) = (&attempt.source.id, &attempt.job.id, failure.class());
            tracing::warn!(source_id, job_id, cause, reason = %failure, "sync failed");
            fail(app, attempt, *so_far, failure).await
        }
    }
}

pub(super) fn options_of(source: &Source) -> ImportOptions {
    ImportOptions {
        strategy: source.strategy,
        source_id: SourceId::new(&source.id),
        provider: source.provider,
        ..ImportOptions::default()
    }
}

/// Notes that the sync runs, when the source is still there.
async fn begin(app: &App, source: Source, request: SyncRequest) -> Result<Attempt, Failure> {
    let options = options_of(&source);
    let actor = Asker {
        actor: request.actor.to_string(),
        address: request.address,
    };
    let name = source.name.clone();
    let job = begun(JobKind::Sync, &options, name, actor, clock::now());
    let mut attempt = Attempt {
        source,
        options,
        actor: request.actor,
        expected: request.expected,
        job,
    };
    let noted = app.store.write(0, move |db| {
        sources::get(db, &attempt.source.id)?.ok_or(Failure::Gone)?;
        jobs::insert(db, &mut attempt.job)?;
        Ok(attempt)
    });
    noted.await
}

/// What a source answered.
pub(super) struct Answered {
    /// The payload; `None` when there is nothing new.
    pub(super) received: Option<Received>,
    /// What its server calls it.
    validators: Validators,
}

/// Asks a source. What its server said last time is given where the schedule asks.
pub(super) async fn ask(
    app: &App,
    source: &Source,
    known: &Validators,
) -> Result<Answered, Failure> {
    let max = app.config.bodies.max_upstream_body;
    let mut intake = Intake::new(app, Form::Payload, max);
    let fetched = app.fetcher.fetch(source, known, &mut intake).await;
    let html = intake.looks_like_html();
    let (whole, validators) = match fetched {
        Ok(Fetched::NotModified) => {
            return Ok(Answered {
                received: None,
                validators: known.clone(),
            });
        }
        Ok(Fetched::Body(validators)) => (intake.end().await, validators),
        // What is wrong with what came is said, not that no more came.
        Err(error) => match intake.refusal().await {
            Some(refusal) => (Err(refusal), Validators::default()),
            None => return Err(error.into()),
        },
    };
    let received = whole.map_err(Failure::from);
    let received = received.and_then(|(_, batch)| Ok(batch?));
    match received {
        Ok(received) => Ok(Answered {
            received: Some(received),
            validators,
        }),
        Err(failure) if html && failure.class() == "not_json" => Err(Failure::Html),
        Err(failure) => Err(failure),
    }
}

/// A failure comes with the job as far as it got.
async fn fetch_and_apply(
    app: &Arc<App>,
    attempt: Attempt,
) -> Result<Synced, (Failure, Box<ImportJob>)> {
    let (began, mut job) = (Instant::now(), attempt.job.clone());
    job.findings.plan_hash = attempt.expected.map(|hash| hash.to_string());
    let answered = match known(app, &attempt).await {
        Ok(known) => ask(app, &attempt.source, &known).await,
        Err(failure) => Err(failure),
    };
    job.findings.phases.fetch_us = micros(began.elapsed());
    let answered = match answered {
        Ok(answered) => answered,
        Err(failure) => return Err((failure, Box::new(job))),
    };
    job.findings.not_modified = answered.received.is_none();
    if let Some(received) = &answered.received {
        job = told_of(job, received);
        if let Err(error) = Decider::new(&received.batch, &attempt.options) {
            return Err((error.into(), Box::new(job)));
        }
    }
    let weight = answered.received.as_ref().map_or(0, |r| r.body.len());
    let (salt, guard, waiting) = (app.salt.clone(), app.config.guard.clone(), Instant::now());
    let so_far = Box::new(job.clone());
    let applied = app.store.write(weight, move |db| {
        let applying = Applying {
            db,
            salt: &salt,
            guard: &guard,
            waiting,
        };
        applying.answered(&attempt, &answered, job)
    });
    applied.await.map_err(|failure| (failure, so_far))
}

/// What the source's server called its last body, where the schedule asks.
async fn known(app: &App, attempt: &Attempt) -> Result<Validators, Failure> {
    if attempt.actor != Actor::Schedule {
        return Ok(Validators::default());
    }
    let id = attempt.source.id.clone();
    let standing = app.store.read(move |db| standing::read(db, &id)).await;
    let standing = standing.map_err(|error: crate::store::StoreError| Failure::from(error))?;
    Ok(validators_of(&standing))
}

fn validators_of(standing: &Standing) -> Validators {
    Validators {
        etag: standing.etag.clone(),
        last_modified: standing.last_modified.clone(),
    }
}

/// What was fetched, on its way into the pool, in the writer's transaction.
struct Applying<'a> {
    db: &'a Db,
    salt: &'a Salt,
    guard: &'a GuardOptions,
    waiting: Instant,
}

impl Applying<'_> {
    /// Here the source must still be the one that was fetched.
    fn answered(
        &self,
        attempt: &Attempt,
        answered: &Answered,
        job: ImportJob,
    ) -> Result<Synced, Failure> {
        let (db, applying) = (self.db, Instant::now());
        let current = sources::get(db, &attempt.source.id)?.ok_or(Failure::Gone)?;
        let overtaken = jobs::is_overtaken(db, &attempt.job)?;
        if !current.enabled || current.revision != attempt.source.revision || overtaken {
            return Err(Failure::Changed);
        }
        let job = match &answered.received {
            Some(received) => {
                let job = self.received(attempt, &current, received, job)?;
                measured(job, self.waiting, applying)
            }
            None => {
                // What the source has in the pool must still be what that body gave.
                let standing = standing::read(db, &current.id)?;
                if validators_of(&standing) != answered.validators {
                    return Err(Failure::Changed);
                }
                succeeded(job, &Counts::default())
            }
        };
        jobs::finish(db, &job)?;
        sources::mark_synced(db, &current.id, job.updated_at)?;
        let standing = Standing {
            etag: answered.validators.etag.clone(),
            last_modified: answered.validators.last_modified.clone(),
            attempted_at: Some(job.updated_at),
            ..Standing::default()
        };
        standing::write(db, &current.id, &standing)?;
        Ok(Synced::Applied {
            source: Box::new(Source {
                last_sync_at: Some(job.updated_at),
                ..current
            }),
            job,
            not_taken: answered.received.as_ref().map_or(0, Received::not_taken),
        })
    }

    fn received(
        &self,
        attempt: &Attempt,
        current: &Source,
        received: &Received,
        job: ImportJob,
    ) -> Result<ImportJob, Failure> {
        let db = self.db;
        let policy = policies::read(db, &current.id)?;
        let options = ImportOptions {
            removal: policy.removal,
            ..attempt.options.clone()
        };
        let name = match &options.source_id {
            Some(source) => apply::settle_name(db, source, Some(&current.name))?,
            None => String::new(),
        };
        let demands = Demands {
            expected: attempt.expected,
            guard: (options.strategy == Strategy::Replace).then(|| guard_of(self.guard, &policy)),
        };
        let at = clock::now();
        let applied = apply::apply(db, received, &options, &name, self.salt, at, &demands)?;
        Ok(ImportJob {
            trace: applied.trace,
            ..succeeded(job, &applied.counts)
        })
    }
}
