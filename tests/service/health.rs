//! `GET /health` and `GET /ready`.

use std::sync::atomic::Ordering;

use super::harness::{INJECT, SOURCES, Server};
use super::upstream::Upstream;

#[test]
fn both_answer_anyone_without_detail() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"tokens": ["a-1"], "source_id": "canary-source"}"#,
    );
    for path in ["/health", "/ready"] {
        for authorization in [None, Some("Bearer wrong"), Some("Bearer admin")] {
            let answer = server.send("GET", path, authorization, "");
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let data = server.home().data();
            assert!(
                !answer.body.contains(data.to_str().expect("a path"))
                    && !answer.body.contains("canary"),
                "{answer:?}"
            );
            assert!(answer.body.len() < 200, "{answer:?}");
        }
    }
}

#[test]
fn both_answer_while_a_sync_waits() {
    let server = Server::start();
    let (upstream, go) = Upstream::held("[]");
    let id = server.source(&serde_json::json!({ "url": upstream.url("/") }).to_string());
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| server.post(&format!("{SOURCES}/{id}/sync"), "").status);
        for path in ["/health", "/ready"] {
            assert_eq!(server.send("GET", path, None, "").status, 200);
        }
        go.store(true, Ordering::SeqCst);
        assert_eq!(caller.join().expect("an answer"), 200);
    });
}
