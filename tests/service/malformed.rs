//! Requests that are not what HTTP asks for, on a plain socket: 400, or an answer that ends the connection.

use std::time::Duration;

use super::harness::{INJECT, SOURCES, Server};

/// What the server says of `head` and `body`, with a second request behind it that would be answered 404 if it were taken.
fn ask(server: &Server, head: &str, body: &str) -> String {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let request = format!("{head}{body}{smuggled}");
    server.wire(request.as_bytes(), Duration::from_secs(5))
}

fn check_400(server: &Server, head: &str, body: &str) {
    let answer = ask(server, head, body);
    let refused = ["HTTP/1.1 400 ", "HTTP/1.0 400 "];
    let is_refused = refused.iter().any(|line| answer.starts_with(line));
    assert!(is_refused, "{head:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{head:?}: {answer}");
    assert!(
        answer.contains("x-content-type-options: nosniff"),
        "{head:?}: {answer}"
    );
}

/// One answer, which says that it is the last.
fn check_last(server: &Server, head: &str, body: &str) {
    let answer = ask(server, head, body);
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    let closes = answer
        .to_ascii_lowercase()
        .contains("connection: close\r\n");
    assert!(
        closes || answer.starts_with("HTTP/1.1 400 "),
        "{head:?}: {answer}"
    );
}

#[test]
fn a_malformed_head_is_400() {
    let server = Server::start();
    for head in [
        // Hosts.
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: user@a\r\n\r\n",
        // Folded lines and stray white space.
        "GET /health HTTP/1.1\r\nHost: a\r\nX-Folded: b\r\n c\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nX-Folded: b\r\n\tc\r\n\r\n",
        "GET /health HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        // Characters that no header carries.
        "GET /health HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
        // First lines.
        "GET /health\r\nHost: a\r\n\r\n",
        "GET  /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hea lth HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health http/1.1\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.2\r\nHost: a\r\n\r\n",
        "G@T /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1 \r\nHost: a\r\n\r\n",
    ] {
        check_400(&server, head, "");
    }
}

#[test]
fn lengths_that_contradict_each_other_are_400() {
    let server = Server::start();
    for lengths in [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2, 3\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 2 2\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunke\r\n",
    ] {
        let head = format!(
            "POST {INJECT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n{lengths}\r\n"
        );
        check_400(&server, &head, "{}");
    }
    assert!(server.pool().is_empty());
}

#[test]
fn what_others_may_read_differently_is_the_last_of_its_connection() {
    let server = Server::start();
    let chunked = "2\r\n{}\r\n0\r\n\r\n";
    for (lengths, body) in [
        (
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
            chunked,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
            chunked,
        ),
        ("Transfer-Encoding: chunked\r\n", "2\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "2\r\n{}xx0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked\r\n",
            "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        ),
    ] {
        let head = format!(
            "POST {SOURCES} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n{lengths}\r\n"
        );
        check_last(&server, &head, body);
    }
    for head in [
        "GET /health HTTP/1.1\nHost: a\n\n",
        "GET /health HTTP/1.1\r\nHost: a\n\r\n",
        "GET /health HTTP/1.1\nHost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\n\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n",
        "\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        check_last(&server, head, "");
    }
}

#[test]
fn a_bare_line_end_ends_a_connection_that_has_served_others() {
    let server = Server::start();
    let good = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let bare = "GET /health HTTP/1.1\nHost: a\r\n\r\n";
    let request = [good, bare, good].concat();
    let answer = server.wire(request.as_bytes(), Duration::from_secs(5));
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{answer}");
    assert_eq!(answer.matches("connection: close").count(), 1, "{answer}");
}

#[test]
fn bodies_of_many_lines_leave_a_connection_open() {
    let server = Server::start();
    let body = "{\n  \"tokens\": [\n    \"a-1\"\n  ]\n}\n";
    let import = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = server.connect();
    for _ in 0..3 {
        std::io::Write::write_all(&mut stream, import.as_bytes()).expect("it listens");
        let answer = super::client::read_all(&mut stream, Duration::from_millis(300));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
}
