//! What all routes that change the pool by hand have in common: who may ask, how, and that it is on disk.

use serde_json::json;

use super::examples::check_refused;
use super::harness::{ACCOUNTS, INJECT, SOURCES, Server};

/// Every such route with a body that it would take.
const ROUTES: [(&str, &str, &str); 5] = [
    ("POST", "/api/accounts", r#"{"tokens": ["example-9"]}"#),
    ("DELETE", "/api/accounts", r#"{"tokens": ["example-2"]}"#),
    (
        "POST",
        "/api/accounts/update",
        r#"{"access_token": "example-1", "quota": 5}"#,
    ),
    (
        "POST",
        "/api/accounts/release",
        r#"{"owner": "source:s", "accounts": "remove"}"#,
    ),
    ("GET", "/api/accounts/owners", ""),
];

fn start() -> Server {
    let server = Server::start();
    let body = r#"{"source_id": "s", "accounts": [{"token": "example-1", "cookie": "canary-cookie"}, "example-2"]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    server
}

#[test]
fn only_an_administrator_may_ask() {
    let server = start();
    let key = |role: &str| format!("Bearer {}", server.home().key(role, role));
    let (user, reader, admin) = (key("user"), key("reader"), key("admin"));
    let (revision, pool) = (server.revision(), server.pool());
    for (method, path, body) in ROUTES {
        for (authorization, status) in [
            (None, 401),
            (Some("Bearer wrong"), 401),
            (Some(user.as_str()), 403),
            (Some(reader.as_str()), 403),
        ] {
            let answer = server.send(method, path, authorization, body);
            check_refused(&answer, status);
        }
    }
    assert_eq!((server.revision(), server.pool()), (revision, pool));
    for (method, path, body) in ROUTES {
        assert_eq!(
            server.send(method, path, Some(&admin), body).status,
            200,
            "{method} {path}"
        );
    }
}

#[test]
fn other_methods_and_parameters_are_refused() {
    let server = start();
    let revision = server.revision();
    for (method, path, body) in ROUTES {
        check_refused(
            &server.send(
                method,
                &format!("{path}?force=1"),
                Some("Bearer admin"),
                body,
            ),
            422,
        );
    }
    for (path, method, allow) in [
        ("/api/accounts", "PUT", "GET, POST, DELETE, HEAD"),
        ("/api/accounts/update", "DELETE", "POST"),
        ("/api/accounts/release", "GET", "POST"),
        ("/api/accounts/owners", "POST", "GET, HEAD"),
    ] {
        let answer = server.send(method, path, Some("Bearer admin"), "");
        check_refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    check_refused(&server.get("/api/accounts/owners/x"), 404);
    assert_eq!(server.revision(), revision);
}

#[test]
fn what_was_answered_is_there_after_a_crash_and_a_restart() {
    let server = start();
    let id = server.id_of("example-2");
    server.post(ACCOUNTS, r#"{"tokens": ["example-3", "example-4"]}"#);
    server.post(
        "/api/accounts/update",
        &json!({"id": id, "status": "异常"}).to_string(),
    );
    server.delete_with(ACCOUNTS, r#"{"tokens": ["example-3"]}"#);
    server.post("/api/accounts/release", r#"{"owner": "source:s"}"#);
    let (pool, revision) = (server.pool(), server.revision());
    let told = |server: &Server| {
        let paths = [
            "/api/accounts/owners",
            ACCOUNTS,
            "/api/remote-account/jobs",
            SOURCES,
        ];
        paths.map(|path| server.get(path).body)
    };
    let before = told(&server);
    let server = Server::start_in(server.crash(), &[]);
    assert_eq!(
        (server.pool(), server.revision(), told(&server)),
        (pool, revision, before)
    );
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.tokens(), ["example-1", "example-2", "example-4"]);
    assert_eq!(server.pool()[1]["status"], "异常");
}

#[test]
fn no_answer_and_no_log_line_has_a_secret() {
    let server = start();
    let mut said = String::new();
    for (method, path, body) in ROUTES {
        said += &server.send(method, path, Some("Bearer admin"), body).body;
        // The same once more, when much of it is not there any longer.
        said += &server.send(method, path, Some("Bearer admin"), body).body;
    }
    said += &server.home().log();
    for secret in ["example-1", "example-2", "example-9", "canary-cookie"] {
        assert!(!said.contains(secret), "{said}");
    }
}
