//! `POST /api/remote-account/inject`: payloads given directly.

use serde_json::json;

use super::examples::{check, check_error, check_refused, is_hex};
use super::harness::{INJECT, Server};

#[test]
fn documented_tokens() {
    let server = Server::start();
    let answer = server.post(
        INJECT,
        r#"{
            "tokens": ["example-gpt-token-1", "example-gpt-token-2"],
            "strategy": "merge",
            "source_id": "manual-gpt",
            "source_name": "Manual GPT",
            "provider": "gpt"
        }"#,
    );
    let counts = r#"{
        "strategy": "merge",
        "source_id": "manual-gpt",
        "source_name": "Manual GPT",
        "total": 2,
        "added": 2,
        "skipped": 0,
        "removed": 0
    }"#;
    check(&answer, 200, counts);
    assert_eq!(
        server.tokens(),
        ["example-gpt-token-1", "example-gpt-token-2"]
    );
    assert!(
        server
            .pool()
            .iter()
            .all(|account| account["provider"] == "gpt")
    );
}

#[test]
fn documented_gpt_account() {
    let server = Server::start();
    let answer = server.post(
        INJECT,
        r#"{
            "accounts": [
                {
                    "access_token": "example-gpt-token-3",
                    "provider": "gpt",
                    "type": "plus"
                }
            ],
            "strategy": "merge",
            "source_id": "manual-gpt",
            "source_name": "Manual GPT",
            "provider": "gpt"
        }"#,
    );
    let counts = r#"{
        "strategy": "merge",
        "source_id": "manual-gpt",
        "source_name": "Manual GPT",
        "total": 1,
        "added": 1,
        "skipped": 0,
        "removed": 0
    }"#;
    check(&answer, 200, counts);
    assert_eq!(server.pool()[0]["type"], "plus");
}

#[test]
fn documented_grok_account() {
    let server = Server::start();
    let answer = server.post(
        INJECT,
        r#"{
            "accounts": [
                {
                    "token": "example-grok-token-1",
                    "provider": "grok",
                    "type": "basic",
                    "metadata": {
                        "team": "ops"
                    }
                }
            ],
            "strategy": "merge",
            "source_id": "manual-grok",
            "source_name": "Manual Grok",
            "provider": "grok"
        }"#,
    );
    let counts = r#"{
        "strategy": "merge",
        "source_id": "manual-grok",
        "source_name": "Manual Grok",
        "total": 1,
        "added": 1,
        "skipped": 0,
        "removed": 0
    }"#;
    check(&answer, 200, counts);
    let account = &server.pool()[0];
    assert_eq!(account["access_token"], "example-grok-token-1");
    assert_eq!(
        (&account["provider"], &account["type"], &account["metadata"]),
        (&json!("grok"), &json!("basic"), &json!({"team": "ops"}))
    );
}

#[test]
fn documented_merge_of_an_existing_account() {
    let server = Server::start();
    let first = r#"{"accounts": [{"access_token": "example-existing-token", "status": "限流", "quota": 7, "restore_at": "2026-05-24T00:00:00+00:00",
        "success": 3, "fail": 2, "type": "free"}]}"#;
    assert_eq!(server.post(INJECT, first).status, 200);
    let answer = server.post(
        INJECT,
        r#"{
            "accounts": [
                {
                    "access_token": "example-existing-token",
                    "provider": "gpt",
                    "type": "plus"
                }
            ],
            "strategy": "merge",
            "source_id": "a1b2c3d4e5f6",
            "source_name": "Team GPT Source",
            "provider": "gpt"
        }"#,
    );
    let counts = r#"{
        "strategy": "merge",
        "source_id": "a1b2c3d4e5f6",
        "source_name": "Team GPT Source",
        "total": 1,
        "added": 0,
        "skipped": 1,
        "removed": 0
    }"#;
    check(&answer, 200, counts);
    let account = &server.pool()[0];
    assert_eq!(account["type"], "plus");
    let state = json!({"status": "限流", "quota": 7, "restore_at": "2026-05-24T00:00:00+00:00", "success": 3, "fail": 2});
    for (field, value) in state.as_object().expect("an object") {
        assert_eq!(&account[field], value, "{field}");
    }
}

#[test]
fn documented_replace_removes_what_the_source_no_longer_has() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"tokens": ["example-old-source-token"], "source_id": "a1b2c3d4e5f6"}"#,
    );
    server.post(
        INJECT,
        r#"{"tokens": ["example-other-token"], "source_id": "other"}"#,
    );
    server.post(INJECT, r#"{"tokens": ["example-local-token"]}"#);
    let answer = server.post(
        INJECT,
        r#"{
            "tokens": ["example-new-source-token"],
            "strategy": "replace",
            "source_id": "a1b2c3d4e5f6",
            "source_name": "Team GPT Source",
            "provider": "gpt"
        }"#,
    );
    let counts = r#"{
        "strategy": "replace",
        "source_id": "a1b2c3d4e5f6",
        "source_name": "Team GPT Source",
        "total": 1,
        "added": 1,
        "skipped": 0,
        "removed": 1
    }"#;
    check(&answer, 200, counts);
    assert_eq!(
        server.tokens(),
        [
            "example-local-token",
            "example-new-source-token",
            "example-other-token"
        ]
    );
}

