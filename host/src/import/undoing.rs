//! The undo of a job: a job of its own, in one transaction.

use std::sync::Arc;
use std::time::Instant;

use tributary_core::{ImportOptions, SourceId};

use super::begun;
use super::failure::Failure;
use super::planning::{Cut, Looking, look};
use crate::app::App;
use crate::clock;
use crate::config::History;
use crate::job::{Asker, Findings, ImportJob, JobKind, JobStatus, Phases, Trace, micros};
use crate::store::StoreError;
use crate::store::change::Changes;
use crate::store::db::Db;
use crate::store::jobs::{self, UndoLimits};
use crate::store::undo::{self, Left};

/// Bytes of pages that an account's undo touches, about: so heavy is it for the writer.
const ACCOUNT_WEIGHT: u64 = 2 << 10;
/// Of what an undo leaves, so much is listed in its job.
const MOST_LEFT: usize = 100;

/// Why a job is not undone.
pub enum NotUndone {
    /// There is no such job.
    NotFound,
    /// It still runs.
    Running,
    /// It changed nothing.
    Nothing,
    /// Another job undid it: its id.
    Already(String),
    /// What it takes is kept no longer.
    Expired,
    /// It could not be.
    Failed(Failure),
}

/// What an undo did.
pub struct Undone {
    /// The record of it.
    pub job: ImportJob,
    /// What it left, and why.
    pub left: Left,
}

/// What an undo would do.
pub struct UndoPlan {
    /// The job that would be undone.
    pub job: ImportJob,
    /// Changes as JSON text.
    pub changes: Cut<String>,
    /// What it would leave, and why.
    pub left: Left,
}

/// How long jobs can be undone, counted from now.
pub fn limits(history: &History) -> UndoLimits {
    let seconds = i64::try_from(history.undo_for.as_secs()).unwrap_or(i64::MAX);
    UndoLimits {
        keep: history.undo_keep,
        since: clock::now().saturating_sub(seconds),
    }
}

/// Takes back what the job with this id changed; when this returns, it is on disk. Hanging up cancels nothing.
pub async fn undo(app: &Arc<App>, id: String, actor: Asker) -> Result<Undone, NotUndone> {
    let app = Arc::clone(app);
    let undoing = tokio::spawn(async move {
        let (limits, waiting) = (limits(&app.config.history), Instant::now());
        let asked = id.clone();
        let weight = app.store.read(move |db| weight_of(db, &asked)).await?;
        app.store
            .write(weight, move |db| {
                let undoing = Instant::now();
                let (job, trace) = undoable(db, &id, limits)?;
                let mut changes = Changes::begin(db, None)?;
                let left = undo::take_back(db, &job, &trace, MOST_LEFT, &mut changes)?;
                let undone = record(&job, actor, &left, changes.finish()?);
                let mut undone = timed(undone, waiting, undoing);
                jobs::insert(db, &mut undone)?;
                if undone.trace.is_some() {
                    undo::mark(db, &job, &undone.id)?;
                }
                Ok(Undone { job: undone, left })
            })
            .await
    });
    let panicked = |_| Err(NotUndone::Failed(Failure::Panicked));
    undoing.await.unwrap_or_else(panicked)
}

/// Tells what the undo of the job with this id would change.
pub async fn plan_undo(app: &App, id: String, limit: usize) -> Result<UndoPlan, NotUndone> {
    let limits = limits(&app.config.history);
    let planned = look(app, move |db| {
        let (job, trace) = match undoable(db, &id, limits) {
            Ok(found) => found,
            Err(NotUndone::Failed(failure)) => return Err(failure),
            Err(not) => return Ok(Err(not)),
        };
        let mut looking = Looking::at(db, limit);
        let left = undo::take_back(db, &job, &trace, limit, &mut looking)?;
        Ok(Ok(UndoPlan {
            job,
            changes: looking.changes,
            left,
        }))
    });
    planned.await?
}

fn undoable(db: &Db, id: &str, limits: UndoLimits) -> Result<(ImportJob, Trace), NotUndone> {
    let (number, job) = jobs::get(db, id)?.ok_or(NotUndone::NotFound)?;
    if job.status == JobStatus::Running {
        return Err(NotUndone::Running);
    }
    if !job.undone_by.is_empty() {
        return Err(NotUndone::Already(job.undone_by));
    }
    match job.trace {
        Some(trace) if jobs::is_kept(db, number, &job, limits)? => Ok((job, trace)),
        Some(_) => Err(NotUndone::Expired),
        None if job.changed_nothing() => Err(NotUndone::Nothing),
        None => Err(NotUndone::Expired),
    }
}

fn record(job: &ImportJob, actor: Asker, left: &Left, trace: Option<Trace>) -> ImportJob {
    let options = ImportOptions {
        source_id: SourceId::new(&job.source_id),
        strategy: job.strategy,
        ..ImportOptions::default()
    };
    let name = job.source_name.clone();
    let begun = begun(JobKind::Undo, &options, name, actor, clock::now());
    ImportJob {
        status: JobStatus::Success,
        undoes: job.id.clone(),
        trace,
        findings: Findings {
            left: left.listed.clone(),
            left_more: left.more,
            ..Findings::default()
        },
        ..begun.counted(&left.counts)
    }
}

fn timed(mut job: ImportJob, waiting: Instant, undoing: Instant) -> ImportJob {
    job.findings.phases = Phases {
        wait_us: micros(undoing.duration_since(waiting)),
        apply_us: micros(undoing.elapsed()),
        ..Phases::default()
    };
    job
}

fn weight_of(db: &Db, id: &str) -> Result<u64, NotUndone> {
    let trace = jobs::get(db, id)?.and_then(|(_, job)| job.trace);
    let rows = |(first, last): (i64, i64)| u64::try_from(last - first + 1).unwrap_or(0);
    let accounts = trace.map_or(0, |trace| rows(trace.added) + rows(trace.changed));
    Ok(accounts.saturating_mul(ACCOUNT_WEIGHT))
}

impl From<Failure> for NotUndone {
    fn from(failure: Failure) -> NotUndone {
        NotUndone::Failed(failure)
    }
}

impl From<StoreError> for NotUndone {
    fn from(error: StoreError) -> NotUndone {
        NotUndone::Failed(error.into())
    }
}
