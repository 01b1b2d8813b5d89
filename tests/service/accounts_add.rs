//! `POST /api/accounts`: accounts that a person gives.

use serde_json::{Value, json};

use super::examples::{check, check_error, is_hex};
use super::harness::{ACCOUNTS, INJECT, Server};

#[test]
fn what_is_given_by_hand_is_local_and_counted() {
    let server = Server::start();
    let body = r#"{"accounts": ["example-token-1", {"email": "a@example.test"}, {"token": "example-token-2", "provider": "grok"}, null],
        "provider": "gpt"}"#;
    let answer = server.post(ACCOUNTS, body);
    check(
        &answer,
        200,
        r#"{"total": 2, "added": 2, "updated": 0, "unchanged": 0, "skipped": 0,
            "not_taken": [{"index": 1, "reason": "token_missing", "error": "an account needs an `access_token` or a `token`"}]}"#,
    );
    assert!(is_hex(answer.header("tributary-job").expect("a job"), 32));
    assert_eq!(answer.header("tributary-skipped"), Some("1"));
    let pool = server.pool();
    assert_eq!(pool.len(), 2);
    for (account, provider) in pool.iter().zip(["gpt", "grok"]) {
        assert_eq!(account["owners"], json!({"local": true, "sources": []}));
        assert_eq!(account["provider"], provider);
    }
}

#[test]
fn what_is_there_is_merged_and_keeps_its_other_owners() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"source_id": "s", "accounts": [{"token": "example-1", "quota": 5}, "example-2"]}"#,
    );
    server.post(ACCOUNTS, r#"{"tokens": ["example-3"]}"#);
    let answer = server.post(
        ACCOUNTS,
        r#"{"payload": {"accounts": [{"token": "example-1", "type": "plus"}, "example-2", "example-3", "example-4"]}, "provider": ""}"#,
    );
    check(
        &answer,
        200,
        r#"{"total": 4, "added": 1, "updated": 2, "unchanged": 1, "skipped": 3, "not_taken": []}"#,
    );
    assert_eq!(answer.header("tributary-skipped"), None);
    let pool = server.pool();
    let both = json!({"local": true, "sources": ["s"]});
    assert_eq!((&pool[0]["owners"], &pool[1]["owners"]), (&both, &both));
    assert_eq!(
        (&pool[0]["quota"], &pool[0]["type"]),
        (&json!(5), &json!("plus"))
    );
}

#[test]
fn a_hundred_entries_at_most_are_told_and_all_are_counted() {
    let server = Server::start();
    let mut entries: Vec<Value> = vec![json!("example-1"), json!({"token": 5}), json!("")];
    entries.extend((0..120).map(|_| json!("example-1")));
    let answer = server.post(ACCOUNTS, &json!({ "accounts": entries }).to_string());
    assert_eq!(answer.header("tributary-skipped"), Some("121"));
    let told = &answer.json()["not_taken"];
    assert_eq!(told.as_array().map(Vec::len), Some(100));
    assert_eq!(
        told[0],
        json!({"index": 1, "reason": "token_type", "error": "the token must be a string"})
    );
    assert_eq!(
        told[1],
        json!({"index": 3, "reason": "duplicate", "error": "the token is that of entry 0"})
    );
}

#[test]
fn the_job_says_that_it_was_by_hand() {
    let server = Server::start();
    let answer = server.post(ACCOUNTS, r#"{"tokens": ["example-1"]}"#);
    let again = server.post(ACCOUNTS, r#"{"tokens": ["example-1"]}"#);
    let jobs = server.get("/api/remote-account/jobs?kind=add").json();
    let of = |answer: &super::client::Answer| answer.header("tributary-job").map(str::to_owned);
    for (job, (answer, added, skipped)) in [(again, 0, 1), (answer, 1, 0)].iter().enumerate() {
        let job = &jobs["items"][job];
        assert_eq!(job["job_id"].as_str().map(str::to_owned), of(answer));
        assert_eq!(
            (
                &job["status"],
                &job["total"],
                &job["added"],
                &job["skipped"],
                &job["source_id"]
            ),
            (
                &json!("success"),
                &json!(1),
                &json!(*added),
                &json!(*skipped),
                &json!("")
            )
        );
    }
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_refused_body_changes_nothing() {
    let server = Server::start();
    server.post(ACCOUNTS, r#"{"tokens": ["example-1"]}"#);
    let revision = server.revision();
    for (body, status, said) in [
        ("", 422, "body is not valid JSON at byte 0"),
        (
            r#"{"tokens": ["example-2"]"#,
            422,
            "body is not valid JSON at byte 24",
        ),
        ("[]", 422, "body must be a JSON object"),
        ("{}", 400, "payload, accounts, or tokens is required"),
        (r#"{"tokens": "example-2"}"#, 400, "tokens must be a list"),
        (
            r#"{"tokens": ["example-2"], "provider": "openai"}"#,
            422,
            "`provider` must be empty, `gpt` or `grok`",
        ),
        (
            r#"{"tokens": ["example-2"], "provider": 5}"#,
            422,
            "`provider` must be a string",
        ),
        (
            r#"{"tokens": ["example-2"], "source_id": "s"}"#,
            422,
            "field `source_id` is unknown: this body takes `tokens`, `accounts`, `payload`, `provider`",
        ),
        (
            r#"{"strategy": "replace", "tokens": ["example-2"]}"#,
            422,
            "field `strategy` is unknown: this body takes `tokens`, `accounts`, `payload`, `provider`",
        ),
        (
            r#"{"tokens": ["example-2"], "owner": {"local": true}, "x": 1}"#,
            422,
            "field `owner` is unknown: this body takes `tokens`, `accounts`, `payload`, `provider`",
        ),
        (
            r#"{"tokens": ["example-2"], "eyJa.b.c": 1}"#,
            422,
            "a field is unknown: this body takes `tokens`, `accounts`, `payload`, `provider`",
        ),
    ] {
        check_error(&server.post(ACCOUNTS, body), status, said);
    }
    assert_eq!((server.revision(), server.tokens().len()), (revision, 1));
}
