//! An import from its first byte to its answer: receive, then decide and write in one transaction.

mod detach;
mod failed;
mod failure;
mod guarding;
pub mod hand;
mod planning;
pub mod retention;
pub mod rotation;
pub mod schedule;
mod syncs;
mod undoing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tributary_core::{Counts, Decider, ImportOptions, PlanHash, SourceId};

use crate::app::App;
use crate::clock;
use crate::job::{Asker, Findings, ImportJob, JobKind, JobStatus, Phases, micros};
use crate::metrics::Outcome;
use crate::store::apply::{self, Demands};
use crate::store::decide::Received;
use crate::store::{StoreError, jobs, policies};

use detach::DetachOnDrop;
pub use failure::Failure;
pub use planning::{Cut, Planned, plan, plan_source};
pub use schedule::{Schedule, due};
pub use syncs::{SyncRequest, Synced, Syncs, sync};
pub use undoing::{NotUndone, UndoPlan, Undone, limits, plan_undo, undo};

/// What an inject was asked to do, beside its payload.
pub struct InjectRequest {
    /// Whether a source's payload or accounts by hand are given.
    pub kind: JobKind,
    /// How, and for whom.
    pub options: ImportOptions,
    /// The name given for the importer; empty when none.
    pub source_name: String,
    /// Who asks.
    pub actor: Asker,
    /// The plan that was approved, where only that may be applied.
    pub expected: Option<PlanHash>,
    /// How long its body took to arrive.
    pub receiving: Duration,
}

/// What an inject did.
pub struct Injected {
    /// The record of it.
    pub job: ImportJob,
    /// What it changed.
    pub counts: Counts,
    /// Entries that were not taken.
    pub not_taken: usize,
}

/// An inject that changed nothing.
pub struct NotInjected {
    /// Why.
    pub failure: Failure,
    /// The job that tells of it; `None` where even that could not be written.
    pub job_id: Option<String>,
}

/// Applies what was received, unless that cannot be imported; when this returns, it is on disk.
pub async fn inject(
    app: &Arc<App>,
    request: InjectRequest,
    received: Result<Received, Failure>,
) -> Result<Injected, NotInjected> {
    let app = Arc::clone(app);
    // Whoever hangs up cancels nothing, and leaves nothing uncounted.
    let import = DetachOnDrop::new(async move {
        let (kind, strategy) = (request.kind, request.options.strategy);
        let mut job = new_job(&request);
        let injected = match received {
            Ok(received) => {
                job = told_of(job, &received);
                apply_received(&app, request, received, job.clone()).await
            }
            Err(failure) => Err(failure),
        };
        app.metrics
            .count_import(kind, strategy, outcome_of(&injected));
        match injected {
            Ok(injected) => Ok(injected),
            Err(failure) => Err(note(&app, job, failure).await),
        }
    });
    import.await
}

fn new_job(request: &InjectRequest) -> ImportJob {
    let InjectRequest {
        kind,
        options,
        source_name,
        actor,
        ..
    } = request;
    let job = begun(
        *kind,
        options,
        source_name.clone(),
        actor.clone(),
        clock::now(),
    );
    ImportJob {
        findings: Findings {
            phases: Phases {
                receive_us: micros(request.receiving),
                ..Phases::default()
            },
            plan_hash: request.expected.map(|hash| hash.to_string()),
            ..Findings::default()
        },
        ..job
    }
}

fn outcome_of(injected: &Result<Injected, Failure>) -> Outcome {
    match injected {
        Ok(_) => Outcome::Success,
        Err(Failure::Store(_) | Failure::Panicked) => Outcome::Failed,
        Err(_) => Outcome::Refused,
    }
}

/// Notes in the history, in a transaction of its own, that an inject changed nothing.
async fn note(app: &App, job: ImportJob, failure: Failure) -> NotInjected {
    let mut job = failure.of_job(job, clock::now());
    let job_id = match failure {
        // Where the store cannot be used there is nobody to tell it to.
        Failure::Store(StoreError::Unavailable(_)) => None,
        _ => app
            .store
            .write(0, move |db| jobs::insert(db, &mut job).map(|()| job.id))
            .await
            .inspect_err(|error| tracing::warn!(%error, "could not note a refused import"))
            .ok(),
    };
    NotInjected { failure, job_id }
}

async fn apply_received(
    app: &App,
    request: InjectRequest,
    received: Received,
    job: ImportJob,
) -> Result<Injected, Failure> {
    let InjectRequest {
        options,
        source_name,
        expected,
        ..
    } = request;
    // Asked here too, so that a refused import never waits for the writer.
    Decider::new(&received.batch, &options)?;
    let (weight, not_taken) = (received.body.len(), received.not_taken());
    let (salt, waiting) = (app.salt.clone(), Instant::now());
    let demands = Demands {
        expected,
        guard: None,
    };
    let applied = app.store.write_repeatable(weight, move |db| {
        let applying = Instant::now();
        let mut options = options.clone();
        let name = match &options.source_id {
            Some(source) => {
                options.removal = policies::read(db, source.as_str())?.removal;
                apply::settle_name(db, source, Some(&source_name))?
            }
            None => source_name.clone(),
        };
        let at = job.created_at;
        let applied = apply::apply(db, &received, &options, &name, &salt, at, &demands)?;
        let job = ImportJob {
            source_name: name,
            trace: applied.trace,
            ..succeeded(job.clone(), &applied.counts)
        };
        let mut job = measured(job, waiting, applying);
        jobs::insert(db, &mut job)?;
        Ok::<_, Failure>((job, applied.counts))
    });
    let (job, counts) = applied.await?;
    Ok(Injected {
        job,
        counts,
        not_taken,
    })
}

/// A job that begins now.
fn begun(kind: JobKind, options: &ImportOptions, name: String, actor: Asker, at: i64) -> ImportJob {
    let source = options.source_id.as_ref().map(SourceId::as_str);
    ImportJob {
        kind,
        created_at: at,
        updated_at: at,
        source_id: source.unwrap_or_default().to_owned(),
        source_name: name,
        strategy: options.strategy,
        actor: actor.actor,
        address: actor.address,
        ..ImportJob::default()
    }
}

/// A job whose import was applied.
fn succeeded(job: ImportJob, counts: &Counts) -> ImportJob {
    ImportJob {
        status: JobStatus::Success,
        updated_at: clock::now().max(job.created_at),
        ..job.counted(counts)
    }
}

/// The job with what was received.
fn told_of(mut job: ImportJob, received: &Received) -> ImportJob {
    job.bytes = received.body.len();
    job.findings.skips = skips_by_reason(received);
    job
}

/// The job with how long it waited for the writer and was then applied.
fn measured(mut job: ImportJob, waiting: Instant, applying: Instant) -> ImportJob {
    job.findings.phases.wait_us = micros(applying.duration_since(waiting));
    job.findings.phases.apply_us = micros(applying.elapsed());
    job
}

fn skips_by_reason(received: &Received) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for skip in &received.batch.skips {
        *counts.entry(skip.reason.code()).or_default() += 1;
    }
    let owned = counts.into_iter();
    owned
        .map(|(code, count)| (code.to_owned(), count))
        .collect()
}

#[cfg(test)]
mod tests;
