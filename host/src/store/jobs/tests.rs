use super::*;
use crate::store::sources::{self, tests::source};
use crate::store::tests::{database, job, only_searches, plan_of};

#[test]
fn a_source_shows_its_latest_sync_and_no_inject() {
    let (_dir, db) = database();
    sources::insert(&db, &source("s1")).unwrap();
    assert!(sources::list(&db).unwrap()[0].1.is_none());
    let [_, second, _] = [JobKind::Sync, JobKind::Sync, JobKind::Inject].map(|kind| {
        let mut begun = job("", kind, JobStatus::Running);
        insert(&db, &mut begun).unwrap();
        begun
    });
    let ended = ImportJob {
        status: JobStatus::Success,
        updated_at: 11,
        total: 2,
        added: 1,
        skipped: 1,
        removed: 3,
        ..second
    };
    assert!(finish(&db, &ended).unwrap());
    assert!(!finish(&db, &ended).unwrap(), "it had ended");
    let shown = sources::list(&db).unwrap().remove(0).1.unwrap();
    assert_eq!(
        (shown.id, shown.status, shown.created_at, shown.updated_at),
        (ended.id, JobStatus::Success, 10, 11)
    );
    assert_eq!(
        (shown.total, shown.added, shown.skipped, shown.removed),
        (2, 1, 1, 3)
    );
}

#[test]
fn a_job_is_found_by_the_id_it_was_given_and_by_no_other() {
    let (_dir, db) = database();
    let ids: Vec<_> = (1..=300)
        .map(|_| {
            let mut done = job("", JobKind::Inject, JobStatus::Success);
            insert(&db, &mut done).unwrap();
            done.id
        })
        .collect();
    let row = |id: &str| get(&db, id).unwrap().map(|(row, job)| (row, job.id));
    for (id, number) in ids.iter().zip(1..) {
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(row(id), Some((number, id.clone())));
    }
    let [first, other] = [&ids[10], &ids[11]];
    for wrong in [
        [&first[..16], &other[16..]].concat(),
        first.to_uppercase(),
        [&first[..16], "+00000000000000b"].concat(),
        [&first[..16], "b"].concat(),
        first[..16].to_owned(),
        first[16..].to_owned(),
        "é".repeat(16),
        String::new(),
    ] {
        assert_eq!(row(&wrong), None, "{wrong}");
    }
}

#[test]
fn a_job_of_an_earlier_version_keeps_its_id() {
    let (_dir, db) = database();
    let mut running = job("", JobKind::Sync, JobStatus::Running);
    insert(&db, &mut running).unwrap();
    running.id = "0190aaaabbbbcccc0000111122223333".to_owned();
    db.execute("UPDATE job SET id = ?1", [&running.id]).unwrap();
    running.status = JobStatus::Success;
    assert!(finish(&db, &running).unwrap());
    set_undone_by(&db, &running.id, "other").unwrap();
    let (row, found) = get(&db, &running.id).unwrap().unwrap();
    assert_eq!((row, &found.id), (1, &running.id));
    assert_eq!(found.undone_by, "other");
}

/// What an import that only added accounts leaves behind.
const TRACE: Option<Trace> = Some(Trace {
    added: (1, 1),
    changed: NO_ROWS,
});

/// Adds a job of this source, and returns its id.
fn add(db: &Db, source: &str, trace: Option<Trace>) -> String {
    let mut done = job("", JobKind::Inject, JobStatus::Success);
    (done.source_id, done.trace) = (source.to_owned(), trace);
    insert(db, &mut done).unwrap();
    done.id
}

/// Which of these jobs are kept where so many of each source are.
fn kept(db: &Db, ids: &[String], keep: u32) -> Vec<bool> {
    let limits = UndoLimits { keep, since: 0 };
    let is_kept = |id: &String| {
        let (row, job) = get(db, id).unwrap().unwrap();
        is_kept(db, row, &job, limits).unwrap()
    };
    ids.iter().map(is_kept).collect()
}

#[test]
fn the_latest_jobs_of_a_source_are_kept() {
    let (_dir, db) = database();
    let mut all = vec![add(&db, "s", TRACE)];
    // What is taken back takes no place.
    for (rounds, outcome) in [(3, false), (1, true)] {
        let works = || {
            for (source, trace) in [("", TRACE), ("s", None), ("s", TRACE), ("s", TRACE)] {
                (0..rounds).for_each(|_| all.push(add(&db, source, trace)));
            }
            Ok(outcome)
        };
        db.execute_batch("BEGIN").unwrap();
        assert_eq!(db.together(works), Ok(outcome));
        if outcome {
            db.execute_batch("COMMIT").unwrap();
        } else {
            db.execute_batch("ROLLBACK").unwrap();
            all.truncate(1);
        }
    }
    all.push(add(&db, "s", TRACE));
    let kept = |keep| kept(&db, &all, keep);
    assert_eq!(kept(0), [false; 6]);
    assert_eq!(kept(1), [false, true, false, false, false, true]);
    assert_eq!(kept(3), [false, true, false, true, true, true]);
    assert_eq!(kept(4), [true, true, false, true, true, true]);
}

#[test]
fn the_job_that_was_applied_last_is_the_latest_whichever_began_first() {
    let (_dir, db) = database();
    let mut sync = job("", JobKind::Sync, JobStatus::Running);
    insert(&db, &mut sync).unwrap();
    let inject = add(&db, &sync.source_id, TRACE);
    (sync.status, sync.trace) = (JobStatus::Success, TRACE);
    assert!(finish(&db, &sync).unwrap());
    let ids = [inject, sync.id.clone()];
    assert_eq!(kept(&db, &ids, 1), [false, true]);
    // It ends once, and so takes no other place.
    assert!(!finish(&db, &sync).unwrap());
    assert_eq!(kept(&db, &ids, 2), [true, true]);
}

#[test]
fn jobs_are_found_through_their_indexes() {
    let (_dir, db) = database();
    let plan = plan_of(&db, ROW, params![1, "a", "b"]);
    assert!(only_searches(&plan), "{plan:?}");
    for (sql, index) in [
        (
            "SELECT * FROM job WHERE source_id = ?1 AND kind = 'sync' ORDER BY number DESC LIMIT 1",
            "USING INDEX job_sync",
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
