//! `POST /api/accounts/export`: the pool as lines.

use serde_json::json;

use super::harness::{EXPORT, INJECT, Server};

#[test]
fn every_account_is_a_line_with_all_its_fields() {
    let server = Server::start();
    let body = r#"{"accounts": [{"token": "a-1", "email": "a@example.test", "password": "p-1", "nested": {"cookie": "c-1", "n": 1.50}, "restore_at": "x"}],
        "source_id": "s", "source_name": "S"}"#;
    server.post(INJECT, body);
    let answer = server.post(EXPORT, "");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/x-ndjson"))
    );
    assert!(
        answer.body.ends_with('\n') && answer.body.lines().count() == 1,
        "{answer:?}"
    );
    assert!(
        answer.body.contains("1.50"),
        "numbers keep their text: {}",
        answer.body
    );
    let account = &server.pool()[0];
    let expected = json!({"access_token": "a-1", "provider": "gpt", "type": "free", "status": "正常", "quota": 0, "success": 0, "fail": 0, "email": "a@example.test",
        "password": "p-1", "restore_at": "x", "remote_source_id": "s", "remote_source_name": "S", "owners": {"local": false, "sources": ["s"]}});
    for (field, value) in expected.as_object().expect("an object") {
        assert_eq!(&account[field], value, "{field}");
    }
    assert_eq!(account["nested"]["cookie"], "c-1");
}

#[test]
fn an_empty_pool_is_no_lines() {
    let answer = Server::start().post(EXPORT, "");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let first = Server::start();
    first.post(INJECT, r#"{"accounts": [{"token": "a-1", "provider": "grok", "refresh_token": "r-1", "quota": 5, "status": "限流"}, "a-2"]}"#);
    let pool = first.pool();
    let second = Server::start();
    let answer = second.post(INJECT, &json!({ "accounts": pool }).to_string());
    assert_eq!(
        (answer.status, &answer.json()["added"]),
        (200, &json!(2)),
        "{answer:?}"
    );
    for (here, there) in pool.iter().zip(second.pool()) {
        for field in [
            "access_token",
            "provider",
            "refresh_token",
            "quota",
            "status",
            "type",
        ] {
            assert_eq!(here[field], there[field], "{field}");
        }
    }
}

#[test]
fn a_pool_of_many_pages_is_whole() {
    let server = Server::start();
    let tokens: Vec<String> = (0..5_000).map(|n| format!("page-{n:05}")).collect();
    assert_eq!(
        server
            .post(INJECT, &json!({ "tokens": tokens }).to_string())
            .status,
        200
    );
    assert_eq!(server.tokens(), tokens);
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.tokens(), tokens);
}
