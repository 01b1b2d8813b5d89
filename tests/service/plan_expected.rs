//! `Tributary-Expect-Plan` while others import: what was approved is what is applied, or nothing is; and what is not
//! applied leaves no trace in the tables of accounts.

use std::sync::Mutex;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::client::Answer;
use super::examples::check_error;
use super::harness::{INJECT, JOBS, SOURCES, Server};
use super::upstream::{Reply, Upstream};
use crate::seeded::Dice;

const PLAN: &str = "/api/remote-account/plan";
const COUNTS: [&str; 8] = [
    "total",
    "added",
    "updated",
    "unchanged",
    "skipped",
    "released",
    "disabled",
    "removed",
];

/// Bodies by the id of the job that applied them.
type Accepted = Mutex<Vec<(String, String)>>;

/// An import that meets others: few tokens, few owners.
fn body(dice: &mut Dice) -> String {
    let accounts: Vec<Value> = (0..1 + dice.below(4))
        .map(|_| json!({"token": format!("example-{}", dice.below(8)), "quota": dice.below(3)}))
        .collect();
    let strategy = dice.one(&["merge", "merge", "replace"]);
    let source = dice.one(&["a", "b"]);
    json!({"strategy": strategy, "source_id": source, "accounts": accounts}).to_string()
}

fn job_of(answer: &Answer) -> String {
    let job = answer.header("tributary-job");
    job.unwrap_or_else(|| panic!("no job: {answer:?}"))
        .to_owned()
}

/// Plans and then imports just that: it is applied as planned, or not at all.
fn plan_and_inject(server: &Server, body: &str, accepted: &Accepted) {
    let planned = server.post(PLAN, body).json()["plan"].clone();
    let hash = planned["plan_hash"].as_str().expect("a hash");
    let answer = server.post_expecting(INJECT, body, hash);
    let id = job_of(&answer);
    let job = server.job(&id);
    for count in COUNTS {
        let wanted = match answer.status {
            200 => planned["counts"][count].clone(),
            _ => json!(0),
        };
        assert_eq!(job[count], wanted, "{count}: {answer:?}");
    }
    assert_eq!(job["plan_hash"], planned["plan_hash"]);
    match answer.status {
        200 => accepted.lock().expect("a list").push((id, body.to_owned())),
        _ => check_error(
            &answer,
            409,
            "the plan is another one than was approved: look at it again",
        ),
    }
}

fn inject(server: &Server, body: &str, accepted: &Accepted) {
    let answer = server.post(INJECT, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = job_of(&answer);
    accepted
        .lock()
        .expect("a list")
        .push((job, body.to_owned()));
}

/// The jobs that were applied, the oldest first.
fn applied(server: &Server) -> Vec<String> {
    let answer = server
        .get(&format!("{JOBS}?limit=200&outcome=success"))
        .json();
    assert_eq!(answer["next"], json!(null), "all of them");
    let jobs = answer["items"].as_array().expect("a list").iter().rev();
    jobs.map(|job| job["job_id"].as_str().expect("an id").to_owned())
        .collect()
}

/// The pool without its times.
fn pool(server: &Server) -> Vec<Value> {
    let export = server.export();
    let lines = export.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let fields = line.as_object_mut().expect("an object");
        fields.retain(|name, _| name != "remote_injected_at");
        line
    });
    lines.collect()
}

#[test]
fn what_is_approved_while_others_import_is_applied_exactly_or_not_at_all() {
    let (server, accepted) = (Server::start(), Accepted::default());
    std::thread::scope(|scope| {
        for number in 0..5 {
            let (server, accepted) = (&server, &accepted);
            scope.spawn(move || {
                let mut dice = Dice::new("expected", number);
                for _ in 0..15 {
                    let body = body(&mut dice);
                    match number {
                        0..3 => plan_and_inject(server, &body, accepted),
                        _ => inject(server, &body, accepted),
                    }
                }
            });
        }
    });
    let accepted = accepted.into_inner().expect("a list");
    let applied = applied(&server);
    assert_eq!(
        applied.len(),
        accepted.len(),
        "each that was accepted, and no other"
    );
    let again = Server::start();
    for id in applied {
        let (_, body) = accepted
            .iter()
            .find(|(job, _)| *job == id)
            .expect("an accepted one");
        assert_eq!(again.post(INJECT, body).status, 200);
    }
    assert_eq!(pool(&again), pool(&server));
}

