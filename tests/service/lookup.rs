//! What a preview may ask of the pool, and that its plan is what the server then does.

use serde_json::{Value, json};
use tributary_core::plan_json;

use super::harness::{INJECT, Server};

const LOOKUP: &str = "/api/remote-account/pool/lookup";

fn ask(server: &Server, question: &Value) -> Value {
    let answer = server.post(LOOKUP, &question.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn plan(payload: &str, context: &Value) -> Value {
    let answer = plan_json(payload.as_bytes(), context.to_string().as_bytes());
    let answer: Value = serde_json::from_slice(&answer).expect("answers are JSON");
    answer["plan"].clone()
}

/// The fingerprints of the accounts that a payload names.
fn named(plan: &Value) -> Vec<Value> {
    let of = |list: &str| plan[list].as_array().expect("a list").clone();
    let all = of("changes").into_iter().chain(of("unchanged"));
    all.map(|account| account["fingerprint"].clone()).collect()
}

#[test]
fn a_preview_of_the_live_pool_is_what_the_server_then_does() {
    let server = Server::start();
    server.post(
        INJECT,
        &json!({"source_id": "s", "accounts": [
        {"token": "example-1", "type": "free", "refresh_token": "example-refresh-1", "n": 1},
        {"token": "example-2"}, {"token": "example-3"}, {"token": "example-4"}]})
        .to_string(),
    );
    server.post(INJECT, r#"{"source_id": "t", "tokens": ["example-4"]}"#);
    let payload = r#"[{"token": "example-1", "type": "plus", "refresh_token": "example-refresh-1"}, "example-2", "example-9"]"#;
    let owned = ask(&server, &json!({"source_id": "s"}));
    let mut context = json!({"strategy": "replace", "source_id": "s", "salt": owned["salt"]});
    let fingerprints = named(&plan(payload, &context));
    let found = ask(&server, &json!({"fingerprints": fingerprints}));
    assert_eq!(found["pool_revision"], owned["pool_revision"]);
    assert_eq!(found["accounts"].as_array().map(Vec::len), Some(2));
    assert_eq!(owned["owned"].as_array().map(Vec::len), Some(4));
    assert_eq!(owned["next"], Value::Null);
    context["pool"] = owned["owned"].clone();
    let plan = plan(payload, &context);
    let done = server.post(
        INJECT,
        &format!(r#"{{"strategy": "replace", "source_id": "s", "payload": {payload}}}"#),
    );
    for name in ["total", "added", "skipped", "removed"] {
        assert_eq!(done.json()[name], plan["counts"][name], "{name}");
    }
    assert_eq!(plan["counts"]["released"], 1);
    assert_eq!(
        plan["counts"]["updated"], 1,
        "the secret that came again is no change"
    );
    assert_eq!(
        server.tokens(),
        ["example-1", "example-2", "example-4", "example-9"]
    );
}

#[test]
fn a_preview_knows_that_a_source_keeps_accounts_out_of_use_and_its_hash_is_the_servers() {
    let server = Server::start();
    let source = server.source(r#"{"url": "http://a.example.test/"}"#);
    server.post(
        INJECT,
        &json!({"source_id": source, "tokens": ["example-1", "example-2"]}).to_string(),
    );
    assert_eq!(
        ask(&server, &json!({"source_id": source}))["removal"],
        "remove"
    );
    let policy = format!("/api/remote-account/sources/{source}/policy");
    assert_eq!(
        server.post(&policy, r#"{"removal": "disable"}"#).status,
        200
    );
    let found = ask(&server, &json!({"source_id": source}));
    assert_eq!(found["removal"], "disable");
    assert_eq!(ask(&server, &json!({}))["removal"], "remove");
    let plan = plan(
        r#"["example-1", "example-3"]"#,
        &json!({"strategy": "replace", "source_id": source, "salt": found["salt"], "removal": found["removal"],
            "pool": found["owned"], "plan_hash": true}),
    );
    assert_eq!(plan["counts"]["disabled"], 1);
    let body =
        json!({"strategy": "replace", "source_id": source, "tokens": ["example-1", "example-3"]});
    let hash = plan["plan_hash"].as_str().expect("a hash");
    let done = server.post_expecting(INJECT, &body.to_string(), hash);
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(
        server.tokens(),
        ["example-1", "example-2", "example-3"],
        "what it lost stays"
    );
}

#[test]
fn no_secret_is_answered_only_what_stands_for_it() {
    let server = Server::start();
    server.post(INJECT, r#"{"source_id": "s", "accounts": [{"token": "example-token-1", "cookie": "example-cookie", "n": 1.10}]}"#);
    let answer = server.post(LOOKUP, r#"{"source_id": "s"}"#);
    assert!(!answer.body.contains("example-token-1") && !answer.body.contains("example-cookie"));
    assert!(
        answer.body.contains(r#""cookie":"…""#) && answer.body.contains(r#""n":1.10"#),
        "{answer:?}"
    );
    assert_eq!(
        answer.json()["owned"][0]["secrets"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn what_a_source_owns_comes_in_pages() {
    let server = Server::start();
    let tokens: Vec<_> = (0..2_500).map(|n| format!("example-{n}")).collect();
    server.post(
        INJECT,
        &json!({"source_id": "s", "tokens": tokens}).to_string(),
    );
    server.post(INJECT, r#"{"source_id": "t", "tokens": ["other"]}"#);
    let (mut sizes, mut seen, mut after) =
        (Vec::new(), std::collections::BTreeSet::new(), Value::Null);
    loop {
        let page = ask(&server, &json!({"source_id": "s", "after": after}));
        let owned = page["owned"].as_array().expect("a list");
        sizes.push(owned.len());
        seen.extend(
            owned
                .iter()
                .map(|account| account["fingerprint"].to_string()),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [1_000, 1_000, 500]);
    assert_eq!(seen.len(), 2_500);
    let nobody = ask(&server, &json!({"source_id": "nobody"}));
    assert_eq!(nobody["owned"], json!([]));
}

#[test]
fn the_revision_moves_with_the_pool_and_only_with_it() {
    let server = Server::start();
    let revision = || {
        ask(&server, &json!({}))["pool_revision"]
            .as_i64()
            .expect("a number")
    };
    let before = revision();
    server.post(INJECT, r#"{"tokens": ["example-1"]}"#);
    let after = revision();
    assert!(after > before);
    server.source(r#"{"url": "http://a.example.test/"}"#);
    assert_eq!(revision(), after);
}

#[test]
fn what_is_malformed_is_refused_in_words() {
    let server = Server::start();
    let many = json!({"fingerprints": vec!["0".repeat(32); 10_001]}).to_string();
    for (body, part) in [
        ("[]", "body must be"),
        ("{", "body must be"),
        (r#"{"after": "x"}"#, "body must be"),
        (r#"{"fingerprints": ["abc"]}"#, "32 hex digits"),
        (many.as_str(), "at most 10000"),
    ] {
        let answer = server.post(LOOKUP, body);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert!(
            answer.json()["detail"]["error"]
                .as_str()
                .is_some_and(|said| said.contains(part)),
            "{answer:?}"
        );
    }
    let most = json!({"fingerprints": vec!["0".repeat(32); 10_000]}).to_string();
    assert_eq!(server.post(LOOKUP, &most).json()["accounts"], json!([]));
}

#[test]
fn only_an_administrator_may_ask() {
    let server = Server::start();
    let user = server.home().key("user", "reader");
    let bearer = format!("Bearer {user}");
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer wrong"), 401),
        (Some(bearer.as_str()), 403),
    ] {
        assert_eq!(
            server.send("POST", LOOKUP, authorization, "{}").status,
            status
        );
    }
}
