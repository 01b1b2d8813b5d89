//! Keys of users and readers over HTTP.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::auth::NOT_ADMIN;
use super::client::Answer;
use super::examples::{check_error, check_refused};
use super::harness::{SOURCES, Server};

const USERS: &str = "/api/auth/users";

/// Makes a key and returns its item and the key.
fn make(server: &Server, body: &Value) -> (Value, String) {
    let made = server.post(USERS, &body.to_string());
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let key = made["key"].as_str().expect("the key is shown").to_owned();
    (made["item"].clone(), key)
}

fn path_of(item: &Value) -> String {
    format!("{USERS}/{}", item["id"].as_str().expect("an id"))
}

fn items(server: &Server) -> Vec<Value> {
    let listed = server.get(USERS);
    assert_eq!(listed.status, 200, "{listed:?}");
    items_in(&listed)
}

/// The keys in an answer, ordered by name: those of one second have no order of their own.
fn items_in(answer: &Answer) -> Vec<Value> {
    let mut items = answer.json()["items"].as_array().expect("a list").clone();
    items.sort_by_key(|item| item["name"].to_string());
    items
}

/// What an administrator's route answers to this key.
fn with_key(server: &Server, key: &str) -> Answer {
    server.send("GET", SOURCES, Some(&format!("Bearer {key}")), "")
}

/// The key with this name as it is listed.
fn named(server: &Server, name: &str) -> Value {
    let all = items(server);
    let found = all.iter().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {all:?}")).clone()
}

/// The same, as soon as its use is noted.
fn used(server: &Server, name: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let item = named(server, name);
        if item["last_used_on"] != "" {
            return item;
        }
        assert!(Instant::now() < deadline, "no use is noted: {item}");
    }
}

