use super::super::vault::Vault;
use super::super::work;
use super::super::{StoreError, StoreOptions, connect, migrate};
use super::*;
use std::sync::mpsc::{Sender, channel};
use tempfile::{TempDir, tempdir};
use tokio::sync::oneshot;

/// A writer that the test drives itself, on a database with a table of numbers.
struct Bench {
    writer: Writer,
    queue: Sender<Box<dyn Work>>,
    stop: Arc<AtomicBool>,
    beside: rusqlite::Connection,
    dir: TempDir,
}

type Answer = oneshot::Receiver<Result<(), StoreError>>;

impl Bench {
    fn new() -> Bench {
        let dir = tempdir().unwrap();
        let path = dir.path().join(migrate::FILE);
        let db = migrate::prepare(dir.path()).unwrap();
        let mut db = Db::new(db, Vault::new(&[]));
        // `child` must find its parent by the time of COMMIT: a way to make a COMMIT fail.
        db.execute_batch(
            "PRAGMA foreign_keys = ON; CREATE TABLE parent(n INTEGER PRIMARY KEY); \
             CREATE TABLE child(n REFERENCES parent DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
        let checkpoints = Checkpoints::start(&mut db, &path, &StoreOptions::default()).unwrap();
        let (queue, works) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(
            db,
            works,
            Arc::clone(&stop),
            Arc::default(),
            Arc::default(),
            checkpoints,
            Meters::new().unwrap(),
        );
        Bench {
            writer: writer.unwrap(),
            queue,
            stop,
            beside: connect::reader(&path).unwrap(),
            dir,
        }
    }

    fn send<W>(&self, weight: u64, work: W) -> Answer
    where
        W: FnOnce(&Db) -> Result<(), StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.writer.meters.queued();
        self.queue
            .send(Box::new(work::once(weight, work, answer)))
            .unwrap();
        answered
    }

    /// The same for work that may run again, which tells so each time.
    fn send_repeatable<W>(&self, work: W) -> (Answer, Receiver<()>)
    where
        W: Fn(&Db) -> Result<(), StoreError> + Send + 'static,
    {
        let ((answer, answered), (tell, told)) = (oneshot::channel(), channel());
        self.writer.meters.queued();
        let work = move |db: &Db| {
            tell.send(()).unwrap();
            work(db)
        };
        let work = work::repeatable(0, work, answer);
        self.queue.send(Box::new(work)).unwrap();
        (answered, told)
    }

    fn apply_waiting(&mut self) {
        let group = self.writer.next_group().unwrap();
        self.writer.apply(group);
    }

    /// Pages written to the WAL so far: each commit writes those it changed.
    fn frames(&self) -> u64 {
        let wal = self.dir.path().join("tributary.db-wal");
        std::fs::metadata(wal).unwrap().len() / 4096
    }

    fn numbers(&self) -> Vec<i64> {
        let mut rows = self
            .beside
            .prepare("SELECT n FROM parent ORDER BY n")
            .unwrap();
        rows.query_map([], |r| r.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }
}

fn add(number: i64) -> impl FnOnce(&Db) -> Result<(), StoreError> + Send + 'static {
    move |db| {
        Ok(db
            .execute("INSERT INTO parent VALUES(?1)", [number])
            .map(drop)?)
    }
}

fn is_unavailable(answer: &mut Answer) -> bool {
    matches!(answer.try_recv().unwrap(), Err(StoreError::Unavailable(_)))
}

#[test]
fn a_commit_is_synced_before_it_returns() {
    let db = Bench::new().writer.db;
    let pragma = |name| {
        db.pragma_query_value(None, name, |r| r.get::<_, rusqlite::types::Value>(0))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("synchronous"), 2.into());
    assert_eq!(pragma("wal_autocheckpoint"), 0.into());
}

#[test]
fn what_waits_is_one_commit() {
    let mut bench = Bench::new();
    let mut answers: Vec<_> = (0..10).map(|n| bench.send(0, add(n))).collect();
    let before = bench.frames();
    bench.apply_waiting();
    assert_eq!(
        bench.frames(),
        before + 1,
        "ten works on one page are one page in the WAL"
    );
    assert_eq!(bench.numbers(), (0..10).collect::<Vec<_>>());
    assert!(answers.iter_mut().all(|a| a.try_recv().unwrap() == Ok(())));
}

