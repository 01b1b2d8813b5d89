//! `GET /api/accounts/owners`, `POST /api/accounts/release`, and what becomes of accounts with their source.

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check, check_error, check_refused};
use super::harness::{INJECT, SOURCES, Server};
use super::upstream::{Reply, Upstream};

const OWNERS: &str = "/api/accounts/owners";
const RELEASE: &str = "/api/accounts/release";

fn inject(server: &Server, source: &str, tokens: &[&str]) {
    let body = json!({"source_id": source, "source_name": source.to_uppercase(), "tokens": tokens});
    assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
}

fn release(server: &Server, body: &Value) -> Answer {
    server.post(RELEASE, &body.to_string())
}

/// Owners with their kinds and accounts, in the answer's order.
fn owners(server: &Server) -> Vec<(String, String, u64)> {
    let answer = server.get(OWNERS).json();
    let text = |owner: &Value, name: &str| owner[name].as_str().expect("text").to_owned();
    let owners = answer["owners"].as_array().expect("a list").iter();
    owners
        .map(|owner| {
            let accounts = owner["accounts"].as_u64().expect("a number");
            (text(owner, "owner"), text(owner, "kind"), accounts)
        })
        .collect()
}

/// Tokens of the pool with their owners as text.
fn pool(server: &Server) -> Vec<(String, String)> {
    let pool = server.pool();
    let token = |account: &Value| {
        account["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    pool.iter()
        .map(|account| (token(account), account["owners"].to_string()))
        .collect()
}

fn owned(local: bool, sources: &[&str]) -> String {
    json!({"local": local, "sources": sources}).to_string()
}

/// Three accounts of label `s`: one alone, one with `t`, one with a person.
fn start() -> Server {
    let server = Server::start();
    inject(&server, "s", &["example-1", "example-2", "example-3"]);
    inject(&server, "t", &["example-2", "example-4"]);
    inject(&server, "", &["example-3", "example-5"]);
    server
}

#[test]
fn owners_stand_in_order_with_their_accounts() {
    let server = Server::start();
    let nobody = r#"{"owner": "local", "kind": "local", "source_id": null, "source_name": "", "enabled": null, "accounts": 0}"#;
    check(
        &server.get(OWNERS),
        200,
        &format!(r#"{{"owners": [{nobody}]}}"#),
    );
    inject(&server, "later", &["example-1"]);
    let make = |name: &str, enabled: bool| {
        server.source(
            &json!({"name": name, "enabled": enabled, "url": "http://a.example.test/"}).to_string(),
        )
    };
    let (first, second, third) = (
        make("First", true),
        make("Second", false),
        make("Third", true),
    );
    inject(&server, &second, &["example-1", "example-2"]);
    inject(&server, &third, &["example-2"]);
    inject(&server, "local", &["example-3"]);
    inject(&server, "", &["example-3", "example-4"]);
    server.delete(&format!("{SOURCES}/{third}"));
    let owner = |kind: &str, id: &str, name: &str, enabled: Value, accounts: u64| {
        json!({"owner": format!("source:{id}"),
        "kind": kind, "source_id": id, "source_name": name, "enabled": enabled, "accounts": accounts})
    };
    let expected = json!({"owners": [
        {"owner": "local", "kind": "local", "source_id": null, "source_name": "", "enabled": null, "accounts": 2},
        owner("source", &first, "First", json!(true), 0),
        owner("source", &second, "Second", json!(false), 2),
        owner("deleted_source", &third, &third.to_uppercase(), Value::Null, 1),
        owner("inject_label", "later", "LATER", Value::Null, 1),
        owner("inject_label", "local", "LOCAL", Value::Null, 1),
    ]});
    assert_eq!(server.get(OWNERS).json(), expected);
}

#[test]
fn under_keep_what_nobody_else_owns_becomes_local() {
    let server = start();
    let before: Vec<Value> = server
        .pool()
        .iter()
        .map(|a| a["remote_injected_at"].clone())
        .collect();
    let answer = release(&server, &json!({"owner": "source:s"}));
    check(
        &answer,
        200,
        r#"{"owner": "source:s", "released": 2, "kept": 1, "removed": 0}"#,
    );
    let pool = pool(&server);
    let owners_of: Vec<&str> = pool.iter().map(|(_, owners)| owners.as_str()).collect();
    let (local, t) = (owned(true, &[]), owned(false, &["t"]));
    assert_eq!(owners_of, [&local, &t, &local, &t, &local]);
    let after: Vec<Value> = server
        .pool()
        .iter()
        .map(|a| a["remote_injected_at"].clone())
        .collect();
    assert_eq!(after, before, "no import changed them");
    assert_eq!(
        owners(&server),
        [
            ("local".into(), "local".into(), 3),
            ("source:t".into(), "inject_label".into(), 2)
        ]
    );
    let job = server.get("/api/remote-account/jobs?kind=release").json()["items"][0].clone();
    assert_eq!(
        (
            &job["source_id"],
            &job["source_name"],
            &job["total"],
            &job["skipped"],
            &job["removed"]
        ),
        (&json!("s"), &json!("S"), &json!(3), &json!(3), &json!(0))
    );
    check_error(
        &release(&server, &json!({"owner": "source:s"})),
        404,
        "owner not found",
    );
}

#[test]
fn under_remove_what_nobody_else_owns_leaves() {
    let server = start();
    let answer = release(&server, &json!({"owner": "source:s", "accounts": "remove"}));
    check(
        &answer,
        200,
        r#"{"owner": "source:s", "released": 2, "kept": 0, "removed": 1}"#,
    );
    assert_eq!(
        server.tokens(),
        ["example-2", "example-3", "example-4", "example-5"]
    );
    let answer = release(&server, &json!({"owner": "local", "accounts": "remove"}));
    check(
        &answer,
        200,
        r#"{"owner": "local", "released": 0, "kept": 0, "removed": 2}"#,
    );
    assert_eq!(server.tokens(), ["example-2", "example-4"]);
}

#[test]
fn a_person_s_own_accounts_stay_under_keep() {
    let server = start();
    let answer = release(&server, &json!({"owner": "local", "accounts": "keep"}));
    check(
        &answer,
        200,
        r#"{"owner": "local", "released": 1, "kept": 1, "removed": 0}"#,
    );
    let pool = pool(&server);
    assert_eq!(
        (&pool[2].1, &pool[4].1),
        (&owned(false, &["s"]), &owned(true, &[]))
    );
    let revision = server.revision();
    let again = release(&server, &json!({"owner": "local"}));
    check(
        &again,
        200,
        r#"{"owner": "local", "released": 0, "kept": 1, "removed": 0}"#,
    );
    assert_eq!(server.revision(), revision);
    let jobs = server.get("/api/remote-account/jobs?kind=release").json();
    assert_eq!(
        jobs["items"].as_array().map(Vec::len),
        Some(1),
        "what changes nothing is no job"
    );
}

#[test]
fn a_refused_release_changes_nothing() {
    let server = start();
    let revision = server.revision();
    let text = "`owner` must be `local`, or `source:` and an id, as GET /api/accounts/owners shows";
    for body in [
        json!({}),
        json!({"owner": "s"}),
        json!({"owner": "source:"}),
        json!({"owner": "none"}),
        json!({"owner": ""}),
        json!({"owner": null, "accounts": "remove"}),
    ] {
        check_error(&release(&server, &body), 422, text);
    }
    for body in [
        json!({"owner": 5}),
        json!([]),
        json!({"owner": "source:s", "accounts": "release"}),
        json!({"owner": "source:s", "accounts": true}),
        json!({"owner": "source:s", "source_id": "s"}),
    ] {
        check_refused(&release(&server, &body), 422);
    }
    check_error(
        &release(&server, &json!({"owner": "source:nobody"})),
        404,
        "owner not found",
    );
    assert_eq!(server.revision(), revision);
    let large = json!({"owner": format!("source:{}", "s".repeat(1 << 20))});
    check_refused(&release(&server, &large), 413);
}

/// A source that was synced and owns `example-1` alone, `example-2` with a label, and `example-3` with a person.
fn synced(server: &Server) -> String {
    let upstream = Upstream::json(r#"{"tokens": ["example-1", "example-2", "example-3"]}"#);
    let id = server.source(&json!({"name": "Stored", "url": upstream.url("")}).to_string());
    assert_eq!(server.post(&format!("{SOURCES}/{id}/sync"), "").status, 200);
    inject(server, "t", &["example-2"]);
    inject(server, "", &["example-3"]);
    id
}

#[test]
fn a_source_goes_alone_or_with_its_accounts() {
    for (query, left, stays) in [
        ("", 3, true),
        ("?accounts=", 3, true),
        ("?accounts=keep", 3, true),
        ("?accounts=release", 3, false),
        ("?accounts=remove", 2, false),
    ] {
        let server = Server::start();
        let id = synced(&server);
        let answer = server.delete(&format!("{SOURCES}/{id}{query}"));
        check(&answer, 200, r#"{"sources": []}"#);
        let pool = pool(&server);
        assert_eq!(pool.len(), left, "{query}");
        assert_eq!(
            pool.iter().any(|(_, owners)| owners.contains(&id)),
            stays,
            "{query}"
        );
        let deleted = owners(&server)
            .into_iter()
            .find(|(_, kind, _)| kind == "deleted_source");
        let deleted = deleted.map(|(owner, _, accounts)| (owner, accounts));
        assert_eq!(
            deleted,
            stays.then(|| (format!("source:{id}"), 3)),
            "{query}"
        );
        if query == "?accounts=release" {
            assert_eq!(pool[0].1, owned(true, &[]));
        }
        let jobs = server.get("/api/remote-account/jobs?kind=release").json();
        let names = jobs["items"].as_array().expect("a list").iter();
        let names: Vec<_> = names
            .map(|job| (job["source_id"].clone(), job["source_name"].clone()))
            .collect();
        let expected = (!stays).then(|| (json!(id), json!("Stored")));
        assert_eq!(names, Vec::from_iter(expected), "{query}");
    }
}

#[test]
fn a_deletion_that_says_it_wrong_deletes_nothing() {
    let server = Server::start();
    let id = synced(&server);
    let path = format!("{SOURCES}/{id}");
    check_error(
        &server.delete(&format!("{path}?accounts=all")),
        422,
        "`accounts` must be `keep`, `release` or `remove`",
    );
    for query in ["?account=remove", "?accounts=remove&accounts=keep"] {
        check_refused(&server.delete(&format!("{path}{query}")), 422);
    }
    check_error(
        &server.delete(&format!("{SOURCES}/0123456789ab?accounts=remove")),
        404,
        "source not found",
    );
    assert_eq!(
        (
            server.tokens().len(),
            server.get(&format!("{path}/sync")).status
        ),
        (3, 200)
    );
}

#[test]
fn a_sync_of_a_source_that_went_with_its_accounts_brings_nothing() {
    let server = Server::start();
    let gate = std::sync::Arc::new(std::sync::Barrier::new(2));
    let hold = std::sync::Arc::clone(&gate);
    let first = std::sync::atomic::AtomicBool::new(true);
    let upstream = Upstream::start(move |_| {
        if !first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            // Asked; and answered only once the source is gone.
            hold.wait();
            hold.wait();
        }
        Reply::json(r#"["example-1"]"#)
    });
    let id = server.source(&json!({"name": "Stored", "url": upstream.url("")}).to_string());
    let sync = || server.post(&format!("{SOURCES}/{id}/sync"), "");
    assert_eq!(sync().status, 200);
    std::thread::scope(|scope| {
        let syncing = scope.spawn(sync);
        gate.wait();
        let answer = server.delete(&format!("{SOURCES}/{id}?accounts=remove"));
        assert_eq!(answer.status, 200);
        gate.wait();
        check_error(
            &syncing.join().expect("it answers"),
            404,
            "source not found",
        );
    });
    assert_eq!(server.tokens(), Vec::<String>::new());
}
