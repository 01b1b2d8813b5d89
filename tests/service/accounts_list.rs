//! `GET /api/accounts` and `GET /api/accounts/{id}`: accounts as an operator sees them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::examples::{check_error, check_refused};
use super::harness::{ACCOUNTS, INJECT, SOURCES, Server};

/// A pool of five accounts of two sources and a person.
fn start() -> Server {
    let server = Server::start();
    for body in [
        r#"{"source_id": "alpha", "source_name": "Alpha", "accounts": [
            {"token": "example-token-1", "email": "Ann@example.test", "refresh_token": "canary-secret", "n": 1.50},
            {"token": "example-token-2", "provider": "grok", "type": "plus", "status": "限流", "nested": {"cookie": "canary-secret", "team": "ops"}}]}"#,
        r#"{"source_id": "beta", "accounts": [{"token": "example-token-3", "type": "plus", "quota": 7}, "example-token-1"]}"#,
        r#"{"tokens": ["example-token-4", "example-token-2"]}"#,
        r#"{"source_id": "local", "accounts": [{"token": "example-token-5", "note": "a \"quoted\" \\ word"}]}"#,
    ] {
        assert_eq!(server.post(INJECT, body).status, 200);
    }
    server
}

fn list(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("{ACCOUNTS}?{query}"));
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

/// The last characters of the masked tokens of a page.
fn numbers(page: &Value) -> String {
    let items = page["items"].as_array().expect("a list");
    let token = |item: &Value| item["token"].as_str().expect("a token").to_owned();
    items.iter().filter_map(|item| token(item).pop()).collect()
}

