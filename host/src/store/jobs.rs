//! Import jobs: one row per import and per change by hand.

pub(super) mod places;

use rusqlite::{OptionalExtension, Row, params};
use tributary_core::Strategy;

use super::audit;
use super::db::Db;
use super::error::StoreError;
use super::lookup::MOST_ROWS;
use super::written;
use crate::job::{Findings, ImportJob, JobKind, JobStatus, Trace};
use crate::random;

/// `undo` of a job that can be undone as long as its record is kept.
pub(super) const KEPT: i64 = 1;
/// Digits with which an id begins, random ones; as many more are its row, so that it is found without an index.
const BEGIN: usize = 16;
/// What an empty range is written as.
const NO_ROWS: (i64, i64) = (0, -1);

/// Adds a job as it stands, and gives it its id: a sync while it runs, an inject in the transaction that applies it.
pub fn insert(db: &Db, job: &mut ImportJob) -> Result<(), StoreError> {
    let sql = "INSERT INTO job(id, kind, status, created_at, updated_at, source_id, source_name, strategy, \
               total, added, skipped, removed, actor, bytes, updated, unchanged, released, disabled, cause, findings, \
               undo, place, added_first, added_last, undo_first, undo_last, undoes) \
               VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
               ?21, ?22, ?23, ?24, ?25, ?26, ?27)";
    let (undo, [added, changed]) = traced(job);
    let place = places::next(db, job)?;
    note_sync(db, job);
    // Without randomness for a moment the row alone has to do.
    let begin = random::hex::<{ BEGIN / 2 }>().unwrap_or_else(|_| "0".repeat(BEGIN));
    db.prepare_cached(sql)?.execute(params![
        begin,
        job.kind.as_str(),
        job.status.as_str(),
        job.created_at,
        job.updated_at,
        job.source_id,
        job.source_name,
        job.strategy.as_str(),
        count(job.total),
        count(job.added),
        count(job.skipped),
        count(job.removed),
        job.actor,
        count(job.bytes),
        count(job.updated),
        count(job.unchanged),
        count(job.released),
        count(job.disabled),
        job.cause,
        written(&job.findings)?,
        undo,
        place,
        added.0,
        added.1,
        changed.0,
        changed.1,
        job.undoes,
    ])?;
    job.id = id_of(begin, db.last_insert_rowid());
    places::take(db, job, place)?;
    match job.status {
        JobStatus::Running => Ok(()),
        _ => audit::append_job(db, job),
    }
}

/// The id of the job in this row. `begin` is what the table has of it: in jobs of versions before 8, all.
fn id_of(begin: String, row: i64) -> String {
    match begin.len() {
        BEGIN => format!("{begin}{row:0BEGIN$x}"),
        _ => begin,
    }
}

/// Jobs of versions before 8 have whole ids and an index.
const ROW: &str = "SELECT number FROM job WHERE number = ?1 AND id = ?2 \
                   UNION ALL SELECT number FROM job WHERE id = ?3 AND length(id) = 32";

/// The row of the job with this id, which ends with it.
fn row_of(db: &Db, id: &str) -> Result<Option<i64>, StoreError> {
    let (begin, end) = id.split_at_checked(BEGIN).unwrap_or_default();
    let row = i64::from_str_radix(end, 16).ok();
    let mut found = db.prepare_cached(ROW)?;
    let found = found.query_row(params![row, begin, id], |row| row.get(0));
    Ok(found.optional()?)
}

/// Writes how a running job ended: everything but what it was when it began. `false` when it is not running any more.
pub fn finish(db: &Db, job: &ImportJob) -> Result<bool, StoreError> {
    let sql = "UPDATE job SET status = ?2, updated_at = ?3, total = ?4, added = ?5, skipped = ?6, removed = ?7, \
               bytes = ?8, updated = ?9, unchanged = ?10, released = ?11, disabled = ?12, cause = ?13, findings = ?14, \
               undo = ?15, added_first = ?16, added_last = ?17, undo_first = ?18, undo_last = ?19, place = ?20 \
               WHERE number = ?1 AND status = 'running'";
    let (undo, [added, changed]) = traced(job);
    let place = places::next(db, job)?;
    note_sync(db, job);
    let finished = db.prepare_cached(sql)?.execute(params![
        row_of(db, &job.id)?,
        job.status.as_str(),
        job.updated_at,
        count(job.total),
        count(job.added),
        count(job.skipped),
        count(job.removed),
        count(job.bytes),
        count(job.updated),
        count(job.unchanged),
        count(job.released),
        count(job.disabled),
        job.cause,
        written(&job.findings)?,
        undo,
        added.0,
        added.1,
        changed.0,
        changed.1,
        place,
    ])?;
    if finished > 0 {
        places::take(db, job, place)?;
        audit::append_job(db, job)?;
    }
    Ok(finished > 0)
}

