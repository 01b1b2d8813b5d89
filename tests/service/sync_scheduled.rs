//! `serve --auto-sync`: each enabled source at its interval, politely.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::{ACCOUNTS, JOBS, SOURCES, Server};
use super::upstream::{Reply, Upstream};

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn jobs(server: &Server, query: &str) -> Vec<Value> {
    let page = server.get(&format!("{JOBS}?{query}")).json();
    page["items"].as_array().cloned().unwrap_or_default()
}

fn source(server: &Server, url: &str) -> String {
    server.source(&json!({"name": "S", "url": url, "interval_seconds": 1}).to_string())
}

/// All sources in the schedule.
fn stands(server: &Server) -> Value {
    server.get("/api/remote-account/schedule").json()["schedule"].clone()
}

/// 200 with these accounts and an `ETag`, or 304 to who has it.
fn conditional(asked: &super::upstream::Asked, tag: &str, body: &str) -> Reply {
    match asked.header("if-none-match") == Some(tag) {
        true => Reply::Raw(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec()),
        false => Reply::Answer {
            status: 200,
            headers: vec![("ETag", tag.to_owned())],
            body: body.as_bytes().to_vec(),
        },
    }
}

#[test]
fn nothing_is_synced_unless_the_server_is_told_to() {
    let server = Server::start();
    let upstream = Upstream::json(r#"["example-1"]"#);
    source(&server, &upstream.url("/"));
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(upstream.asked().is_empty());
    assert!(jobs(&server, "").is_empty());
}

#[test]
fn enabled_sources_are_synced_at_their_interval() {
    let server = Server::start_with(&["--auto-sync"]);
    let upstream = Upstream::json(r#"["example-1"]"#);
    let id = source(&server, &upstream.url("/"));
    let plain = server.source(&json!({"url": upstream.url("/plain")}).to_string());
    let off = server.source(
        &json!({"url": upstream.url("/off"), "interval_seconds": 1, "enabled": false}).to_string(),
    );
    wait_until("it is synced thrice", || {
        jobs(&server, &format!("source_id={id}")).len() >= 3
    });
    let all = jobs(&server, "");
    assert!(
        all.iter().all(|job| job["source_id"] == json!(id)),
        "{all:?}"
    );
    assert_eq!(
        (&all[0]["by"], &all.last().expect("some")["added"]),
        (&json!("schedule"), &json!(1))
    );
    assert!(jobs(&server, &format!("source_id={plain}")).is_empty());
    assert!(jobs(&server, &format!("source_id={off}")).is_empty());
    let policy = server.get(&format!("{SOURCES}/{id}/policy")).json();
    assert!(policy["schedule"]["next_sync_at"].is_string(), "{policy}");
    let all = stands(&server);
    let line = |at: usize| (&all[at]["source_id"], all[at]["next_sync_at"].is_string());
    let listed = [
        (json!(id), true),
        (json!(plain), false),
        (json!(off), false),
    ];
    for (at, (id, is_asked)) in listed.iter().enumerate() {
        assert_eq!(line(at), (id, *is_asked), "{all}");
    }
    server.post(&format!("{SOURCES}/{id}"), r#"{"enabled": false}"#);
    std::thread::sleep(Duration::from_millis(300));
    let count = jobs(&server, "").len();
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(
        jobs(&server, "").len(),
        count,
        "a disabled one is left alone"
    );
}

#[test]
fn a_source_that_has_nothing_new_is_a_success_that_changes_nothing() {
    let server = Server::start_with(&["--auto-sync"]);
    let upstream =
        Upstream::start(|asked| conditional(asked, "\"v1\"", r#"["example-1", "example-2"]"#));
    let id = source(&server, &upstream.url("/"));
    let told = || {
        jobs(&server, "limit=1")
            .first()
            .map(|job| job["not_modified"] == json!(true))
    };
    wait_until("a 304 is a success", || told() == Some(true));
    let revision = server.revision();
    assert_eq!(revision, 1);
    let job = &jobs(&server, "limit=1")[0];
    assert_eq!(
        (&job["status"], &job["total"]),
        (&json!("success"), &json!(0))
    );
    // What a person takes from it is asked for anew.
    server.delete_with(ACCOUNTS, r#"{"tokens": ["example-1"]}"#);
    wait_until("it comes back", || {
        server.tokens() == ["example-1", "example-2"]
    });
    wait_until("then there is nothing new again", || told() == Some(true));
    // So is what an undo took, and all of it after an edit.
    let sync = jobs(&server, "kind=sync")
        .into_iter()
        .find(|job| job["added"] == json!(1));
    let sync = sync.expect("the sync that brought it back");
    let undo = format!("{JOBS}/{}/undo", sync["job_id"].as_str().expect("an id"));
    assert_eq!(server.post(&undo, "").status, 200);
    wait_until("it comes back", || server.tokens().len() == 2);
    wait_until("then there is nothing new again", || told() == Some(true));
    let whole = || {
        upstream
            .asked()
            .iter()
            .filter(|asked| asked.header("if-none-match").is_none())
            .count()
    };
    let before = whole();
    server.post(&format!("{SOURCES}/{id}"), r#"{"name": "T"}"#);
    wait_until("an edit asks for all of it", || whole() > before);
    // A person's sync always does.
    let before = whole();
    server.post(&format!("{SOURCES}/{id}/sync"), "");
    assert!(whole() > before);
}

#[test]
fn who_asks_to_be_left_alone_is() {
    let server = Server::start_with(&["--auto-sync"]);
    let upstream = Upstream::start(|_| Reply::Answer {
        status: 429,
        headers: vec![("Retry-After", "3600".to_owned())],
        body: Vec::new(),
    });
    let id = source(&server, &upstream.url("/"));
    wait_until("it is asked", || {
        !jobs(&server, "outcome=failed").is_empty()
    });
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(upstream.asked().len(), 1);
    let policy = server.get(&format!("{SOURCES}/{id}/policy")).json();
    assert_eq!(policy["schedule"]["failures"], json!(1));
}

#[test]
fn eight_failures_in_a_row_are_enough_until_a_person_comes() {
    let server = Server::start_with(&["--auto-sync"]);
    let good = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&good);
    // A failure that stays waits its interval alone: a backoff would take half an hour to get there.
    let upstream = Upstream::start(move |_| match now.load(Ordering::SeqCst) {
        0 => Reply::status(403, "canary"),
        _ => Reply::json(r#"["example-1"]"#),
    });
    let id = source(&server, &upstream.url("/"));
    let policy = || server.get(&format!("{SOURCES}/{id}/policy")).json()["schedule"].clone();
    wait_until("it is quarantined", || {
        policy()["quarantined"] == json!(true)
    });
    let mut told = policy();
    told["source_id"] = json!(id);
    assert_eq!(stands(&server), json!([told]));
    let failed = jobs(&server, "outcome=failed");
    assert_eq!(failed.len(), 8);
    assert_eq!(failed[0]["quarantined"], json!(true), "{}", failed[0]);
    let log = server.home().log();
    assert!(log.contains("leaves this source alone"), "{log}");
    assert_eq!(failed[1].get("quarantined"), None);
    std::thread::sleep(Duration::from_millis(2_000));
    assert_eq!(upstream.asked().len(), 8, "it is left alone");
    good.store(1, Ordering::SeqCst);
    assert_eq!(server.post(&format!("{SOURCES}/{id}/sync"), "").status, 200);
    assert_eq!(policy()["quarantined"], json!(false));
    assert_eq!(stands(&server)[0]["quarantined"], json!(false));
    wait_until("it is asked again", || upstream.asked().len() >= 10);
}

#[test]
fn at_most_four_sources_are_asked_at_once() {
    let server = Server::start_with(&["--auto-sync"]);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
    let (asking, seen) = (Arc::clone(&now), Arc::clone(&most));
    let upstream = Upstream::start(move |_| {
        let count = asking.fetch_add(1, Ordering::SeqCst) + 1;
        let mut most = seen.lock().expect("a count");
        *most = count.max(*most);
        drop(most);
        std::thread::sleep(Duration::from_millis(300));
        asking.fetch_sub(1, Ordering::SeqCst);
        Reply::json(r#"["example-1"]"#)
    });
    for n in 0..10 {
        source(&server, &upstream.url(&format!("/{n}")));
    }
    wait_until("all are asked", || upstream.asked().len() >= 20);
    let most = *most.lock().expect("a count");
    assert!((2..=4).contains(&most), "{most} at once");
}

#[test]
fn a_source_that_does_not_open_is_told_of_and_not_tried_again_at_once() {
    let server = Server::start();
    let id = source(&server, "http://a.example.test/");
    let home = server.stop();
    home.database()
        .execute("UPDATE source SET secret = x'00'", [])
        .expect("an update");
    let server = Server::start_in(home, &["--auto-sync"]);
    let told = || {
        let log = server.home().log();
        let lines = log.lines().filter(|line| line.contains("could not sync"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    wait_until("it is told of", || !told().is_empty());
    std::thread::sleep(Duration::from_secs(1));
    let told = told();
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(line.contains(&format!("source {id}: ")), "{line}");
}
