//! `/api/remote-account/sources` and what is below it but syncs.

use super::examples::{check, check_error, check_refused, is_hex};
use super::harness::{SOURCES, Server};

const TEAM: &str = r#"{
    "name": "Team GPT Source",
    "url": "https://accounts.example.test/webchat2api.json",
    "method": "GET",
    "provider": "gpt",
    "sync_strategy": "merge",
    "interval_seconds": 3600
}"#;

const TEAM_CREATED: &str = r#"{
    "id": "a1b2c3d4e5f6",
    "name": "Team GPT Source",
    "enabled": true,
    "url": "https://accounts.example.test/webchat2api.json",
    "method": "GET",
    "auth_header": "",
    "provider": "gpt",
    "sync_strategy": "merge",
    "interval_seconds": 3600,
    "last_sync_at": "",
    "import_job": null,
    "has_auth_token": false,
    "has_bearer_token": false
}"#;

/// What a change answers: the source and the list, here of that one source.
fn alone(source: &str) -> String {
    format!(r#"{{"source": {source}, "sources": [{source}]}}"#)
}

#[test]
fn an_empty_pool_has_no_sources() {
    check(&Server::start().get(SOURCES), 200, r#"{ "sources": [] }"#);
}

#[test]
fn documented_create_answers_the_source_and_the_list() {
    let server = Server::start();
    check(&server.post(SOURCES, TEAM), 200, &alone(TEAM_CREATED));
    check(
        &server.get(SOURCES),
        200,
        &format!(r#"{{"sources": [{TEAM_CREATED}]}}"#),
    );
}

#[test]
fn documented_create_with_a_bearer_token_hides_it() {
    let made = Server::start().post(
        SOURCES,
        r#"{
            "name": "Protected GPT Source",
            "url": "https://accounts.example.test/protected.json",
            "method": "GET",
            "bearer_token": "example-upstream-bearer-token",
            "provider": "gpt",
            "sync_strategy": "merge"
        }"#,
    );
    let source = r#"{
        "id": "b1c2d3e4f5a6",
        "name": "Protected GPT Source",
        "enabled": true,
        "url": "https://accounts.example.test/protected.json",
        "method": "GET",
        "auth_header": "",
        "provider": "gpt",
        "sync_strategy": "merge",
        "interval_seconds": null,
        "last_sync_at": "",
        "import_job": null,
        "has_auth_token": false,
        "has_bearer_token": true
    }"#;
    check(&made, 200, &alone(source));
}

#[test]
fn documented_create_with_a_custom_header_hides_its_token() {
    let made = Server::start().post(
        SOURCES,
        r#"{
            "name": "Header Protected Grok Source",
            "url": "https://accounts.example.test/grok.json",
            "method": "POST",
            "auth_header": "X-Remote-Account-Key",
            "auth_token": "example-upstream-header-token",
            "provider": "grok",
            "sync_strategy": "replace"
        }"#,
    );
    let source = r#"{
        "id": "c1d2e3f4a5b6",
        "name": "Header Protected Grok Source",
        "enabled": true,
        "url": "https://accounts.example.test/grok.json",
        "method": "POST",
        "auth_header": "X-Remote-Account-Key",
        "provider": "grok",
        "sync_strategy": "replace",
        "interval_seconds": null,
        "last_sync_at": "",
        "import_job": null,
        "has_auth_token": true,
        "has_bearer_token": false
    }"#;
    check(&made, 200, &alone(source));
}

#[test]
fn every_documented_field_can_be_given() {
    let made = Server::start().post(
        SOURCES,
        r#"{
            "name": "Team GPT Source",
            "enabled": true,
            "url": "https://accounts.example.test/webchat2api.json",
            "method": "GET",
            "auth_header": "",
            "auth_token": "",
            "bearer_token": "",
            "provider": "gpt",
            "sync_strategy": "merge",
            "interval_seconds": 3600
        }"#,
    );
    check(&made, 200, &alone(TEAM_CREATED));
}

#[test]
fn documented_update_answers_the_changed_source_and_the_list() {
    let server = Server::start();
    let id = server.source(TEAM);
    let updated = server.post(
        &format!("{SOURCES}/{id}"),
        r#"{ "enabled": false, "sync_strategy": "replace", "provider": "gpt" }"#,
    );
    let source = r#"{
        "id": "a1b2c3d4e5f6",
        "name": "Team GPT Source",
        "enabled": false,
        "url": "https://accounts.example.test/webchat2api.json",
        "method": "GET",
        "auth_header": "",
        "provider": "gpt",
        "sync_strategy": "replace",
        "interval_seconds": 3600,
        "last_sync_at": "",
        "import_job": null,
        "has_auth_token": false,
        "has_bearer_token": false
    }"#;
    check(&updated, 200, &alone(source));
    assert_eq!(updated.json()["source"]["id"], id.as_str());
}

