//! Import jobs: one row per import, kept.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tributary_core::Strategy;

use super::error::StoreError;
use super::lookup::MOST_ROWS;
use crate::job::{ImportJob, JobKind, JobStatus};

/// Adds a job as it stands: a sync while it runs, an inject in the transaction that applies it.
pub fn insert(db: &Connection, job: &ImportJob) -> Result<(), StoreError> {
    let sql = "INSERT INTO job(id, kind, status, created_at, updated_at, source_id, source_name, strategy, \
               total, added, skipped, removed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    db.prepare_cached(sql)?.execute(params![
        job.id,
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
    ])?;
    Ok(())
}

/// Writes how a running job ended: status, time and counts. `false` when it is not running any more.
pub fn finish(db: &Connection, job: &ImportJob) -> Result<bool, StoreError> {
    let sql = "UPDATE job SET status = ?2, updated_at = ?3, total = ?4, added = ?5, skipped = ?6, removed = ?7 \
               WHERE id = ?1 AND status = 'running'";
    let changed = db.prepare_cached(sql)?.execute(params![
        job.id,
        job.status.as_str(),
        job.updated_at,
        count(job.total),
        count(job.added),
        count(job.skipped),
        count(job.removed),
    ])?;
    Ok(changed > 0)
}

/// The source's latest sync, running or not; injects under its id do not count.
pub fn latest_sync(db: &Connection, source_id: &str) -> Result<Option<ImportJob>, StoreError> {
    let sql =
        "SELECT * FROM job WHERE source_id = ?1 AND kind = 'sync' ORDER BY number DESC LIMIT 1";
    Ok(db
        .prepare_cached(sql)?
        .query_row([source_id], read)
        .optional()?)
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

/// Jobs with their rows, the newest first, and the row below which to go on; `None` at the end.
pub type Listed = (Vec<(i64, ImportJob)>, Option<i64>);

/// At most `most` jobs that are meant, from those below row `before`. It looks at 1,000 rows at most, so it may be fewer
/// without being the end.
pub fn list(
    db: &Connection,
    filter: &JobFilter,
    before: i64,
    most: usize,
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
    Ok((jobs, next))
}

/// Fails every job that is still running: the program that ran it is gone. Returns how many there were.
pub fn fail_cut_short(db: &Connection, now: i64) -> Result<usize, StoreError> {
    let sql = "UPDATE job SET status = 'failed', updated_at = ?1, total = 0, added = 0, skipped = 0, removed = 0 \
               WHERE status = 'running'";
    Ok(db.execute(sql, [now])?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<ImportJob> {
    Ok(ImportJob {
        id: row.get("id")?,
        kind: super::word(row, "kind", JobKind::from_exact)?,
        status: super::word(row, "status", JobStatus::from_exact)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        source_id: row.get("source_id")?,
        source_name: row.get("source_name")?,
        strategy: super::word(row, "strategy", Strategy::from_exact)?,
        total: row.get::<_, i64>("total")?.unsigned_abs(),
        added: row.get::<_, i64>("added")?.unsigned_abs(),
        skipped: row.get::<_, i64>("skipped")?.unsigned_abs(),
        removed: row.get::<_, i64>("removed")?.unsigned_abs(),
    })
}

/// A count as SQLite keeps it. Counts are accounts of one import: at most 1,000,000, or a whole pool.
fn count(accounts: u64) -> i64 {
    i64::try_from(accounts).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sources::{self, tests::source};
    use crate::store::tests::{database, job};

    #[test]
    fn a_source_shows_its_latest_sync_and_no_inject() {
        let (_dir, db) = database();
        sources::insert(&db, &source("s1")).unwrap();
        assert!(sources::list(&db).unwrap()[0].1.is_none());
        for (id, kind) in [
            ("a", JobKind::Sync),
            ("b", JobKind::Sync),
            ("c", JobKind::Inject),
        ] {
            insert(&db, &job(id, kind, JobStatus::Running)).unwrap();
        }
        let ended = ImportJob {
            updated_at: 11,
            total: 2,
            added: 1,
            skipped: 1,
            removed: 3,
            ..job("b", JobKind::Sync, JobStatus::Success)
        };
        assert!(finish(&db, &ended).unwrap());
        assert!(
            !finish(&db, &job("b", JobKind::Sync, JobStatus::Failed)).unwrap(),
            "it had ended"
        );
        let shown = sources::list(&db).unwrap().remove(0).1.unwrap();
        assert_eq!(
            (
                shown.id.as_str(),
                shown.status,
                shown.created_at,
                shown.updated_at
            ),
            ("b", JobStatus::Success, 10, 11)
        );
        assert_eq!(
            (shown.total, shown.added, shown.skipped, shown.removed),
            (2, 1, 1, 3)
        );
    }

    #[test]
    fn jobs_are_found_through_their_indexes() {
        let (_dir, db) = database();
        for (sql, index) in [
            (
                "SELECT * FROM job WHERE source_id = ?1 AND kind = 'sync' ORDER BY number DESC LIMIT 1",
                "USING INDEX job_sync",
            ),
            (
                "UPDATE job SET total = 1 WHERE id = ?1 AND status = 'running'",
                "USING INDEX job_running",
            ),
            (
                "UPDATE job SET total = 1 WHERE status = 'running'",
                "USING INDEX job_running",
            ),
            (
                "SELECT * FROM job WHERE number < ?1 AND number >= ?2 AND source_id = coalesce(?3, source_id) ORDER BY number DESC",
                "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
        ] {
            let mut rows = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = rows.parameter_count();
            let plan: Vec<String> = rows
                .query_map(rusqlite::params_from_iter(vec!["x"; parameters]), |r| {
                    r.get("detail")
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(plan.len() == 1 && plan[0].contains(index), "{plan:?}");
        }
    }
}
