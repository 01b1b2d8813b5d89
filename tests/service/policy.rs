//! `/api/remote-account/sources/{id}/policy`: what a source may do to the pool.

use serde_json::{Value, json};

use super::examples::{check, check_error, check_refused};
use super::harness::{INJECT, SOURCES, Server};

fn start() -> (Server, String) {
    let server = Server::start();
    let id = server.source(r#"{"name": "S", "url": "http://127.0.0.1:9/"}"#);
    let path = format!("{SOURCES}/{id}/policy");
    (server, path)
}

#[test]
fn a_source_has_an_ordinary_policy_until_it_is_set() {
    let (server, path) = start();
    let id = path.split('/').nth(4).expect("an id").to_owned();
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
    let id = path.split('/').nth(4).expect("an id").to_owned();
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
fn the_policy_goes_with_its_source() {
    let (server, path) = start();
    server.post(&path, r#"{"removal": "disable"}"#);
    let source = path.trim_end_matches("/policy");
    server.delete(source);
    check_error(&server.get(&path), 404, "source not found");
}
