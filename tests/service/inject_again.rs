//! What came before is known again: by its text, as long as nothing else has changed its account.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::harness::{INJECT, JOBS, Server};
use super::payload;

/// An entry that brings more than a token.
const ENTRY: &str =
    r#"{"token": "a-1", "email": "a@example.test", "quota": 5, "refresh_token": "r-1"}"#;

fn inject(server: &Server, entry: &str, source: &str) -> [u64; 2] {
    let body = format!(r#"{{"accounts": [{entry}], "source_id": "{source}"}}"#);
    let answer = server.post(INJECT, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    counts_of(server)
}

/// Accounts that the last job updated, and that it left as they were.
fn counts_of(server: &Server) -> [u64; 2] {
    let job = server.job(&server.last_job());
    ["updated", "unchanged"].map(|count| job[count].as_u64().expect("a number"))
}

#[test]
fn the_same_again_changes_nothing_and_anything_in_between_is_seen() {
    let server = Server::start();
    inject(&server, ENTRY, "s");
    let whole = server.pool()[0].clone();
    assert_eq!(inject(&server, ENTRY, "s"), [0, 1]);
    let edit = json!({"id": server.id_of("a-1"), "quota": 9});
    let edited = server.post("/api/accounts/update", &edit.to_string());
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(
        inject(&server, ENTRY, "s"),
        [1, 0],
        "an edit is overwritten"
    );
    assert_eq!(inject(&server, ENTRY, "s"), [0, 1]);
    inject(
        &server,
        r#"{"token": "a-1", "email": "b@example.test"}"#,
        "t",
    );
    assert_eq!(
        inject(&server, ENTRY, "s"),
        [1, 0],
        "another source said otherwise"
    );
    assert_eq!(inject(&server, ENTRY, "t"), [0, 1], "both own it by now");
    assert_eq!(server.pool()[0]["email"], whole["email"]);
}

#[test]
fn who_sends_what_another_sent_owns_it_too() {
    let server = Server::start();
    inject(&server, ENTRY, "s");
    assert_eq!(inject(&server, ENTRY, "t"), [1, 0]);
    assert_eq!(server.pool()[0]["owners"]["sources"], json!(["s", "t"]));
    assert_eq!(inject(&server, ENTRY, "t"), [0, 1]);
}

#[test]
fn what_was_undone_comes_again() {
    let server = Server::start();
    inject(&server, ENTRY, "s");
    let pool = server.export();
    inject(&server, r#"{"token": "a-1", "quota": 6}"#, "s");
    let undone = server.post(&format!("{JOBS}/{}/undo", server.last_job()), "");
    assert_eq!(undone.status, 200, "{undone:?}");
    assert_eq!(server.export(), pool);
    assert_eq!(
        inject(&server, r#"{"token": "a-1", "quota": 6}"#, "s"),
        [1, 0]
    );
    assert_eq!(server.pool()[0]["quota"], 6);
}

#[test]
fn the_same_again_writes_no_page_of_an_account_table() {
    let server = Server::start();
    let body = payload::accounts(2_000);
    server.post(INJECT, &body);
    let home = server.stop();
    let server = Server::start_in(home, &[]);
    let before = written(&server);
    assert_eq!(before, BTreeSet::new(), "the start writes nothing");
    let numbers = numbers_of(&server);
    server.post(INJECT, &body);
    assert_eq!(counts_of(&server), [0, 2_000]);
    let pages = written(&server);
    assert!(pages.contains("job"), "{pages:?}");
    for table in ["account", "settled_key", "fresh_key", "owned", "undo"] {
        assert!(!pages.contains(table), "{table} of {pages:?}");
    }
    // The page of all numbers is written, since the end of the audit lies there, too.
    assert_eq!(numbers_of(&server), numbers);
}

/// The numbers of the pool, without where its audit ends.
fn numbers_of(server: &Server) -> String {
    let db = server.home().database();
    let sql = "SELECT json_group_array(json_array(kind, of, name, value, revision, last_account, fresh_keys)) FROM number";
    db.query_row(sql, [], |row| row.get(0)).expect("numbers")
}

/// The tables and indices of which pages lie in the WAL.
fn written(server: &Server) -> BTreeSet<String> {
    let path = server.home().data().join("tributary.db");
    let wal = fs::read(path.with_extension("db-wal")).unwrap_or_default();
    let db = server.home().database();
    let frames = wal.get(32..).unwrap_or_default().chunks_exact(24 + 4096);
    // What follows is of before the WAL was started anew.
    let frames = frames.take_while(|frame| frame.get(8..16) == wal.get(16..24));
    frames
        .map(|frame| {
            let page = u32::from_be_bytes(*frame.first_chunk().expect("a frame's head"));
            let name = db.query_row("SELECT name FROM dbstat WHERE pageno = ?1", [page], |row| {
                row.get(0)
            });
            name.expect("a page of a table")
        })
        .collect()
}
