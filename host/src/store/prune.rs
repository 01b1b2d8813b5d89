//! What is kept of jobs too long: records for undoing, then the jobs themselves. In bits, for which nobody waits long.

use rusqlite::{OptionalExtension, params};

use super::db::Db;
use super::error::StoreError;
use super::jobs::UndoLimits;

/// Rows that one transaction drops at most.
const ROWS: i64 = 2_000;
/// Expired jobs that are found at once: looking for them takes longer than dropping some.
const FOUND: i64 = 10 * ROWS;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bit {
    /// Jobs in these rows, which can be undone no longer.
    Expired(Vec<i64>),
    /// Rows of their records.
    Records,
    /// Jobs up to this row that nothing needs any more.
    Jobs(i64),
}

/// Jobs that can be undone no longer, although their record is there: ?1 of their source or more were applied since, or they
/// are older than ?2.
const EXPIRED: &str = "SELECT number FROM job WHERE undo = 1 AND (created_at < ?2 OR place <= \
    (SELECT value FROM number WHERE kind = 'undo' AND of = 0 AND name = source_id) - ?1) LIMIT ?3";

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
    let found = params![limits.undo.keep, limits.undo.since, FOUND];
    let numbers = expired.query_map(found, |row| row.get(0))?;
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    if !numbers.is_empty() {
        return Ok(Some(Bit::Expired(numbers)));
    }
    let last = last_old(db, limits)?;
    let mut unneeded = db.prepare_cached(UNNEEDED)?;
    let any = unneeded.exists(params![last, 1])?;
    Ok(any.then_some(Bit::Jobs(last)))
}

impl Bit {
    /// The same in parts for which nobody waits long.
    pub fn parts(self) -> Vec<Bit> {
        match self {
            Bit::Expired(numbers) => {
                let parts = numbers.chunks(usize::try_from(ROWS).unwrap_or(1));
                parts.map(|part| Bit::Expired(part.to_vec())).collect()
            }
            other => vec![other],
        }
    }
}