#[test]
fn what_waits_and_what_is_written_at_once_is_told() {
    let mut bench = Bench::new();
    let meters = bench.writer.meters.clone();
    for n in 0..70 {
        drop(bench.send(0, add(n)));
    }
    assert_eq!(meters.queue.get(), 70);
    bench.apply_waiting();
    assert_eq!(meters.queue.get(), 6, "a group is 64 at most");
    bench.apply_waiting();
    assert_eq!(meters.queue.get(), 0);
    let groups = (
        meters.groups.get_sample_count(),
        meters.groups.get_sample_sum(),
    );
    assert_eq!(groups, (2, 70.0));
}

#[test]
fn nobody_is_answered_before_the_commit() {
    let mut bench = Bench::new();
    let mut first = bench.send(0, add(1));
    let (told, tell) = channel();
    let _second = bench.send(0, move |_| {
        told.send(first.try_recv().is_err()).unwrap();
        Ok(())
    });
    bench.apply_waiting();
    assert!(
        tell.recv().unwrap(),
        "the first work had its answer while the second ran"
    );
}

#[test]
fn a_group_has_its_limits() {
    let mut bench = Bench::new();
    let mib = 1 << 20;
    let weights = [0; 70].into_iter().chain([3 * mib, mib, 1, 5 * mib, 0]);
    let _answers: Vec<_> = weights
        .map(|weight| bench.send(weight, |_| Ok(())))
        .collect();
    let sizes: Vec<_> = (0..5)
        .map(|_| bench.writer.next_group().unwrap().len())
        .collect();
    assert_eq!(sizes, [64, 8, 1, 1, 1]);
}

#[test]
fn a_failing_and_a_panicking_work_take_only_their_own_back() {
    let mut bench = Bench::new();
    let mut first = bench.send(0, add(1));
    let mut failing = bench.send(0, |db| {
        add(2)(db).and(Err(StoreError::Internal("mine".to_owned())))
    });
    let mut panicking = bench.send(0, |db| {
        add(3)(db)?;
        std::panic::resume_unwind(Box::new("a bug"))
    });
    let mut last = bench.send(0, add(4));
    bench.apply_waiting();
    assert_eq!(
        (first.try_recv().unwrap(), last.try_recv().unwrap()),
        (Ok(()), Ok(()))
    );
    assert_eq!(
        failing.try_recv().unwrap(),
        Err(StoreError::Internal("mine".to_owned()))
    );
    assert!(matches!(
        panicking.try_recv().unwrap(),
        Err(StoreError::Internal(_))
    ));
    assert_eq!(bench.numbers(), [1, 4]);
}

#[test]
fn repeatable_works_run_again_only_where_one_of_them_fails() {
    let mut bench = Bench::new();
    let adds = |bench: &Bench, n| bench.send_repeatable(move |db| add(n)(db));
    let mut together = [1, 2, 3].map(|n| adds(&bench, n));
    bench.apply_waiting();
    for (answer, told) in &mut together {
        assert_eq!(
            (answer.try_recv().unwrap(), told.iter().count()),
            (Ok(()), 1)
        );
    }
    let mut good = [4, 5].map(|n| adds(&bench, n));
    let mut panicking = bench.send_repeatable(|db| {
        add(6)(db)?;
        std::panic::resume_unwind(Box::new("a bug"))
    });
    let mut failing =
        bench.send_repeatable(|db| add(7)(db).and(Err(StoreError::Internal("mine".to_owned()))));
    bench.apply_waiting();
    for (answer, told) in &mut good {
        assert_eq!(
            (answer.try_recv().unwrap(), told.iter().count()),
            (Ok(()), 2)
        );
    }
    let panicked = panicking.0.try_recv().unwrap();
    assert!(matches!(panicked, Err(StoreError::Internal(_))) && panicking.1.iter().count() == 2);
    let mine = Err(StoreError::Internal("mine".to_owned()));
    // Its turn had not come when all was taken back.
    assert_eq!(
        (failing.0.try_recv().unwrap(), failing.1.iter().count()),
        (mine, 1)
    );
    assert_eq!(bench.numbers(), [1, 2, 3, 4, 5]);
}

#[test]
fn among_works_that_run_once_none_runs_again() {
    let mut bench = Bench::new();
    let (mut again, told) = bench.send_repeatable(|db| add(1)(db));
    let mut failing = bench.send(0, |_| Err(StoreError::Internal("mine".to_owned())));
    bench.apply_waiting();
    assert_eq!(
        (again.try_recv().unwrap(), told.iter().count()),
        (Ok(()), 1)
    );
    assert!(failing.try_recv().unwrap().is_err());
    assert_eq!(bench.numbers(), [1]);
}

#[test]
fn a_work_that_fails_alone_commits_nothing() {
    let mut bench = Bench::new();
    let mut failing = bench.send(0, |db| {
        add(1)(db).and(Err(StoreError::Internal("mine".to_owned())))
    });
    let before = bench.frames();
    bench.apply_waiting();
    assert_eq!(
        failing.try_recv().unwrap(),
        Err(StoreError::Internal("mine".to_owned()))
    );
    assert_eq!((bench.numbers(), bench.frames()), (vec![], before));
}

