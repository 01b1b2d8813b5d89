//! The data directory: what lies in it, who may use it, and what the server refuses to touch.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use rusqlite::Connection;

use super::harness::{EXPORT, Home, INJECT, SOURCES, Server, wait};

/// What takes a database of this version back to version 5, which had no audit, kept all keys in one table, the numbers
/// of the pool in three, and ids of jobs whole.
pub(crate) fn back_to_version_5() -> String {
    let made = |migration: &'static str, table: &str| {
        let begin = migration.find(&format!("CREATE TABLE {table}("));
        let made = &migration[begin.expect("a table")..];
        &made[..=made.find(';').expect("its end")]
    };
    let second = include_str!("../../host/src/store/schema-2.sql");
    let fourth = include_str!("../../host/src/store/schema-4.sql");
    let (tally, owner_tally) = (made(second, "tally"), made(second, "owner_tally"));
    let meta = made(fourth, "meta_4");
    format!(
        "DROP TABLE audit; DROP VIEW tally; DROP VIEW owner_tally; \
         {tally} INSERT INTO tally SELECT of, name, value FROM number WHERE kind = 'status'; \
         {owner_tally} INSERT INTO owner_tally SELECT of, value FROM number WHERE kind = 'owner'; \
         {meta} INSERT INTO meta_4 SELECT id, salt, revision, last_account, accounts, sealed FROM meta, pool; \
         DROP VIEW pool; DROP TABLE number; DROP TABLE meta; ALTER TABLE meta_4 RENAME TO meta; \
         ALTER TABLE job DROP COLUMN place; CREATE INDEX job_undo ON job(source_id) WHERE undo = 1; \
         DROP INDEX job_id; CREATE INDEX job_id ON job(id); UPDATE job SET id = id || printf('%016x', number); \
         DROP VIEW account_key; DROP TABLE fresh_key; \
         ALTER TABLE settled_key RENAME TO account_key; PRAGMA writable_schema = ON; \
         UPDATE sqlite_schema SET sql = replace(sql, '\"account_key\"', 'account_key') WHERE name = 'account_key'; \
         PRAGMA writable_schema = RESET; PRAGMA user_version = 5"
    )
}

/// All files below `dir`.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found
}

/// The database of a stopped server.
fn database(home: &Home) -> PathBuf {
    let is_database = |path: &PathBuf| {
        std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
    };
    files(&home.data())
        .into_iter()
        .find(is_database)
        .expect("a database")
}

/// A directory that a server used and left in order.
fn used() -> Home {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["kept-1", "kept-2"]}"#);
    server.stop()
}

/// Runs a server to its end: it must be one that refuses to start.
pub(crate) fn refused(home: &Home, options: &[&str]) -> Output {
    let mut child = home
        .serve()
        .args(options)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    if wait(&mut child, Duration::from_secs(10)).is_none() {
        child.kill().expect("it runs");
        panic!("the server runs");
    }
    child.wait_with_output().expect("its output")
}

/// It ends with 1 and one readable sentence, and the directory stays as it was.
fn check_refused_start(home: &Home, words: &[&str]) {
    let before = snapshot(home);
    let output = refused(home, &[]);
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        words.iter().any(|word| said.contains(word)),
        "it says why: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        !String::from_utf8_lossy(&output.stdout).contains("listening"),
        "{said}"
    );
    let after = snapshot(home);
    let changed: Vec<_> = after
        .iter()
        .filter(|file| !before.contains(file))
        .map(|(path, _)| path)
        .collect();
    assert!(
        changed.is_empty() && after.len() == before.len(),
        "{changed:?} changed: {said}"
    );
}

/// Each file with its bytes, but for what leaves no trace: the lock, and what SQLite puts beside a database to read it.
fn snapshot(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for path in files(&home.data()) {
        let bytes = std::fs::read(&path).expect("a file");
        let name = path.to_string_lossy();
        let empty_wal = name.ends_with("-wal") && bytes.is_empty();
        if !name.ends_with("lock") && !name.ends_with("-shm") && !empty_wal {
            all.push((path, bytes));
        }
    }
    all.sort();
    all
}

/// Overwrites bytes of the database.
fn patch(home: &Home, at: usize, bytes: &[u8]) {
    let path = database(home);
    let mut all = std::fs::read(&path).expect("a file");
    all[at..at + bytes.len()].copy_from_slice(bytes);
    std::fs::write(&path, all).expect("a file");
}

