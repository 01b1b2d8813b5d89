//! `POST /api/accounts/export`: the pool as lines.

use std::io::{Read, Write};

use serde_json::json;

use super::examples::check_refused;
use super::harness::{ACCOUNTS, EXPORT, INJECT, Server};

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

#[test]
fn an_account_that_leaves_and_comes_again_meanwhile_is_told_once() {
    let server = Server::start();
    // More than lies between a server and a client that does not read.
    let note = "x".repeat(900 << 10);
    for n in 0..40 {
        let account = json!({"token": format!("again-{n:02}"), "note": note});
        server.post(INJECT, &json!({ "accounts": [account] }).to_string());
    }
    let mut client = server.connect();
    let request = format!(
        "POST {EXPORT} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer admin\r\nConnection: close\r\n\r\n"
    );
    client.write_all(request.as_bytes()).expect("a server");
    let mut begun = vec![0; 1 << 20];
    client.read_exact(&mut begun).expect("the first account");
    let first = r#"{"tokens": ["again-00"]}"#;
    assert_eq!(server.delete_with(ACCOUNTS, first).status, 200);
    assert_eq!(server.post(INJECT, first).json()["added"], 1);
    client.read_to_end(&mut begun).expect("the others");
    let told = String::from_utf8_lossy(&begun);
    for n in 0..40 {
        let token = format!("\"again-{n:02}\"");
        assert_eq!(told.matches(&token).count(), 1, "{token}");
    }
}

#[test]
fn filters_stand_in_the_address_or_in_the_body() {
    let server = Server::start();
    server.post(INJECT, r#"{"source_id": "s", "accounts": ["a-1", {"token": "a-2", "provider": "grok", "type": "plus", "status": "限流"}]}"#);
    server.post(INJECT, r#"{"tokens": ["a-2", "a-3"]}"#);
    for (query, body, expected) in [
        ("", "", "123"),
        ("", " ", "123"),
        ("", "{}", "123"),
        ("?provider=gpt", "", "13"),
        ("", r#"{"provider": "gpt"}"#, "13"),
        ("?owner=local", r#"{"provider": "gpt"}"#, "3"),
        (
            "?source_id=s",
            r#"{"owner": "source:s", "status": null}"#,
            "12",
        ),
        ("?type=plus", r#"{"status": "限流", "q": "LUS"}"#, "2"),
        ("?q=nothing", "", ""),
        ("?owner=none", "", ""),
    ] {
        let answer = server.post(&format!("{EXPORT}{query}"), body);
        assert_eq!(answer.status, 200, "{query} {body}: {answer:?}");
        let found: String = answer
            .body
            .lines()
            .map(|line| line.as_bytes()[19] as char)
            .collect();
        assert_eq!(found, expected, "{query} {body}");
    }
    for (query, body, part) in [
        ("?provider=x", "", "`provider` must be `gpt` or `grok`"),
        ("?provider=", "", "`provider` is empty: leave it out"),
        ("", r#"{"type": ""}"#, "`type` is empty: leave it out"),
        ("", r#"{"owner": "x"}"#, "`owner` must be `local`"),
        ("", r#"{"provider": 1}"#, "provider must be a string"),
        (
            "?provider=gpt",
            r#"{"provider": "gpt"}"#,
            "`provider` is given twice",
        ),
        ("?limit=1", "", "parameter `limit` is unknown"),
        ("", r#"{"limit": 1}"#, "field `limit` is unknown"),
        ("", "[]", "body must be a JSON object"),
        ("", "{", "body is not valid JSON"),
    ] {
        let answer = server.post(&format!("{EXPORT}{query}"), body);
        check_refused(&answer, 422);
        assert!(answer.body.contains(part), "{query} {body}: {answer:?}");
    }
}

#[test]
fn names_of_all_owners_are_told() {
    let server = Server::start();
    for (id, name) in [("s", "S"), ("t", ""), ("u", "U \\\" 1"), ("v", "V")] {
        let body =
            format!(r#"{{"tokens": ["a-1"], "source_id": "{id}", "source_name": "{name}"}}"#);
        assert_eq!(server.post(INJECT, &body).status, 200);
    }
    let account = &server.pool()[0];
    assert_eq!(account["owners"]["sources"], json!(["s", "t", "u", "v"]));
    assert_eq!(account["remote_source_name"], "V");
    assert_eq!(account["owner_names"], json!({"s": "S", "u": "U \" 1"}));
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "a-2", "owner_names": {"s": "x"}}]}"#,
    );
    assert!(
        server.pool()[1].get("owner_names").is_none(),
        "it cannot be given"
    );
}

#[test]
fn a_stream_that_breaks_is_seen_to_break() {
    let server = Server::start();
    let account = |n| json!({"token": format!("broken-{n:04}"), "note": format!("note-{n:04}")});
    let accounts: Vec<_> = (0..3_000).map(account).collect();
    server.post(
        INJECT,
        &json!({"source_id": "s", "accounts": accounts}).to_string(),
    );
    let home = server.stop();
    // The page that holds one account far behind the first part.
    let file = home.data().join("tributary.db");
    let mut bytes = std::fs::read(&file).expect("the database");
    let note = b"note-2500";
    let at = bytes.windows(note.len()).position(|part| part == note);
    let page = at.expect("its note") / 4096 * 4096;
    bytes[page..page + 4096].fill(0xff);
    std::fs::write(&file, bytes).expect("the database");
    let server = Server::start_in(home, &[]);
    for (method, path) in [("POST", EXPORT), ("GET", "/api/accounts/payload")] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer admin\r\nConnection: close\r\n\r\n"
        );
        let answer = server.wire(request.as_bytes(), std::time::Duration::from_secs(10));
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("broken-0499"),
            "{path}"
        );
        assert!(
            !answer.ends_with("\r\n0\r\n\r\n") && !answer.contains("broken-2999"),
            "{path}"
        );
    }
    assert!(server.home().log().contains("export broke off"));
    assert!(!server.home().log().contains("broken-"));
}
