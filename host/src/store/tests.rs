use super::keys::{ApiKey, Role};
use super::*;
use crate::job::{ImportJob, JobKind, JobStatus};
use std::fs;
use tempfile::{TempDir, tempdir};

const PATIENCE: Duration = Duration::from_secs(10);

fn store() -> (TempDir, Store) {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    (dir, store)
}

/// A database without a server.
pub(super) fn database() -> (TempDir, Db) {
    let dir = tempdir().unwrap();
    let key = vault::MasterKey::new(zeroize::Zeroizing::new([7; 32]));
    let db = Db::new(migrate::prepare(dir.path()).unwrap(), Vault::new(&[key]));
    sealing::seal_all(&db).unwrap();
    (dir, db)
}

/// How SQLite would answer a query, step by step.
pub(super) fn plan_of(db: &Db, sql: &str, values: impl rusqlite::Params) -> Vec<String> {
    let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = plan.query_map(values, |row| row.get("detail")).unwrap();
    steps.map(Result::unwrap).collect()
}

/// Whether such an answer reads no table as a whole and sorts nothing.
pub(super) fn only_searches(plan: &[String]) -> bool {
    !plan
        .iter()
        .any(|step| step.contains("SCAN") || step.contains("B-TREE"))
}

fn open(dir: &Path) -> Store {
    Store::open(dir, StoreOptions::default(), &MasterKeyOptions::default()).unwrap()
}

pub(super) fn key(id: &str) -> ApiKey {
    let hash = keys::hash(id.as_bytes());
    ApiKey {
        id: id.to_owned(),
        name: "ops".to_owned(),
        role: Role::Admin,
        hash,
        enabled: true,
        created_at: 5,
        last_used_on: String::new(),
    }
}

pub(super) fn job(name: &str, kind: JobKind, status: JobStatus) -> ImportJob {
    ImportJob {
        kind,
        status,
        created_at: 10,
        updated_at: 10,
        source_id: "s1".to_owned(),
        source_name: name.to_owned(),
        ..ImportJob::default()
    }
}

/// A work that changes the pool, down to its last account.
fn count_to(db: &Db, last_account: i64) -> Result<(), StoreError> {
    let pool = meta::read(db)?;
    meta::advance(
        db,
        meta::Meta {
            last_account,
            ..pool
        },
    )
}

