//! `/api/remote-account/sources/{source_id}/sync`: fetches of real upstreams.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check, check_error};
use super::harness::{INJECT, SOURCES, Server};
use super::upstream::{Reply, Upstream};

pub(crate) const FAILED: &str = "remote account sync failed";

const JOB: &str = r#"{
    "job_id": "9999aaaabbbbccccddddeeeeffff0000",
    "status": "success",
    "created_at": "2026-05-23T10:20:00+00:00",
    "updated_at": "2026-05-23T10:20:01+00:00",
    "source_id": "a1b2c3d4e5f6",
    "source_name": "Team GPT Source",
    "strategy": "merge",
    "total": 2,
    "added": 1,
    "skipped": 1,
    "removed": 0,
    "failed": 0,
    "errors": []
}"#;

/// The source of the documented sync, at another address.
fn team(url: &str) -> String {
    json!({"name": "Team GPT Source", "url": url, "method": "GET", "provider": "gpt", "sync_strategy": "merge", "interval_seconds": 3600}).to_string()
}

/// A documented answer with the address that a test can fetch.
fn at(url: &str, documented: &str) -> String {
    documented.replace("https://accounts.example.test/webchat2api.json", url)
}

fn synced_source() -> String {
    format!(
        r#"{{
            "id": "a1b2c3d4e5f6",
            "name": "Team GPT Source",
            "enabled": true,
            "url": "https://accounts.example.test/webchat2api.json",
            "method": "GET",
            "auth_header": "",
            "provider": "gpt",
            "sync_strategy": "merge",
            "interval_seconds": 3600,
            "last_sync_at": "2026-05-23T10:20:01+00:00",
            "import_job": {JOB},
            "has_auth_token": false,
            "has_bearer_token": false
        }}"#
    )
}

/// Where the syncs of a source are asked for.
pub(crate) fn sync_of(id: &str) -> String {
    format!("{SOURCES}/{id}/sync")
}

/// A source with these fields more than the address of `upstream`.
pub(crate) fn source_of(server: &Server, upstream: &Upstream, fields: &Value) -> String {
    let mut body = json!({ "url": upstream.url("/pool.json") });
    body.as_object_mut()
        .expect("an object")
        .extend(fields.as_object().expect("an object").clone());
    server.source(&body.to_string())
}

pub(crate) fn sync(server: &Server, id: &str) -> Answer {
    server.post(&sync_of(id), "")
}