/// The latest sync of a source stands in the list of sources.
fn note_sync(db: &Db, job: &ImportJob) {
    if job.kind == JobKind::Sync {
        db.sources_change();
    }
}

/// `undo`, and the first and last rows of accounts added and of the record.
fn traced(job: &ImportJob) -> (i64, [(i64, i64); 2]) {
    match job.trace {
        Some(trace) => (KEPT, [trace.added, trace.changed]),
        None => (0, [NO_ROWS; 2]),
    }
}

/// Notes which job has undone this one; empty when it is in force again.
pub(super) fn set_undone_by(db: &Db, id: &str, by: &str) -> Result<(), StoreError> {
    let mut change = db.prepare_cached("UPDATE job SET undone_by = ?2 WHERE number = ?1")?;
    change.execute(params![row_of(db, id)?, by])?;
    Ok(())
}

/// The job with this id, and its row.
pub fn get(db: &Db, id: &str) -> Result<Option<(i64, ImportJob)>, StoreError> {
    let mut job = db.prepare_cached("SELECT * FROM job WHERE number = ?1")?;
    let job = job.query_row([row_of(db, id)?], |row| {
        Ok((row.get("number")?, read(row)?))
    });
    // Capitals, for one, would lead to a row of another id.
    Ok(job.optional()?.filter(|(_, job)| job.id == id))
}

/// How long jobs can be undone.
#[derive(Clone, Copy, Debug)]
pub struct UndoLimits {
    /// Latest jobs of each source.
    pub keep: u32,
    /// The oldest of them, in seconds since the epoch.
    pub since: i64,
}

/// Whether the job in this row can be undone at present.
pub fn is_undoable(
    db: &Db,
    number: i64,
    job: &ImportJob,
    limits: UndoLimits,
) -> Result<bool, StoreError> {
    Ok(job.undone_by.is_empty() && is_kept(db, number, job, limits)?)
}

/// Whether what it takes to undo the job in this row is still kept. A person's changes count as those of a source without
/// a name.
pub fn is_kept(
    db: &Db,
    number: i64,
    job: &ImportJob,
    limits: UndoLimits,
) -> Result<bool, StoreError> {
    if job.trace.is_none() || job.created_at < limits.since {
        return Ok(false);
    }
    let mut place = db.prepare_cached("SELECT place FROM job WHERE number = ?1")?;
    let place: i64 = place.query_row([number], |row| row.get(0))?;
    let newer = places::latest(db, &job.source_id)? - place;
    Ok(newer < limits.keep.into())
}

/// The source's latest sync, running or not; injects under its id do not count.
pub fn latest_sync(db: &Db, source_id: &str) -> Result<Option<ImportJob>, StoreError> {
    let sql =
        "SELECT * FROM job WHERE source_id = ?1 AND kind = 'sync' ORDER BY number DESC LIMIT 1";
    Ok(db
        .prepare_cached(sql)?
        .query_row([source_id], read)
        .optional()?)
}

/// Whether a sync of the same source that began later is applied already: what this one fetched is older.
pub fn is_overtaken(db: &Db, sync: &ImportJob) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS(SELECT 1 FROM job WHERE source_id = ?1 AND kind = 'sync' AND status = 'success' \
               AND number > ?2)";
    let mut later = db.prepare_cached(sql)?;
    let began = row_of(db, &sync.id)?;
    Ok(later.query_row(params![sync.source_id, began], |row| row.get(0))?)
}

