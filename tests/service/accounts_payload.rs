//! `GET /api/accounts/payload`: the pool as a source for another Tributary.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check_error, check_refused};
use super::harness::{ACCOUNTS, EXPORT, INJECT, SOURCES, Server};

const PAYLOAD: &str = "/api/accounts/payload";

/// A pool of two sources with fields of every kind.
fn start() -> Server {
    let server = Server::start();
    for body in [
        r#"{"source_id": "alpha", "source_name": "Alpha", "accounts": [
            {"token": "example-1", "status": "限流", "quota": 7, "refresh_token": "example-refresh", "n": 1.50},
            {"token": "example-2", "provider": "grok", "nested": {"cookie": "example-cookie", "list": [1, {}]}}]}"#,
        r#"{"source_id": "beta", "accounts": ["example-1", {"token": "example-3", "type": "plus"}]}"#,
    ] {
        assert_eq!(server.post(INJECT, body).status, 200);
    }
    server
}

/// A key of a new reader, as a header.
fn reader(server: &Server) -> String {
    format!("Bearer {}", server.home().key("reader", "downstream"))
}

/// The tokens in an answer.
fn tokens(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let accounts = answer.json()["accounts"]
        .as_array()
        .expect("a list")
        .clone();
    accounts
        .iter()
        .map(|account| account["access_token"].clone())
        .collect()
}

/// A source in `server` that fetches the payload of `upstream` with `filters`.
fn hand_on(upstream: &Server, filters: &str, server: &Server, strategy: &str) -> String {
    let bearer = reader(upstream);
    let key = bearer.trim_start_matches("Bearer ");
    server.source(
        &json!({"name": "Upstream", "url": format!("http://{}{PAYLOAD}{filters}", upstream.addr),
            "bearer_token": key, "sync_strategy": strategy})
        .to_string(),
    )
}