#[test]
fn documented_sync_status_and_list() {
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-token-1", "example-token-2"]}"#);
    let url = upstream.url("/webchat2api.json");
    server.post(INJECT, r#"{"tokens": ["example-token-1"]}"#);
    let id = server.source(&team(&url));
    let answer = sync(&server, &id);
    check(
        &answer,
        200,
        &at(
            &url,
            &format!(r#"{{"import_job": {JOB}, "source": {}}}"#, synced_source()),
        ),
    );
    check(
        &server.get(&sync_of(&id)),
        200,
        &format!(r#"{{"import_job": {JOB}}}"#),
    );
    check(
        &server.get(SOURCES),
        200,
        &at(&url, &format!(r#"{{"sources": [{}]}}"#, synced_source())),
    );
    let job = &answer.json()["import_job"];
    assert_eq!(job["updated_at"], answer.json()["source"]["last_sync_at"]);
    assert_eq!(job["source_id"], id.as_str());
    assert_eq!(answer.header("tributary-job"), job["job_id"].as_str());
    assert_eq!(answer.header("tributary-skipped"), None);
    assert_eq!(server.tokens(), ["example-token-1", "example-token-2"]);
}

#[test]
fn documented_payload_shapes_are_fetched() {
    let shapes = [
        r#"{
            "tokens": ["example-token-1", "example-token-2"]
        }"#,
        r#"{
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
        }"#,
        r#"[
            "example-token-5",
            {
                "access_token": "example-token-6",
                "provider": "gpt"
            }
        ]"#,
    ];
    let server = Server::start();
    for shape in shapes {
        let upstream = Upstream::json(shape);
        let answer = sync(&server, &source_of(&server, &upstream, &json!({}))).json();
        assert_eq!(
            (
                &answer["import_job"]["total"],
                &answer["import_job"]["added"]
            ),
            (&json!(2), &json!(2)),
            "{answer}"
        );
    }
    assert_eq!(
        server.tokens(),
        (1..=6)
            .map(|n| format!("example-token-{n}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_source_s_provider_is_the_default_of_its_entries() {
    let server = Server::start();
    let upstream = Upstream::json(r#"["a-1", {"token": "a-2", "provider": "ChatGPT"}]"#);
    for (provider, expected) in [("grok", ["grok", "gpt"]), ("", ["grok", "gpt"])] {
        sync(
            &server,
            &source_of(&server, &upstream, &json!({ "provider": provider })),
        );
        let pool = server.pool();
        assert_eq!(
            [&pool[0]["provider"], &pool[1]["provider"]],
            expected,
            "an existing account keeps its provider unless the entry names one"
        );
    }
    let server = Server::start();
    sync(
        &server,
        &source_of(&server, &upstream, &json!({ "provider": "" })),
    );
    assert_eq!(server.pool()[0]["provider"], "gpt");
}

#[test]
fn a_source_that_replaces_removes_what_it_no_longer_lists() {
    let server = Server::start();
    let second = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&second);
    let upstream = Upstream::start(move |_| {
        Reply::json(if turn.load(Ordering::SeqCst) {
            r#"["b-1", "b-3"]"#
        } else {
            r#"["b-1", "b-2"]"#
        })
    });
    let id = source_of(&server, &upstream, &json!({"sync_strategy": "replace"}));
    server.post(INJECT, r#"{"tokens": ["local-1"]}"#);
    sync(&server, &id);
    second.store(true, Ordering::SeqCst);
    let job = sync(&server, &id).json()["import_job"].clone();
    let counts: Vec<_> = ["total", "added", "skipped", "removed"]
        .map(|count| job[count].as_u64().expect("a count"))
        .into();
    assert_eq!(
        (job["strategy"].as_str(), counts.as_slice()),
        (Some("replace"), [2, 1, 1, 1].as_slice())
    );
    assert_eq!(server.tokens(), ["b-1", "b-3", "local-1"]);
}

#[test]
fn documented_error_a_disabled_source_makes_no_job() {
    let server = Server::start();
    let upstream = Upstream::json("[]");
    let id = source_of(&server, &upstream, &json!({"enabled": false}));
    check_error(&sync(&server, &id), 400, "source is disabled");
    check(&server.get(&sync_of(&id)), 200, r#"{"import_job": null}"#);
    assert!(upstream.asked().is_empty());
}

#[test]
fn the_body_of_a_sync_is_never_read() {
    let server = Server::start();
    let upstream = Upstream::json(r#"["a-1"]"#);
    let id = source_of(&server, &upstream, &json!({}));
    for body in ["{", "not json", r#"{"strategy": 7, "enabled": "x"}"#] {
        assert_eq!(server.post(&sync_of(&id), body).status, 200, "{body}");
    }
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nContent-Length: 100000000\r\n\r\n",
        sync_of(&id)
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).expect("it listens");
    let answer = super::client::read_all(&mut stream, Duration::from_secs(3));
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "it answers without waiting for the body: {answer}"
    );
}

#[test]
fn syncs_of_one_source_join() {
    let server = Server::start();
    let (upstream, go) = Upstream::held(r#"["a-1"]"#);
    let id = source_of(&server, &upstream, &json!({"name": "Slow"}));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(|| sync(&server, &id))).collect();
        running(&server, &id);
        // The others have had time to arrive while the first is held.
        std::thread::sleep(Duration::from_millis(150));
        go.store(true, Ordering::SeqCst);
        callers
            .into_iter()
            .map(|caller| caller.join().expect("an answer"))
            .collect()
    });
    assert_eq!(upstream.asked().len(), 1);
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &answers[0].body));
    }
}

/// Syncs a source, and acts while its upstream holds back the answer.
pub(crate) fn sync_while(server: &Server, id: &str, go: &AtomicBool, act: impl FnOnce()) -> Answer {
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| sync(server, id));
        running(server, id);
        act();
        go.store(true, Ordering::SeqCst);
        caller.join().expect("an answer")
    })
}

/// Waits until the source shows a running sync and checks its form.
pub(crate) fn running(server: &Server, id: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let shown = server.get(&sync_of(id)).json();
        if let Some(job) = shown["import_job"].as_object() {
            let counts: Vec<_> = ["total", "added", "skipped", "removed", "failed"]
                .iter()
                .map(|name| &job[*name])
                .collect();
            assert_eq!(
                (job["status"].as_str(), counts, &job["errors"]),
                (Some("running"), vec![&json!(0); 5], &json!([]))
            );
            return;
        }
        assert!(Instant::now() < deadline, "no sync runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_caller_that_hangs_up_cancels_nothing() {
    let server = Server::start();
    let (upstream, go) = Upstream::held(r#"["a-1"]"#);
    let id = source_of(&server, &upstream, &json!({}));
    let mut stream = server.connect();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\n\r\n",
        sync_of(&id)
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    running(&server, &id);
    drop(stream);
    std::thread::sleep(Duration::from_millis(50));
    go.store(true, Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.get(&sync_of(&id)).json()["import_job"]["status"] != "success" {
        assert!(Instant::now() < deadline, "the sync never ends");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.tokens(), ["a-1"]);
}

#[test]
fn a_sync_tells_what_was_not_taken() {
    let server = Server::start();
    let upstream = Upstream::json(r#"["a-1", 5, {"token": "a-2", "provider": "other"}]"#);
    let answer = sync(&server, &source_of(&server, &upstream, &json!({})));
    assert_eq!(
        (
            &answer.json()["import_job"]["total"],
            answer.header("tributary-skipped")
        ),
        (&json!(1), Some("2"))
    );
}
