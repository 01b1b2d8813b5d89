//! Who may ask what.

use std::io::Write;
use std::time::Duration;

use super::client::read_all;
use super::examples::{check_error, check_refused};
use super::harness::{EXPORT, INJECT, SOURCES, Server};

const UNKNOWN: &str = "密钥无效或已失效,请重新登录";
pub(crate) const NOT_ADMIN: &str = "需要管理员权限才能执行这个操作";

/// All that needs an administrator.
fn endpoints() -> Vec<(&'static str, String)> {
    let source = format!("{SOURCES}/a1b2c3d4e5f6");
    vec![
        ("GET", SOURCES.to_owned()),
        ("POST", SOURCES.to_owned()),
        ("POST", source.clone()),
        ("DELETE", source.clone()),
        ("POST", format!("{source}/sync")),
        ("GET", format!("{source}/sync")),
        ("POST", INJECT.to_owned()),
        ("POST", EXPORT.to_owned()),
        ("GET", "/api/auth/users".to_owned()),
        ("POST", "/api/auth/users".to_owned()),
        ("POST", "/api/auth/users/a1b2c3d4e5f6".to_owned()),
        ("DELETE", "/api/auth/users/a1b2c3d4e5f6".to_owned()),
    ]
}

#[test]
fn documented_error_without_a_valid_key() {
    let server = Server::start();
    let wrong = [
        None,
        Some(""),
        Some("admin"),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer wrong"),
        Some("Bearer Admin"),
        Some("Bearer admin2"),
        Some("Bearer admin admin"),
        Some("Basic YWRtaW46YWRtaW4="),
        Some("Bearer sk-unknown"),
    ];
    for (method, path) in endpoints() {
        for authorization in wrong {
            let body = if method == "POST" { "{" } else { "" };
            check_error(
                &server.send(method, &path, authorization, body),
                401,
                UNKNOWN,
            );
        }
    }
}

#[test]
fn documented_error_neither_a_user_nor_a_reader_is_an_administrator() {
    let server = Server::start();
    for role in ["user", "reader"] {
        let key = server.home().key(role, "colleague");
        assert!(key.starts_with("sk-"), "{key}");
        for (method, path) in endpoints() {
            let body = if method == "POST" { "{" } else { "" };
            check_error(
                &server.send(method, &path, Some(&format!("Bearer {key}")), body),
                403,
                NOT_ADMIN,
            );
        }
    }
}

#[test]
fn the_scheme_is_read_in_any_case() {
    let server = Server::start();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(
            server
                .send("GET", SOURCES, Some(&format!("{scheme} admin")), "")
                .status,
            200,
            "{scheme}"
        );
    }
}

#[test]
fn an_administrator_s_key_counts_from_the_next_request_and_only_while_it_is_enabled() {
    let server = Server::start();
    let key = server.home().key("admin", "deploy");
    let status = || {
        server
            .send("GET", SOURCES, Some(&format!("Bearer {key}")), "")
            .status
    };
    assert_eq!(status(), 200);
    let listed = server.home().run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(
        listed.contains("deploy") && !listed.contains(&key),
        "{listed}"
    );
    let id = key_id(&listed, "deploy");
    let disabled = server.home().run(&["key", "disable", &id]);
    assert!(disabled.status.success(), "{disabled:?}");
    assert_eq!(status(), 401);
    let enabled = server.home().run(&["key", "enable", &id]);
    assert!(enabled.status.success() && status() == 200, "{enabled:?}");
    let deleted = server.home().run(&["key", "delete", &id]);
    assert!(deleted.status.success(), "{deleted:?}");
    assert_eq!(status(), 401);
    let listed = server.home().run(&["key", "list"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("deploy"));
}

/// The first word of the line of the key with this name.
pub(crate) fn key_id(listed: &str, name: &str) -> String {
    let line = listed
        .lines()
        .find(|line| line.contains(name))
        .expect("the key is listed");
    line.split_whitespace().next().expect("a word").to_owned()
}

#[test]
fn keys_survive_a_restart() {
    let server = Server::start();
    let key = server.home().key("admin", "deploy");
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(
        server
            .send("GET", SOURCES, Some(&format!("Bearer {key}")), "")
            .status,
        200
    );
}

#[test]
fn the_key_itself_is_stored_nowhere() {
    let server = Server::start();
    let key = server.home().key("admin", "deploy");
    assert_eq!(
        server
            .send("GET", SOURCES, Some(&format!("Bearer {key}")), "")
            .status,
        200
    );
    let home = server.stop();
    for file in super::store::files(&home.data()) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(
            !bytes.windows(key.len()).any(|w| w == key.as_bytes()),
            "{}",
            file.display()
        );
    }
}

#[test]
fn a_stranger_is_answered_before_the_body_is_read() {
    let server = Server::start();
    for head in [
        "Content-Length: 100000000\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 100000000\r\nExpect: 100-continue\r\n",
    ] {
        let mut stream = server.connect();
        stream
            .write_all(format!("POST {INJECT} HTTP/1.1\r\nHost: x\r\n{head}\r\n").as_bytes())
            .expect("it listens");
        let answer = read_all(&mut stream, Duration::from_secs(3));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{head}: {answer}");
    }
}

#[test]
fn a_method_or_path_that_does_not_exist_is_refused_in_the_same_shape() {
    let server = Server::start();
    check_refused(
        &server.send("PUT", SOURCES, Some("Bearer admin"), "{}"),
        405,
    );
    check_refused(&server.send("GET", INJECT, Some("Bearer admin"), ""), 405);
    check_refused(&server.get("/api/remote-account/nothing"), 404);
    check_refused(
        &server.get("/api/remote-account/sources/a1b2c3d4e5f6/sync/x"),
        404,
    );
}
