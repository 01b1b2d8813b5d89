//! What is kept of jobs too long: records for undoing, then the jobs themselves. In bits, for which nobody waits long.

use rusqlite::{OptionalExtension, params};

use super::db::Db;
use super::error::StoreError;
use super::jobs::UndoLimits;

/// Rows that one transaction drops at most.
const ROWS: i64 = 2_000;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of records for undoing.
    pub undo: UndoLimits,
    /// Jobs.
    pub jobs: u32,
    /// The oldest of them, in seconds since the epoch.
    pub since: i64,
}

/// What is dropped next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bit {
    /// Jobs that can be undone no longer.
    Expired,
    /// Rows of their records.
    Records,
    /// Jobs up to this row that nothing needs any more.
    Jobs(i64),
}

/// Jobs that can be undone no longer, although their record is there: more than ?1 of their source are newer, or they are
/// older than ?2.
const EXPIRED: &str = "SELECT number FROM (SELECT number, created_at, \
    row_number() OVER (PARTITION BY source_id ORDER BY number DESC) place FROM job WHERE undo = 1) \
    WHERE place > ?1 OR created_at < ?2 LIMIT ?3";

/// Jobs up to row ?1 that nothing needs: no undo, no sync under way, no source that shows its latest sync.
const UNNEEDED: &str = "SELECT number FROM job WHERE number <= ?1 AND undo = 0 AND status <> 'running' \
    AND NOT (kind = 'sync' AND source_id IN (SELECT id FROM source) AND number = \
    (SELECT max(number) FROM job other WHERE other.source_id = job.source_id AND other.kind = 'sync')) \
    ORDER BY number LIMIT ?2";

/// What is dropped next, if anything is. Nothing is written.
pub fn next(db: &Db, limits: Limits) -> Result<Option<Bit>, StoreError> {
    if dropping(db)?.is_some() {
        return Ok(Some(Bit::Records));
    }
    let mut expired = db.prepare_cached(EXPIRED)?;
    if expired.exists(params![limits.undo.keep, limits.undo.since, 1])? {
        return Ok(Some(Bit::Expired));
    }
    let last = last_old(db, limits)?;
    let mut unneeded = db.prepare_cached(UNNEEDED)?;
    let any = unneeded.exists(params![last, 1])?;
    Ok(any.then_some(Bit::Jobs(last)))
}

/// Drops it. What was true when it was found still is: records and jobs only get older.
pub fn drop_bit(db: &Db, bit: Bit, limits: Limits) -> Result<(), StoreError> {
    match bit {
        Bit::Expired => {
            // A job that only added accounts has no rows to drop.
            let sql = format!(
                "UPDATE job SET undo = iif(undo_last < undo_first, 0, 2) WHERE number IN ({EXPIRED})"
            );
            let expire = params![limits.undo.keep, limits.undo.since, ROWS];
            db.prepare_cached(&sql)?.execute(expire)?;
        }
        Bit::Records => {
            let mut room = ROWS;
            while room > 0
                && let Some((number, first, last)) = dropping(db)?
            {
                let end = last.min(first + room - 1);
                db.prepare_cached("DELETE FROM undo WHERE id BETWEEN ?1 AND ?2")?
                    .execute([first, end])?;
                let sql = "UPDATE job SET undo_first = ?2, undo = iif(?2 > undo_last, 0, 2) WHERE number = ?1";
                db.prepare_cached(sql)?.execute([number, end + 1])?;
                room -= end - first + 1;
            }
        }
        Bit::Jobs(last) => {
            let sql = format!("DELETE FROM job WHERE number IN ({UNNEEDED})");
            db.prepare_cached(&sql)?.execute(params![last, ROWS])?;
        }
    }
    Ok(())
}

/// A job whose record is being dropped, and which rows of it are left, first to last.
fn dropping(db: &Db) -> Result<Option<(i64, i64, i64)>, StoreError> {
    let sql = "SELECT number, undo_first, undo_last FROM job WHERE undo = 2 LIMIT 1";
    let mut row = db.prepare_cached(sql)?;
    let row = row.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    Ok(row.optional()?)
}

/// The last job that is too old, or one too many. Jobs stand in the order of their times, but for a clock that was set.
fn last_old(db: &Db, limits: Limits) -> Result<i64, StoreError> {
    let sql = "SELECT number FROM job ORDER BY number DESC LIMIT 1 OFFSET ?1";
    let mut beyond = db.prepare_cached(sql)?;
    let beyond = beyond
        .query_row([limits.jobs], |row| row.get(0))
        .optional()?;
    let sql = "SELECT max(number) FROM (SELECT number, created_at FROM job ORDER BY number LIMIT ?2) WHERE created_at < ?1";
    let mut old = db.prepare_cached(sql)?;
    let old: Option<i64> = old.query_row([limits.since, ROWS], |row| row.get(0))?;
    Ok(beyond.max(old).unwrap_or(0))
}