#[test]
fn documented_payload_shapes_as_a_payload() {
    let tokens = r#"{
        "tokens": ["example-token-1", "example-token-2"]
    }"#;
    let accounts = r#"{
        "accounts": [
            {
                "access_token": "example-token-3",
                "provider": "gpt",
                "type": "plus"
            },
            {
                "token": "example-token-4",
                "provider": "grok",
                "type": "basic"
            }
        ]
    }"#;
    let array = r#"[
        "example-token-5",
        {
            "access_token": "example-token-6",
            "provider": "gpt"
        }
    ]"#;
    let server = Server::start();
    for payload in [tokens, accounts, array] {
        let answer = server.post(INJECT, &format!(r#"{{"payload": {payload}}}"#));
        assert_eq!(
            (answer.status, &answer.json()["added"]),
            (200, &json!(2)),
            "{answer:?}"
        );
    }
    assert_eq!(
        server.tokens(),
        (1..=6)
            .map(|n| format!("example-token-{n}"))
            .collect::<Vec<_>>()
    );
    let providers: Vec<_> = server
        .pool()
        .iter()
        .map(|account| account["provider"].clone())
        .collect();
    assert_eq!(providers, ["gpt", "gpt", "gpt", "grok", "gpt", "gpt"]);
}

#[test]
fn documented_error_no_payload() {
    let server = Server::start();
    for body in [
        "{}",
        r#"{"strategy": "merge"}"#,
        r#"{"tokens": null, "accounts": null, "payload": null}"#,
        r#"{"strategy": "replace"}"#,
    ] {
        check_error(
            &server.post(INJECT, body),
            400,
            "payload, accounts, or tokens is required",
        );
    }
}

#[test]
fn documented_error_replace_without_source_id() {
    let server = Server::start();
    for body in [
        r#"{"tokens": ["a-1"], "strategy": "replace"}"#,
        r#"{"tokens": [], "strategy": "replace"}"#,
        r#"{"tokens": ["a-1"], "strategy": "replace", "source_id": "  "}"#,
        r#"{"tokens": ["a-1"], "strategy": "replace", "source_id": null}"#,
    ] {
        check_error(
            &server.post(INJECT, body),
            400,
            "replace requires source_id",
        );
    }
    assert!(server.pool().is_empty());
}

#[test]
fn documented_error_replace_with_an_empty_payload() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"], "source_id": "s"}"#);
    for payload in [
        r#""tokens": []"#,
        r#""accounts": []"#,
        r#""payload": []"#,
        r#""payload": {"tokens": []}"#,
        r#""tokens": ["", " ", null]"#,
    ] {
        let body = format!(r#"{{{payload}, "strategy": "replace", "source_id": "s"}}"#);
        check_error(
            &server.post(INJECT, &body),
            400,
            "replace requires a non-empty account payload",
        );
    }
    assert_eq!(server.tokens(), ["a-1"]);
}

#[test]
fn a_payload_of_the_wrong_shape_is_400_in_these_words() {
    let server = Server::start();
    for (body, text) in [
        (
            r#"{"payload": "x"}"#,
            "payload must be a list or wrapper object",
        ),
        (
            r#"{"payload": 1}"#,
            "payload must be a list or wrapper object",
        ),
        (
            r#"{"payload": false}"#,
            "payload must be a list or wrapper object",
        ),
        (
            r#"{"payload": {}}"#,
            "payload must contain accounts or tokens",
        ),
        (
            r#"{"payload": {"accounts": null}}"#,
            "payload must contain accounts or tokens",
        ),
        (
            r#"{"payload": {"accounts": {}}}"#,
            "accounts must be a list",
        ),
        (r#"{"payload": {"tokens": "x"}}"#, "tokens must be a list"),
        (r#"{"accounts": {}}"#, "accounts must be a list"),
        (r#"{"accounts": "x"}"#, "accounts must be a list"),
        (r#"{"tokens": {}}"#, "tokens must be a list"),
        (
            r#"{"tokens": "x", "strategy": "replace"}"#,
            "tokens must be a list",
        ),
    ] {
        check_error(&server.post(INJECT, body), 400, text);
    }
}

#[test]
fn fields_of_the_wrong_kind_are_422_before_anything_else() {
    let server = Server::start();
    for body in [
        r#"{"strategy": "append"}"#,
        r#"{"strategy": "Replace", "tokens": ["a-1"]}"#,
        r#"{"strategy": 1, "tokens": ["a-1"]}"#,
        r#"{"source_id": 1, "tokens": ["a-1"]}"#,
        r#"{"source_name": [], "tokens": ["a-1"]}"#,
        r#"{"provider": "openai", "tokens": ["a-1"]}"#,
        r#"{"provider": 1}"#,
        "",
        "{",
        "[]",
        r#"["a-1"]"#,
        r#"{"tokens": ["a-1"]} {}"#,
        r#"{"tokens": ["a-1",]}"#,
        "{\"tokens\": [\"a\x01\"]}",
    ] {
        let answer = server.post(INJECT, body);
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
        check_refused(&answer, 422);
    }
    assert!(server.pool().is_empty());
}

#[test]
fn the_body_s_own_payload_wins_over_accounts_and_these_over_tokens() {
    let server = Server::start();
    let total = |body: &str| {
        let answer = server.post(INJECT, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["total"].clone()
    };
    assert_eq!(
        total(r#"{"tokens": ["t-1"], "accounts": ["a-1"], "payload": ["p-1"]}"#),
        1
    );
    assert_eq!(server.tokens(), ["p-1"]);
    assert_eq!(
        total(r#"{"tokens": ["t-1"], "accounts": ["a-1"], "payload": null}"#),
        1
    );
    assert_eq!(server.tokens(), ["a-1", "p-1"]);
    assert_eq!(total(r#"{"tokens": ["t-1"], "accounts": null}"#), 1);
    assert_eq!(server.tokens(), ["a-1", "p-1", "t-1"]);
    assert_eq!(
        total(r#"{"tokens": ["t-2"], "payload": []}"#),
        0,
        "an empty list wins too"
    );
    assert_eq!(
        total(r#"{"tokens": ["t-2"], "accounts": []}"#),
        0,
        "an empty list wins too"
    );
}

#[test]
fn answers_carry_the_job_and_what_was_not_taken() {
    let server = Server::start();
    let clean = server.post(INJECT, r#"{"tokens": ["a-1", "a-2"]}"#);
    assert!(
        clean
            .header("tributary-job")
            .is_some_and(|id| is_hex(id, 32)),
        "{clean:?}"
    );
    assert_eq!(clean.header("tributary-skipped"), None);
    let answer = server.post(INJECT, r#"{"accounts": ["b-1", 7, {"token": 1}, {"token": "b-2", "provider": "claude"}, "b-1", {"name": "x"}]}"#);
    assert_eq!(
        (&answer.json()["total"], answer.header("tributary-skipped")),
        (&json!(1), Some("5"))
    );
    assert_ne!(
        answer.header("tributary-job"),
        clean.header("tributary-job")
    );
    assert_eq!(server.tokens(), ["a-1", "a-2", "b-1"]);
}

#[test]
fn no_answer_names_a_token() {
    let server = Server::start();
    let body = r#"{"accounts": [{"token": "canary-1", "password": "canary-2"}, {"token": {"canary-3": "canary-4"}}, {"token": "canary-5", "provider": "canary-6"}]}"#;
    let answers = [
        server.post(INJECT, body),
        server.post(INJECT, &body.replace('}', "")),
        server.post(INJECT, &body.replace("accounts", "payload")),
    ];
    for answer in &answers {
        assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    }
}

#[test]
fn text_that_is_not_json_text_imports_nothing() {
    let server = Server::start();
    let deep = format!(
        r#"{{"accounts": ["a-1", {{"token": "a-2", "m": {}{}}}]}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let many = format!(r#"{{"tokens": ["a-1"{}]}}"#, r#","""#.repeat(1_000_000));
    for body in [
        r#"{"tokens": ["a-1", "\ud800"]}"#,
        r#"{"tokens": ["a-1"], "note": "\udc00x"}"#,
        &deep,
        &many,
    ] {
        let answer = server.post(INJECT, body);
        assert!(matches!(answer.status, 400 | 413 | 422), "{answer:?}");
        check_refused(&answer, answer.status);
    }
    let invalid = b"{\"tokens\": [\"a-1\", \"\xff\"]}";
    let mut request = format!("POST {INJECT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nContent-Length: {}\r\n\r\n", invalid.len()).into_bytes();
    request.extend_from_slice(invalid);
    let answer = server.wire(&request, std::time::Duration::from_secs(5));
    assert!(
        answer.starts_with("HTTP/1.1 422 ") || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    assert!(server.pool().is_empty());
    let marked = server.post(INJECT, "\u{feff}{\"tokens\": [\"a-1\"]}");
    assert_eq!(
        marked.status, 200,
        "one byte order mark is allowed: {marked:?}"
    );
}

#[test]
fn a_body_in_chunks_is_a_body() {
    let server = Server::start();
    let pieces = ["{\"tok", "ens\": [\"a", "-1\", \"a-2\"]", "}"];
    let mut request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for piece in pieces {
        request.push_str(&format!("{:x}\r\n{piece}\r\n", piece.len()));
    }
    request.push_str("0\r\n\r\n");
    let answer = server.wire(request.as_bytes(), std::time::Duration::from_secs(5));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.tokens(), ["a-1", "a-2"]);
}
