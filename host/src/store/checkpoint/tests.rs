use super::super::{Store, StoreError, StoreOptions, keys};
use super::*;
use crate::config::MasterKeyOptions;
use keys::{ApiKey, Role};
use std::process::Command;
use std::time::Instant;
use tempfile::tempdir;

const SMALL: StoreOptions = StoreOptions {
    readers: 1,
    wal_soft: 128 << 10,
    wal_hard: 256 << 10,
};

/// Has more in it than a little before it is copied.
const ROOMY: StoreOptions = StoreOptions {
    readers: 1,
    wal_soft: 2 << 20,
    wal_hard: 64 << 20,
};
/// Bytes of room ahead that its WAL has.
const ROOM: u64 = ROOMY.wal_soft / FRAME * FRAME;

/// Writes `bytes` into one row.
async fn write(store: &Store, id: usize, bytes: usize) {
    let key = ApiKey {
        id: id.to_string(),
        name: "n".repeat(bytes),
        role: Role::User,
        hash: keys::hash(&id.to_be_bytes()),
        enabled: true,
        created_at: 0,
        last_used_on: String::new(),
    };
    store
        .write::<_, StoreError, _>(0, move |db| keys::create(db, &key))
        .await
        .unwrap();
}

/// The length of the WAL's file in bytes.
fn length(dir: &Path) -> u64 {
    length_of(&dir.join("tributary.db-wal"))
}

fn length_of(wal: &Path) -> u64 {
    fs::metadata(wal).map_or(0, |m| m.len())
}

/// Waits until the file is gone or has no more than its room, for some seconds.
async fn is_cut(dir: &Path) -> bool {
    comes_to(dir, 5, |length| length <= SMALL.wal_soft).await
}

/// Waits for at most so many seconds until the WAL's length is as told.
async fn comes_to(dir: &Path, seconds: u64, is: impl Fn(u64) -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !is(length(dir)) && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    is(length(dir))
}

#[tokio::test]
async fn the_wal_stays_small_under_writes_without_a_pause() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    let mut largest = 0;
    for id in 0..150 {
        write(&store, id, 8_000).await;
        largest = largest.max(length(dir.path()));
    }
    // More than 150 × 12 KiB passed through it.
    assert!(
        largest < 2 * SMALL.wal_hard,
        "the WAL grew to {largest} bytes"
    );
    assert_eq!(store.read(keys::list).await.unwrap().len(), 150);
}

#[tokio::test]
async fn a_wal_that_one_large_write_made_is_cut_when_nobody_writes() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    write(&store, 0, 1 << 20).await;
    assert!(length(dir.path()) > 1 << 20);
    assert!(is_cut(dir.path()).await);
    assert_eq!(store.read(keys::list).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_wal_is_cut_after_each_large_write() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    for id in 0..3 {
        write(&store, id, 1 << 20).await;
        assert!(length(dir.path()) > 1 << 20, "{id}");
        assert!(is_cut(dir.path()).await, "{id}");
    }
}

#[tokio::test]
async fn a_wal_that_small_writes_made_keeps_its_length_and_is_written_over() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    let mut id = 0;
    while length(dir.path()) <= SMALL.wal_soft {
        write(&store, id, 100).await;
        id += 1;
    }
    // A busy machine may need more than one pause to copy what is there; until then a write makes the file longer.
    let mut is_written_over = false;
    for _ in 0..5 {
        tokio::time::sleep(4 * QUIET).await;
        let kept = length(dir.path());
        assert!(kept > SMALL.wal_soft, "{kept} bytes");
        write(&store, id, 100).await;
        id += 1;
        is_written_over |= length(dir.path()) == kept;
    }
    assert!(is_written_over);
    assert_eq!(store.read(keys::list).await.unwrap().len(), id);
}

