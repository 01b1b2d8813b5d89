use super::super::{Store, StoreError, StoreOptions, keys};
use super::*;
use keys::{ApiKey, Role};
use tempfile::tempdir;

const SMALL: StoreOptions = StoreOptions {
    readers: 1,
    wal_soft: 128 << 10,
    wal_hard: 256 << 10,
};

/// Writes `bytes` into one row.
async fn write(store: &Store, id: usize, bytes: usize) {
    let key = ApiKey {
        id: id.to_string(),
        name: "n".repeat(bytes),
        role: Role::User,
        hash: *blake3::hash(&id.to_be_bytes()).as_bytes(),
        enabled: true,
        created_at: 0,
    };
    store
        .write::<_, StoreError, _>(0, move |db| keys::create(db, &key))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_wal_stays_small_under_writes_without_a_pause() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL).unwrap();
    let wal = dir.path().join("tributary.db-wal");
    let mut largest = 0;
    for id in 0..150 {
        write(&store, id, 8_000).await;
        largest = largest.max(length(&wal));
    }
    // More than 150 × 12 KiB passed through it.
    assert!(
        largest < 2 * SMALL.wal_hard,
        "the WAL grew to {largest} bytes"
    );
    assert_eq!(store.read(keys::list).await.unwrap().len(), 150);
}

#[tokio::test]
async fn a_reader_that_stays_holds_up_no_write() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL).unwrap();
    write(&store, 0, 10).await;
    let reader = store.reader_connection().unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    assert_eq!(keys::list(&snapshot).unwrap().len(), 1);
    for id in 1..30 {
        write(&store, id, 30_000).await;
    }
    assert_eq!(keys::list(&snapshot).unwrap().len(), 1);
    drop(snapshot);
    assert_eq!(keys::list(&reader).unwrap().len(), 30);
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_and_the_lock() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path(), SMALL).unwrap();
    write(&store, 0, 10).await;
    store.close(Duration::from_secs(5)).await;
    // The readers' connections close by themselves, soon.
    for _ in 0..100 {
        if length(&dir.path().join("tributary.db-wal")) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(length(&dir.path().join("tributary.db-wal")), 0);
    let again = Store::open(dir.path(), SMALL).unwrap();
    assert_eq!(again.read(keys::list).await.unwrap().len(), 1);
}
