//! `POST /api/accounts/update`: what a person sets of one account.

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check_error, check_refused};
use super::harness::{ACCOUNTS, Home, INJECT, Server};

const UPDATE: &str = "/api/accounts/update";

/// An account of a source with a secret and state, and its id.
fn start() -> (Server, String) {
    let server = Server::start();
    let body = r#"{"source_id": "s", "source_name": "S", "accounts": [
        {"token": "example-token-1", "quota": 3, "status": "限流", "refresh_token": "canary-secret", "n": 1.50}]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    let id = server.id_of("example-token-1");
    (server, id)
}

/// Sets fields of the account with this id.
fn update(server: &Server, id: &str, fields: &Value) -> Answer {
    let mut body = fields.clone();
    body["id"] = json!(id);
    server.post(UPDATE, &body.to_string())
}

#[test]
fn what_is_set_is_set_and_all_else_stays() {
    let (server, id) = start();
    let before = server.pool().remove(0);
    let answer = update(
        &server,
        &id,
        &json!({"status": "正常", "type": "plus", "quota": 7, "success": 1, "fail": 2, "restore_at": "2026-12-01",
            "last_used_at": "", "image_quota_unknown": true, "limits_progress": [{"n": 1}]}),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains("canary-secret") && !answer.body.contains("example-token"));
    assert_eq!(answer.json()["changed"], true);
    let shown = server.get(&format!("{ACCOUNTS}/{id}")).json();
    assert_eq!(answer.json()["item"], shown["item"]);
    let after = server.pool().remove(0);
    for (name, value) in [
        ("status", json!("正常")),
        ("type", json!("plus")),
        ("quota", json!(7)),
        ("fail", json!(2)),
        ("last_used_at", json!("")),
        ("image_quota_unknown", json!(true)),
        ("limits_progress", json!([{"n": 1}])),
        ("refresh_token", json!("canary-secret")),
        ("owners", before["owners"].clone()),
        ("remote_injected_at", before["remote_injected_at"].clone()),
        ("remote_source_name", json!("S")),
    ] {
        assert_eq!(after[name], value, "{name}");
    }
    assert!(
        server
            .post(super::harness::EXPORT, "")
            .body
            .contains("\"n\":1.50")
    );
}

#[test]
fn an_access_token_names_the_account_too() {
    let (server, id) = start();
    let body = r#"{"access_token": " example-token-1\n", "quota": 9, "status": null}"#;
    let item = server.post(UPDATE, body).json()["item"].clone();
    assert_eq!(
        (&item["id"], &item["quota"], &item["status"]),
        (&json!(id), &json!(9), &json!("限流"))
    );
}

#[test]
fn what_is_just_so_already_is_no_change_and_no_job() {
    let (server, id) = start();
    let revision = server.revision();
    let answer = update(&server, &id, &json!({"quota": 3, "status": "限流"}));
    assert_eq!(
        (answer.status, &answer.json()["changed"]),
        (200, &json!(false))
    );
    assert_eq!(answer.json()["item"]["quota"], 3);
    assert_eq!(server.revision(), revision);
    update(&server, &id, &json!({"quota": 4}));
    assert_eq!(server.revision(), revision + 1);
    let jobs = server.get("/api/remote-account/jobs?kind=edit").json();
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(1));
    let job = &jobs["items"][0];
    assert_eq!(
        (
            &job["total"],
            &job["added"],
            &job["skipped"],
            &job["removed"]
        ),
        (&json!(1), &json!(0), &json!(1), &json!(0))
    );
}

#[test]
fn an_import_that_leaves_state_out_keeps_what_a_person_set() {
    let (server, id) = start();
    update(
        &server,
        &id,
        &json!({"status": "异常", "quota": 0, "type": "team"}),
    );
    let body = r#"{"source_id": "s", "strategy": "replace", "accounts": [{"token": "example-token-1", "n": 2}]}"#;
    server.post(INJECT, body);
    let after = server.pool().remove(0);
    assert_eq!(
        (
            &after["status"],
            &after["quota"],
            &after["type"],
            &after["n"]
        ),
        (&json!("异常"), &json!(0), &json!("team"), &json!(2))
    );
}

