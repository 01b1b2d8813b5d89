//! Accounts are found by their tokens, whether few of them come, change and go among many, or many at once.

use std::ops::Range;

use serde_json::json;

use super::harness::{ACCOUNTS, INJECT, JOBS, Server};

fn tokens(numbers: Range<u32>) -> Vec<String> {
    numbers.map(|n| format!("a-{n:06}")).collect()
}

/// Replaces what source `s` has, and tells what was added, skipped and removed.
fn replace(server: &Server, numbers: Range<u32>) -> [u64; 3] {
    let body = json!({"tokens": tokens(numbers), "source_id": "s", "strategy": "replace"});
    let answer = server.post(INJECT, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let counts = answer.json();
    ["added", "skipped", "removed"].map(|count| counts[count].as_u64().expect("a number"))
}

/// Lets a source bring accounts that all have this quota, and tells how many were added, updated and left as they are.
fn bring(server: &Server, source: &str, numbers: Range<u32>, quota: u32) -> [u64; 3] {
    let accounts = tokens(numbers).into_iter();
    let accounts: Vec<_> = accounts
        .map(|token| json!({"token": token, "quota": quota}))
        .collect();
    let body = json!({"accounts": accounts, "source_id": source});
    let answer = server.post(INJECT, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = server.job(&server.last_job());
    ["added", "updated", "unchanged"].map(|count| job[count].as_u64().expect("a number"))
}

/// How many keys were ever written to the small table.
const FRESH_KEYS: &str = "SELECT fresh_keys FROM pool";

fn number(server: &Server, sql: &str) -> u32 {
    let db = server.home().database();
    db.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn check_verified(server: Server) -> Server {
    let home = server.stop();
    let verified = home.run(&["verify"]);
    assert!(verified.status.success(), "{verified:?}");
    Server::start_in(home, &[])
}

/// What a restore or an import brings into a pool that is empty again meets nothing of before.
#[test]
fn an_emptied_pool_has_no_token_left() {
    let server = Server::start();
    assert_eq!(replace(&server, 0..40), [40, 0, 0]);
    let lines = server.export();
    let line = lines.lines().find(|line| line.contains("a-000000"));
    let line = line.expect("its line").to_owned() + "\n";
    // One of many, then the others at once.
    assert_eq!(replace(&server, 1..40), [0, 39, 1]);
    assert_eq!(replace(&server, 100..101), [1, 0, 39]);
    let emptied = server.delete_with(ACCOUNTS, &json!({"tokens": tokens(100..101)}).to_string());
    assert_eq!(emptied.status, 200, "{emptied:?}");
    let home = server.stop();
    let file = home.file("lines");
    std::fs::write(&file, &line).expect("a file");
    let restored = home.run(&["import", &file.to_string_lossy()]);
    assert!(restored.status.success(), "{restored:?}");
    let server = check_verified(Server::start_in(home, &[]));
    assert_eq!(server.tokens(), tokens(0..1));
    assert_eq!(replace(&server, 0..40), [39, 1, 0]);
    assert_eq!(replace(&server, 1..40), [0, 39, 1]);
    let gone = server.delete_with(ACCOUNTS, &json!({"tokens": tokens(1..40)}).to_string());
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(replace(&server, 0..50), [50, 0, 0]);
    assert_eq!(server.tokens(), tokens(0..50));
    check_verified(server);
}

#[test]
fn more_come_and_go_than_are_written_at_once() {
    let server = Server::start();
    assert_eq!(replace(&server, 0..60_000), [60_000, 0, 0]);
    assert_eq!(replace(&server, 55_000..115_000), [55_000, 5_000, 55_000]);
    assert_eq!(replace(&server, 55_000..115_000), [0, 60_000, 0]);
    check_verified(server);
}

#[test]
fn few_come_and_go_among_many() {
    let server = Server::start();
    let others: Vec<_> = (0..40_000).map(|n| format!("b-{n:06}")).collect();
    server.post(INJECT, &json!({ "tokens": others }).to_string());
    assert_eq!(replace(&server, 0..2_000), [2_000, 0, 0]);
    // So many that some settle, with accounts that are gone among them.
    for first in (1_000..9_000).step_by(1_000) {
        let next = first..first + 2_000;
        assert_eq!(replace(&server, next.clone()), [1_000, 1_000, 1_000]);
        assert_eq!(replace(&server, next), [0, 2_000, 0]);
    }
    // All of these were fresh ones, and some have settled.
    let bytes = number(
        &server,
        "SELECT count(DISTINCT substr(fingerprint, 1, 1)) FROM fresh_key",
    );
    assert!((200..256).contains(&bytes), "{bytes} first bytes");
    assert_eq!(number(&server, FRESH_KEYS), 18_000);
    let server = check_verified(server);
    let held = |numbers| {
        let mut held = [tokens(numbers), others.clone()].concat();
        held.sort_unstable();
        held
    };
    assert_eq!(server.tokens(), held(8_000..10_000));
    assert_eq!(replace(&server, 500..2_500), [2_000, 0, 2_000]);
    assert_eq!(server.tokens(), held(500..2_500));
    let undo = format!("{JOBS}/{}/undo", server.last_job());
    assert_eq!(server.post(&undo, "").status, 200);
    assert_eq!(server.tokens(), held(8_000..10_000));
    assert_eq!(replace(&server, 8_000..10_000), [0, 2_000, 0]);
    check_verified(server);
}

#[test]
fn few_that_change_among_many_are_found_as_they_are_and_go_back() {
    let server = Server::start();
    let others: Vec<_> = (2_000..42_000).map(|n| format!("a-{n:06}")).collect();
    server.post(INJECT, &json!({ "tokens": others }).to_string());
    assert_eq!(bring(&server, "s", 0..2_000, 1), [2_000, 0, 0]);
    let before = server.export();
    assert_eq!(bring(&server, "s", 0..2_000, 2), [0, 2_000, 0]);
    let changed = server.last_job();
    // Many together, then a few one by one.
    assert_eq!(bring(&server, "s", 0..2_000, 2), [0, 0, 2_000]);
    assert_eq!(bring(&server, "s", 0..500, 2), [0, 0, 500]);
    assert_eq!(number(&server, FRESH_KEYS), 4_000);
    assert_eq!(bring(&server, "t", 0..500, 2), [0, 500, 0]);
    let shared = server.last_job();
    assert_eq!(number(&server, FRESH_KEYS), 4_500);
    let server = check_verified(server);
    for job in [shared, changed] {
        let undone = server.post(&format!("{JOBS}/{job}/undo"), "");
        assert_eq!(undone.status, 200, "{undone:?}");
    }
    assert_eq!(server.export(), before);
    // All at once, fresh or not.
    assert_eq!(bring(&server, "s", 0..42_000, 3), [0, 42_000, 0]);
    assert_eq!(bring(&server, "s", 0..42_000, 3), [0, 0, 42_000]);
    let server = check_verified(server);
    assert_eq!(bring(&server, "s", 0..42_000, 3), [0, 0, 42_000]);
}
