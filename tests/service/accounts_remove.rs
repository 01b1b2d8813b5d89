//! `DELETE /api/accounts`: accounts that a person removes.

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check_error, check_refused};
use super::harness::{ACCOUNTS, INJECT, SOURCES, Server};
use super::upstream::Upstream;

fn remove(server: &Server, body: &Value) -> Answer {
    server.delete_with(ACCOUNTS, &body.to_string())
}

fn inject(server: &Server, source: &str, tokens: &[&str]) {
    let body = json!({"source_id": source, "tokens": tokens});
    assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
}

#[test]
fn ids_and_tokens_name_what_goes_whoever_owns_it() {
    let server = Server::start();
    inject(&server, "s", &["example-1", "example-2", "example-3"]);
    inject(&server, "t", &["example-2"]);
    inject(&server, "", &["example-4", "example-5"]);
    let id = |token: &str| server.id_of(token);
    let unknown = "0".repeat(32);
    let answer = remove(
        &server,
        &json!({
            "ids": [id("example-2"), unknown, id("example-4"), id("example-2")],
            "tokens": ["example-9", " example-1 ", "example-4", ""]
        }),
    );
    assert_eq!(
        (answer.status, answer.json()),
        (
            200,
            json!({"removed": 3, "unknown_ids": [unknown], "unknown_tokens": [0, 3], "returning": []})
        )
    );
    assert_eq!(server.tokens(), ["example-3", "example-5"]);
    assert_eq!(
        server
            .get(&format!("{ACCOUNTS}/{}", id("example-1")))
            .status,
        404
    );
    let jobs = server.get("/api/remote-account/jobs?kind=delete").json();
    let job = &jobs["items"][0];
    assert_eq!(
        (
            &job["status"],
            &job["total"],
            &job["removed"],
            &job["added"]
        ),
        (&json!("success"), &json!(6), &json!(3), &json!(0))
    );
}

#[test]
fn enabled_sources_that_will_bring_accounts_back_are_named() {
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-1", "example-2"]}"#);
    let source = |name: &str| {
        let body = json!({"name": name, "url": upstream.url("")});
        let id = server.source(&body.to_string());
        assert_eq!(server.post(&format!("{SOURCES}/{id}/sync"), "").status, 200);
        id
    };
    let (first, second, third, gone) = (
        source("First"),
        source("Second"),
        source("Third"),
        source("Gone"),
    );
    inject(&server, "label", &["example-1"]);
    inject(&server, &second, &["example-3"]);
    server.post(&format!("{SOURCES}/{first}"), r#"{"enabled": false}"#);
    server.delete(&format!("{SOURCES}/{gone}"));
    let tokens = json!({"tokens": ["example-1", "example-2", "example-3"]});
    let answer = remove(&server, &tokens);
    assert_eq!(
        answer.json()["returning"],
        json!([
            {"source_id": second, "source_name": "Second", "accounts": 3},
            {"source_id": third, "source_name": "Third", "accounts": 2}
        ])
    );
    assert_eq!(server.tokens(), Vec::<String>::new());
    server.post(&format!("{SOURCES}/{third}/sync"), "");
    assert_eq!(server.tokens(), ["example-1", "example-2"]);
    assert_eq!(
        server.get(&format!("{ACCOUNTS}/owners")).json(),
        json!({"owners": [
            {"owner": "local", "kind": "local", "source_id": null, "source_name": "", "enabled": null, "accounts": 0},
            {"owner": format!("source:{first}"), "kind": "source", "source_id": first, "source_name": "First", "enabled": false, "accounts": 0},
            {"owner": format!("source:{second}"), "kind": "source", "source_id": second, "source_name": "Second", "enabled": true, "accounts": 0},
            {"owner": format!("source:{third}"), "kind": "source", "source_id": third, "source_name": "Third", "enabled": true, "accounts": 2},
        ]})
    );
}

#[test]
fn what_removes_nothing_writes_nothing() {
    let server = Server::start();
    inject(&server, "s", &["example-1"]);
    let revision = server.revision();
    for body in [
        json!({"ids": []}),
        json!({"tokens": [], "ids": null}),
        json!({"tokens": ["example-2"]}),
    ] {
        let answer = remove(&server, &body);
        assert_eq!((answer.status, &answer.json()["removed"]), (200, &json!(0)));
    }
    let jobs = server.get("/api/remote-account/jobs?kind=delete").json();
    assert_eq!((server.revision(), &jobs["items"]), (revision, &json!([])));
}

#[test]
fn a_refused_removal_removes_nothing() {
    let server = Server::start();
    inject(&server, "s", &["example-1"]);
    let id = server.id_of("example-1");
    for (body, said) in [
        (json!({}), "`ids` or `tokens` is required"),
        (json!({"ids": null}), "`ids` or `tokens` is required"),
        (json!([]), "body must be a JSON object"),
        (
            json!({"ids": [id, "abc"]}),
            "`ids[1]` must be 32 hex digits",
        ),
        (
            json!({"ids": [id], "token": "example-1"}),
            "field `token` is unknown: this body takes `ids`, `tokens`",
        ),
    ] {
        check_error(&remove(&server, &body), 422, said);
    }
    for body in [
        json!({"ids": id}),
        json!({"ids": [id, 5]}),
        json!({"ids": [id], "tokens": [null]}),
    ] {
        check_refused(&remove(&server, &body), 422);
    }
    check_refused(&server.delete(ACCOUNTS), 422);
    check_refused(&server.delete_with(ACCOUNTS, "{"), 422);
    let many = vec![id.as_str(); 10_000];
    check_error(
        &remove(&server, &json!({"ids": many, "tokens": ["example-1"]})),
        422,
        "`ids` and `tokens` must be at most 10000 in all; remove in parts",
    );
    let large = json!({"tokens": ["x".repeat(1 << 20)]});
    check_refused(&remove(&server, &large), 413);
    assert_eq!(server.tokens(), ["example-1"]);
    let answer = remove(&server, &json!({ "ids": many }));
    assert_eq!(
        answer.json()["removed"],
        1,
        "10000 in one request are not too many"
    );
}