#[test]
fn a_list_shows_every_field_and_no_secret() {
    let server = start();
    let answer = server.get(ACCOUNTS);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!answer.body.contains("canary-secret") && !answer.body.contains("example-token"));
    assert!(answer.body.contains(r#""n":1.50"#), "{answer:?}");
    let page = answer.json();
    assert_eq!((&page["next"], &page["total"]), (&Value::Null, &json!(5)));
    assert_eq!(numbers(&page), "12345");
    let mut item = page["items"][1].clone();
    let id = item["id"].take();
    assert_eq!(id.as_str().map(str::len), Some(32));
    assert!(item["remote_injected_at"].take().as_str().is_some());
    assert_eq!(
        item.to_string(),
        json!({"id": null, "token": "ex…-2", "provider": "grok", "type": "plus", "status": "限流",
            "nested": {"cookie": "…", "team": "ops"}, "quota": 0, "success": 0, "fail": 0, "remote_source_id": "alpha",
            "remote_source_name": "Alpha", "remote_injected_at": null, "owners": {"local": true, "sources": ["alpha"]}})
        .to_string()
    );
    let by_hand = &page["items"][3];
    assert!(
        by_hand.get("remote_source_id").is_none() && by_hand.get("remote_source_name").is_none()
    );
}

#[test]
fn members_stand_in_the_order_of_an_export() {
    let server = start();
    let export = server.post(super::harness::EXPORT, "").body;
    let list = server.get(ACCOUNTS).body;
    for line in export.lines() {
        let shown = line.replace("canary-secret", "…");
        let behind_token = shown.split_once(",\"provider\"").expect("a provider").1;
        let behind_token = behind_token
            .split(",\"owner_names\"")
            .next()
            .expect("a part");
        assert!(list.contains(behind_token), "{behind_token}\n{list}");
    }
}

#[test]
fn filters_hold_alone_and_together() {
    let server = start();
    for (query, expected) in [
        ("provider=gpt", "1345"),
        ("provider=grok", "2"),
        ("source_id=alpha", "12"),
        ("source_id=beta", "13"),
        ("source_id=nobody", ""),
        ("owner=local", "24"),
        ("owner=source:local", "5"),
        ("owner=source:alpha", "12"),
        ("owner=source:nobody", ""),
        ("owner=none", ""),
        ("status=%E9%99%90%E6%B5%81", "2"),
        ("status=%E9%99%90", ""),
        ("type=plus", "23"),
        ("type=free", "145"),
        ("q=ANN@", "1"),
        ("q=EX", "12345"),
        ("q=-3", "3"),
        ("q=ops", "2"),
        ("q=team", "2"),
        ("q=email", ""),
        ("q=1.50", "1"),
        ("q=canary", ""),
        ("q=%22quoted%22+%5C", "5"),
        ("q=%25", ""),
        ("q=_", ""),
        ("source_id=alpha&owner=source:beta", "1"),
        ("source_id=alpha&owner=source:alpha", "12"),
        ("source_id=alpha&owner=local", "2"),
        ("source_id=alpha&owner=none", ""),
        ("source_id=alpha&provider=gpt", "1"),
        ("source_id=beta&type=plus&provider=gpt&q=7", "3"),
        ("owner=local&status=%E9%99%90%E6%B5%81&type=plus", "2"),
        (
            "provider=&source_id=&owner=&status=&type=&q=&limit=&after=&count=",
            "12345",
        ),
    ] {
        let page = list(&server, query);
        assert_eq!(numbers(&page), expected, "{query}");
        assert_eq!(
            (&page["next"], &page["total"]),
            (&Value::Null, &json!(5)),
            "{query}"
        );
        let counted = list(
            &server,
            &format!("{}&count=true", query.replace("&count=", "")),
        );
        assert_eq!(counted["total"], json!(expected.len()), "{query}");
        let one = list(
            &server,
            &format!("{}&limit=1", query.replace("&limit=", "")),
        );
        assert_eq!(one["next"].is_null(), expected.len() < 2, "{query}: {one}");
    }
}

#[test]
fn an_id_is_found_by_its_beginning() {
    let server = start();
    for item in list(&server, "")["items"].as_array().expect("a list") {
        let id = item["id"].as_str().expect("an id");
        for beginning in [id, &id[..12], &id[..12].to_uppercase()] {
            let found = list(&server, &format!("q={beginning}"));
            assert_eq!(found["items"], json!([item]));
        }
        assert_eq!(
            list(&server, &format!("q={}", &id[1..13]))["items"],
            json!([])
        );
        let shown = server.get(&format!("{ACCOUNTS}/{id}"));
        assert_eq!((shown.status, shown.json()), (200, json!({"item": item})));
        assert_eq!(
            server
                .get(&format!("{ACCOUNTS}/{}", id.to_uppercase()))
                .status,
            200
        );
        assert_eq!(server.get(&format!("{ACCOUNTS}/{id}?q=x")).status, 422);
    }
    let none = "0".repeat(32);
    for unknown in [none.as_str(), "x", &none[1..], "%00"] {
        check_error(
            &server.get(&format!("{ACCOUNTS}/{unknown}")),
            404,
            "account not found",
        );
    }
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let server = Server::start();
    let tokens: Vec<_> = (0..2_345).map(|n| format!("example-{n}")).collect();
    let body = json!({"source_id": "s", "tokens": tokens});
    server.post(INJECT, &body.to_string());
    for n in [0, 1_500, 2_344] {
        let body = json!({"accounts": [{"token": tokens[n], "provider": "grok", "type": "rare"}]});
        server.post(INJECT, &body.to_string());
    }
    let everyone = walk(&server, "limit=1000");
    assert_eq!(
        everyone.iter().map(Vec::len).collect::<Vec<_>>(),
        [1_000, 1_000, 345]
    );
    let everyone = everyone.concat();
    for (filter, sizes) in [
        ("limit=335", vec![335; 7]),
        ("source_id=s&limit=670", vec![670, 670, 670, 335]),
        ("type=free&limit=1000", vec![1_000, 1_000, 342]),
        ("type=rare&limit=1", vec![1, 1, 1]),
        ("type=rare&source_id=s&limit=2", vec![2, 1]),
        ("provider=grok", vec![3]),
        ("owner=local&limit=3", vec![3]),
        ("q=example-none", vec![0]),
        ("type=none&limit=1", vec![0]),
    ] {
        let pages = walk(&server, filter);
        assert_eq!(
            pages.iter().map(Vec::len).collect::<Vec<_>>(),
            sizes,
            "{filter}"
        );
        let mut ids = everyone.clone();
        let found = pages.concat();
        ids.retain(|id| found.contains(id));
        assert_eq!(found, ids, "in the order of insertion: {filter}");
        let counted = list(&server, &format!("{filter}&count=true"));
        assert_eq!(
            counted["total"],
            json!(sizes.iter().sum::<usize>()),
            "{filter}"
        );
    }
}

/// The ids of every page.
fn walk(server: &Server, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = list(server, &format!("{query}&after={after}"));
        let items = page["items"].as_array().expect("a list").iter();
        pages.push(items.map(|item| item["id"].to_string()).collect());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return pages,
        }
    }
}