/// What jobs must be like; what is `None` leaves all in.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// The source they imported for.
    pub source_id: Option<String>,
    /// What made them.
    pub kind: Option<JobKind>,
    /// Where they stand.
    pub outcome: Option<JobStatus>,
}

/// Jobs with their rows and whether they can be undone, the newest first, and the row below which to go on; `None` at the
/// end.
pub type Listed = (Vec<(i64, ImportJob, bool)>, Option<i64>);

/// At most `most` jobs that are meant, from those below row `before`. It looks at 1,000 rows at most, so it may be fewer
/// without being the end.
pub fn list(
    db: &Db,
    filter: &JobFilter,
    before: i64,
    most: usize,
    undo: UndoLimits,
) -> Result<Listed, StoreError> {
    let sql = format!(
        "SELECT number FROM job WHERE number < ?1 ORDER BY number DESC LIMIT 1 OFFSET {}",
        MOST_ROWS - 1
    );
    let mut bound = db.prepare_cached(&sql)?;
    let bound: Option<i64> = bound.query_row([before], |row| row.get(0)).optional()?;
    let sql = "SELECT * FROM job WHERE number < ?1 AND number >= ?2 AND source_id = coalesce(?3, source_id) \
               AND kind = coalesce(?4, kind) AND status = coalesce(?5, status) ORDER BY number DESC LIMIT ?6";
    let mut rows = db.prepare_cached(sql)?;
    let meant = params![
        before,
        bound.unwrap_or(i64::MIN),
        filter.source_id,
        filter.kind.map(JobKind::as_str),
        filter.outcome.map(JobStatus::as_str),
        i64::try_from(most).unwrap_or(i64::MAX),
    ];
    let jobs = rows
        .query_map(meant, |row| Ok((row.get("number")?, read(row)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let last = jobs.last().map(|(number, _)| *number);
    let next = match jobs.len() == most {
        true => last,
        false => bound,
    };
    let judged = jobs.into_iter().map(|(number, job)| {
        let undoable = is_undoable(db, number, &job, undo)?;
        Ok((number, job, undoable))
    });
    Ok((judged.collect::<Result<_, StoreError>>()?, next))
}

/// Fails every job that is still running: the program that ran it is gone.
pub fn fail_cut_short(db: &Db, now: i64) -> Result<(), StoreError> {
    let mut running = db.prepare("SELECT * FROM job WHERE status = 'running'")?;
    let running = running.query_map([], read)?;
    for job in running.collect::<Result<Vec<_>, _>>()? {
        let findings = Findings {
            error: "the server ended before the sync did".to_owned(),
            ..Findings::default()
        };
        let failed = ImportJob {
            status: JobStatus::Failed,
            updated_at: now,
            cause: "cut_short".into(),
            findings,
            ..job
        };
        finish(db, &failed)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<ImportJob> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let pair = |first, last| Ok::<_, rusqlite::Error>((row.get(first)?, row.get(last)?));
    let trace = match row.get::<_, i64>("undo")? {
        KEPT => Some(Trace {
            added: pair("added_first", "added_last")?,
            changed: pair("undo_first", "undo_last")?,
        }),
        _ => None,
    };
    Ok(ImportJob {
        id: id_of(row.get("id")?, row.get("number")?),
        kind: super::word(row, "kind", JobKind::from_exact)?,
        status: super::word(row, "status", JobStatus::from_exact)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        source_id: row.get("source_id")?,
        source_name: row.get("source_name")?,
        strategy: super::word(row, "strategy", Strategy::from_exact)?,
        total: count("total")?,
        added: count("added")?,
        skipped: count("skipped")?,
        removed: count("removed")?,
        updated: count("updated")?,
        unchanged: count("unchanged")?,
        released: count("released")?,
        disabled: count("disabled")?,
        actor: row.get("actor")?,
        address: String::new(),
        bytes: count("bytes")?,
        cause: row.get("cause")?,
        findings: super::word(row, "findings", |json| serde_json::from_str(json).ok())?,
        trace,
        undoes: row.get("undoes")?,
        undone_by: row.get("undone_by")?,
    })
}

/// A count as SQLite keeps it. Counts are accounts of one import: at most 1,000,000, or a whole pool.
fn count(accounts: u64) -> i64 {
    i64::try_from(accounts).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