#[test]
fn a_commit_that_fails_is_told_to_all_and_the_next_one_works() {
    let mut bench = Bench::new();
    let mut answers = [
        bench.send(0, add(1)),
        bench.send(0, |db| {
            Ok(db.execute("INSERT INTO child VALUES(99)", []).map(drop)?)
        }),
        bench.send(0, |_| Err(StoreError::Internal("mine".to_owned()))),
    ];
    bench.apply_waiting();
    assert!(answers.iter_mut().all(is_unavailable));
    assert!(bench.numbers().is_empty());
    assert!(bench.writer.record.failed());
    let mut after = bench.send(0, add(2));
    bench.apply_waiting();
    assert_eq!(
        (after.try_recv().unwrap(), bench.numbers()),
        (Ok(()), vec![2])
    );
    assert!(!bench.writer.record.failed());
}

#[test]
fn a_transaction_that_is_gone_is_told_to_all() {
    for sql in ["ROLLBACK", "COMMIT"] {
        let mut bench = Bench::new();
        let mut answers = [
            bench.send(0, add(1)),
            // It ends the transaction, hides that, and goes on writing.
            bench.send(0, move |db| {
                let _ = db.execute_batch(sql);
                let _ = add(2)(db);
                Ok(())
            }),
            bench.send(0, add(3)),
        ];
        bench.apply_waiting();
        assert!(answers.iter_mut().all(is_unavailable), "{sql}");
        assert!(bench.numbers().is_empty(), "{sql}");
    }
}

#[test]
fn a_full_disk_is_unavailable_until_there_is_room() {
    let mut bench = Bench::new();
    let pages: i64 = bench
        .writer
        .db
        .pragma_query_value(None, "page_count", |r| r.get(0))
        .unwrap();
    bench
        .writer
        .db
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let mut full = bench.send(0, |db| {
        let sql = "INSERT INTO owner(source_id) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) \
                   SELECT hex(randomblob(500)) FROM c";
        Ok(db.execute(sql, []).map(drop)?)
    });
    bench.apply_waiting();
    assert!(is_unavailable(&mut full));
    bench
        .writer
        .db
        .pragma_update(None, "max_page_count", 1_000_000)
        .unwrap();
    bench.writer.probe();
    assert!(!bench.writer.record.failed());
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_group_takes_none_of_it_or_all_the_others() {
    let mut bench = Bench::new();
    let pages: i64 = bench
        .writer
        .db
        .pragma_query_value(None, "page_count", |r| r.get(0))
        .unwrap();
    // Room for some pages: the first work has room, the second has not.
    bench
        .writer
        .db
        .pragma_update(None, "max_page_count", pages + 4)
        .unwrap();
    let mut first = bench.send(0, add(1));
    let mut large = bench.send(0, |db| {
        let sql = "INSERT INTO owner(source_id) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) \
                   SELECT hex(randomblob(500)) FROM c";
        Ok(db.execute(sql, []).map(drop)?)
    });
    let mut last = bench.send(0, add(2));
    bench.apply_waiting();
    assert!(is_unavailable(&mut large));
    let (first, last) = (is_unavailable(&mut first), is_unavailable(&mut last));
    assert_eq!(first, last, "the others share one fate");
    let expected = if first { vec![] } else { vec![1, 2] };
    assert_eq!(bench.numbers(), expected);
    assert_eq!(
        count(&bench, "owner"),
        0,
        "nothing of the large one is there"
    );
    bench
        .writer
        .db
        .pragma_update(None, "max_page_count", 1_000_000)
        .unwrap();
    bench.writer.probe();
    let mut after = bench.send(0, add(3));
    bench.apply_waiting();
    assert!(!is_unavailable(&mut after));
}

fn count(bench: &Bench, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    bench
        .writer
        .db
        .query_row(&sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn at_the_deadline_the_uncommitted_group_is_taken_back() {
    let mut bench = Bench::new();
    let stop = Arc::clone(&bench.stop);
    let mut endless = bench.send(0, move |db| {
        add(1)(db)?;
        stop.store(true, Ordering::Relaxed);
        let sql = "INSERT INTO parent WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c";
        Ok(db.execute(sql, []).map(drop)?)
    });
    let mut waiting = bench.send(0, add(2));
    bench.apply_waiting();
    assert!(is_unavailable(&mut endless));
    assert!(is_unavailable(&mut waiting));
    assert!(bench.numbers().is_empty());
}