#[test]
fn files_are_for_the_owner_alone() {
    let server = Server::start_with(&["--spool-above", "1KiB"]);
    server.home().key("admin", "x");
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    for file in files(&server.home().data()) {
        let mode = std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[test]
fn one_server_uses_a_directory_at_a_time() {
    let server = Server::start();
    let output = refused(server.home(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("another") || said.contains("already") || said.contains("in use"),
        "{said}"
    );
    assert_eq!(server.get(SOURCES).status, 200);
    let next = Server::start_in(server.crash(), &[]);
    assert_eq!(
        next.get(SOURCES).status,
        200,
        "a crash leaves no lock behind"
    );
}

#[test]
fn a_restart_keeps_everything() {
    let server = Server::start();
    server.post(INJECT, r#"{"accounts": [{"token": "a-1", "password": "p-1", "quota": 3}, "a-2"], "source_id": "s"}"#);
    let pool = server.pool();
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.pool(), pool);
    let server = Server::start_in(server.crash(), &[]);
    assert_eq!(server.pool(), pool);
    let again = server.post(INJECT, r#"{"tokens": ["a-2"]}"#).json();
    assert_eq!(again["skipped"], 1, "identities outlive a restart");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let home = used();
    patch(&home, 68, &0x0b0b_1234_u32.to_be_bytes());
    check_refused_start(
        &home,
        &[
            "another program",
            "not a tributary",
            "belongs",
            "foreign",
            "other",
        ],
    );
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let home = used();
    patch(&home, 60, &1_000_u32.to_be_bytes());
    check_refused_start(&home, &["newer"]);
}

#[test]
fn a_corrupt_database_is_refused() {
    let home = used();
    patch(&home, 100, &[0xff; 2000]);
    check_refused_start(
        &home,
        &["damaged", "corrupt", "malformed", "not a database"],
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let home = used();
    std::fs::write(database(&home), b"these are somebody's notes\n".repeat(200)).expect("a file");
    check_refused_start(
        &home,
        &[
            "damaged",
            "corrupt",
            "malformed",
            "not a",
            "another program",
        ],
    );
}

/// A page by which accounts are found, from 1.
fn page_of_keys(home: &Home) -> usize {
    let db = Connection::open(database(home)).expect("a database");
    let sql = "SELECT pageno FROM dbstat WHERE name = 'settled_key' AND pagetype = 'leaf' LIMIT 1 OFFSET 16";
    let page: u32 = db.query_row(sql, [], |row| row.get(0)).expect("a page");
    page as usize
}

#[test]
fn damage_that_is_met_later_is_503_and_ends_nothing() {
    let server = Server::start();
    let tokens: Vec<String> = (0..20_000).map(|n| format!("damaged-{n:05}")).collect();
    server.post(INJECT, &serde_json::json!({ "tokens": tokens }).to_string());
    let home = server.stop();
    patch(&home, (page_of_keys(&home) - 1) * 4096, &[0xff; 4096]);
    let server = Server::start_in(home, &[]);
    let answer = server.post(INJECT, &serde_json::json!({ "tokens": tokens }).to_string());
    super::examples::check_refused(&answer, 503);
    assert!(
        !answer.body.contains("malformed"),
        "the cause is for the log: {answer:?}"
    );
    assert_eq!(server.send("GET", "/health", None, "").status, 200);
    assert_eq!(server.get(SOURCES).status, 200);
}

#[test]
fn a_large_body_waits_in_a_file_without_a_name() {
    let server = Server::start_with(&["--spool-above", "1KiB"]);
    // So many are looked at by two threads, and written in their order all the same.
    let numbers = (0..3_000).map(|n| n * 1_999 % 3_000);
    let tokens: Vec<String> = numbers.map(|n| format!("spooled-{n:04}")).collect();
    let note = "n".repeat(400);
    let account = |token| serde_json::json!({"token": token, "note": note});
    let accounts: Vec<_> = tokens.iter().map(account).collect();
    let answer = server.post(
        INJECT,
        &serde_json::json!({ "accounts": accounts }).to_string(),
    );
    assert_eq!(
        (answer.status, &answer.json()["added"]),
        (200, &3_000.into())
    );
    let export = server.post(EXPORT, "").body;
    let lines = export.lines().map(|line| {
        let account: serde_json::Value = serde_json::from_str(line).expect("JSON");
        account["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    });
    assert_eq!(lines.collect::<Vec<_>>(), tokens);
    let home = server.stop();
    let known = ["lock", "master-key", "tributary.db"];
    let left = files(&home.data());
    let is_known = |file: &PathBuf| {
        let name = file.file_name().expect("a name").to_string_lossy();
        known.iter().any(|known| name.starts_with(known))
    };
    assert!(left.iter().all(is_known), "no spool stays: {left:?}");
}