#[test]
fn a_secret_inside_a_list_is_shown_nowhere_but_in_the_export() {
    let (server, id) = start();
    let limits = json!([{"api_key": "canary-key", "left": 5}, "example-token-1"]);
    let answer = update(&server, &id, &json!({ "limits_progress": limits }));
    assert!(!answer.body.contains("canary-key") && !answer.body.contains("example-token"));
    assert_eq!(
        answer.json()["item"]["limits_progress"],
        json!([{"api_key": "…", "left": 5}, "…"])
    );
    let again = update(&server, &id, &json!({ "limits_progress": limits }));
    assert_eq!(again.json()["changed"], false);
    let account = server.pool().remove(0);
    assert_eq!(account["limits_progress"], limits);
    assert_eq!(account["refresh_token"], "canary-secret");
}

#[test]
fn a_refused_edit_changes_nothing() {
    let (server, id) = start();
    let revision = server.revision();
    let wrong = |name: &str, value: Value| json!({ name: value, "success": 1 });
    for (fields, said) in [
        (
            wrong("status", json!(" ")),
            "`status` must be a string that is not blank",
        ),
        (
            wrong("type", json!(5)),
            "`type` must be a string that is not blank",
        ),
        (
            wrong("quota", json!(-1)),
            "`quota` must be an integer from 0 to 9007199254740991",
        ),
        (
            wrong("fail", json!("1")),
            "`fail` must be an integer from 0 to 9007199254740991",
        ),
        (
            wrong("restore_at", json!(0)),
            "`restore_at` must be a string",
        ),
        (
            wrong("image_quota_unknown", json!(0)),
            "`image_quota_unknown` must be true or false",
        ),
        (
            wrong("limits_progress", json!({})),
            "`limits_progress` must be a list",
        ),
    ] {
        check_error(&update(&server, &id, &fields), 422, said);
    }
    for fields in [
        json!({}),
        json!({"status": null}),
        json!({"quota": 1, "email": "a@example.test"}),
        json!({"quota": 1, "provider": "grok"}),
        json!({"quota": 1, "owners": {"local": true}}),
        json!({"quota": 1, "access_token": "example-token-1"}),
    ] {
        check_refused(&update(&server, &id, &fields), 422);
    }
    for body in [
        "",
        "[]",
        r#"{"quota": 1}"#,
        r#"{"id": "x", "quota": 1}"#,
        r#"{"access_token": "", "quota": 1}"#,
    ] {
        check_refused(&server.post(UPDATE, body), 422);
    }
    for unknown in [
        json!({"id": "0".repeat(32), "quota": 1}),
        json!({"access_token": "example-2", "quota": 1}),
    ] {
        check_error(
            &server.post(UPDATE, &unknown.to_string()),
            404,
            "account not found",
        );
    }
    assert_eq!(server.revision(), revision);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let body = format!(r#"{{"id": "{id}", "limits_progress": {deep}}}"#);
    check_refused(&server.post(UPDATE, &body), 422);
    let jobs = server.get("/api/remote-account/jobs?kind=edit").json();
    assert_eq!(jobs["items"], json!([]));
}

#[test]
fn a_person_s_status_forgets_the_one_before_an_account_was_out_of_use() {
    let home = Home::new();
    let lines = [("example-1", "gpt"), ("example-2", "grok")].map(|(token, provider)| {
        format!(
            r#"{{"access_token":"{token}","provider":"{provider}","status":"禁用","earlier_status":"限流","remote_injected_at":"2026-11-24T10:15:30+00:00","owners":{{"local":false,"sources":[]}}}}"#
        ) + "\n"
    });
    let file = home.file("lines");
    std::fs::write(&file, lines.concat()).expect("a file");
    let restored = home.run(&["import", file.to_str().expect("a path")]);
    assert!(restored.status.success(), "{restored:?}");
    let server = Server::start_in(home, &[]);
    let id = server.id_of("example-1");
    let item = |answer: &Answer| answer.json()["item"].clone();
    let set = update(&server, &id, &json!({"quota": 1}));
    assert_eq!(item(&set)["earlier_status"], "限流", "it is not spoken of");
    let set = update(&server, &id, &json!({"status": "禁用"}));
    assert_eq!(set.json()["changed"], true);
    assert_eq!(
        (&item(&set)["status"], item(&set).get("earlier_status")),
        (&json!("禁用"), None)
    );
    server.post(ACCOUNTS, r#"{"tokens": ["example-1", "example-2"]}"#);
    let pool = server.pool();
    assert_eq!(
        (&pool[0]["status"], &pool[1]["status"]),
        (&json!("禁用"), &json!("限流"))
    );
    let none = server.get(&format!("{ACCOUNTS}?owner=none&count=true"));
    assert_eq!(none.json()["total"], 0, "both have an owner again");
}
