use super::keys::{ApiKey, Role};
use super::*;
use crate::job::{ImportJob, JobKind, JobStatus};
use crate::source::{Method, Source};
use std::fs;
use tempfile::{TempDir, tempdir};
use tributary_core::{Provider, Strategy};

const PATIENCE: Duration = Duration::from_secs(10);

fn store() -> (TempDir, Store) {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    (dir, store)
}

/// A database without a server.
fn database() -> (TempDir, Connection) {
    let dir = tempdir().unwrap();
    let db = Store::peek(dir.path()).unwrap();
    (dir, db)
}

fn open(dir: &Path) -> Store {
    Store::open(dir, StoreOptions::default()).unwrap()
}

fn key(id: &str) -> ApiKey {
    let hash = keys::hash(id.as_bytes());
    ApiKey {
        id: id.to_owned(),
        name: "ops".to_owned(),
        role: Role::Admin,
        hash,
        enabled: true,
        created_at: 5,
    }
}

fn source(id: &str) -> Source {
    Source {
        id: id.to_owned(),
        name: "Team".to_owned(),
        enabled: true,
        url: "https://accounts.example.test/a.json".to_owned(),
        method: Method::Post,
        auth_header: "X-Key".to_owned(),
        auth_token: "t1".to_owned(),
        bearer_token: String::new(),
        provider: Some(Provider::Grok),
        strategy: Strategy::Replace,
        interval_seconds: Some(60),
        revision: 0,
        last_sync_at: None,
    }
}

fn job(id: &str, kind: JobKind, status: JobStatus) -> ImportJob {
    ImportJob {
        id: id.to_owned(),
        kind,
        status,
        created_at: 10,
        updated_at: 10,
        source_id: "s1".to_owned(),
        source_name: "Team".to_owned(),
        strategy: Strategy::Merge,
        total: 0,
        added: 0,
        skipped: 0,
        removed: 0,
    }
}

#[tokio::test]
async fn what_was_written_is_read_back_and_survives_a_restart() {
    let (dir, store) = store();
    store.write(0, |db| meta::advance(db, 7)).await.unwrap();
    let before: meta::Meta = store.read(meta::read).await.unwrap();
    assert_eq!((before.revision, before.last_account), (1, 7));
    store.close(PATIENCE).await;
    assert!(open(dir.path()).read(meta::read).await.unwrap() == before);
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_closed_one_makes_room() {
    let (dir, store) = store();
    let said = Store::open(dir.path(), StoreOptions::default())
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
        let work = move |db: &Connection| {
            meta::advance(db, 1)?;
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
        meta::advance(db, 9)
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
        let wrote = store.read(|db| meta::advance(db, 1)).await;
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
    let (cut, done) = (
        job("cut", JobKind::Sync, JobStatus::Running),
        job("done", JobKind::Inject, JobStatus::Success),
    );
    store
        .write(0, move |db| {
            jobs::insert(db, &cut).and_then(|()| jobs::insert(db, &done))
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
        (latest.id.as_str(), latest.status),
        ("cut", JobStatus::Failed)
    );
    assert!(latest.updated_at > 10);
}

#[tokio::test]
async fn a_command_works_beside_the_server_and_before_it() {
    let dir = tempdir().unwrap();
    let missing = Store::peek_read_only(dir.path()).unwrap_err().to_string();
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
        let work = move |db: &Connection| {
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
        store.write(0, |db| meta::advance(db, 1)).await,
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
    store.write(0, |db| meta::advance(db, 1)).await.unwrap();
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
fn a_source_is_kept_edited_synced_and_forgotten() {
    let (_dir, db) = database();
    sources::insert(&db, &source("s1")).unwrap();
    sources::insert(
        &db,
        &Source {
            provider: None,
            ..source("s0")
        },
    )
    .unwrap();
    let edited = Source {
        name: "Other".to_owned(),
        enabled: false,
        last_sync_at: Some(1),
        ..source("s1")
    };
    assert!(sources::update(&db, &edited).unwrap());
    assert!(sources::mark_synced(&db, "s1", 20).unwrap());
    let kept = sources::get(&db, "s1").unwrap().unwrap();
    assert_eq!(
        (
            kept.name.as_str(),
            kept.enabled,
            kept.revision,
            kept.last_sync_at
        ),
        ("Other", false, 1, Some(20))
    );
    assert_eq!(
        (kept.method, kept.provider, kept.strategy),
        (Method::Post, Some(Provider::Grok), Strategy::Replace)
    );
    assert_eq!(
        (
            kept.auth_header.as_str(),
            kept.auth_token.as_str(),
            kept.interval_seconds
        ),
        ("X-Key", "t1", Some(60))
    );
    let ids: Vec<_> = sources::list(&db)
        .unwrap()
        .into_iter()
        .map(|(s, _)| (s.id, s.provider))
        .collect();
    assert_eq!(
        ids,
        [
            ("s1".to_owned(), Some(Provider::Grok)),
            ("s0".to_owned(), None)
        ]
    );
    assert!(sources::delete(&db, "s1").unwrap() && !sources::delete(&db, "s1").unwrap());
    assert!(!sources::update(&db, &edited).unwrap() && sources::get(&db, "s1").unwrap().is_none());
}

#[test]
fn an_id_of_a_source_or_an_owner_is_taken() {
    let (_dir, db) = database();
    sources::insert(&db, &source("s1")).unwrap();
    db.execute("INSERT INTO owner(source_id) VALUES('s2')", [])
        .unwrap();
    let taken = ["s1", "s2", "s3"].map(|id| sources::is_taken(&db, id).unwrap());
    assert_eq!(taken, [true, true, false]);
}

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
        jobs::insert(&db, &job(id, kind, JobStatus::Running)).unwrap();
    }
    let ended = ImportJob {
        updated_at: 11,
        total: 2,
        added: 1,
        skipped: 1,
        removed: 3,
        ..job("b", JobKind::Sync, JobStatus::Success)
    };
    assert!(jobs::finish(&db, &ended).unwrap());
    assert!(
        !jobs::finish(&db, &job("b", JobKind::Sync, JobStatus::Failed)).unwrap(),
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
fn a_key_is_kept_disabled_and_forgotten() {
    let (_dir, db) = database();
    keys::create(&db, &key("k1")).unwrap();
    assert!(keys::create(&db, &key("k1")).is_err());
    assert_eq!(
        keys::find(&db, &keys::hash(b"k1")).unwrap(),
        Some(key("k1"))
    );
    assert!(keys::set_enabled(&db, "k1", false).unwrap());
    assert!(
        !keys::find(&db, &keys::hash(b"k1"))
            .unwrap()
            .unwrap()
            .enabled
    );
    assert!(keys::delete(&db, "k1").unwrap() && !keys::set_enabled(&db, "k1", true).unwrap());
    assert_eq!(
        (
            keys::list(&db).unwrap(),
            keys::find(&db, &keys::hash(b"k2")).unwrap()
        ),
        (vec![], None)
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
