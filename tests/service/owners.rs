//! Who owns an account after an import, and what a replace may remove.

use serde_json::json;

use super::examples::{check, check_refused, is_time};
use super::harness::{INJECT, SOURCES, Server};

#[test]
fn an_import_without_source_is_local_and_echoes_empty_names() {
    let server = Server::start();
    let answer = server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    check(
        &answer,
        200,
        r#"{"strategy": "merge", "source_id": "", "source_name": "", "total": 1, "added": 1, "skipped": 0, "removed": 0}"#,
    );
    assert_eq!(
        server.pool()[0]["owners"],
        json!({"local": true, "sources": []})
    );
    assert!(server.pool()[0].get("remote_source_id").is_none());
}

#[test]
fn names_of_the_source_are_trimmed_and_echoed() {
    let server = Server::start();
    let answer = server.post(
        INJECT,
        r#"{"tokens": ["a-1"], "source_id": "  s 1\t", "source_name": " Name ", "provider": ""}"#,
    );
    check(
        &answer,
        200,
        r#"{"strategy": "merge", "source_id": "s 1", "source_name": "Name", "total": 1, "added": 1, "skipped": 0, "removed": 0}"#,
    );
    let account = &server.pool()[0];
    assert_eq!(
        account["owners"],
        json!({"local": false, "sources": ["s 1"]})
    );
    assert_eq!(
        (&account["remote_source_id"], &account["remote_source_name"]),
        (&json!("s 1"), &json!("Name"))
    );
    assert!(account["remote_injected_at"].as_str().is_some_and(is_time));
}

#[test]
fn a_source_called_local_is_a_source() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"], "source_id": "local"}"#);
    assert_eq!(
        server.pool()[0]["owners"],
        json!({"local": false, "sources": ["local"]})
    );
}

#[test]
fn the_same_import_again_changes_nothing() {
    let server = Server::start();
    let body = r#"{"accounts": [{"token": "a-1", "email": "a@example.test", "quota": 3}, "a-2"], "source_id": "s"}"#;
    server.post(INJECT, body);
    let before = server.pool();
    let again = server.post(INJECT, body).json();
    assert_eq!(
        (&again["total"], &again["added"], &again["skipped"]),
        (&json!(2), &json!(0), &json!(2))
    );
    assert_eq!(server.pool(), before);
    let replaced = server
        .post(
            INJECT,
            &body.replace("\"source_id\"", r#""strategy": "replace", "source_id""#),
        )
        .json();
    assert_eq!(
        (&replaced["skipped"], &replaced["removed"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(server.pool(), before);
}

#[test]
fn replace_never_removes_what_another_also_put_there() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"tokens": ["shared-1", "own-1", "hand-1"], "source_id": "s"}"#,
    );
    server.post(INJECT, r#"{"tokens": ["shared-1"], "source_id": "other"}"#);
    server.post(INJECT, r#"{"tokens": ["hand-1"]}"#);
    let answer = server
        .post(
            INJECT,
            r#"{"tokens": ["new-1"], "source_id": "s", "strategy": "replace"}"#,
        )
        .json();
    assert_eq!(
        (&answer["added"], &answer["removed"]),
        (&json!(1), &json!(1))
    );
    let owners: Vec<_> = server
        .pool()
        .iter()
        .map(|a| (a["access_token"].clone(), a["owners"].clone()))
        .collect();
    let expected = [
        (json!("hand-1"), json!({"local": true, "sources": []})),
        (json!("new-1"), json!({"local": false, "sources": ["s"]})),
        (
            json!("shared-1"),
            json!({"local": false, "sources": ["other"]}),
        ),
    ];
    assert_eq!(owners, expected);
}

#[test]
fn replace_is_refused_when_a_token_cannot_be_read() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1", "a-2"], "source_id": "s"}"#);
    for entry in [
        "7",
        r#"{"token": 7}"#,
        r#"{"name": "x"}"#,
        r#"{"accessToken": "a-2"}"#,
    ] {
        let answer = server.post(
            INJECT,
            &format!(
                r#"{{"accounts": ["a-1", {entry}], "source_id": "s", "strategy": "replace"}}"#
            ),
        );
        check_refused(&answer, 400);
    }
    assert_eq!(server.tokens(), ["a-1", "a-2"]);
}

#[test]
fn an_entry_that_is_skipped_still_names_its_account() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "a-1", "type": "plus"}, "a-2"], "source_id": "s"}"#,
    );
    let answer = server.post(
        INJECT,
        r#"{"accounts": ["a-3", {"token": "a-1", "provider": "claude", "type": "team"}], "source_id": "s", "strategy": "replace"}"#,
    );
    assert_eq!(
        (
            &answer.json()["removed"],
            answer.header("tributary-skipped")
        ),
        (&json!(1), Some("1"))
    );
    assert_eq!(server.tokens(), ["a-1", "a-3"]);
    assert_eq!(server.pool()[0]["type"], "plus");
}

#[test]
fn an_inject_under_a_source_leaves_its_sync_alone() {
    let server = Server::start();
    let id = server.source(r#"{"name": "Stored", "url": "http://a.example.test/"}"#);
    let before = server.get(SOURCES).body;
    server.post(
        INJECT,
        &format!(r#"{{"tokens": ["a-1"], "source_id": "{id}"}}"#),
    );
    assert_eq!(server.get(SOURCES).body, before);
    check(
        &server.get(&format!("{SOURCES}/{id}/sync")),
        200,
        r#"{"import_job": null}"#,
    );
    assert_eq!(
        server.pool()[0]["remote_source_name"],
        "Stored",
        "the stored source's name where none is given"
    );
}
