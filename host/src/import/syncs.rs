//! A sync: fetch a source, then import what it answers. It is a task of its own, which callers only wait for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::watch;
use tributary_core::{Decider, Form, ImportError, ImportOptions, SourceId};

use super::{begun, new_job_id, succeeded};
use crate::app::App;
use crate::clock;
use crate::error::ApiError;
use crate::fetch::{Cause, FetchError, Validators};
use crate::intake::{Intake, IntakeError};
use crate::job::{ImportJob, JobKind, JobStatus};
use crate::metrics::Outcome;
use crate::source::Source;
use crate::store::apply::{self, ApplyError, Received};
use crate::store::{StoreError, jobs, sources};

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
    /// Nothing was changed; the record says failed. The cause is in the log.
    Failed(ImportJob),
    /// The source is not there, or was deleted while it was fetched.
    NotFound,
    /// The source is disabled.
    Disabled,
    /// The store cannot be used; the sentence is for the log.
    Unavailable(String),
}

/// A sync of one source at one revision.
type Key = (String, i64);

/// What a sync under way will have told at its end.
type Told = watch::Receiver<Option<Synced>>;

/// The syncs under way, by source and revision: who asks for one of them waits for the same answer.
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
pub async fn sync(app: &Arc<App>, id: String) -> Result<Synced, ApiError> {
    let asked = id.clone();
    let source = match app.store.read(move |db| sources::get(db, &asked)).await? {
        Some(source) if source.enabled => source,
        Some(_) => return Ok(Synced::Disabled),
        None => return Ok(Synced::NotFound),
    };
    let key = (id, source.revision);
    let mut told = app.syncs.join(key.clone(), |tell| {
        let app = Arc::clone(app);
        tokio::spawn(async move {
            // Ended, even by a panic, before it is told: who asks from then on starts a new one.
            let ending = Ending { app: &app, key };
            let outcome = run_and_count(&app, source).await;
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

async fn run_and_count(app: &Arc<App>, source: Source) -> Synced {
    let (begun, id, strategy) = (Instant::now(), source.id.clone(), source.strategy);
    let synced = run(app, source).await;
    let outcome = match synced {
        Synced::Applied { .. } => Outcome::Success,
        _ => Outcome::Failed,
    };
    app.metrics.count_import(JobKind::Sync, strategy, outcome);
    app.metrics.note_sync(&id, begun.elapsed());
    synced
}

/// The whole of a sync of a source as it was asked for.
async fn run(app: &Arc<App>, source: Source) -> Synced {
    let options = options_of(&source);
    let begun = match begin(app, &source, &options).await {
        Ok(job) => job,
        Err(SyncError::Gone) => return Synced::NotFound,
        Err(error) => return Synced::Unavailable(error.to_string()),
    };
    let id = source.id.clone();
    // A task within the task, so that a panic is a failure of this sync and its job does not stay `running`.
    let (attempt_app, job) = (Arc::clone(app), begun.clone());
    let attempt =
        tokio::spawn(async move { fetch_and_apply(&attempt_app, source, options, job).await });
    match attempt.await.unwrap_or(Err(SyncError::Panicked)) {
        Ok(applied) => applied,
        Err(error) => {
            let (cause, job_id) = (error.class(), &begun.id);
            tracing::warn!(source_id = id, job_id, cause, reason = %error, "sync failed");
            fail(app, begun, &error).await
        }
    }
}

fn options_of(source: &Source) -> ImportOptions {
    ImportOptions {
        strategy: source.strategy,
        source_id: SourceId::new(&source.id),
        provider: source.provider,
        ..ImportOptions::default()
    }
}

/// Notes that the sync runs, when the source is still there.
async fn begin(
    app: &App,
    source: &Source,
    options: &ImportOptions,
) -> Result<ImportJob, SyncError> {
    let id = new_job_id().map_err(|_| StoreError::Internal("no random bytes".to_owned()))?;
    let job = begun(
        id,
        JobKind::Sync,
        options,
        source.name.clone(),
        clock::now(),
    );
    let source_id = source.id.clone();
    let noted = app.store.write(0, move |db| {
        sources::get(db, &source_id)?.ok_or(SyncError::Gone)?;
        jobs::insert(db, &job)?;
        Ok::<_, SyncError>(job)
    });
    noted.await
}

async fn fetch_and_apply(
    app: &App,
    source: Source,
    options: ImportOptions,
    job: ImportJob,
) -> Result<Synced, SyncError> {
    let max = app.config.bodies.max_upstream_body;
    let mut intake = Intake::new(app, Form::Payload, max, None);
    let fetched = app
        .fetcher
        .fetch(&source, &Validators::default(), &mut intake)
        .await;
    let received = match fetched {
        // Why the intake wanted no more is nearer to the cause than that the fetch was stopped by it.
        Err(error) if matches!(error.cause(), Cause::Sink(_)) => intake.finish()?.1?,
        Err(error) => return Err(error.into()),
        Ok(_) => intake.finish()?.1?,
    };
    Decider::new(&received.batch, &options)?;
    let (weight, salt) = (received.body.len(), app.salt.clone());
    let applied = app.store.write(weight, move |db| {
        apply_fetched(db, &source, &received, &options, &salt, job)
    });
    applied.await
}

/// Inside the transaction the source must still be the one that was fetched.
fn apply_fetched(
    db: &Connection,
    fetched: &Source,
    received: &Received,
    options: &ImportOptions,
    salt: &tributary_core::Salt,
    job: ImportJob,
) -> Result<Synced, SyncError> {
    let current = sources::get(db, &fetched.id)?.ok_or(SyncError::Gone)?;
    if !current.enabled || current.revision != fetched.revision {
        return Err(SyncError::Changed);
    }
    let name = match &options.source_id {
        Some(source) => apply::settle_name(db, source, Some(&current.name))?,
        None => String::new(),
    };
    let counts = apply::apply(db, received, options, &name, salt, clock::now())?;
    let job = succeeded(job, &counts);
    jobs::finish(db, &job)?;
    sources::mark_synced(db, &current.id, job.updated_at)?;
    let source = Source {
        last_sync_at: Some(job.updated_at),
        ..current
    };
    Ok(Synced::Applied {
        job,
        source: Box::new(source),
        not_taken: received.not_taken(),
    })
}

/// Notes that the sync failed, in a transaction of its own.
async fn fail(app: &App, job: ImportJob, error: &SyncError) -> Synced {
    let at = clock::now().max(job.created_at);
    let job = ImportJob {
        status: JobStatus::Failed,
        updated_at: at,
        ..job
    };
    let (noted, gone) = (job.clone(), matches!(error, SyncError::Gone));
    let outage = match error {
        SyncError::Store(error) => Some(error.to_string()),
        _ => None,
    };
    let written = app.store.write(0, move |db| jobs::finish(db, &noted)).await;
    match (outage, written) {
        (Some(why), _) => Synced::Unavailable(why),
        (None, Err(error)) => Synced::Unavailable(error.to_string()),
        (None, Ok(_)) if gone => Synced::NotFound,
        (None, Ok(_)) => Synced::Failed(job),
    }
}

/// Why a sync failed. Its text is for the log and repeats nothing of an address, a header, a token or a body.
#[derive(Debug)]
enum SyncError {
    Fetch(FetchError),
    Intake(IntakeError),
    Refused(ImportError),
    /// The source was edited or disabled while it was fetched.
    Changed,
    /// The source was deleted meanwhile.
    Gone,
    /// A mistake of the program; its place is in the log.
    Panicked,
    Store(StoreError),
}

impl SyncError {
    /// One word for log fields and counters.
    fn class(&self) -> &'static str {
        match self {
            SyncError::Fetch(error) => error.cause().class(),
            SyncError::Intake(IntakeError::TooLarge(_)) => "too_large",
            SyncError::Intake(IntakeError::Refused(error)) | SyncError::Refused(error) => {
                error.code()
            }
            SyncError::Intake(IntakeError::Unavailable(_)) | SyncError::Store(_) => "store",
            SyncError::Changed => "source_changed",
            SyncError::Gone => "source_gone",
            SyncError::Panicked => "panic",
        }
    }
}

impl std::fmt::Display for SyncError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SyncError::Fetch(error) => error.fmt(f),
            SyncError::Intake(IntakeError::TooLarge(max)) => {
                write!(f, "the answer is larger than {max} bytes")
            }
            SyncError::Intake(IntakeError::Refused(error)) | SyncError::Refused(error) => {
                error.fmt(f)
            }
            SyncError::Intake(IntakeError::Unavailable(why)) => f.write_str(why),
            SyncError::Changed => f.write_str("the source was changed while it was fetched"),
            SyncError::Gone => f.write_str("the source was deleted"),
            SyncError::Panicked => f.write_str("the sync panicked"),
            SyncError::Store(error) => error.fmt(f),
        }
    }
}

impl From<FetchError> for SyncError {
    fn from(error: FetchError) -> SyncError {
        SyncError::Fetch(error)
    }
}

impl From<IntakeError> for SyncError {
    fn from(error: IntakeError) -> SyncError {
        SyncError::Intake(error)
    }
}

impl From<ImportError> for SyncError {
    fn from(error: ImportError) -> SyncError {
        SyncError::Refused(error)
    }
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> SyncError {
        SyncError::Store(error)
    }
}

impl From<ApplyError> for SyncError {
    fn from(error: ApplyError) -> SyncError {
        match error {
            ApplyError::Refused(error) => SyncError::Refused(error),
            ApplyError::Store(error) => SyncError::Store(error),
        }
    }
}