/// Syncs and returns the counts.
fn sync(server: &Server, source: &str) -> [u64; 4] {
    let answer = server.post(&format!("{SOURCES}/{source}/sync"), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = &answer.json()["import_job"];
    ["total", "added", "skipped", "removed"].map(|name| job[name].as_u64().expect("a count"))
}

#[test]
fn a_payload_is_what_a_source_answers_and_nothing_of_this_pool() {
    let server = start();
    let answer = server.send("GET", PAYLOAD, Some(&reader(&server)), "");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(
        answer.body,
        concat!(
            r#"{"accounts":["#,
            r#"{"access_token":"example-1","provider":"gpt","status":"限流","quota":7,"refresh_token":"example-refresh","n":1.50,"type":"free","success":0,"fail":0},"#,
            r#"{"access_token":"example-2","provider":"grok","nested":{"cookie":"example-cookie","list":[1,{}]},"type":"free","status":"正常","quota":0,"success":0,"fail":0},"#,
            r#"{"access_token":"example-3","provider":"gpt","type":"plus","status":"正常","quota":0,"success":0,"fail":0}"#,
            r#"]}"#,
        )
    );
    assert_eq!(
        server.get(PAYLOAD).body,
        answer.body,
        "an administrator may read it, too"
    );
    assert_eq!(Server::start().get(PAYLOAD).body, r#"{"accounts":[]}"#);
}

#[test]
fn filters_choose_what_is_handed_on() {
    let server = start();
    for (query, expected) in [
        ("?provider=grok", json!(["example-2"])),
        ("?source_id=alpha", json!(["example-1", "example-2"])),
        (
            "?source_id=beta&status=%E9%99%90%E6%B5%81",
            json!(["example-1"]),
        ),
        (
            "?status=%E6%AD%A3%E5%B8%B8&provider=gpt",
            json!(["example-3"]),
        ),
        ("?source_id=nobody", json!([])),
    ] {
        assert_eq!(
            json!(tokens(&server.get(&format!("{PAYLOAD}{query}")))),
            expected,
            "{query}"
        );
    }
    for query in [
        "owner=local",
        "type=plus",
        "q=x",
        "limit=1",
        "provider=x",
        "source_id=%20",
        "source_id=",
        "status=a&status=a",
    ] {
        check_refused(&server.get(&format!("{PAYLOAD}?{query}")), 422);
    }
}

#[test]
fn a_reader_reads_the_payload_and_nothing_else() {
    let server = start();
    let bearer = reader(&server);
    for (method, path) in [
        ("GET", ACCOUNTS.to_owned()),
        ("GET", format!("{ACCOUNTS}/{}", "0".repeat(32))),
        ("POST", EXPORT.to_owned()),
        ("POST", INJECT.to_owned()),
        ("GET", SOURCES.to_owned()),
        ("GET", "/api/remote-account/jobs".to_owned()),
        ("POST", "/api/remote-account/pool/lookup".to_owned()),
    ] {
        check_refused(&server.send(method, &path, Some(&bearer), ""), 403);
    }
    let user = format!("Bearer {}", server.home().key("user", "colleague"));
    check_refused(&server.send("GET", PAYLOAD, Some(&user), ""), 403);
    check_refused(&server.send("GET", PAYLOAD, None, ""), 401);
    check_refused(&server.send("POST", PAYLOAD, Some(&bearer), ""), 405);
    let acts = || server.get("/api/audit?limit=1").json()["items"][0].clone();
    let before = acts();
    let head = server.send("HEAD", PAYLOAD, Some(&bearer), "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(acts(), before, "nothing was handed out");
    let whole = server.get(PAYLOAD);
    for name in ["etag", "content-type", "content-length"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    let listed = server.home().run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    let id = listed
        .lines()
        .find(|line| line.contains("downstream"))
        .expect("a key");
    let id = id.split_whitespace().next().expect("an id");
    assert!(server.home().run(&["key", "disable", id]).status.success());
    check_refused(&server.send("GET", PAYLOAD, Some(&bearer), ""), 401);
}

#[test]
fn who_has_it_is_told_so_until_the_pool_changes() {
    let server = start();
    let tag = |server: &Server, query: &str| {
        let answer = server.get(&format!("{PAYLOAD}{query}"));
        answer.header("etag").expect("a tag").to_owned()
    };
    let first = tag(&server, "");
    assert!(first.starts_with("W/\"") && first.ends_with('"'), "{first}");
    assert_eq!(tag(&server, ""), first);
    let others = [
        tag(&server, "?provider=gpt"),
        tag(&server, "?status=gpt"),
        tag(&start(), ""),
    ];
    assert!(
        !others.contains(&first) && others[0] != others[1],
        "{others:?}"
    );
    let asked = |tags: &str| {
        let request = format!(
            "GET {PAYLOAD} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer admin\r\nIf-None-Match: {tags}\r\nConnection: close\r\n\r\n"
        );
        server.wire(request.as_bytes(), Duration::from_secs(5))
    };
    for tags in [
        first.clone(),
        format!("\"x\", {first}"),
        first.trim_start_matches("W/").to_owned(),
        "*".to_owned(),
    ] {
        let answer = asked(&tags);
        assert!(
            answer.starts_with("HTTP/1.1 304 ") && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
        assert!(answer.contains(&format!("etag: {first}\r\n")), "{answer}");
    }
    assert!(asked(&others[0]).starts_with("HTTP/1.1 200 "));
    server.post(INJECT, r#"{"tokens": ["example-1"], "source_id": "beta"}"#);
    assert!(
        asked(&first).starts_with("HTTP/1.1 304 "),
        "an import that changes nothing"
    );
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "example-1", "quota": 6}]}"#,
    );
    let answer = asked(&first);
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"quota\":6"),
        "{answer}"
    );
    assert_ne!(tag(&server, ""), first);
}

