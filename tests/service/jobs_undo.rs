//! `POST /api/remote-account/jobs/{id}/undo`: what a job changed is taken back, as far as it still is what the job left.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::examples::{check_error, check_refused};
use super::harness::{ACCOUNTS, INJECT, JOBS, SOURCES, Server};
use super::upstream::Upstream;

/// Undoes the newest job; the undo as the history tells it.
fn undo(server: &Server, id: &str) -> Value {
    let answer = server.post(&format!("{JOBS}/{id}/undo"), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = answer.json()["job"].clone();
    assert_eq!(answer.header("tributary-job"), job["job_id"].as_str());
    assert_eq!((&job["kind"], &job["undoes"]), (&json!("undo"), &json!(id)));
    job
}

fn id_of(job: &Value) -> String {
    job["job_id"].as_str().expect("an id").to_owned()
}

/// A pool of several owners, fields and secrets.
fn start() -> Server {
    let server = Server::start();
    server.post(INJECT, r#"{"accounts": [
        {"token": "example-1", "password": "example-password-1", "metadata": {"team": "a"}, "quota": 3},
        {"token": "example-2", "cookie": "example-cookie", "note": "n"}, "example-3", "example-4"], "source_id": "s", "source_name": "S"}"#);
    server.post(INJECT, r#"{"tokens": ["example-2", "example-5"], "source_id": "t", "source_name": "T", "provider": "grok"}"#);
    server.post(INJECT, r#"{"tokens": ["example-3"]}"#);
    server
}

/// What the database says of accounts, by their rows: everything but what only the search for them needs.
type Told = BTreeMap<i64, String>;

/// Reads it from these columns and tables.
fn told(server: &Server, from: &str) -> Told {
    let db = server.home().database();
    let sql = format!(
        "SELECT account, concat_ws('|', quote(fingerprint), quote(owners), provider, masked, shown, quote(marks),
         quote(earlier_status), quote(secret), added_at, injected_at) FROM (SELECT {from})"
    );
    let mut rows = db.prepare(&sql).expect("a statement");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// The pool with the secrets that are kept of an account when it changes, and without.
fn told_of_pool(server: &Server) -> [Told; 2] {
    ["secret", "x'' AS secret"].map(|secret| {
        told(
            server,
            &format!(
                "id AS account, {secret}, account_key.owners, fingerprint, provider, masked, shown, marks, earlier_status,
                 added_at, injected_at FROM account JOIN account_key USING(fingerprint)"
            ),
        )
    })
}

/// What a job keeps is each account that it changed or removed as its row was before, and as it is after.
#[track_caller]
fn check_kept(server: &Server, job: &str, [mut before, _]: [Told; 2], [whole, after]: [Told; 2]) {
    // The number of a job begins with the text that the table has.
    let [was, is] = [0, 1].map(|side| {
        let sql = format!(
            "undo.* FROM undo JOIN job ON undo.id BETWEEN undo_first AND undo_last WHERE instr('{job}', job.id) = 1 AND side = {side}"
        );
        told(server, &sql)
    });
    before.retain(|row, told| whole.get(row) != Some(told));
    assert_eq!(was, before);
    // Those that came back are of the latter alone.
    for row in was.keys().chain(is.keys()) {
        assert_eq!(is.get(row), after.get(row));
    }
}

/// Whatever a job did, its undo gives the pool of before, and the undo of that the pool of after.
#[track_caller]
fn goes_there_and_back(server: &Server, act: impl FnOnce(&Server)) {
    let (before, rows) = (server.export(), told_of_pool(server));
    act(server);
    let (after, job) = (server.export(), server.last_job());
    assert_ne!(before, after, "it changes something");
    let changed = told_of_pool(server);
    check_kept(server, &job, rows, changed.clone());
    let undone = undo(server, &job);
    assert_eq!(server.export(), before);
    assert_eq!(
        undone.get("left"),
        None,
        "nothing stood in the way: {undone}"
    );
    assert_eq!(server.job(&job)["undone_by"], undone["job_id"]);
    assert_eq!(server.job(&job)["undoable"], json!(false));
    check_kept(server, &id_of(&undone), changed, told_of_pool(server));
    let redone = undo(server, &id_of(&undone));
    assert_eq!(server.export(), after);
    assert_eq!(
        server.job(&job)["undone_by"],
        json!(null),
        "it is in force again"
    );
    undo(server, &id_of(&redone));
    assert_eq!(server.export(), before);
    assert_eq!(server.job(&job)["undone_by"], undone["job_id"]);
}

#[test]
fn a_plan_that_is_asked_for_in_another_way_changes_nothing() {
    let server = start();
    let source = server.source(r#"{"url": "http://127.0.0.1:9/"}"#);
    let (before, job) = (server.export(), server.last_job());
    let undo = format!("{JOBS}/{job}/undo");
    let sync = format!("{SOURCES}/{source}/sync?plan=true");
    for (path, body) in [
        (undo.as_str(), r#"{"plan": true}"#),
        (&format!("{undo}?plna=true"), ""),
        (
            &format!("{INJECT}?plan=true"),
            r#"{"tokens": ["example-9"]}"#,
        ),
        (&sync, ""),
    ] {
        let answer = server.post(path, body);
        check_refused(&answer, 422);
        assert!(answer.body.contains("takes"), "{answer:?}");
    }
    assert_eq!((server.export(), server.last_job()), (before, job));
    assert_eq!(server.post(&undo, " {} ").status, 200);
}

#[test]
fn imports_go_there_and_back() {
    for body in [
        r#"{"tokens": ["example-7", "example-8"], "source_id": "u"}"#,
        r#"{"accounts": [{"token": "example-1", "password": "example-password-2", "metadata": {"team": "b"}, "more": [1.50]}], "source_id": "s"}"#,
        r#"{"accounts": [{"token": "example-2", "provider": "grok", "status": "限流", "quota": 9}, "example-9"], "source_id": "t"}"#,
        r#"{"accounts": [{"token": "example-3", "secret_note": "example-note"}]}"#,
        r#"{"tokens": ["example-1", "example-6"], "strategy": "replace", "source_id": "s"}"#,
        r#"{"tokens": ["example-6"], "strategy": "replace", "source_id": "t"}"#,
    ] {
        let server = start();
        goes_there_and_back(&server, |server| {
            assert_eq!(server.post(INJECT, body).status, 200, "{body}");
        });
    }
}

#[test]
fn changes_by_hand_go_there_and_back() {
    let server = start();
    goes_there_and_back(&server, |server| {
        server.post(
            "/api/accounts/update",
            r#"{"access_token": "example-1", "status": "限流", "quota": 0, "restore_at": "x"}"#,
        );
    });
    goes_there_and_back(&server, |server| {
        server.delete_with(
            ACCOUNTS,
            r#"{"tokens": ["example-1", "example-2", "example-5"]}"#,
        );
    });
    for accounts in ["keep", "remove"] {
        for owner in ["source:s", "source:t", "local"] {
            let body = json!({"owner": owner, "accounts": accounts}).to_string();
            if (owner, accounts) != ("local", "keep") {
                goes_there_and_back(&server, |server| {
                    assert_eq!(server.post("/api/accounts/release", &body).status, 200);
                });
            }
        }
    }
    goes_there_and_back(&server, |server| {
        server.post(ACCOUNTS, r#"{"tokens": ["example-1", "example-9"]}"#);
    });
}

#[test]
fn a_sync_goes_there_and_back() {
    let server = start();
    let upstream = Upstream::json(r#"[{"token": "example-4", "note": "m"}, "example-7"]"#);
    let id = server.source(&json!({ "url": upstream.url("/") }).to_string());
    goes_there_and_back(&server, |server| {
        assert_eq!(server.post(&format!("{SOURCES}/{id}/sync"), "").status, 200);
    });
}

#[test]
fn what_differs_since_is_left_and_named() {
    let server = start();
    let body = r#"{"accounts": [{"token": "example-1", "note": "b", "quota": 7}, "example-7", "example-8", {"token": "example-4", "note": "c"}],
        "strategy": "replace", "source_id": "s"}"#;
    server.post(INJECT, body);
    let job = server.last_job();
    // Another owner of an added account, a field set by hand, an account that is gone, one that came back.
    server.post(INJECT, r#"{"tokens": ["example-7"], "source_id": "u"}"#);
    server.post(
        "/api/accounts/update",
        r#"{"access_token": "example-1", "quota": 8}"#,
    );
    server.delete_with(ACCOUNTS, r#"{"tokens": ["example-4"]}"#);
    let plan = server.post(&format!("{JOBS}/{job}/undo?plan=true"), "");
    assert_eq!(plan.status, 200, "{plan:?}");
    let plan = plan.json()["plan"].clone();
    let pool = server.export();
    let undone = undo(&server, &job);
    let reasons: Vec<(String, &str)> = undone["left"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|left| {
            (
                left["fingerprint"].as_str().expect("an id").to_owned(),
                left["reason"].as_str().expect("a word"),
            )
        })
        .collect();
    let id = |token: &str| server.id_of(token);
    assert_eq!(
        reasons,
        [
            (id("example-1"), "field_changed"),
            (id("example-4"), "account_gone"),
            (id("example-7"), "owned_by_others"),
        ]
    );
    assert_eq!(plan["left"], undone["left"]);
    for count in ["added", "updated", "released", "removed"] {
        assert_eq!(plan["counts"][count], undone[count], "{count}");
    }
    assert_ne!(server.export(), pool);
    let now = server.pool();
    let of = |token: &str| {
        now.iter()
            .find(|account| account["access_token"] == json!(token))
    };
    assert_eq!(of("example-1").expect("it stays")["quota"], json!(8));
    assert_eq!(of("example-1").expect("it stays").get("note"), None);
    assert_eq!(
        of("example-7").expect("it stays")["owners"],
        json!({"local": false, "sources": ["u"]})
    );
    assert_eq!(of("example-8"), None, "nobody else owned it");
    assert_eq!(
        of("example-2").expect("it stays")["owners"]["sources"],
        json!(["s", "t"])
    );
}

#[test]
fn runtime_state_that_the_job_did_not_write_is_never_touched() {
    let server = start();
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "example-1", "metadata": {"team": "z"}}], "source_id": "s"}"#,
    );
    let job = server.last_job();
    server.post(
        "/api/accounts/update",
        r#"{"access_token": "example-1", "status": "限流", "success": 12, "fail": 3}"#,
    );
    undo(&server, &job);
    let account = &server.pool()[0];
    assert_eq!(
        (
            &account["metadata"],
            &account["status"],
            &account["success"],
            &account["fail"]
        ),
        (&json!({"team": "a"}), &json!("限流"), &json!(12), &json!(3))
    );
}

#[test]
fn a_plan_of_an_undo_changes_nothing() {
    let server = start();
    server.delete_with(ACCOUNTS, r#"{"tokens": ["example-1", "example-2"]}"#);
    let (before, job) = (server.export(), server.last_job());
    let answer = server.post(&format!("{JOBS}/{job}/undo?plan=true&limit=1"), "");
    let plan = &answer.json()["plan"];
    assert_eq!(
        (
            &plan["undoes"],
            &plan["counts"]["added"],
            &plan["changes"][0]["change"],
            &plan["changes_more"]
        ),
        (&json!(job), &json!(2), &json!("add"), &json!(1))
    );
    assert!(!answer.body.contains("example-"), "{answer:?}");
    assert_eq!((server.export(), server.last_job()), (before, job));
}

#[test]
fn what_cannot_be_undone_is_said() {
    let server = Server::start_with(&["--undo-keep", "2"]);
    let inject = |n: u32| {
        let body = json!({"tokens": [format!("example-{n}")], "source_id": "s"}).to_string();
        server.post(INJECT, &body);
        server.last_job()
    };
    let (first, second, third) = (inject(1), inject(2), inject(3));
    let path = |id: &str| format!("{JOBS}/{id}/undo");
    check_error(
        &server.post(&path(&first), ""),
        409,
        "what it takes to undo this job is kept no longer: see --undo-keep and --undo-for",
    );
    assert_eq!(server.job(&first)["undoable"], json!(false));
    let undone = id_of(&undo(&server, &third));
    check_error(
        &server.post(&path(&third), ""),
        409,
        &format!("the job is undone by job `{undone}`; undo that one to have it again"),
    );
    assert_eq!(
        server.job(&second)["undoable"],
        json!(false),
        "the undo is a job, too"
    );
    server.post(INJECT, r#"{"tokens": ["example-1"], "source_id": "s"}"#);
    let nothing = server.last_job();
    check_error(
        &server.post(&path(&nothing), ""),
        409,
        "the job changed nothing",
    );
    check_error(&server.post(&path("none"), ""), 404, "job not found");
    check_refused(
        &server.post(&format!("{}?plan=maybe", path(&third)), ""),
        422,
    );
    check_refused(&server.send("POST", &path(&third), None, ""), 401);
    let reader = format!("Bearer {}", server.home().key("reader", "mirror"));
    check_refused(&server.send("POST", &path(&third), Some(&reader), ""), 403);
    let home = server.stop();
    let server = Server::start_in(home, &["--undo-for", "1s"]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    check_refused(&server.post(&path(&undone), ""), 409);
}

#[test]
fn who_did_what_and_how_long_it_took_is_told() {
    let server = Server::start();
    let key = server.home().key("admin", "Deploy");
    let bearer = format!("Bearer {key}");
    let body = r#"{"accounts": ["example-1", 5, null, "example-1", {"token": "example-2", "provider": "claude"}], "source_id": "s"}"#;
    let answer = server.send("POST", INJECT, Some(&bearer), body);
    let job = server.job(answer.header("tributary-job").expect("a job"));
    assert_eq!(
        (&job["by"], &job["bytes"], &job["cause"], &job["added"]),
        (
            &json!("key:Deploy"),
            &json!(body.len()),
            &json!(null),
            &json!(1)
        )
    );
    assert_eq!(
        job["skips"],
        json!({"blank": 1, "duplicate": 1, "entry_type": 1, "provider_unknown": 1})
    );
    for phase in ["receive_us", "wait_us", "apply_us"] {
        assert!(job["phases"][phase].is_u64(), "{phase}: {job}");
    }
    assert!(!job.to_string().contains(&key));
    server.send(
        "POST",
        "/api/accounts/update",
        Some(&bearer),
        r#"{"access_token": "example-1", "quota": 3}"#,
    );
    assert_eq!(server.job(&server.last_job())["by"], json!("key:Deploy"));
    let undone = server.send(
        "POST",
        &format!("{JOBS}/{}/undo", server.last_job()),
        Some(&bearer),
        "",
    );
    assert_eq!(undone.json()["job"]["by"], json!("key:Deploy"));
}

#[test]
fn a_refused_inject_is_in_the_history_with_its_cause() {
    let server = Server::start_with(&["--max-body", "4KiB"]);
    let large = json!({"tokens": ["x".repeat(5_000)]}).to_string();
    for (body, cause, error) in [
        ("{", "not_json", "payload is not valid JSON"),
        (
            r#"{"x": 1}"#,
            "shape",
            "payload, accounts, or tokens is required",
        ),
        (
            r#"{"payload": 7}"#,
            "shape",
            "payload must be a list or wrapper object",
        ),
        (
            r#"{"tokens": ["a"], "strategy": "replace"}"#,
            "refused",
            "replace requires source_id",
        ),
        (
            r#"{"tokens": [], "strategy": "replace", "source_id": "s"}"#,
            "refused",
            "replace requires a non-empty",
        ),
        (&large, "too_large", "the payload is larger than 4KiB"),
    ] {
        let answer = server.post(INJECT, body);
        assert!(answer.status >= 400, "{answer:?}");
        let job = server.job(answer.header("tributary-job").expect("a job"));
        assert_eq!(
            (&job["kind"], &job["status"], &job["cause"]),
            (&json!("inject"), &json!("failed"), &json!(cause)),
            "{body}"
        );
        let said = job["error"].as_str().expect("a sentence");
        assert!(said.starts_with(error), "{said}");
        check_refused(
            &server.post(&format!("{JOBS}/{}/undo", id_of(&job)), ""),
            409,
        );
    }
}