#[test]
fn documented_delete_answers_what_is_left() {
    let server = Server::start();
    let (first, second) = (server.source(TEAM), server.source(TEAM));
    let left = server.delete(&format!("{SOURCES}/{second}"));
    check(&left, 200, &format!(r#"{{"sources": [{TEAM_CREATED}]}}"#));
    assert_eq!(left.json()["sources"][0]["id"], first.as_str());
    check(
        &server.delete(&format!("{SOURCES}/{first}")),
        200,
        r#"{ "sources": [] }"#,
    );
}

#[test]
fn defaults_of_a_source_with_a_url_alone() {
    let made = Server::start()
        .post(SOURCES, r#"{"url": "http://accounts.example.test/"}"#)
        .json();
    let source = &made["source"];
    assert!(is_hex(source["id"].as_str().expect("an id"), 12));
    for (field, default) in [
        ("method", "GET"),
        ("auth_header", ""),
        ("provider", ""),
        ("sync_strategy", "merge"),
        ("last_sync_at", ""),
    ] {
        assert_eq!(source[field], default, "{field}");
    }
    assert_eq!(
        (&source["enabled"], &source["interval_seconds"]),
        (&true.into(), &serde_json::Value::Null)
    );
    assert!(source["name"].is_string());
}

#[test]
fn a_list_keeps_the_order_of_creation() {
    let server = Server::start();
    let ids: Vec<String> = (0..12)
        .map(|n| {
            server.source(&format!(
                r#"{{"name": "{n}", "url": "http://a.example.test/"}}"#
            ))
        })
        .collect();
    server.post(&format!("{SOURCES}/{}", ids[3]), r#"{"name": "renamed"}"#);
    let listed = server.get(SOURCES).json();
    let listed: Vec<&str> = listed["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|s| s["id"].as_str())
        .collect();
    assert_eq!(listed, ids);
}

#[test]
fn documented_error_a_source_needs_a_url() {
    let server = Server::start();
    for body in [
        r#"{"name": "x"}"#,
        "{}",
        r#"{"url": ""}"#,
        r#"{"url": "  \t"}"#,
        r#"{"url": null}"#,
    ] {
        check_error(&server.post(SOURCES, body), 400, "url is required");
    }
    let id = server.source(TEAM);
    check_error(
        &server.post(&format!("{SOURCES}/{id}"), r#"{"url": " "}"#),
        400,
        "url is required",
    );
}

#[test]
fn documented_error_no_such_source() {
    let server = Server::start();
    for id in [
        "a1b2c3d4e5f6",
        "x",
        "%20",
        "A1B2C3D4E5F6",
        "a1b2c3d4e5f6%00",
        "0",
    ] {
        check_error(
            &server.post(&format!("{SOURCES}/{id}"), r#"{"enabled": false}"#),
            404,
            "source not found",
        );
        check_error(
            &server.delete(&format!("{SOURCES}/{id}")),
            404,
            "source not found",
        );
        check_error(
            &server.post(&format!("{SOURCES}/{id}/sync"), ""),
            404,
            "source not found",
        );
        check_error(
            &server.get(&format!("{SOURCES}/{id}/sync")),
            404,
            "source not found",
        );
    }
}

#[test]
fn an_update_applies_only_what_is_present_and_not_null() {
    let server = Server::start();
    let full = r#"{"name": "n", "enabled": false, "url": "http://a.example.test/", "method": "POST", "auth_header": "X-Key", "auth_token": "t-1",
        "bearer_token": "b-1", "provider": "grok", "sync_strategy": "replace", "interval_seconds": 60}"#;
    let id = server.source(full);
    let path = format!("{SOURCES}/{id}");
    let before = server.get(SOURCES).json()["sources"][0].clone();
    let nulls = r#"{"name": null, "enabled": null, "url": null, "method": null, "auth_header": null, "auth_token": null,
        "bearer_token": null, "provider": null, "sync_strategy": null, "interval_seconds": null}"#;
    for unchanged in [
        "{}",
        nulls,
        r#"{"id": "ffffffffffff", "last_sync_at": "x", "unknown": 1}"#,
    ] {
        assert_eq!(
            server.post(&path, unchanged).json()["source"],
            before,
            "{unchanged}"
        );
    }
    let cleared = server
        .post(
            &path,
            r#"{"auth_header": "", "auth_token": "", "bearer_token": "", "provider": ""}"#,
        )
        .json();
    let mut expected = before;
    for (field, value) in [
        ("auth_header", "".into()),
        ("provider", "".into()),
        ("has_auth_token", false.into()),
        ("has_bearer_token", false.into()),
    ] {
        expected[field] = value;
    }
    assert_eq!(cleared["source"], expected);
}

#[test]
fn fields_of_the_wrong_kind_are_422_and_change_nothing() {
    let server = Server::start();
    let id = server.source(TEAM);
    let before = server.get(SOURCES).body;
    let wrong = [
        r#""name": 1"#,
        r#""enabled": "yes""#,
        r#""enabled": 1"#,
        r#""url": 1"#,
        r#""url": "accounts.example.test/x""#,
        r#""url": "ftp://accounts.example.test/x""#,
        r#""url": "file:///etc/passwd""#,
        r#""url": "http://""#,
        r#""url": "http://user:pass@accounts.example.test/""#,
        r#""url": "http://user@accounts.example.test/""#,
        r#""method": "get""#,
        r#""method": "PUT""#,
        r#""method": 5"#,
        r#""provider": "GPT""#,
        r#""provider": "openai""#,
        r#""provider": "claude""#,
        r#""sync_strategy": "Merge""#,
        r#""sync_strategy": "append""#,
        r#""sync_strategy": []"#,
        r#""interval_seconds": "60""#,
        r#""interval_seconds": 1.5"#,
        r#""interval_seconds": true"#,
        r#""auth_header": "Host""#,
        r#""auth_header": "content-length""#,
        r#""auth_header": "Transfer-Encoding""#,
        r#""auth_header": "connection""#,
        r#""auth_header": "TE""#,
        r#""auth_header": "Upgrade""#,
        r#""auth_header": "accept-encoding""#,
        r#""auth_header": "X Key""#,
        r#""auth_header": "X-Key:""#,
        r#""auth_token": "a\r\nX-Other: b""#,
        r#""auth_token": "ключ""#,
        r#""bearer_token": "a\nb""#,
        r#""bearer_token": 7"#,
    ];
    for field in wrong {
        let create = if field.starts_with(r#""url""#) {
            format!("{{{field}}}")
        } else {
            format!(r#"{{"url": "http://a.example.test/", {field}}}"#)
        };
        let answer = server.post(SOURCES, &create);
        assert_eq!(answer.status, 422, "{field}: {answer:?}");
        check_refused(&answer, 422);
        let answer = server.post(&format!("{SOURCES}/{id}"), &format!("{{{field}}}"));
        assert_eq!(answer.status, 422, "{field}: {answer:?}");
    }
    assert_eq!(server.get(SOURCES).body, before);
}

#[test]
fn bodies_that_are_not_a_json_object_are_422() {
    let server = Server::start();
    let id = server.source(TEAM);
    for body in [
        "{",
        "[]",
        "null",
        "\"x\"",
        "1",
        "{\"url\": \"http://a.example.test/\"} x",
        "url=http://a.example.test/",
    ] {
        check_refused(&server.post(SOURCES, body), 422);
        check_refused(&server.post(&format!("{SOURCES}/{id}"), body), 422);
    }
    check_refused(&server.post(SOURCES, ""), 422);
}

#[test]
fn an_interval_is_positive() {
    let server = Server::start();
    let id = server.source(TEAM);
    for interval in ["0", "-1"] {
        let text = "interval_seconds must be greater than 0";
        check_error(
            &server.post(
                SOURCES,
                &format!(r#"{{"url": "http://a.example.test/", "interval_seconds": {interval}}}"#),
            ),
            400,
            text,
        );
        check_error(
            &server.post(
                &format!("{SOURCES}/{id}"),
                &format!(r#"{{"interval_seconds": {interval}}}"#),
            ),
            400,
            text,
        );
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let server = Server::start();
    let made = server.post(
        SOURCES,
        &TEAM.replacen(
            '{',
            r#"{"id": "ffffffffffff", "color": {"deep": [1]}, "import_job": 7,"#,
            1,
        ),
    );
    check(&made, 200, &alone(TEAM_CREATED));
    assert_ne!(made.json()["source"]["id"], "ffffffffffff");
}

#[test]
fn a_body_is_json_whatever_its_content_type_says() {
    let server = Server::start();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "",
    ] {
        let body = TEAM;
        let answer = server.wire(
            format!(
                "POST {SOURCES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
            std::time::Duration::from_secs(5),
        );
        assert!(
            answer.starts_with("HTTP/1.1 200 "),
            "{content_type}: {answer}"
        );
    }
}

#[test]
fn names_and_tokens_may_hold_any_text() {
    let server = Server::start();
    let name = "Команда \u{1F680} \"quoted\" \\ 团队\t\u{7f}";
    let body = serde_json::json!({ "name": name, "url": "http://a.example.test/?q=%E5%9B%A2" })
        .to_string();
    let made = server.post(SOURCES, &body).json();
    assert_eq!(made["source"]["name"], name);
    assert_eq!(made["source"]["url"], "http://a.example.test/?q=%E5%9B%A2");
}

#[test]
fn sources_survive_a_restart() {
    let server = Server::start();
    server.source(TEAM);
    server.source(r#"{"name": "other", "url": "http://a.example.test/", "bearer_token": "b-1", "enabled": false}"#);
    let before = server.get(SOURCES).body;
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.get(SOURCES).body, before);
    let server = Server::start_in(server.crash(), &[]);
    assert_eq!(server.get(SOURCES).body, before);
}

#[test]
fn deleting_a_source_leaves_its_accounts() {
    let server = Server::start();
    let id = server.source(TEAM);
    let body = format!(r#"{{"tokens": ["stays-1"], "source_id": "{id}"}}"#);
    assert_eq!(server.post(super::harness::INJECT, &body).status, 200);
    server.delete(&format!("{SOURCES}/{id}"));
    assert_eq!(
        server.pool()[0]["owners"]["sources"],
        serde_json::json!([id])
    );
}
