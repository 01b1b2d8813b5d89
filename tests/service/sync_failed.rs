//! Syncs that fail: one answer for every cause, one job, and nothing else changed.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::examples::{check_error, is_hex, is_time};
use super::harness::{SOURCES, Server};
use super::sync::{FAILED, running, source_of, sync, sync_of, sync_while};
use super::sync_asked::encoded;
use super::upstream::{Reply, Upstream};

/// The sync fails with `status`, its job is stored in the documented form and nothing else changes.
pub(crate) fn check_failed(server: &Server, id: &str, status: u16) {
    let of = |list: &Value| {
        list["sources"]
            .as_array()
            .and_then(|all| all.iter().find(|s| s["id"] == id).cloned())
            .expect("the source")
    };
    let (before, pool) = (of(&server.get(SOURCES).json()), server.pool());
    check_error(&sync(server, id), status, FAILED);
    let after = of(&server.get(SOURCES).json());
    let job = &after["import_job"];
    assert!(is_hex(job["job_id"].as_str().expect("an id"), 32));
    assert!(
        is_time(job["created_at"].as_str().expect("a time"))
            && is_time(job["updated_at"].as_str().expect("a time"))
    );
    let expected = json!({"job_id": job["job_id"], "status": "failed", "created_at": job["created_at"], "updated_at": job["updated_at"], "source_id": id,
        "source_name": before["name"], "strategy": before["sync_strategy"], "total": 0, "added": 0, "skipped": 0, "removed": 0, "failed": 1, "errors": [FAILED]});
    assert_eq!(job, &expected);
    assert_ne!(before["import_job"]["job_id"], job["job_id"]);
    assert_eq!(server.get(&sync_of(id)).json()["import_job"], expected);
    assert_eq!(after["last_sync_at"], before["last_sync_at"]);
    assert_eq!(server.pool(), pool);
}

#[test]
fn a_failed_sync_keeps_the_time_of_the_last_good_one() {
    let server = Server::start();
    let broken = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&broken);
    let upstream = Upstream::start(move |_| {
        if turn.load(Ordering::SeqCst) {
            Reply::status(500, "oops")
        } else {
            Reply::json(r#"["a-1"]"#)
        }
    });
    let id = source_of(
        &server,
        &upstream,
        &json!({"name": "Flaky", "sync_strategy": "replace"}),
    );
    assert_eq!(sync(&server, &id).status, 200);
    broken.store(true, Ordering::SeqCst);
    check_failed(&server, &id, 502);
    check_failed(&server, &id, 502);
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(
        server.get(SOURCES).json()["sources"][0]["import_job"]["status"],
        "failed"
    );
}

