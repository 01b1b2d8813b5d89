//! An import from its first byte to its answer: receive, then decide and write in one transaction.

pub mod hand;
mod syncs;

use std::sync::Arc;

use hyper::StatusCode;
use tokio::task::JoinError;
use tributary_core::{Counts, Decider, ImportError, ImportOptions, SourceId};

use crate::app::App;
use crate::clock;
use crate::error::ApiError;
use crate::job::{ImportJob, JobKind, JobStatus};
use crate::metrics::Outcome;
use crate::random;
use crate::store::apply::{self, ApplyError, Received};
use crate::store::jobs;

pub use syncs::{Synced, Syncs, sync};

/// What an inject was asked to do, beside its payload.
pub struct InjectRequest {
    /// Whether a source's payload or accounts by hand are given.
    pub kind: JobKind,
    /// How, and for whom.
    pub options: ImportOptions,
    /// The name given for the importer; empty when none.
    pub source_name: String,
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

/// Applies what was received, unless that cannot be imported; when this returns, it is on disk.
pub async fn inject(
    app: &Arc<App>,
    request: InjectRequest,
    received: Result<Received, ImportError>,
) -> Result<Injected, ApiError> {
    let (kind, strategy) = (request.kind, request.options.strategy);
    let app = Arc::clone(app);
    // A task of its own: whoever hangs up cancels nothing, and leaves nothing uncounted.
    let import = tokio::spawn(async move {
        let injected = match received {
            Ok(received) => apply_received(&app, request, received).await,
            Err(refusal) => Err(refusal.into()),
        };
        let outcome = outcome_of(&injected);
        app.metrics.count_import(kind, strategy, outcome);
        injected
    });
    let ended: Result<_, JoinError> = import.await;
    ended.unwrap_or_else(|error| match error.is_panic() {
        true => Err(ApiError::internal("the import panicked")),
        false => Err(ApiError::unavailable("the import was cut off")),
    })
}

fn outcome_of(injected: &Result<Injected, ApiError>) -> Outcome {
    match injected {
        Ok(_) => Outcome::Success,
        Err(error) if error.status().is_client_error() => Outcome::Refused,
        Err(_) => Outcome::Failed,
    }
}

async fn apply_received(
    app: &App,
    request: InjectRequest,
    received: Received,
) -> Result<Injected, ApiError> {
    let InjectRequest {
        kind,
        options,
        source_name,
    } = request;
    // Asked here too, so that a refused import never waits for the writer.
    Decider::new(&received.batch, &options)?;
    let (weight, not_taken) = (received.body.len(), received.not_taken());
    let (salt, id, at) = (app.salt.clone(), new_job_id()?, clock::now());
    let job = app.store.write(weight, move |db| {
        let name = match &options.source_id {
            Some(source) => apply::settle_name(db, source, Some(&source_name))?,
            None => source_name,
        };
        let counts = apply::apply(db, &received, &options, &name, &salt, at)?;
        let job = begun(id, kind, &options, name, at);
        let job = succeeded(job, &counts);
        jobs::insert(db, &job)?;
        Ok::<_, ApplyError>((job, counts))
    });
    let (job, counts) = job.await?;
    Ok(Injected {
        job,
        counts,
        not_taken,
    })
}

/// A job that begins now.
fn begun(id: String, kind: JobKind, options: &ImportOptions, name: String, at: i64) -> ImportJob {
    ImportJob {
        id,
        kind,
        status: JobStatus::Running,
        created_at: at,
        updated_at: at,
        source_id: options
            .source_id
            .as_ref()
            .map(SourceId::as_str)
            .unwrap_or_default()
            .to_owned(),
        source_name: name,
        strategy: options.strategy,
        total: 0,
        added: 0,
        skipped: 0,
        removed: 0,
    }
}

/// A job whose import was applied.
fn succeeded(job: ImportJob, counts: &Counts) -> ImportJob {
    ImportJob {
        status: JobStatus::Success,
        updated_at: clock::now().max(job.created_at),
        total: counts.total(),
        added: counts.added,
        skipped: counts.skipped(),
        removed: counts.removed,
        ..job
    }
}

fn new_job_id() -> Result<String, ApiError> {
    random::hex::<16>().map_err(|error| ApiError::internal(error.to_string()))
}

impl From<ImportError> for ApiError {
    /// 422 for a body that is no JSON object, 400 for every other refusal.
    fn from(error: ImportError) -> ApiError {
        match error {
            ImportError::Text(text) => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("body {text}"))
            }
            ImportError::BodyNotAnObject => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            _ => ApiError::bad_request(error.to_string()),
        }
    }
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> ApiError {
        match error {
            ApplyError::Refused(error) => error.into(),
            ApplyError::Store(error) => error.into(),
        }
    }
}
