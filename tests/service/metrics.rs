//! What is told at `/metrics`, and to whom.

use std::process::Stdio;

use serde_json::json;

use super::auth::NOT_ADMIN;
use super::client::{agent, ask};
use super::examples::{check_error, check_refused};
use super::exposition::Scrape;
use super::harness::{ACCOUNTS, Home, INJECT, SOURCES, Server};
use super::upstream::{Reply, Upstream};

const METRICS: &str = "/metrics";
const POOL: &str = "tributary_accounts";
const REQUESTS: &str = "tributary_http_request_duration_seconds_count";

/// How many imports were counted.
fn imports(scrape: &Scrape, kind: &str, strategy: &str, outcome: &str) -> f64 {
    let labels = [("kind", kind), ("strategy", strategy), ("outcome", outcome)];
    scrape.sum("tributary_imports_total", &labels)
}

#[test]
fn administrators_and_readers_may_read_them() {
    let server = Server::start();
    check_refused(&server.send("GET", METRICS, None, ""), 401);
    let ask = |role: &str, method: &str, path: &str| {
        let key = server.home().key(role, role);
        server.send(method, path, Some(&format!("Bearer {key}")), "")
    };
    check_error(&ask("user", "GET", METRICS), 403, NOT_ADMIN);
    for role in ["admin", "reader"] {
        let answer = ask(role, "GET", METRICS);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; version=0.0.4")
        );
        Scrape::read(&answer.body);
    }
    assert_eq!(ask("reader", "HEAD", METRICS).body, "");
    check_refused(&ask("reader", "GET", "/metrics?name=x"), 422);
    check_refused(&ask("reader", "POST", METRICS), 405);
}

#[test]
fn an_empty_pool_tells_zeros() {
    let scrape = Scrape::of(&Server::start());
    assert_eq!(scrape.all(POOL), []);
    assert_eq!(scrape.all("tributary_owned_accounts").len(), 4);
    assert_eq!(scrape.sum("tributary_owned_accounts", &[]), 0.0);
    assert_eq!(scrape.sum("tributary_imports_total", &[]), 0.0);
    assert!(scrape.all("tributary_imports_total").len() >= 10);
    assert_eq!(scrape.sum("tributary_ready", &[]), 1.0);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(scrape.sum("tributary_build_info", &version), 1.0);
    assert_eq!(scrape.sum("tributary_writer_queue", &[]), 0.0);
    for (name, help) in &scrape.helps {
        let first = help.chars().next().expect("a help");
        assert!(
            first.is_uppercase() && help.ends_with('.'),
            "{name}: {help}"
        );
    }
}