#[test]
fn a_key_is_made_renamed_disabled_enabled_and_deleted() {
    let server = Server::start();
    assert_eq!(server.get(USERS).json(), json!({"items": []}));
    let (first, key) = make(&server, &json!({"name": " Ops 组 "}));
    assert!(key.starts_with("sk-") && key.len() >= 35, "{key}");
    let id = first["id"].clone();
    let created = first["created_at"].clone();
    assert_eq!(
        first,
        json!({"id": id, "name": "Ops 组", "role": "user", "enabled": true, "created_at": created, "last_used_on": ""})
    );
    let (second, _) = make(&server, &json!({"name": "Mirror", "role": "reader"}));
    assert_eq!(second["role"], "reader");
    assert_eq!(items(&server), [second.clone(), first.clone()]);
    check_error(&with_key(&server, &key), 403, NOT_ADMIN);

    let renamed = server.post(&path_of(&first), r#"{"name": "Night shift"}"#);
    assert_eq!(renamed.json()["item"]["name"], "Night shift");
    assert_eq!(renamed.json()["item"]["enabled"], true);
    let disabled = server.post(&path_of(&first), r#"{"enabled": false, "name": null}"#);
    let item = disabled.json()["item"].clone();
    assert_eq!(
        (&item["name"], &item["enabled"]),
        (&json!("Night shift"), &json!(false))
    );
    assert_eq!(items_in(&disabled), [second.clone(), item]);
    check_refused(&with_key(&server, &key), 401);
    server.post(&path_of(&first), r#"{"enabled": true}"#);
    check_error(&with_key(&server, &key), 403, NOT_ADMIN);

    let left = server.delete(&path_of(&first));
    assert_eq!(left.json(), json!({"items": [second]}));
    check_refused(&with_key(&server, &key), 401);
    for gone in [
        server.delete(&path_of(&first)),
        server.post(&path_of(&first), "{}"),
    ] {
        check_error(&gone, 404, "key not found");
    }
}

#[test]
fn the_fields_of_an_answer_stand_in_their_order() {
    let server = Server::start();
    let made = server.post(USERS, r#"{"name": "Ops"}"#).body;
    let names = [
        "{\"item\":{\"id\":\"",
        "\"name\":\"Ops\",\"role\":\"user\",\"enabled\":true,\"created_at\":\"",
        "+00:00\",\"last_used_on\":\"\"},\"key\":\"sk-",
        "\",\"items\":[{\"id\":\"",
    ];
    let mut rest = made.as_str();
    for name in names {
        rest = rest
            .split_once(name)
            .unwrap_or_else(|| panic!("{name}: {made}"))
            .1;
    }
}

#[test]
fn a_malformed_body_names_what_is_wrong() {
    let server = Server::start();
    let (item, _) = make(&server, &json!({"name": "Ops"}));
    let before = items(&server);
    let rule = "must have 1 to 200 characters and no control characters; choose another name";
    let long = json!({"name": "x".repeat(201)}).to_string();
    for (body, said) in [
        ("{}", format!("`name` {rule}")),
        (r#"{"name": null}"#, format!("`name` {rule}")),
        (r#"{"name": " "}"#, format!("`name` {rule}")),
        (r#"{"name": "a\u0007"}"#, format!("`name` {rule}")),
        (&long, format!("`name` {rule}")),
        (r#"{"name": 5}"#, "name must be a string".to_owned()),
        (
            r#"{"name": "x", "role": "admin"}"#,
            "role must be `user` or `reader`; admin keys are made with `tributary key create`"
                .to_owned(),
        ),
        (
            r#"{"name": "x", "role": 1}"#,
            "role must be `user` or `reader`; admin keys are made with `tributary key create`"
                .to_owned(),
        ),
        (
            r#"{"name": "x", "enabled": true}"#,
            "field `enabled` is unknown: this body takes `name`, `role`".to_owned(),
        ),
        ("[]", "body must be a JSON object".to_owned()),
    ] {
        check_error(&server.post(USERS, body), 422, &said);
    }
    for (body, said) in [
        (
            r#"{"enabled": "no"}"#,
            "enabled must be true or false".to_owned(),
        ),
        (r#"{"name": ""}"#, format!("`name` {rule}")),
        (
            r#"{"role": "reader"}"#,
            "field `role` is unknown: this body takes `name`, `enabled`".to_owned(),
        ),
    ] {
        check_error(&server.post(&path_of(&item), body), 422, &said);
    }
    let unknown = "parameter `limit` is unknown: this address takes none";
    check_error(&server.get(&format!("{USERS}?limit=5")), 422, unknown);
    check_error(
        &server.delete(&format!("{}?limit=5", path_of(&item))),
        422,
        unknown,
    );
    check_refused(&server.post(USERS, &"x".repeat(65 * 1024)), 413);
    assert_eq!(items(&server), before);
}

#[test]
fn administrators_keys_are_neither_listed_nor_changed() {
    let server = Server::start();
    let key = server.home().key("admin", "deploy");
    assert_eq!(items(&server), Vec::<Value>::new());
    let listed = server.home().run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    let path = format!("{USERS}/{}", super::auth::key_id(&listed, "deploy"));
    check_error(
        &server.post(&path, r#"{"enabled": false}"#),
        404,
        "key not found",
    );
    check_error(&server.delete(&path), 404, "key not found");
    assert_eq!(with_key(&server, &key).status, 200);
}

#[test]
fn the_key_is_in_no_other_answer_no_log_and_no_file() {
    let server = Server::start_with(&["--log-level", "trace"]);
    let (item, key) = make(&server, &json!({"name": "Ops", "role": "reader"}));
    check_error(&with_key(&server, &key), 403, NOT_ADMIN);
    let said = [
        server.get(USERS),
        server.post(&path_of(&item), r#"{"name": "Others"}"#),
        server.post(USERS, r#"{"name": "More"}"#),
        server.delete(&path_of(&item)),
    ];
    for answer in said {
        assert!(!answer.body.contains(&key), "{answer:?}");
        assert_eq!(
            answer.header("Cache-Control"),
            Some("no-store"),
            "{answer:?}"
        );
    }
    let home = server.stop();
    assert!(!home.log().contains(&key));
    for file in super::store::files(&home.data()) {
        let bytes = std::fs::read(&file).expect("a file");
        let holds = bytes.windows(key.len()).any(|w| w == key.as_bytes());
        assert!(!holds, "{}", file.display());
    }
}

#[test]
fn the_last_use_is_shown_to_the_day_and_survives_a_restart() {
    let server = Server::start();
    let (item, key) = make(&server, &json!({"name": "Ops", "role": "reader"}));
    let (_, unused) = make(&server, &json!({"name": "Unused"}));
    assert_ne!(key, unused);
    check_error(&with_key(&server, &key), 403, NOT_ADMIN);
    let used = used(&server, "Ops");
    let (day, created) = (used["last_used_on"].as_str(), item["created_at"].as_str());
    let (day, created) = (day.expect("a day"), created.expect("a time"));
    assert!(day.len() == 10 && day >= &created[..10], "{used}");
    let listed = server.home().run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    let line = |name: &str| {
        let line = listed.lines().find(|line| line.contains(name));
        line.unwrap_or_else(|| panic!("{name}: {listed}"))
    };
    assert!(line("Ops").contains(&format!(" {day} ")), "{listed}");
    assert!(line("Unused").contains(" never "), "{listed}");
    let before = items(&server);
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(items(&server), before);
    check_error(&with_key(&server, &key), 403, NOT_ADMIN);
}

#[test]
fn a_disabled_key_is_not_used() {
    let server = Server::start();
    let (off, refused) = make(&server, &json!({"name": "Off"}));
    let (_, other) = make(&server, &json!({"name": "On"}));
    server.post(&path_of(&off), r#"{"enabled": false}"#);
    check_refused(&with_key(&server, &refused), 401);
    check_error(&with_key(&server, &other), 403, NOT_ADMIN);
    used(&server, "On");
    assert_eq!(named(&server, "Off")["last_used_on"], "");
}

#[test]
fn the_command_line_and_http_see_the_same_keys() {
    let server = Server::start();
    let typed = server.home().key("reader", "typed");
    let (made, posted) = make(&server, &json!({"name": "posted", "role": "reader"}));
    let shown: Vec<String> = items(&server)
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect();
    let listed = server.home().run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    let ids = ["typed", "posted"].map(|name| super::auth::key_id(&listed, name));
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(ids.iter().all(|id| shown.contains(id)), "{listed}");

    let disabled = server
        .home()
        .run(&["key", "disable", made["id"].as_str().expect("an id")]);
    assert!(disabled.status.success(), "{disabled:?}");
    check_refused(&with_key(&server, &posted), 401);
    let enabled = ["typed", "posted"].map(|name| named(&server, name)["enabled"].clone());
    assert_eq!(enabled, [json!(true), json!(false)]);

    server.delete(&format!("{USERS}/{}", ids[0]));
    check_refused(&with_key(&server, &typed), 401);
    let listed = server.home().run(&["key", "list"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("typed"));
    let long = "x".repeat(201);
    let refused = server
        .home()
        .run(&["key", "create", "--role", "user", "--name", &long]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}
