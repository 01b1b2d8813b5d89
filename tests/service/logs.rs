//! What is logged, and what never is.

use serde_json::{Value, json};

use super::harness::{INJECT, SOURCES, Server};
use super::upstream::{Reply, Upstream};

#[test]
fn every_request_is_a_line_with_method_path_status_duration_and_id() {
    let server = Server::start_with(&["--log-format", "json"]);
    server.get(SOURCES);
    server.send("GET", SOURCES, None, "");
    let log = server.stop().log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let requests: Vec<String> = lines
        .iter()
        .map(Value::to_string)
        .filter(|line| line.contains(SOURCES))
        .collect();
    assert_eq!(requests.len(), 2, "{log}");
    for (line, status) in requests.iter().zip(["200", "401"]) {
        for part in [
            "\"GET\"",
            status,
            "\"path\"",
            "duration",
            "\"method\"",
            "\"status\"",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

/// Uses every way in which a secret may reach the server, each with a canary of its own.
pub(crate) fn say_secrets(server: &Server) {
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        path if path.starts_with("/good") => {
            Reply::json(r#"{"accounts": [{"token": "canary-fetched", "cookie": "canary-cookie"}]}"#)
        }
        path if path.starts_with("/text") => Reply::json("canary-text"),
        path if path.starts_with("/hop") => Reply::redirect(302, "/good?key=canary-hop"),
        _ => Reply::status(500, "canary-body"),
    });
    server.post(INJECT, r#"{"accounts": [{"token": "canary-token", "password": "canary-password", "note": {"sso": "canary-sso"}}, {"token": ["canary-odd"]}]}"#);
    server.post(INJECT, r#"{"tokens": ["canary-unfinished"#);
    server.post(
        INJECT,
        r#"{"tokens": ["canary-twice"], "strategy": "canary-strategy"}"#,
    );
    for path in [
        "/good?key=canary-query",
        "/bad?key=canary-query",
        "/text?key=canary-query",
        "/hop?key=canary-query",
    ] {
        let id = server.source(&json!({"url": upstream.url(path), "bearer_token": "canary-bearer", "auth_header": "X-Key", "auth_token": "canary-header"}).to_string());
        for query in ["", "?key=canary-own-query"] {
            server.post(&format!("{SOURCES}/{id}/sync{query}"), "");
        }
    }
    let id = server.source(&json!({"url": "http://nowhere.invalid/?key=canary-query", "auth_header": "X-Key", "auth_token": "canary-header"}).to_string());
    server.post(&format!("{SOURCES}/{id}/sync"), "");
    server.post(
        SOURCES,
        r#"{"url": "http://canary-user:canary-pass@a.example.test/"}"#,
    );
    server.post(SOURCES, r#"{"url": "http://a.example.test/", "bearer_token": "canary\nbearer", "provider": "canary-provider"}"#);
    server.send("GET", SOURCES, Some("Bearer canary-guess"), "");
    server.send(
        "GET",
        &format!("{SOURCES}?token=canary-in-query"),
        Some("Basic canary-basic"),
        "",
    );
    server.pool();
}

#[test]
fn no_secret_is_ever_logged_even_at_trace() {
    for format in ["text", "json"] {
        let server = Server::start_with(&["--log-level", "trace", "--log-format", format]);
        let key = server.home().key("admin", "watched");
        assert_eq!(
            server
                .send("GET", SOURCES, Some(&format!("Bearer {key}")), "")
                .status,
            200
        );
        say_secrets(&server);
        let log = server.stop().log();
        assert!(log.lines().count() > 10, "trace says something: {log}");
        for secret in ["canary", key.as_str()] {
            assert_eq!(log.lines().find(|line| line.contains(secret)), None);
        }
    }
}

#[test]
fn the_cause_of_a_failed_sync_is_logged() {
    let server = Server::start();
    let upstream = Upstream::start(|_| Reply::status(503, ""));
    let id = server.source(&json!({"url": upstream.url("/")}).to_string());
    server.post(&format!("{SOURCES}/{id}/sync"), "");
    let log = server.stop().log();
    assert!(
        log.lines()
            .any(|line| line.contains("503") && line.contains(&id)),
        "{log}"
    );
}