#[test]
fn who_is_there_throughout_a_walk_is_listed_once() {
    let server = Server::start();
    let stay: Vec<_> = (0..600).map(|n| format!("example-stay-{n}")).collect();
    let half =
        |from: usize| json!({"source_id": "s", "tokens": stay[from..from + 300]}).to_string();
    let passing = |n: usize| {
        json!({"strategy": "replace", "source_id": "t", "tokens": [format!("example-passing-{n}"), format!("example-other-{n}")]}).to_string()
    };
    for body in [half(0), passing(0), half(300)] {
        assert_eq!(server.post(INJECT, &body).status, 200);
    }
    let there: BTreeSet<String> = walk(&server, "source_id=s").concat().into_iter().collect();
    assert_eq!(there.len(), 600);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1.. {
                // Accounts come and go, and those that stay are updated.
                let update =
                    json!({"source_id": "s", "accounts": [{"token": stay[n % 600], "n": n}]});
                for body in [passing(n), update.to_string()] {
                    assert_eq!(server.post(INJECT, &body).status, 200);
                }
                if done.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        for query in [
            "limit=7",
            "limit=50&source_id=s",
            "limit=31&type=free",
            "limit=100&q=ex",
        ] {
            let mut listed = walk(&server, query).concat();
            listed.retain(|id| there.contains(id));
            assert_eq!(listed.len(), 600, "{query}");
            assert_eq!(
                listed.into_iter().collect::<BTreeSet<_>>(),
                there,
                "{query}"
            );
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn what_is_malformed_is_named() {
    let server = start();
    let next = list(&server, "limit=2")["next"]
        .as_str()
        .expect("more")
        .to_owned();
    let forged = format!("after={}", next.replace("2.", "3."));
    for (query, part) in [
        ("limit=0", "`limit` must be a whole number from 1 to 1000"),
        ("limit=1001", "`limit` must"),
        ("limit=ten", "`limit` must"),
        ("after=2", "`after` must be a `next` of this list"),
        (&forged, "`after` must"),
        ("count=yes", "`count` must be `true` or `false`"),
        ("provider=GPT", "`provider` must be `gpt` or `grok`"),
        (
            "owner=alpha",
            "`owner` must be `local`, or `source:` and an id, as GET /api/accounts/owners shows",
        ),
        ("owner=source:", "`owner` must"),
        ("owner=Local", "`owner` must"),
        (
            "quota=1",
            "parameter `quota` is unknown: this address takes `provider`",
        ),
        ("limit=1&limit=2", "`limit` is given twice"),
        ("q=%ff", "not percent-encoded UTF-8"),
    ] {
        let answer = server.get(&format!("{ACCOUNTS}?{query}"));
        check_refused(&answer, 422);
        assert!(
            answer.json()["detail"]["error"]
                .as_str()
                .is_some_and(|said| said.contains(part)),
            "{query}: {answer:?}"
        );
    }
    let page = server.get(&format!("{ACCOUNTS}?limit=2&after={next}"));
    assert_eq!(numbers(&page.json()), "34");
}

#[test]
fn head_asks_without_a_body_and_other_methods_are_told() {
    let server = start();
    let id = list(&server, "limit=1")["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for path in [ACCOUNTS.to_owned(), format!("{ACCOUNTS}/{id}")] {
        let head = server.send("HEAD", &path, Some("Bearer admin"), "");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let length = head.header("content-length").map(str::to_owned);
        assert_eq!(length, Some(server.get(&path).body.len().to_string()));
        check_refused(&server.send("PUT", &path, Some("Bearer admin"), ""), 405);
    }
    check_refused(&server.get(super::harness::EXPORT), 405);
}

#[test]
fn only_an_administrator_may_look() {
    let server = start();
    for role in ["user", "reader"] {
        let bearer = format!("Bearer {}", server.home().key(role, "colleague"));
        for path in [
            ACCOUNTS.to_owned(),
            format!("{ACCOUNTS}/{}", "0".repeat(32)),
            SOURCES.to_owned(),
        ] {
            check_refused(&server.send("GET", &path, Some(&bearer), ""), 403);
            check_refused(&server.send("GET", &path, None, ""), 401);
        }
    }
}

#[test]
fn an_empty_pool_is_an_empty_list() {
    let server = Server::start();
    for query in [
        "",
        "?count=true",
        "?source_id=s&count=true",
        "?q=x&count=true",
        "?status=x&count=true",
    ] {
        let answer = server.get(&format!("{ACCOUNTS}{query}"));
        assert_eq!(
            answer.body, r#"{"items":[],"next":null,"total":0}"#,
            "{query}"
        );
    }
}