#[test]
fn imports_and_accounts_are_counted() {
    let server = Server::start();
    let inject = |body: serde_json::Value| server.post(INJECT, &body.to_string()).status;
    let replace = |tokens: &[&str]| {
        inject(json!({"tokens": tokens, "strategy": "replace", "source_id": "label"}))
    };
    assert_eq!(inject(json!({"tokens": ["a-1", "a-2", "a-3"]})), 200);
    assert_eq!(
        inject(json!({"accounts": [{"token": "b-1", "provider": "grok", "status": "限流"}]})),
        200
    );
    assert_eq!(replace(&["a-3", "c-1"]), 200);
    assert_eq!(replace(&[]), 400);
    assert_eq!(inject(json!({"tokens": {}})), 400);
    assert_eq!(inject(json!({"tokens": ["x"], "strategy": "other"})), 422);
    assert_eq!(server.post(ACCOUNTS, r#"{"tokens": ["a-1"]}"#).status, 200);
    assert_eq!(server.post(ACCOUNTS, r#"{"tokens": 1}"#).status, 400);
    let scrape = Scrape::of(&server);
    assert_eq!(imports(&scrape, "inject", "merge", "success"), 2.0);
    assert_eq!(imports(&scrape, "inject", "replace", "success"), 1.0);
    assert_eq!(imports(&scrape, "inject", "replace", "refused"), 1.0);
    assert_eq!(imports(&scrape, "inject", "merge", "refused"), 1.0);
    assert_eq!(imports(&scrape, "add", "merge", "success"), 1.0);
    assert_eq!(imports(&scrape, "add", "merge", "refused"), 1.0);
    assert_eq!(scrape.sum("tributary_imports_total", &[]), 7.0);

    let accounts = |scrape: &Scrape, with: &[(&str, &str)]| scrape.sum(POOL, with);
    assert_eq!(accounts(&scrape, &[]), 5.0);
    assert_eq!(
        accounts(&scrape, &[("provider", "grok"), ("status", "限流")]),
        1.0
    );
    assert_eq!(
        accounts(&scrape, &[("provider", "gpt"), ("status", "正常")]),
        4.0
    );
    let owned =
        |scrape: &Scrape, kind| scrape.sum("tributary_owned_accounts", &[("owner_kind", kind)]);
    assert_eq!(
        (owned(&scrape, "local"), owned(&scrape, "inject_label")),
        (4.0, 2.0)
    );

    assert_eq!(replace(&["a-3"]), 200);
    let scrape = Scrape::of(&server);
    assert_eq!(accounts(&scrape, &[]), server.pool().len() as f64);
    assert_eq!(owned(&scrape, "inject_label"), 1.0);
    assert!(scrape.sum("tributary_writer_group_size_sum", &[]) >= 4.0);
    assert!(scrape.sum("tributary_wal_bytes", &[]) > 0.0);

    let server = Server::start_in(server.stop(), &[]);
    let scrape = Scrape::of(&server);
    assert_eq!(accounts(&scrape, &[]), 4.0);
    assert_eq!(
        scrape.sum("tributary_imports_total", &[]),
        0.0,
        "counted since the start"
    );
}

#[test]
fn syncs_are_told_by_source_until_it_is_deleted() {
    const AGE: &str = "tributary_source_sync_age_seconds";
    const DURATION: &str = "tributary_source_sync_duration_seconds";
    const ENABLED: &str = "tributary_source_enabled";
    let server = Server::start();
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        "/good" => Reply::json(r#"{"tokens": ["a-1", "a-2"]}"#),
        _ => Reply::status(500, ""),
    });
    let source = |path: &str, name: &str| {
        server.source(&json!({"url": upstream.url(path), "name": name}).to_string())
    };
    let name = "Team \"A\\B\"\nC";
    let (good, bad) = (source("/good", name), source("/bad", "Bad"));
    let scrape = Scrape::of(&server);
    assert_eq!((scrape.all(AGE), scrape.all(DURATION)), (vec![], vec![]));
    assert_eq!(scrape.sum(ENABLED, &[]), 2.0);

    assert_eq!(
        server.post(&format!("{SOURCES}/{good}/sync"), "").status,
        200
    );
    assert_eq!(
        server.post(&format!("{SOURCES}/{bad}/sync"), "").status,
        502
    );
    let scrape = Scrape::of(&server);
    assert_eq!(imports(&scrape, "sync", "merge", "success"), 1.0);
    assert_eq!(imports(&scrape, "sync", "merge", "failed"), 1.0);
    let labels = &scrape.all(AGE)[0].0;
    assert_eq!(
        (&labels["source_id"], labels["source_name"].as_str()),
        (&good, name)
    );
    assert_eq!(scrape.all(AGE).len(), 1, "the other never was");
    assert_eq!(scrape.all(DURATION).len(), 2);
    assert!(
        scrape
            .all(DURATION)
            .iter()
            .all(|(_, seconds)| *seconds > 0.0)
    );
    assert_eq!(
        scrape.sum("tributary_owned_accounts", &[("owner_kind", "source")]),
        2.0
    );

    server.post(&format!("{SOURCES}/{bad}"), r#"{"enabled": false}"#);
    assert_eq!(
        Scrape::of(&server).sum(ENABLED, &[("source_id", &bad)]),
        0.0
    );
    server.delete(&format!("{SOURCES}/{bad}"));
    let server = Server::start_in(server.stop(), &[]);
    let scrape = Scrape::of(&server);
    assert_eq!((scrape.all(ENABLED).len(), scrape.all(AGE).len()), (1, 1));
    assert_eq!(scrape.all(DURATION), [], "measured since the start");
    server.delete(&format!("{SOURCES}/{good}"));
    let scrape = Scrape::of(&server);
    assert_eq!((scrape.all(ENABLED), scrape.all(AGE)), (vec![], vec![]));
    assert_eq!(
        scrape.sum(
            "tributary_owned_accounts",
            &[("owner_kind", "deleted_source")]
        ),
        2.0
    );
}

#[test]
fn requests_are_timed_by_route_and_never_by_path() {
    let server = Server::start();
    for _ in 0..3 {
        server.get(&format!("{SOURCES}/canary-id/sync?canary=1"));
    }
    server.get(SOURCES);
    server.send("GET", SOURCES, None, "");
    server.get("/api/canary-nothing");
    server.send("CANARY", SOURCES, Some("Bearer admin"), "");
    let text = server.get(METRICS).body;
    assert!(
        !text.contains("canary") && !text.contains("CANARY"),
        "{text}"
    );
    let scrape = Scrape::read(&text);
    let requests = |method, route, status| {
        scrape.sum(
            REQUESTS,
            &[("method", method), ("route", route), ("status", status)],
        )
    };
    let pattern = "/api/remote-account/sources/{id}/sync";
    assert_eq!(requests("GET", pattern, "4xx"), 3.0);
    assert_eq!(requests("GET", SOURCES, "2xx"), 1.0);
    assert_eq!(requests("GET", SOURCES, "4xx"), 1.0);
    assert_eq!(requests("any", "unmatched", "4xx"), 2.0);
    assert_eq!(scrape.sum(REQUESTS, &[]), 7.0);
}

#[test]
fn statuses_from_payloads_cannot_make_endless_series() {
    let server = Server::start();
    let long = "much too long ".repeat(5);
    let mut accounts: Vec<_> = (0..40)
        .map(|n| json!({"token": format!("a-{n}"), "status": format!("rare {n:02}")}))
        .collect();
    accounts.extend((0..5).map(|n| json!({"token": format!("b-{n}"), "provider": "grok"})));
    accounts.extend((0..9).map(|n| json!({"token": format!("c-{n}"), "status": long})));
    accounts.push(json!({"token": "d-1", "status": "other"}));
    accounts.push(json!({"token": "d-2", "status": "rare 39", "provider": "grok"}));
    server.post(INJECT, &json!({"accounts": accounts}).to_string());
    let scrape = Scrape::of(&server);
    let told = scrape.all(POOL);
    let mut statuses: Vec<_> = told.iter().map(|(labels, _)| &labels["status"]).collect();
    statuses.sort();
    statuses.dedup();
    assert_eq!(statuses.len(), 21, "{statuses:?}");
    assert_eq!(scrape.sum(POOL, &[]), 56.0);
    assert_eq!(scrape.sum(POOL, &[("status", "正常")]), 5.0);
    assert_eq!(scrape.sum(POOL, &[("status", "rare 39")]), 2.0);
    // Nine that are too long, and what the twenty leave.
    assert_eq!(scrape.sum(POOL, &[("status", "other")]), 31.0);
}

#[test]
fn no_secret_is_told() {
    let server = Server::start();
    let key = server.home().key("admin", "watched");
    server.send("GET", SOURCES, Some(&format!("Bearer {key}")), "");
    super::logs::say_secrets(&server);
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "canary-status", "status": "canary-status"}]}"#,
    );
    let text = server.get(METRICS).body;
    assert!(Scrape::read(&text).sum(POOL, &[]) >= 3.0, "{text}");
    for secret in ["canary", key.as_str(), "sk-", "http:"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn a_listener_of_their_own_answers_them_without_a_key_and_nothing_else() {
    let home = Home::new();
    let mut command = home.serve();
    command.args(["--metrics-listen", "127.0.0.1:0"]);
    let mut server = Server::spawn(home, command);
    let line = server.line_of_stdout();
    let (addr, path) = line
        .trim_end()
        .strip_prefix("metrics on http://")
        .and_then(|rest| rest.split_once('/'))
        .unwrap_or_else(|| panic!("{line:?}"));
    let addr = addr.parse().expect("an address");
    assert_eq!(path, "metrics");
    assert_ne!(addr, server.addr);
    let client = agent();
    let get =
        |method: &str, path: &str| ask(&client, addr, method, path, None, "").expect("an answer");
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let scrape = Scrape::read(&get("GET", METRICS).body);
    assert_eq!(scrape.sum(POOL, &[]), 1.0);
    assert_eq!(get("HEAD", METRICS).status, 200);
    check_refused(&get("POST", METRICS), 405);
    check_refused(&get("GET", "/metrics?x=1"), 422);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/metrics/"),
        ("GET", SOURCES),
        ("PUT", SOURCES),
        ("POST", INJECT),
    ] {
        check_error(&get(method, path), 404, "not found");
        let admin = Some("Bearer admin");
        let answer = ask(&client, addr, method, path, admin, "").expect("an answer");
        check_error(&answer, 404, "not found");
    }
    check_refused(&server.send("GET", METRICS, None, ""), 401);
    assert_eq!(server.pool().len(), 1);
    let mut server = server;
    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait(std::time::Duration::from_secs(15)).success());
    assert!(std::net::TcpStream::connect(addr).is_err());
}

#[test]
fn without_the_option_there_is_no_other_listener_and_a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let home = Home::new();
    let output = home
        .serve()
        .args(["--metrics-listen", &address])
        .stderr(Stdio::piped())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&address) && said.contains("--metrics-listen"),
        "{said}"
    );
    assert_eq!(output.stdout, b"");
}
