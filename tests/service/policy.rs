//! `/api/remote-account/sources/{id}/policy`: what a source may do to the pool.

use serde_json::{Value, json};

use super::examples::{check, check_error, check_refused};
use super::harness::{INJECT, JOBS, SOURCES, Server};

fn start() -> (Server, String) {
    let server = Server::start();
    let id = server.source(r#"{"name": "S", "url": "http://127.0.0.1:9/"}"#);
    let path = format!("{SOURCES}/{id}/policy");
    (server, path)
}

/// The id of the source whose policy this is.
fn id_in(path: &str) -> String {
    path.split('/').nth(4).expect("an id").to_owned()
}

#[test]
fn a_source_has_an_ordinary_policy_until_it_is_set() {
    let (server, path) = start();
    let id = id_in(&path);
    let policy = |removal: &str, percent: Value, floor: Value| {
        format!(
            r#"{{"policy": {{"source_id": "{id}", "removal": "{removal}", "guard_percent": {percent}, "guard_floor": {floor}}},
            "schedule": {{"failures": 0, "quarantined": false, "next_sync_at": null}}}}"#
        )
    };
    check(
        &server.get(&path),
        200,
        &policy("remove", json!(null), json!(null)),
    );
    let set = |body: &str| server.post(&path, body);
    check(
        &set(r#"{"removal": "disable", "guard_percent": 50}"#),
        200,
        &policy("disable", json!(50), json!(null)),
    );
    check(
        &set(r#"{"guard_floor": 0}"#),
        200,
        &policy("disable", json!(50), json!(0)),
    );
    check(
        &set(r#"{"guard_percent": null}"#),
        200,
        &policy("disable", json!(null), json!(0)),
    );
    check(&set("{}"), 200, &policy("disable", json!(null), json!(0)));
    check(
        &server.get(&path),
        200,
        &policy("disable", json!(null), json!(0)),
    );
    // The answers that are described know nothing of it.
    let source = &server.get(SOURCES).json()["sources"][0];
    assert_eq!(source.get("removal"), None);
}

#[test]
fn what_is_malformed_is_named() {
    let (server, path) = start();
    for (body, part) in [
        (
            r#"{"removal": "keep"}"#,
            "removal must be `remove` or `disable`",
        ),
        (
            r#"{"guard_percent": 101}"#,
            "guard_percent must be a whole number from 0 to 100",
        ),
        (r#"{"guard_percent": 1.5}"#, "guard_percent must be"),
        (r#"{"guard_floor": -1}"#, "guard_floor must be"),
        (r#"{"guard_floor": "5"}"#, "guard_floor must be"),
        (r#"{"guard": 5}"#, "field `guard` is unknown"),
        ("[]", "body must be a JSON object"),
    ] {
        let answer = server.post(&path, body);
        check_refused(&answer, 422);
        assert!(answer.body.contains(part), "{body}: {answer:?}");
    }
    check_error(
        &server.get(&format!("{SOURCES}/none/policy")),
        404,
        "source not found",
    );
    check_error(
        &server.post(&format!("{SOURCES}/none/policy"), "{}"),
        404,
        "source not found",
    );
    check_refused(&server.send("GET", &path, None, ""), 401);
}

#[test]
fn accounts_that_lose_their_last_owner_stay_out_of_use() {
    let (server, path) = start();
    let id = id_in(&path);
    server.post(&path, r#"{"removal": "disable"}"#);
    let inject = |tokens: Value, strategy: &str| {
        let body = json!({"accounts": tokens, "strategy": strategy, "source_id": id}).to_string();
        let answer = server.post(INJECT, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let entries = json!([{"token": "example-1", "status": "限流"}, "example-2", "example-3"]);
    inject(entries.clone(), "merge");
    let answer = inject(json!(["example-3"]), "replace");
    assert_eq!(answer["removed"], json!(0));
    assert_eq!(server.job(&server.last_job())["disabled"], json!(2));
    let status = |at: usize| server.pool()[at]["status"].clone();
    assert_eq!((status(0), status(1)), (json!("禁用"), json!("禁用")));
    assert_eq!(server.pool()[0]["earlier_status"], json!("限流"));
    // A person's status stays; the other comes back with an owner.
    server.post(
        "/api/accounts/update",
        r#"{"access_token": "example-2", "status": "异常"}"#,
    );
    inject(json!(["example-1", "example-2", "example-3"]), "merge");
    assert_eq!((status(0), status(1)), (json!("限流"), json!("异常")));
    assert_eq!(server.pool()[0].get("earlier_status"), None);
}

#[test]
fn an_undo_brings_an_account_back_into_use_with_the_owner_that_returns() {
    let (server, path) = start();
    let id = id_in(&path);
    let other = server.source(r#"{"url": "http://127.0.0.1:9/"}"#);
    let replace = |source: &str, tokens: Value| {
        let policy = format!("{SOURCES}/{source}/policy");
        server.post(&policy, r#"{"removal": "disable"}"#);
        let body = json!({"source_id": source, "strategy": "replace", "accounts": tokens});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
        server.last_job()
    };
    let account = json!({"token": "example-1", "status": "限流"});
    replace(&id, json!([account, "example-2"]));
    replace(&other, json!([account, "example-3"]));
    let released = replace(&id, json!(["example-2"]));
    replace(&other, json!(["example-3"]));
    let told = || {
        let account = server.pool()[0].clone();
        ["status", "owners", "earlier_status"].map(|name| account[name].clone())
    };
    let gone = [
        json!("禁用"),
        json!({"local": false, "sources": []}),
        json!("限流"),
    ];
    assert_eq!(told(), gone);
    let undo = |job: &str| server.post(&format!("{JOBS}/{job}/undo"), "");
    assert_eq!(undo(&released).status, 200);
    let owned = json!({"local": false, "sources": [id]});
    assert_eq!(told(), [json!("限流"), owned, json!(null)]);
    assert_eq!(undo(&server.last_job()).status, 200);
    assert_eq!(told(), gone);
}

#[test]
fn a_status_that_is_a_secret_is_not_what_an_account_comes_back_with() {
    let (server, path) = start();
    let id = id_in(&path);
    server.post(&path, r#"{"removal": "disable"}"#);
    let account = json!({"token": "example-1", "status": "example-".repeat(6)});
    let status = |tokens: Value| {
        let body = json!({"source_id": id, "strategy": "replace", "accounts": tokens});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
        server.pool()[0]["status"].clone()
    };
    assert_eq!(status(json!([account, "example-2"])), account["status"]);
    assert_eq!(status(json!(["example-2"])), "禁用");
    assert_eq!(status(json!(["example-1", "example-2"])), "正常");
}

#[test]
fn the_policy_goes_with_its_source() {
    let (server, path) = start();
    server.post(&path, r#"{"removal": "disable"}"#);
    let source = path.trim_end_matches("/policy");
    server.delete(source);
    check_error(&server.get(&path), 404, "source not found");
}