/// All rows of the tables that hold accounts, and of those beside them.
fn tables(server: &Server) -> Vec<String> {
    let path = server.home().data().join("tributary.db");
    let db =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    let tables = [
        "account",
        "account_key",
        "owned",
        "owner",
        "owner_tally",
        "tally",
        "pool",
        "meta",
        "undo",
        "owned_until",
    ];
    tables.map(|table| rows(&db, table)).into()
}

fn rows(db: &Connection, table: &str) -> String {
    // The pool also says where the audit ends, which tells of what was blocked too.
    let columns = match table {
        "pool" => "accounts, revision, last_account, fresh_keys",
        _ => "*",
    };
    let mut all = db
        .prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1, 2"))
        .expect("a table");
    let columns = all.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    let rows: Vec<Vec<Cell>> = all
        .query_map([], row)
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    format!("{table} {rows:?}")
}

#[test]
fn what_is_not_applied_leaves_every_table_of_accounts_as_it_was() {
    let body = std::sync::Arc::new(Mutex::new(String::new()));
    let answered = std::sync::Arc::clone(&body);
    let upstream = Upstream::start(move |_| Reply::json(&answered.lock().expect("a body")));
    let has = |numbers: std::ops::Range<u32>| {
        let accounts: Vec<_> = numbers
            .map(|n| json!({"token": format!("example-{n}"), "password": format!("p-{n}")}))
            .collect();
        *body.lock().expect("a body") = json!(accounts).to_string();
    };
    let server = Server::start();
    let source = json!({"name": "S", "url": upstream.url("/"), "sync_strategy": "replace"});
    let sync = format!("{SOURCES}/{}/sync", server.source(&source.to_string()));
    has(0..20);
    assert_eq!(server.post(&sync, "").status, 200);
    server.post(
        INJECT,
        r#"{"tokens": ["example-3", "example-30"], "source_id": "t"}"#,
    );
    let before = tables(&server);
    has(10..12);
    let blocked = server.post(&sync, "");
    assert_eq!(server.job(&job_of(&blocked))["status"], json!("blocked"));
    assert_eq!(tables(&server), before, "a blocked sync");
    let other = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    assert_eq!(server.post_expecting(&sync, "", other).status, 409);
    let replace = r#"{"tokens": ["example-31"], "strategy": "replace", "source_id": "t", "source_name": "T"}"#;
    assert_eq!(server.post_expecting(INJECT, replace, other).status, 409);
    assert_eq!(tables(&server), before, "another plan than was approved");
    assert_eq!(server.post(PLAN, replace).status, 200);
    let latest = server
        .get(&format!("{JOBS}?outcome=success&limit=1"))
        .json();
    let latest = latest["items"][0]["job_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let undo = format!("{JOBS}/{latest}/undo?plan=true");
    assert_eq!(server.post(&undo, "").status, 200);
    assert_eq!(tables(&server), before, "what is only planned");
}

#[test]
fn a_plan_of_thousands_is_the_approved_one_whether_they_are_new_or_there() {
    let server = Server::start();
    // Into an empty pool; where a part is there; where one in twenty is, and half of those are as they came.
    let account = |n: usize, round| json!({"token": format!("example-{n}"), "type": format!("t{round}"), "cookie": format!("c-{n}")});
    for (round, range) in [0..3_000, 1_500..4_500, 4_500..8_000]
        .into_iter()
        .enumerate()
    {
        let strewn = |n: usize| match (round, n % 40) {
            (2, 0) => account(n - 3_500, 1),
            (2, 20) => account(n - 3_500, 2),
            _ => account(n, round),
        };
        let accounts: Vec<_> = range.map(strewn).collect();
        let body = json!({"source_id": "s", "accounts": accounts}).to_string();
        let plan = server.post(&format!("{PLAN}?limit=1"), &body).json();
        let hash = plan["plan"]["plan_hash"].as_str().expect("a hash");
        let other = hash.chars().rev().collect::<String>();
        let differs = server.post_expecting(INJECT, &body, &other);
        assert_eq!(differs.status, 409, "{differs:?}");
        let done = server.post_expecting(INJECT, &body, hash);
        assert_eq!(done.status, 200, "{done:?}");
        for count in ["total", "added"] {
            assert_eq!(done.json()[count], plan["plan"]["counts"][count]);
        }
    }
    assert_eq!(server.tokens().len(), 8_000 - 175);
}