#[test]
fn documented_error_every_upstream_failure_is_the_same_502() {
    let server = Server::start_with(&[
        "--max-upstream-body",
        "64KiB",
        "--upstream-timeout",
        "300ms",
    ]);
    let long = format!(r#"["{}"]"#, "x".repeat(70_000));
    let bomb = encoded(
        "gzip",
        format!("[{}\"a\"]", " ".repeat(5_000_000)).as_bytes(),
    );
    let half_gzip = encoded("gzip", br#"["a-1", "a-2"]"#)[..20].to_vec();
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[\"a-1\"".to_vec();
    let replies = [
        ("not JSON", Reply::json("<html>")),
        ("nothing", Reply::json("")),
        ("half a JSON", Reply::json(r#"{"tokens": ["a-1"#)),
        ("JSON and more", Reply::json(r#"["a-1"] ["a-2"]"#)),
        ("no list", Reply::json(r#"{"items": ["a-1"]}"#)),
        ("text", Reply::json(r#""a-1""#)),
        (
            "no list of accounts",
            Reply::json(r#"{"accounts": {"a": 1}}"#),
        ),
        ("not UTF-8", Reply::coded("", b"[\"a-\xff\"]".to_vec())),
        ("half a letter", Reply::json(r#"["a-1", "\ud800"]"#)),
        ("status 500", Reply::status(500, r#"["a-1"]"#)),
        ("status 404", Reply::status(404, r#"["a-1"]"#)),
        ("status 401", Reply::status(401, r#"["a-1"]"#)),
        ("status 304", Reply::status(304, "")),
        ("a redirect to itself", Reply::redirect(302, "/pool.json")),
        ("a redirect nowhere", Reply::status(302, "")),
        (
            "a redirect to a file",
            Reply::redirect(302, "file:///etc/hosts"),
        ),
        (
            "a redirect to metadata",
            Reply::redirect(302, "http://169.254.169.254/latest"),
        ),
        ("too much", Reply::json(&long)),
        ("too much once decoded", Reply::coded("gzip", bomb)),
        ("an unknown encoding", Reply::coded("zstd", b"[]".to_vec())),
        ("broken gzip", Reply::coded("gzip", b"[\"a-1\"]".to_vec())),
        ("half a gzip", Reply::coded("gzip", half_gzip)),
        ("half a body", Reply::Raw(half.clone())),
        ("no HTTP", Reply::Raw(b"SSH-2.0-x\r\n".to_vec())),
        ("no answer", Reply::Raw(Vec::new())),
        ("silence", Reply::Stall(Vec::new())),
        ("a body that stalls", Reply::Stall(half)),
    ];
    for (name, reply) in replies {
        let upstream = Upstream::start(move |_| reply.clone());
        let id = source_of(&server, &upstream, &json!({ "name": name }));
        check_failed(&server, &id, 502);
    }
}

#[test]
fn a_replace_that_would_empty_a_source_fails() {
    let server = Server::start();
    let turn = Arc::new(AtomicBool::new(false));
    let empty = Arc::clone(&turn);
    let upstream = Upstream::start(move |_| {
        Reply::json(if empty.load(Ordering::SeqCst) {
            "[]"
        } else {
            r#"["a-1"]"#
        })
    });
    let id = source_of(&server, &upstream, &json!({"sync_strategy": "replace"}));
    sync(&server, &id);
    turn.store(true, Ordering::SeqCst);
    check_failed(&server, &id, 502);
}

#[test]
fn an_upstream_that_cannot_be_reached_fails() {
    let server = Server::start_with(&["--connect-timeout", "500ms", "--upstream-timeout", "800ms"]);
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("an address")
        .port();
    let plain = Upstream::json("[]");
    for url in [
        format!("http://127.0.0.1:{free}/"),
        "http://nowhere.invalid/".to_owned(),
        format!("https://127.0.0.1:{}/", plain.port()),
    ] {
        let id = server.source(&json!({ "url": url }).to_string());
        check_failed(&server, &id, 502);
    }
}

#[test]
fn addresses_of_the_machine_s_own_network_are_refused_in_every_notation() {
    let server = Server::start_with(&["--connect-timeout", "2s"]);
    let upstream = Upstream::json(r#"["a-1"]"#);
    let port = upstream.port();
    for host in [
        "0.0.0.0",
        "[::]",
        "0",
        "0x0",
        "[::ffff:0.0.0.0]",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
    ] {
        let id = server.source(&json!({ "url": format!("http://{host}:{port}/") }).to_string());
        let began = Instant::now();
        check_failed(&server, &id, 502);
        assert!(
            began.elapsed() < Duration::from_millis(1_500),
            "{host} is refused, not tried"
        );
    }
    assert!(upstream.asked().is_empty());
}

#[test]
fn a_sync_that_a_crash_cut_short_has_failed_at_the_next_start() {
    let server = Server::start();
    let upstream = Upstream::start(|_| Reply::Stall(Vec::new()));
    let id = source_of(&server, &upstream, &json!({}));
    let mut stream = server.connect();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\n\r\n",
        sync_of(&id)
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    running(&server, &id);
    let server = Server::start_in(server.crash(), &[]);
    let job = server.get(&sync_of(&id)).json()["import_job"].clone();
    assert_eq!(
        (&job["status"], &job["failed"], &job["errors"]),
        (&json!("failed"), &json!(1), &json!([FAILED]))
    );
    assert_eq!(server.get(SOURCES).json()["sources"][0]["last_sync_at"], "");
}

#[test]
fn a_source_that_changes_while_it_is_fetched_is_not_applied() {
    for (change, status) in [("edit", 502), ("disable", 502), ("delete", 404)] {
        let server = Server::start();
        let (upstream, go) = Upstream::held(r#"["a-1"]"#);
        let id = source_of(&server, &upstream, &json!({}));
        let path = format!("{SOURCES}/{id}");
        let answer = sync_while(&server, &id, &go, || {
            let changed = match change {
                "edit" => server.post(&path, r#"{"url": "http://a.example.test/"}"#),
                "disable" => server.post(&path, r#"{"enabled": false}"#),
                _ => server.delete(&path),
            };
            assert_eq!(changed.status, 200, "a fetch holds nobody up");
        });
        check_error(
            &answer,
            status,
            if status == 404 {
                "source not found"
            } else {
                FAILED
            },
        );
        assert!(server.pool().is_empty(), "{change}");
    }
}

#[test]
fn what_comes_of_a_source_as_it_was_says_nothing_of_it_after_an_edit() {
    let server = Server::start();
    for (edited, failures) in [(false, 1), (true, 0)] {
        let (upstream, go) = Upstream::held("no JSON");
        let id = server.source(&json!({"url": upstream.url("/")}).to_string());
        let answer = sync_while(&server, &id, &go, || {
            if edited {
                let edit = server.post(&format!("{SOURCES}/{id}"), r#"{"name": "new"}"#);
                assert_eq!(edit.status, 200, "{edit:?}");
            }
        });
        assert_eq!(answer.status, 502, "{answer:?}");
        let schedule = server.get("/api/remote-account/schedule").json();
        let stands = schedule["schedule"].as_array().expect("a list").last();
        assert_eq!(
            stands.expect("a source")["failures"],
            failures,
            "{schedule}"
        );
    }
}
