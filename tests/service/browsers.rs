//! What browsers are told: headers on every answer, and whose pages may read them.

use std::time::Duration;

use super::client::{Answer, agent, ask_with};
use super::harness::{INJECT, SOURCES, Server};

const ALWAYS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

#[test]
fn every_answer_is_guarded() {
    let server = Server::start();
    for (method, path, authorization, status) in [
        ("GET", SOURCES, Some("Bearer admin"), 200),
        ("GET", "/health", None, 200),
        ("GET", "/metrics", Some("Bearer admin"), 200),
        ("GET", "/api/accounts/payload", Some("Bearer admin"), 200),
        ("POST", "/api/accounts/export", Some("Bearer admin"), 200),
        ("POST", INJECT, Some("Bearer admin"), 422),
        ("GET", SOURCES, None, 401),
        ("GET", "/nothing/there", None, 404),
        ("PUT", SOURCES, None, 405),
    ] {
        let body = if status == 422 { "{" } else { "" };
        let answer = server.send(method, path, authorization, body);
        assert_eq!(answer.status, status, "{method} {path}");
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), Some(*value), "{method} {path}");
        }
        assert_eq!(answer.header("content-security-policy"), Some(NOTHING));
        assert_eq!(answer.header("strict-transport-security"), None, "http");
        let kept = answer.header("cache-control").expect("caches are told");
        assert!(kept == "no-store" || path.ends_with("payload"), "{path}");
    }
    for page in ["/", "/admin"] {
        let answer = server.send("GET", page, None, "");
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), Some(*value), "{page}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.is_some_and(|policy| policy.contains("frame-ancestors 'none'")));
    }
}

fn from(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask_with(&agent(), server.addr, method, path, headers, "").expect("an answer")
}

/// All that an answer says of other origins.
fn cors(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(|name| name.as_str().to_owned());
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

#[test]
fn no_page_of_another_origin_may_read_anything_unless_named() {
    let server = Server::start();
    let origin = ("Origin", "https://admin.example.test");
    let asked = [origin, ("Access-Control-Request-Method", "GET")];
    let refused = from(&server, "OPTIONS", SOURCES, &asked);
    assert_eq!((refused.status, cors(&refused)), (405, Vec::new()));
    let read = from(
        &server,
        "GET",
        SOURCES,
        &[origin, ("Authorization", "Bearer admin")],
    );
    assert_eq!((read.status, cors(&read)), (200, Vec::new()));
    assert_eq!(read.header("vary"), None);
}

#[test]
fn a_named_origin_may_ask_first_without_a_key_and_read_then() {
    let options = [
        "--cors-origin",
        "https://admin.example.test",
        "--cors-origin",
        "http://localhost:3000",
    ];
    let server = Server::start_with(&options);
    for origin in ["https://admin.example.test", "http://localhost:3000"] {
        let preflight = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization"),
        ];
        let leave = from(&server, "OPTIONS", SOURCES, &preflight);
        assert_eq!((leave.status, leave.body.as_str()), (204, ""));
        assert_eq!(leave.header("access-control-allow-origin"), Some(origin));
        let methods = leave.header("access-control-allow-methods").expect("them");
        assert_eq!(methods, "GET, POST, HEAD");
        let taken = leave.header("access-control-allow-headers").expect("them");
        assert!(taken.contains("authorization") && taken.contains("content-type"));
        for authorization in ["Bearer admin", "Bearer wrong"] {
            let headers = [("Origin", origin), ("Authorization", authorization)];
            let read = from(&server, "GET", SOURCES, &headers);
            assert_eq!(read.header("access-control-allow-origin"), Some(origin));
            assert_eq!(read.header("access-control-allow-credentials"), None);
            assert_eq!(read.header("vary"), Some("origin"));
        }
    }
    for other in [
        "https://admin.example.test.evil.test",
        "http://admin.example.test",
        "https://ADMIN.example.test",
        "null",
    ] {
        let asked = [("Origin", other), ("Access-Control-Request-Method", "GET")];
        let refused = from(&server, "OPTIONS", SOURCES, &asked);
        assert_eq!(
            (refused.status, cors(&refused)),
            (405, Vec::new()),
            "{other}"
        );
        assert_eq!(refused.header("vary"), Some("origin"), "{other}");
    }
    let two = "OPTIONS /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: http://localhost:3000\r\n\
        Origin: http://localhost:3000\r\nAccess-Control-Request-Method: GET\r\n\r\n";
    let two = server.wire(two.as_bytes(), Duration::from_secs(5));
    assert!(!two.contains("access-control"), "{two}");
}

#[test]
fn every_origin_at_once_is_refused_with_what_to_write() {
    let home = super::harness::Home::new();
    let mut command = home.serve();
    let refused = command
        .args(["--cors-origin", "*"])
        .output()
        .expect("it ends");
    assert_eq!(refused.status.code(), Some(2));
    assert!(home.log().contains("write each origin as browsers do"));
}