#[tokio::test]
async fn what_was_written_is_read_back_and_survives_a_restart() {
    let (dir, store) = store();
    store.write(0, |db| count_to(db, 7)).await.unwrap();
    let before: meta::Meta = store.read(meta::read).await.unwrap();
    assert_eq!((before.revision, before.last_account), (1, 7));
    store.close(PATIENCE).await;
    assert!(open(dir.path()).read(meta::read).await.unwrap() == before);
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_closed_one_makes_room() {
    let (dir, store) = store();
    let said = Store::open(
        dir.path(),
        StoreOptions::default(),
        &MasterKeyOptions::default(),
    )
    .err()
    .unwrap()
    .to_string();
    assert!(said.contains("another server uses"), "{said}");
    store.close(PATIENCE).await;
    open(dir.path());
}

#[tokio::test]
async fn a_read_never_waits_for_the_writer() {
    let (_dir, store) = store();
    let (release, released) = channel::<()>();
    let (started, running) = oneshot::channel();
    let writing = store.clone();
    let write = tokio::spawn(async move {
        let work = move |db: &Db| {
            count_to(db, 1)?;
            let _ = started.send(());
            let _ = released.recv();
            Ok::<_, StoreError>(())
        };
        writing.write(0, work).await
    });
    running.await.unwrap();
    assert_eq!(store.read(meta::read).await.unwrap().last_account, 0);
    assert_eq!(
        meta::read(&store.reader_connection().unwrap())
            .unwrap()
            .last_account,
        0
    );
    drop(release);
    write.await.unwrap().unwrap();
    assert_eq!(store.read(meta::read).await.unwrap().last_account, 1);
}

#[tokio::test]
async fn a_work_keeps_its_own_kind_of_error() {
    #[derive(Debug, PartialEq)]
    enum Refusal {
        Gone,
        Store(StoreError),
    }
    impl From<StoreError> for Refusal {
        fn from(error: StoreError) -> Refusal {
            Refusal::Store(error)
        }
    }
    let (_dir, store) = store();
    let gone = store.write(0, |db| {
        count_to(db, 9)
            .map_err(Refusal::from)
            .and(Err::<(), _>(Refusal::Gone))
    });
    assert_eq!(gone.await, Err(Refusal::Gone));
    assert_eq!(store.read(meta::read).await.unwrap().last_account, 0);
    let broken = store.write(0, |db| {
        Ok::<_, Refusal>(
            db.execute("no sql", [])
                .map(drop)
                .map_err(StoreError::from)?,
        )
    });
    assert!(matches!(
        broken.await,
        Err(Refusal::Store(StoreError::Internal(_)))
    ));
}

#[tokio::test]
async fn a_read_that_panics_or_writes_harms_no_other() {
    let (_dir, store) = store();
    for _ in 0..5 {
        let panicked = store
            .read::<(), StoreError, _>(|_| std::panic::resume_unwind(Box::new("a bug")))
            .await;
        assert!(matches!(panicked, Err(StoreError::Internal(_))));
        let wrote = store.read(|db| count_to(db, 1)).await;
        assert!(matches!(wrote, Err(StoreError::Unavailable(_))));
    }
    assert_eq!(store.read(meta::read).await.unwrap().last_account, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_all_get_through() {
    let (dir, store) = store();
    let writes: Vec<_> = (0..200)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .write(0, move |db| keys::create(db, &key(&id.to_string())))
                    .await
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    store.close(PATIENCE).await;
    assert_eq!(open(dir.path()).read(keys::list).await.unwrap().len(), 200);
}

#[tokio::test]
async fn jobs_that_a_crash_cut_short_are_failed() {
    let (dir, store) = store();
    let (mut cut, mut done) = (
        job("cut", JobKind::Sync, JobStatus::Running),
        job("done", JobKind::Inject, JobStatus::Success),
    );
    store
        .write(0, move |db| {
            jobs::insert(db, &mut cut).and_then(|()| jobs::insert(db, &mut done))
        })
        .await
        .unwrap();
    store.close(PATIENCE).await;
    let store = open(dir.path());
    let latest = store
        .read(|db| jobs::latest_sync(db, "s1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (latest.source_name.as_str(), latest.status),
        ("cut", JobStatus::Failed)
    );
    assert!(latest.updated_at > 10);
    let acts = store
        .read(|db| audit::list(db, i64::MAX, 10))
        .await
        .unwrap();
    let act = &acts[0];
    assert_eq!(
        (act.act.as_str(), &act.target),
        ("sync", &format!("job {} of s1", latest.id))
    );
    assert!(act.counts.contains("failed"), "{}", act.counts);
}

#[tokio::test]
async fn a_command_works_beside_the_server_and_before_it() {
    let dir = tempdir().unwrap();
    let missing = Store::peek_read_only(dir.path()).err().unwrap().to_string();
    assert!(missing.contains("no database"), "{missing}");
    keys::create(&Store::peek(dir.path()).unwrap(), &key("before")).unwrap();
    let store = open(dir.path());
    keys::create(&Store::peek(dir.path()).unwrap(), &key("beside")).unwrap();
    let found = store
        .read(|db| keys::find(db, &keys::hash(b"beside")))
        .await
        .unwrap();
    assert_eq!(found, Some(key("beside")));
    store
        .write(0, |db| keys::delete(db, "before"))
        .await
        .unwrap();
    assert_eq!(
        keys::list(&Store::peek_read_only(dir.path()).unwrap()).unwrap(),
        [key("beside")]
    );
}

#[tokio::test]
async fn what_is_not_committed_at_the_deadline_is_rolled_back() {
    let (dir, store) = store();
    let writing = store.clone();
    let (started, running) = oneshot::channel();
    let endless = tokio::spawn(async move {
        let sql = "INSERT INTO owner(source_id) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) \
                   SELECT n FROM c";
        let work = move |db: &Db| {
            let _ = started.send(());
            Ok::<_, StoreError>(db.execute(sql, []).map(drop)?)
        };
        writing.write(0, work).await
    });
    running.await.unwrap();
    store.close(Duration::from_millis(30)).await;
    assert!(matches!(
        endless.await.unwrap(),
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.write(0, |db| count_to(db, 1)).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.read(meta::read).await,
        Err(StoreError::Unavailable(_))
    ));
    let store = open(dir.path());
    assert!(
        store
            .read(|db| sources::is_taken(db, "1").map(|taken| !taken))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn health_tells_the_last_write_and_the_room_left() {
    let (_dir, store) = store();
    assert_eq!(store.health().last_write, None);
    assert!(store.health().free_bytes.unwrap() > 0);
    store.write(0, |db| count_to(db, 1)).await.unwrap();
    let last = store.health().last_write.unwrap();
    assert!(last.succeeded && (clock::now() - last.at).abs() < 60);
    store.close(PATIENCE).await;
    assert!(!store.health().last_write.unwrap().succeeded);
}

#[tokio::test]
async fn damage_met_later_is_unavailable() {
    let (dir, store) = store();
    for id in 100..400 {
        let wide = ApiKey {
            name: "n".repeat(900),
            ..key(&id.to_string())
        };
        store
            .write(0, move |db| keys::create(db, &wide))
            .await
            .unwrap();
    }
    store.close(PATIENCE).await;
    drop(store);
    let path = dir.path().join(migrate::FILE);
    let mut bytes = fs::read(&path).unwrap();
    let last_pages = bytes.len() - 5 * 4096;
    bytes[last_pages..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let answer = open(dir.path()).read(keys::list).await;
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

#[test]
fn a_thousandth_row_that_a_command_left_is_noted_with_the_one_that_chains_it() {
    let (_dir, db) = database();
    let act = audit::Act::of_command("backup", "all");
    let add = |db: &Db| audit::append(db, &act).map(drop);
    db.at_once(|db| (1..1_000).try_for_each(|_| add(db)))
        .unwrap();
    audit::append_of_command(&db, &act).unwrap();
    assert!(!db.is_audit_to_be_noted(), "it waits");
    db.at_once(add).unwrap();
    assert!(db.is_audit_to_be_noted());
    db.at_once(add).unwrap();
    assert!(!db.is_audit_to_be_noted(), "it is noted once");
    let whole = audit::verify(&db, None).unwrap();
    assert!(matches!(whole, audit::Verdict::Whole(head, 0) if head.rows == 1_002));
}