/// Drops it. What was true when it was found still is: records and jobs only get older.
pub fn drop_bit(db: &Db, bit: &Bit) -> Result<(), StoreError> {
    match bit {
        Bit::Expired(numbers) => {
            // A job that only added accounts has no rows to drop.
            let sql = "UPDATE job SET undo = iif(undo_last < undo_first, 0, 2) WHERE number = ?1 AND undo = 1";
            let mut expire = db.prepare_cached(sql)?;
            for number in numbers {
                expire.execute([number])?;
            }
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
            db.sources_change();
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
    // The one before the first that is young, or the last of all.
    let sql = "SELECT coalesce((SELECT number - 1 FROM job WHERE created_at >= ?1 ORDER BY number LIMIT 1), \
               (SELECT max(number) FROM job))";
    let mut old = db.prepare_cached(sql)?;
    let old: Option<i64> = old.query_row([limits.since], |row| row.get(0))?;
    Ok(beyond.max(old).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{ImportJob, JobKind, JobStatus, Trace};
    use crate::store::jobs;
    use crate::store::sources::{self, tests::source};
    use crate::store::tests::{database, job};

    /// Nothing is too old or one too many.
    const ALL: Limits = Limits {
        undo: UndoLimits {
            keep: 1_000,
            since: 0,
        },
        jobs: 100_000,
        since: 0,
    };

    fn undo(keep: u32, since: i64) -> Limits {
        Limits {
            undo: UndoLimits { keep, since },
            ..ALL
        }
    }

    /// So many rows of a record more, each with the name of its job in it.
    const ROWS_MORE: &str = "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2) \
        INSERT INTO undo SELECT (SELECT coalesce(max(id), 0) FROM undo) + value, 0, 1, x'', x'', 0, ?1, '{}', x'', NULL, \
        x'', 0, 0 FROM n WHERE value <= ?2";

    /// A job of this source with so many rows of a record.
    fn keep(db: &Db, name: &str, source: &str, at: i64, rows: i64) {
        let last = |db: &Db| -> i64 {
            db.query_row("SELECT coalesce(max(id), 0) FROM undo", [], |row| {
                row.get(0)
            })
            .unwrap()
        };
        let first = last(db) + 1;
        db.execute(ROWS_MORE, params![name, rows]).unwrap();
        let mut kept = ImportJob {
            created_at: at,
            source_id: source.to_owned(),
            trace: Some(Trace {
                added: (0, -1),
                changed: (first, last(db)),
            }),
            ..job(name, JobKind::Inject, JobStatus::Success)
        };
        jobs::insert(db, &mut kept).unwrap();
    }

    /// A job that cannot be undone.
    fn past(db: &Db, name: &str, at: i64, kind: JobKind, status: JobStatus) {
        let mut past = ImportJob {
            created_at: at,
            ..job(name, kind, status)
        };
        jobs::insert(db, &mut past).unwrap();
    }

    /// Drops all that is to be dropped; the bits in which that went.
    fn drop_all(db: &Db, limits: Limits) -> Vec<Bit> {
        let mut bits = Vec::new();
        while let Some(bit) = next(db, limits).unwrap() {
            drop_bit(db, &bit).unwrap();
            bits.push(bit);
        }
        bits
    }

    fn names(db: &Db, sql: &str) -> Vec<String> {
        let mut rows = db.prepare(sql).unwrap();
        let names = rows.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    fn all_jobs(db: &Db) -> Vec<String> {
        names(db, "SELECT source_name FROM job ORDER BY number")
    }

    fn undoable(db: &Db) -> Vec<String> {
        let sql = "SELECT source_name FROM job WHERE undo = 1 ORDER BY number";
        names(db, sql)
    }

    /// Jobs that can be undone, and jobs that still have rows of a record.
    #[track_caller]
    fn check_records(db: &Db, wanted: &[&str]) {
        assert_eq!(undoable(db), wanted);
        let kept = names(db, "SELECT masked FROM undo GROUP BY 1 ORDER BY min(id)");
        assert_eq!(kept, wanted);
    }

    #[test]
    fn what_is_neither_old_nor_too_many_stays() {
        let (_dir, db) = database();
        keep(&db, "a", "s", 10, 3);
        past(&db, "b", 10, JobKind::Sync, JobStatus::Failed);
        assert_eq!(drop_all(&db, ALL), []);
        check_records(&db, &["a"]);
        assert_eq!(all_jobs(&db), ["a", "b"]);
    }

    #[test]
    fn the_latest_jobs_of_each_source_keep_their_records() {
        let (_dir, db) = database();
        for (name, source) in [("a", "s"), ("b", "t"), ("c", "s"), ("d", ""), ("e", "s")] {
            keep(&db, name, source, 10, 2);
        }
        assert_eq!(
            drop_all(&db, undo(2, 0)),
            [Bit::Expired(vec![1]), Bit::Records]
        );
        check_records(&db, &["b", "c", "d", "e"]);
        assert_eq!(all_jobs(&db).len(), 5, "the jobs themselves are kept");
        drop_all(&db, undo(0, 0));
        check_records(&db, &[]);
    }

    #[test]
    fn records_of_old_jobs_go() {
        let (_dir, db) = database();
        for (name, at) in [("a", 10), ("b", 20), ("c", 30)] {
            keep(&db, name, "s", at, 2);
        }
        assert_eq!(
            drop_all(&db, undo(9, 20)),
            [Bit::Expired(vec![1]), Bit::Records]
        );
        check_records(&db, &["b", "c"]);
    }

    #[test]
    fn a_job_that_only_added_accounts_has_no_rows_to_drop() {
        let (_dir, db) = database();
        keep(&db, "a", "s", 10, 0);
        keep(&db, "b", "s", 20, 1);
        assert_eq!(drop_all(&db, undo(9, 20)), [Bit::Expired(vec![1])]);
        check_records(&db, &["b"]);
    }

    #[test]
    fn records_are_dropped_in_bits_of_rows() {
        let (_dir, db) = database();
        keep(&db, "a", "s", 10, 2 * ROWS + 500);
        (0..10).for_each(|n| keep(&db, &format!("b{n}"), "s", 10, 100));
        keep(&db, "c", "s", 20, 1);
        let limits = undo(9, 20);
        let rows = || db.query_row("SELECT count(*) FROM undo", [], |row| row.get::<_, i64>(0));
        let mut left = vec![rows().unwrap()];
        while let Some(bit) = next(&db, limits).unwrap() {
            drop_bit(&db, &bit).unwrap();
            left.push(rows().unwrap());
            let undoable = undoable(&db);
            assert_eq!(undoable, ["c"], "half a record undoes nothing");
        }
        assert_eq!(left, [5_501, 5_501, 3_501, 1_501, 1]);
        check_records(&db, &["c"]);
    }

    #[test]
    fn what_is_kept_meanwhile_is_not_dropped_with_the_rest() {
        let (_dir, db) = database();
        keep(&db, "a", "s", 10, ROWS + 1);
        let limits = undo(9, 20);
        for bit in [Bit::Expired(vec![1]), Bit::Records] {
            assert_eq!(next(&db, limits).unwrap().as_ref(), Some(&bit));
            drop_bit(&db, &bit).unwrap();
        }
        keep(&db, "b", "s", 20, 3);
        assert_eq!(drop_all(&db, limits), [Bit::Records]);
        check_records(&db, &["b"]);
    }

    #[test]
    fn jobs_beyond_the_number_and_old_ones_go() {
        let (_dir, db) = database();
        for (name, at) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
            past(&db, name, at, JobKind::Inject, JobStatus::Success);
        }
        let old = Limits { since: 20, ..ALL };
        assert_eq!(drop_all(&db, old), [Bit::Jobs(1)]);
        assert_eq!(all_jobs(&db), ["b", "c", "d"]);
        let few = Limits { jobs: 2, ..ALL };
        assert_eq!(drop_all(&db, few), [Bit::Jobs(2)]);
        assert_eq!(all_jobs(&db), ["c", "d"]);
        drop_all(&db, Limits { jobs: 0, ..ALL });
        assert_eq!(all_jobs(&db), Vec::<String>::new());
    }

    #[test]
    fn a_job_stays_as_long_as_it_can_be_undone() {
        let (_dir, db) = database();
        keep(&db, "a", "s", 10, 2);
        keep(&db, "b", "s", 10, 2);
        let none = Limits {
            jobs: 0,
            undo: UndoLimits { keep: 1, since: 0 },
            ..ALL
        };
        let bits = [Bit::Expired(vec![1]), Bit::Records, Bit::Jobs(2)];
        assert_eq!(drop_all(&db, none), bits);
        assert_eq!(all_jobs(&db), ["b"]);
        check_records(&db, &["b"]);
    }

    #[test]
    fn the_latest_sync_of_a_source_and_what_runs_stay() {
        let (_dir, db) = database();
        sources::insert(&db, &source("s1")).unwrap();
        past(&db, "a", 10, JobKind::Sync, JobStatus::Success);
        past(&db, "b", 10, JobKind::Sync, JobStatus::Failed);
        past(&db, "c", 10, JobKind::Inject, JobStatus::Success);
        past(&db, "d", 10, JobKind::Inject, JobStatus::Running);
        let mut gone = ImportJob {
            source_id: "gone".to_owned(),
            ..job("e", JobKind::Sync, JobStatus::Success)
        };
        jobs::insert(&db, &mut gone).unwrap();
        drop_all(
            &db,
            Limits {
                jobs: 0,
                since: 99,
                ..ALL
            },
        );
        assert_eq!(all_jobs(&db), ["b", "d"]);
        assert_eq!(
            jobs::latest_sync(&db, "s1").unwrap().unwrap().source_name,
            "b"
        );
    }

    #[test]
    fn jobs_are_dropped_in_bits() {
        let (_dir, db) = database();
        db.execute_batch("BEGIN").unwrap();
        for n in 0..2 * ROWS + 100 {
            past(
                &db,
                &format!("{n}"),
                10,
                JobKind::Inject,
                JobStatus::Success,
            );
        }
        db.execute_batch("COMMIT").unwrap();
        let few = Limits { jobs: 50, ..ALL };
        assert_eq!(drop_all(&db, few).len(), 3);
        assert_eq!(all_jobs(&db).len(), 50);
        let old = Limits { since: 99, ..ALL };
        assert_eq!(drop_all(&db, old).len(), 1);
        assert_eq!(all_jobs(&db), Vec::<String>::new());
    }
}