/// Writes small rows, far fewer than would fill it, until the WAL's file has its room; how many.
async fn has_room(store: &Store, dir: &Path) -> usize {
    let until = Instant::now() + Duration::from_secs(20);
    let mut rows = 0;
    while length(dir) < ROOM && Instant::now() < until {
        if rows < 60 {
            write(store, rows, 100).await;
            rows += 1;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rows
}

#[tokio::test]
async fn a_wal_in_use_has_room_ahead_and_a_crash_loses_nothing_in_front_of_it() {
    let (dir, copy) = (tempdir().unwrap(), tempdir().unwrap());
    let store = Store::open(dir.path(), ROOMY, &MasterKeyOptions::default()).unwrap();
    let mut rows = has_room(&store, dir.path()).await;
    assert_eq!(length(dir.path()), ROOM);
    for _ in 0..20 {
        write(&store, rows, 100).await;
        rows += 1;
    }
    assert_eq!(length(dir.path()), ROOM);
    // Another process: to close the database here would take SQLite's locks on it away.
    let files =
        ["tributary.db", "tributary.db-wal", "master-key"].map(|name| dir.path().join(name));
    let copied = Command::new("cp").args(files).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let after = Store::open(copy.path(), ROOMY, &MasterKeyOptions::default()).unwrap();
    assert_eq!(after.read(keys::list).await.unwrap().len(), rows);
}

#[tokio::test]
async fn a_wal_that_was_cut_is_given_room_again() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), ROOMY, &MasterKeyOptions::default()).unwrap();
    write(&store, 0, 5 << 20).await;
    assert!(comes_to(dir.path(), 20, |length| length == ROOM).await);
    assert_eq!(store.read(keys::list).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_long_wal_is_cut_though_a_little_was_written_after_it() {
    for pause in [0, 50, 100, 200, 300] {
        let dir = tempdir().unwrap();
        let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
        write(&store, 0, 1 << 20).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        write(&store, 1, 100).await;
        assert!(is_cut(dir.path()).await, "after {pause} ms");
        assert_eq!(store.read(keys::list).await.unwrap().len(), 2);
    }
}

#[test]
fn who_writes_gets_no_room_beneath_it_and_a_full_disk_none_at_all() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.db");
    let (writer, wal) = (
        Connection::open(&path).unwrap(),
        dir.path().join("a.db-wal"),
    );
    writer
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE number(id); BEGIN IMMEDIATE")
        .unwrap();
    let (db, before) = (connect::checkpointer(&path).unwrap(), length_of(&wal));
    assert!(!room::make(&db, &wal, 1 << 20).unwrap());
    assert_eq!(length_of(&wal), before);
    writer.execute_batch("COMMIT").unwrap();
    assert!(room::make(&db, &wal, u64::MAX).unwrap());
    assert_eq!(length_of(&wal), before);
    assert!(room::make(&db, &wal, 1 << 20).unwrap());
    assert_eq!(length_of(&wal), 1 << 20);
    writer.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
}

#[tokio::test]
async fn a_large_wal_that_a_crash_left_is_copied_at_the_start() {
    let dir = tempdir().unwrap();
    drop(migrate::prepare(dir.path()).unwrap());
    let db = connect::writer(&dir.path().join(migrate::FILE)).unwrap();
    db.execute(
        "INSERT INTO owner(source_id) VALUES(hex(zeroblob(500000)))",
        [],
    )
    .unwrap();
    drop(db);
    assert!(length(dir.path()) > 1_000_000);
    let _store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    assert!(is_cut(dir.path()).await);
}

#[tokio::test]
async fn a_reader_that_stays_holds_up_no_write() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    write(&store, 0, 10).await;
    let reader = store.reader_connection().unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    assert_eq!(keys::list(&reader).unwrap().len(), 1);
    for id in 1..30 {
        write(&store, id, 30_000).await;
    }
    assert_eq!(keys::list(&reader).unwrap().len(), 1);
    drop(snapshot);
    assert_eq!(keys::list(&reader).unwrap().len(), 30);
    assert!(is_cut(dir.path()).await);
}

#[tokio::test]
async fn a_closed_store_leaves_no_wal() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    write(&store, 0, 10).await;
    store.close(Duration::from_secs(5)).await;
    assert_eq!(length(dir.path()), 0);
    let again = Store::open(dir.path(), SMALL, &MasterKeyOptions::default()).unwrap();
    assert_eq!(again.read(keys::list).await.unwrap().len(), 1);
}
