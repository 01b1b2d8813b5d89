use super::super::db::Db;
use super::super::{Store, StoreOptions, jobs, tests};
use super::*;
use crate::config::MasterKeyOptions;
use crate::job::{JobKind, JobStatus, Trace};
use tempfile::{TempDir, tempdir};

/// A folder with the database of a store that was closed.
fn folder() -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    drop(prepare(dir.path()).unwrap());
    let path = dir.path().join(FILE);
    (dir, path)
}

/// Changes a database behind our back, as a plain SQLite tool would.
fn tamper(path: &Path, sql: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(sql).unwrap();
    db.close().unwrap();
}

/// Opens the folder, expects the refusal to say `words`, and the database to keep every byte.
fn refuses(dir: &Path, words: &str) {
    let path = dir.join(FILE);
    let before = fs::read(&path).unwrap();
    let said = Store::open(dir, StoreOptions::default(), &MasterKeyOptions::default())
        .err()
        .expect("it was opened")
        .to_string();
    assert!(said.contains(words), "{said}");
    assert!(said.contains("left as it is"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_new_database_is_ours_and_current() {
    let (_dir, path) = folder();
    check_header(&path).unwrap();
    let db = connect::reader(&path).unwrap();
    assert!(is_current(check(&db, &path).unwrap()));
    let salt: Vec<u8> = db
        .query_row("SELECT salt FROM meta", [], |r| r.get(0))
        .unwrap();
    assert!(salt.len() == 32 && salt.iter().any(|byte| *byte != 0));
}

#[test]
fn a_pool_of_before_is_counted_when_it_is_migrated() {
    let dir = tempdir().unwrap();
    let path = dir.path().join(FILE);
    let mut db = Connection::open(&path).unwrap();
    let change = db.transaction().unwrap();
    first(&change).unwrap();
    for (id, status) in [(1u8, "正常"), (2, "正常"), (3, "限流")] {
        let shown = format!("{{\"status\":\"{status}\"}}");
        let row = rusqlite::params![id, vec![id; 16], shown];
        change
            .execute(
                "INSERT INTO account VALUES(?1, ?2, 0, 'a…', ?3, x'', NULL, x'', 0, 0)",
                row,
            )
            .unwrap();
        change
            .execute("INSERT INTO owned VALUES(?1 % 2, ?1)", [id])
            .unwrap();
        let row = rusqlite::params![vec![id; 16], id];
        change
            .execute("INSERT INTO account_key VALUES(?1, ?2, x'00000000')", row)
            .unwrap();
    }
    change
        .execute_batch("INSERT INTO owner VALUES(1, 'gone', ''), (2, 'label', '');
            INSERT INTO job VALUES(1, 'a', 'sync', 'success', 0, 0, 'gone', '', 'merge', 0, 0, 0, 0)")
        .unwrap();
    for (name, value) in [("application_id", APPLICATION_ID), ("user_version", 1)] {
        change.pragma_update(None, name, value).unwrap();
    }
    change.commit().unwrap();
    drop(db);
    let db = prepare(dir.path()).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
    for (sql, expected) in [
        ("SELECT accounts FROM pool", 3),
        ("SELECT count(*) FROM account_key WHERE entry = x''", 3),
        (
            "SELECT accounts FROM tally WHERE provider = 0 AND status = '正常'",
            2,
        ),
        ("SELECT accounts FROM owner_tally WHERE owner = 0", 1),
        ("SELECT accounts FROM owner_tally WHERE owner = 1", 2),
        (
            "SELECT source_deleted FROM owner WHERE source_id = 'gone'",
            1,
        ),
        (
            "SELECT source_deleted FROM owner WHERE source_id = 'label'",
            0,
        ),
    ] {
        assert_eq!(number(sql), expected, "{sql}");
    }
}

#[test]
fn jobs_of_before_keep_their_ids_and_their_order_of_undoing() {
    let dir = tempdir().unwrap();
    let db = of_version(&dir.path().join(FILE), 7);
    for (number, source, undo) in [
        (3, "s", 1),
        (4, "t", 1),
        (5, "s", 0),
        (6, "s", 1),
        (7, "", 2),
    ] {
        let job = "INSERT INTO job(number, id, kind, status, created_at, updated_at, source_id, source_name, strategy, \
                   total, added, skipped, removed, undo) \
                   VALUES(?1, printf('%032x', ?1), 'inject', 'success', 0, 0, ?2, '', 'merge', 0, 0, 0, 0, ?3)";
        db.execute(job, rusqlite::params![number, source, undo])
            .unwrap();
    }
    drop(db);
    let db = Db::new(prepare(dir.path()).unwrap(), vault::Vault::new(&[]));
    let id = format!("{:032x}", 6);
    assert_eq!(
        jobs::get(&db, &id).unwrap().map(|(row, job)| (row, job.id)),
        Some((6, id))
    );
    let mut places = db.prepare("SELECT place FROM job ORDER BY number").unwrap();
    let places = places.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        places.map(Result::unwrap).collect::<Vec<_>>(),
        [1, 1, 0, 2, 0]
    );
    let sql = "SELECT name, value FROM number WHERE kind = 'undo'";
    let mut latest = db.prepare(sql).unwrap();
    let latest = latest
        .query_map([], |row| <(String, i64)>::try_from(row))
        .unwrap();
    let latest: Vec<_> = latest.map(Result::unwrap).collect();
    assert_eq!(latest, [("s".to_owned(), 2), ("t".to_owned(), 1)]);
    let mut next = tests::job("", JobKind::Inject, JobStatus::Running);
    next.source_id = "s".to_owned();
    next.trace = Some(Trace {
        added: (1, 1),
        changed: (0, -1),
    });
    jobs::insert(&db, &mut next).unwrap();
    let place = db.query_row("SELECT max(place) FROM job", [], |row| row.get(0));
    assert_eq!(place, Ok(3));
}

#[test]
fn what_is_not_a_database_is_refused() {
    for bytes in [&b""[..], b"not a database", &[0; 8192]] {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join(FILE), bytes).unwrap();
        refuses(dir.path(), "not a Tributary database");
        let beside = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(beside, 2, "only the database and the lock");
    }
}

#[test]
fn another_programs_database_is_refused() {
    let dir = tempdir().unwrap();
    tamper(
        &dir.path().join(FILE),
        "CREATE TABLE notes(text); INSERT INTO notes VALUES('mine');",
    );
    refuses(dir.path(), "not a Tributary database");
}

#[test]
fn a_newer_database_is_refused() {
    let (dir, path) = folder();
    tamper(&path, "PRAGMA user_version = 99;");
    refuses(dir.path(), "schema 99, this one knows 8");
}

#[test]
fn a_newer_version_that_is_only_in_the_wal_is_refused() {
    let (dir, path) = folder();
    let db = connect::writer(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let wal = with_suffix(&path, "-wal");
    let before = fs::read(&wal).unwrap();
    assert!(!before.is_empty());
    refuses(dir.path(), "schema 99, this one knows 8");
    assert_eq!(fs::read(&wal).unwrap(), before);
}

#[test]
fn an_altered_schema_is_refused() {
    for (sql, words) in [
        ("DROP TABLE owned", "`owned` is missing or altered"),
        (
            "ALTER TABLE job ADD COLUMN more TEXT",
            "`job` is missing or altered",
        ),
        ("CREATE TABLE extra(x)", "`extra` does not belong in it"),
        ("DROP INDEX job_sync", "`job_sync` is missing or altered"),
        ("PRAGMA user_version = 0", "version 0"),
    ] {
        let (dir, path) = folder();
        tamper(&path, sql);
        refuses(dir.path(), words);
    }
}

#[test]
fn a_damaged_database_is_refused() {
    // The first page holds the schema; others the roots of tables.
    for table in ["sqlite_schema", "meta", "job"] {
        let (dir, path) = folder();
        let db = Connection::open(&path).unwrap();
        let sql = "SELECT coalesce((SELECT rootpage FROM sqlite_schema WHERE name = ?1), 1)";
        let page: u32 = db.query_row(sql, [table], |row| row.get(0)).unwrap();
        let page = usize::try_from(page).unwrap();
        db.close().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let start = if page == 1 { 100 } else { (page - 1) * 4096 };
        bytes[start..page * 4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        refuses(dir.path(), "is damaged");
    }
}

#[test]
fn a_wal_without_its_database_is_refused() {
    let dir = tempdir().unwrap();
    let wal = dir.path().join("tributary.db-wal");
    fs::write(&wal, b"frames").unwrap();
    let said = prepare(dir.path()).unwrap_err().to_string();
    assert!(said.contains("is gone"), "{said}");
    assert_eq!(fs::read(&wal).unwrap(), b"frames");
}

#[test]
fn what_a_crash_left_of_a_creation_is_made_anew() {
    let dir = tempdir().unwrap();
    for name in [
        "tributary.db.new",
        "tributary.db.new-wal",
        "tributary.db.new-shm",
    ] {
        fs::write(dir.path().join(name), b"half").unwrap();
    }
    drop(prepare(dir.path()).unwrap());
    let names = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(
        !names
            .into_iter()
            .any(|name| name.to_string_lossy().contains(".new"))
    );
}

#[test]
fn every_file_is_its_owners_alone() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("deep").join("pool");
    let store = Store::open(
        &folder,
        StoreOptions::default(),
        &MasterKeyOptions::default(),
    )
    .unwrap();
    let db = connect::beside(&folder.join(FILE)).unwrap();
    db.execute("UPDATE meta SET sealed = 1", []).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in [
        "tributary.db",
        "tributary.db-wal",
        "tributary.db-shm",
        "lock",
    ] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn a_restored_backup_becomes_private_and_gets_its_wal_back() {
    let (dir, path) = folder();
    tamper(&path, "PRAGMA journal_mode = DELETE;");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let db = prepare(dir.path()).unwrap();
    let mode: String = db
        .pragma_query_value(None, "journal_mode", |r| r.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
