//! `GET /api/remote-account/jobs`: what was imported.

use serde_json::{Value, json};

use super::examples::{check, check_refused};
use super::harness::{INJECT, JOBS, SOURCES, Server};
use super::upstream::{Reply, Upstream};

fn list(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("{JOBS}?{query}"));
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

/// A server with a sync, an inject for a label, a sync that failed, and an inject without source; and both ids.
fn start() -> (Server, [String; 2]) {
    let server = Server::start();
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        "/good" => Reply::json(r#"["example-1", "example-2"]"#),
        _ => Reply::status(500, "canary-body"),
    });
    let source = |path: &str| {
        server.source(&format!(
            r#"{{"name": "S", "url": "{}"}}"#,
            upstream.url(path)
        ))
    };
    let (good, bad) = (source("/good"), source("/bad?canary=1"));
    let sync = |id: &str| server.post(&format!("{SOURCES}/{id}/sync"), "").status;
    assert_eq!(sync(&good), 200);
    server.post(INJECT, r#"{"tokens": ["example-1", "example-3"], "source_id": "label", "source_name": "L", "strategy": "replace"}"#);
    assert_eq!(sync(&bad), 502);
    server.post(INJECT, r#"{"tokens": ["example-1"]}"#);
    (server, [good, bad])
}

#[test]
fn the_newest_job_comes_first_with_all_that_is_told_of_it() {
    let (server, [good, bad]) = start();
    let answer = server.get(JOBS);
    assert!(!answer.body.contains("canary"), "{answer:?}");
    let items = &answer.json()["items"];
    let seen: Vec<_> = items
        .as_array()
        .expect("a list")
        .iter()
        .map(|job| {
            (
                job["kind"].clone(),
                job["status"].clone(),
                job["source_id"].clone(),
                job["total"].clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (json!("inject"), json!("success"), json!(""), json!(1)),
            (json!("sync"), json!("failed"), json!(bad), json!(0)),
            (json!("inject"), json!("success"), json!("label"), json!(2)),
            (json!("sync"), json!("success"), json!(good), json!(2)),
        ]
    );
    let fetch = &items[1]["phases"]["fetch_us"];
    assert!(fetch.as_u64().is_some_and(|took| took > 0), "{fetch}");
    check(
        &server.get(&format!("{JOBS}?source_id={bad}")),
        200,
        &format!(
            r#"{{"items": [{{"job_id": "00000000000000000000000000000001", "status": "failed", "created_at": "2026-05-23T10:15:30+00:00",
            "updated_at": "2026-05-23T10:15:30+00:00", "source_id": "{bad}", "source_name": "S", "strategy": "merge", "total": 0, "added": 0,
            "skipped": 0, "removed": 0, "failed": 1, "errors": ["remote account sync failed"], "kind": "sync", "updated": 0, "unchanged": 0,
            "released": 0, "disabled": 0, "by": "admin", "bytes": 0, "cause": "status", "phases": {{"fetch_us": {fetch}}},
            "error": "cannot fetch from `127.0.0.1`: it answered with status 500", "undoable": false, "undoes": null,
            "undone_by": null}}], "next": null}}"#
        ),
    );
    let inject = server.post(INJECT, r#"{"tokens": ["example-9"]}"#);
    assert_eq!(
        inject.header("tributary-job"),
        list(&server, "limit=1")["items"][0]["job_id"].as_str()
    );
}

#[test]
fn filters_hold_alone_and_together() {
    let (server, [good, _]) = start();
    for (query, count) in [
        ("kind=sync".to_owned(), 2),
        ("kind=inject".to_owned(), 2),
        ("kind=edit".to_owned(), 0),
        ("outcome=success".to_owned(), 3),
        ("outcome=failed".to_owned(), 1),
        ("outcome=running".to_owned(), 0),
        ("source_id=label".to_owned(), 1),
        (format!("source_id={good}&kind=sync&outcome=success"), 1),
        (format!("source_id={good}&outcome=failed"), 0),
        ("source_id=&kind=&outcome=&after=&limit=".to_owned(), 4),
    ] {
        let page = list(&server, &query);
        assert_eq!(
            page["items"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
        assert_eq!(page["next"], Value::Null, "{query}");
    }
}

#[test]
fn pages_follow_each_other_while_jobs_are_added() {
    let server = Server::start();
    for n in 0..25 {
        server.post(
            INJECT,
            &format!(
                r#"{{"tokens": ["example-{n}"], "source_id": "s-{}"}}"#,
                n % 5
            ),
        );
    }
    for (filter, sizes) in [
        ("", vec![7, 7, 7, 4]),
        ("source_id=s-3", vec![5]),
        ("kind=inject&source_id=s-1", vec![5]),
    ] {
        let (mut seen, mut found, mut after) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = list(&server, &format!("{filter}&limit=7&after={after}"));
            let items = page["items"].as_array().expect("a list");
            seen.push(items.len());
            found.extend(items.iter().map(|job| job["job_id"].to_string()));
            // A new job stands before the first page.
            server.post(INJECT, r#"{"tokens": ["example-0"]}"#);
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(seen, sizes, "{filter}");
        found.sort();
        found.dedup();
        assert_eq!(
            found.len(),
            seen.iter().sum::<usize>(),
            "each once: {filter}"
        );
    }
}

#[test]
fn what_is_malformed_is_named() {
    let (server, _) = start();
    let next = list(&server, "limit=1")["next"]
        .as_str()
        .expect("more")
        .to_owned();
    let of_accounts = server.get("/api/accounts?limit=1").json()["next"]
        .as_str()
        .expect("more")
        .to_owned();
    for (query, part) in [
        (
            "kind=import".to_owned(),
            "`kind` must be one of `sync`, `inject`",
        ),
        (
            "outcome=ok".to_owned(),
            "`outcome` must be `success`, `failed`, `blocked` or `running`",
        ),
        ("limit=0".to_owned(), "`limit` must"),
        (
            "after=1".to_owned(),
            "`after` must be a `next` of this list",
        ),
        (format!("after=1{next}"), "`after` must"),
        (format!("after={of_accounts}"), "`after` must"),
        ("status=failed".to_owned(), "parameter `status` is unknown"),
    ] {
        let answer = server.get(&format!("{JOBS}?{query}"));
        check_refused(&answer, 422);
        assert!(
            answer.json()["detail"]["error"]
                .as_str()
                .is_some_and(|said| said.contains(part)),
            "{query}: {answer:?}"
        );
    }
}

#[test]
fn only_an_administrator_may_look() {
    let server = Server::start();
    assert_eq!(server.get(JOBS).body, r#"{"items":[],"next":null}"#);
    for role in ["user", "reader"] {
        let bearer = format!("Bearer {}", server.home().key(role, "colleague"));
        check_refused(&server.send("GET", JOBS, Some(&bearer), ""), 403);
    }
    check_refused(&server.send("GET", JOBS, None, ""), 401);
    check_refused(&server.post(JOBS, ""), 405);
    assert_eq!(server.send("HEAD", JOBS, Some("Bearer admin"), "").body, "");
}
