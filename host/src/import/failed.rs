//! A sync that failed: its record, and where its source stands then.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tributary_core::QUARANTINE;

use super::failure::Failure;
use super::syncs::{Attempt, Synced};
use crate::app::App;
use crate::clock;
use crate::job::{Actor, ImportJob};
use crate::store::db::Db;
use crate::store::standing::{self, Standing};
use crate::store::{StoreError, jobs, sources};

/// The first pause before a record is written again that could not be, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Notes that a sync failed, and where its source stands now, in a transaction of its own.
pub(super) async fn fail(
    app: &Arc<App>,
    attempt: Attempt,
    so_far: ImportJob,
    failure: Failure,
) -> Synced {
    let failed = FailedSync {
        job: failure.of_job(so_far, clock::now()),
        revision: attempt.source.revision,
        scheduled: attempt.actor == Actor::Schedule,
        of_the_source: failure.is_of_the_source(),
        transient: failure.is_transient(),
        retry_after: failure.retry_after(),
    };
    let noted = failed.clone().write(app).await;
    if noted.is_err() {
        tokio::spawn(write_later(Arc::clone(app), failed));
    }
    match (failure, noted) {
        (Failure::Store(why), _) => Synced::Unavailable(why.to_string()),
        (_, Err(error)) => Synced::Unavailable(error.to_string()),
        (Failure::Gone, Ok(_)) => Synced::NotFound,
        (Failure::PlanDiffers, Ok(job)) => Synced::PlanDiffers(job),
        (_, Ok(job)) => Synced::Failed(job),
    }
}

/// Writes a record as soon as the store can be written again: until then its job is told to run. Where that will never be, or
/// the program ends before, the next start ends the job.
async fn write_later(app: Arc<App>, failed: FailedSync) {
    let (mut pause, longest) = PAUSES;
    loop {
        sleep(pause).await;
        match failed.clone().write(&app).await {
            Err(StoreError::Unavailable(_)) => {}
            Ok(_) | Err(StoreError::Internal(_)) => return,
        }
        pause = (2 * pause).min(longest);
    }
}

/// What is noted of a sync that failed.
#[derive(Clone)]
struct FailedSync {
    job: ImportJob,
    /// That of the source when it was asked.
    revision: i64,
    scheduled: bool,
    of_the_source: bool,
    transient: bool,
    /// In seconds.
    retry_after: Option<u64>,
}

impl FailedSync {
    /// The job as it was written.
    async fn write(self, app: &App) -> Result<ImportJob, StoreError> {
        let job = app.store.write(0, move |db| self.note(db)).await?;
        if job.findings.quarantined {
            let source_id = &job.source_id;
            tracing::warn!(
                source_id,
                "the schedule leaves this source alone until somebody syncs or edits it"
            );
        }
        Ok::<_, StoreError>(job)
    }

    fn note(mut self, db: &Db) -> Result<ImportJob, StoreError> {
        // What came of a source as it was, or before its latest sync, says nothing of it as it is now.
        let source = sources::get(db, &self.job.source_id)?;
        let latest = jobs::latest_sync(db, &self.job.source_id)?;
        let is_news = source.is_some_and(|source| source.revision == self.revision)
            && latest.is_some_and(|latest| latest.id == self.job.id);
        let standing = match is_news {
            true => Some(self.standing_after(standing::read(db, &self.job.source_id)?)),
            false => None,
        };
        let failures = standing.as_ref().map_or(0, |standing| standing.failures);
        self.job.findings.quarantined = failures >= QUARANTINE;
        // A record that was thought not to be written may be there.
        if jobs::finish(db, &self.job)?
            && let Some(standing) = &standing
        {
            standing::write(db, &self.job.source_id, standing)?;
        }
        Ok(self.job)
    }

    fn standing_after(&self, before: Standing) -> Standing {
        Standing {
            attempted_at: Some(self.job.updated_at),
            // What a person asks for begins the count anew.
            failures: match (self.scheduled, self.of_the_source) {
                (true, true) => before.failures.saturating_add(1),
                (true, false) => before.failures,
                (false, of_the_source) => u32::from(of_the_source),
            },
            transient: self.transient,
            not_before: self
                .retry_after
                .map(|seconds| after(self.job.updated_at, seconds)),
            ..before
        }
    }
}

fn after(at: i64, seconds: u64) -> i64 {
    at.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX))
}