#[test]
fn one_tributary_merges_from_another() {
    let (upstream, downstream) = (start(), Server::start());
    downstream.post(
        INJECT,
        r#"{"accounts": [{"token": "example-3", "quota": 1, "note": "mine"}]}"#,
    );
    let source = hand_on(&upstream, "", &downstream, "merge");
    assert_eq!(sync(&downstream, &source), [3, 2, 1, 0]);
    assert_eq!(sync(&downstream, &source), [3, 0, 3, 0]);
    let pool = downstream.pool();
    assert_eq!(
        (&pool[0]["status"], &pool[0]["quota"]),
        (&json!("限流"), &json!(7))
    );
    assert_eq!(
        (&pool[0]["refresh_token"], &pool[1]["provider"]),
        (&json!("example-refresh"), &json!("grok"))
    );
    assert_eq!(
        (&pool[2]["note"], &pool[2]["quota"]),
        (&json!("mine"), &json!(0))
    );
    assert_eq!(
        pool[2]["owners"],
        json!({"local": true, "sources": [source]})
    );
    // State that changes there arrives here; who goes there stays here.
    upstream.post(
        INJECT,
        r#"{"accounts": [{"token": "example-1", "status": "正常", "quota": 2}]}"#,
    );
    upstream.post(
        INJECT,
        r#"{"tokens": ["example-1"], "source_id": "alpha", "strategy": "replace"}"#,
    );
    assert_eq!(sync(&downstream, &source), [2, 0, 2, 0]);
    let pool = downstream.pool();
    assert_eq!(
        (&pool[0]["status"], &pool[0]["quota"]),
        (&json!("正常"), &json!(2))
    );
    assert_eq!(downstream.tokens(), ["example-1", "example-2", "example-3"]);
}

#[test]
fn one_tributary_follows_another_and_is_not_emptied_by_it() {
    let (upstream, downstream) = (start(), Server::start());
    let source = hand_on(&upstream, "?source_id=alpha", &downstream, "replace");
    assert_eq!(sync(&downstream, &source), [2, 2, 0, 0]);
    upstream.post(
        INJECT,
        r#"{"tokens": ["example-1", "example-4"], "source_id": "alpha", "strategy": "replace"}"#,
    );
    assert_eq!(sync(&downstream, &source), [2, 1, 1, 1]);
    assert_eq!(downstream.tokens(), ["example-1", "example-4"]);
    // What is empty must not empty this pool.
    upstream.post(INJECT, r#"{"tokens": ["example-4"], "source_id": "beta"}"#);
    upstream.post(
        INJECT,
        r#"{"tokens": ["example-5"], "source_id": "alpha", "strategy": "replace"}"#,
    );
    assert_eq!(sync(&downstream, &source), [1, 1, 0, 2]);
    let edited = format!("http://{}{PAYLOAD}?source_id=nobody", upstream.addr);
    let edited = downstream.post(
        &format!("{SOURCES}/{source}"),
        &json!({"url": edited}).to_string(),
    );
    assert_eq!(edited.status, 200, "{edited:?}");
    let failed = downstream.post(&format!("{SOURCES}/{source}/sync"), "");
    check_error(&failed, 502, "remote account sync failed");
    assert_eq!(downstream.tokens(), ["example-5"]);
}

#[test]
fn three_in_a_row_end_with_the_same_pool() {
    let (first, second, third) = (start(), Server::start(), Server::start());
    let tokens: Vec<_> = (0..1_234).map(|n| format!("example-many-{n}")).collect();
    first.post(INJECT, &json!({"tokens": tokens}).to_string());
    let to_second = hand_on(&first, "", &second, "merge");
    let to_third = hand_on(&second, "", &third, "replace");
    assert_eq!(sync(&second, &to_second), [1_237, 1_237, 0, 0]);
    assert_eq!(sync(&third, &to_third), [1_237, 1_237, 0, 0]);
    assert_eq!(first.get(PAYLOAD).body, third.get(PAYLOAD).body);
    first.post(
        INJECT,
        r#"{"accounts": [{"token": "example-many-7", "status": "异常", "fail": 3}]}"#,
    );
    assert_eq!(sync(&second, &to_second), [1_237, 0, 1_237, 0]);
    assert_eq!(sync(&third, &to_third), [1_237, 0, 1_237, 0]);
    assert_eq!(first.get(PAYLOAD).body, third.get(PAYLOAD).body);
}
