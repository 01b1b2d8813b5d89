//! `tributary accounts list`, `show` and `update`.

use serde_json::{Value, json};

use super::asked::{ask, ask_in_terminal};
use crate::service::harness::{ACCOUNTS, INJECT, Server};

const SECRETS: [&str; 4] = [
    "example-token-1",
    "example-token-2",
    "canary-cookie",
    "canary-refresh",
];

/// Three accounts, two of a label, one of them by hand too.
fn start() -> Server {
    let server = Server::start();
    let body = r#"{"source_id": "manual", "accounts": [
        {"token": "example-token-1", "type": "plus", "quota": 25, "cookie": "canary-cookie", "n": 1.50},
        {"token": "example-token-2", "provider": "grok", "status": "限流", "refresh_token": "canary-refresh"}]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    let body = r#"{"tokens": ["example-token-1", "example-token-3"]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    server
}

fn id(server: &Server, token: &str, digits: usize) -> String {
    server.id_of(token)[..digits].to_owned()
}

fn check_no_secret(said: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_program_gets_the_server_s_answer_as_it_is() {
    let server = start();
    for (args, path) in [
        (&["accounts", "list"][..], ACCOUNTS.to_owned()),
        (
            &["accounts", "list", "--limit", "2", "--provider", "gpt"],
            format!("{ACCOUNTS}?provider=gpt&limit=2"),
        ),
        (
            &[
                "accounts",
                "list",
                "--status",
                "限流",
                "--source-id",
                "manual",
                "--owner",
                "source:manual",
                "--type",
                "free",
                "-q",
                "free",
            ],
            format!(
                "{ACCOUNTS}?status=%E9%99%90%E6%B5%81&source_id=manual&owner=source:manual&type=free&q=free"
            ),
        ),
    ] {
        let said = ask(&server, args);
        assert_eq!(said.fine(), server.get(&path).body + "\n", "{args:?}");
        assert!(said.out.contains("\"items\":[{"), "{said:?}");
        check_no_secret(&said.out);
    }
    let whole = server.id_of("example-token-1");
    for id in [&whole, &whole[..8], &whole[..20].to_uppercase()] {
        let said = ask(&server, &["accounts", "show", id]);
        let answer = server.get(&format!("{ACCOUNTS}/{whole}")).body;
        assert_eq!(said.fine(), answer + "\n");
        check_no_secret(&said.out);
    }
}

#[test]
fn a_person_gets_a_table() {
    let server = start();
    let ids = ["example-token-1", "example-token-2", "example-token-3"];
    let [first, second, third] = ids.map(|token| id(&server, token, 12));
    let said = ask(&server, &["accounts", "list", "--table"]);
    let expected = format!(
        "ID            TOKEN  PROVIDER  TYPE  STATUS  QUOTA  OWNERS\n\
         {first}  ex…-1  gpt       plus  正常       25  local, manual\n\
         {second}  ex…-2  grok      free  限流        0  manual\n\
         {third}  ex…-3  gpt       free  正常        0  local\n"
    );
    assert_eq!(said.fine(), expected);
    assert_eq!(said.err, "3 accounts\n");
    let said = ask(&server, &["accounts", "list", "--table", "--limit", "1"]);
    assert_eq!(said.fine().lines().count(), 2);
    assert_eq!(
        said.err,
        "1 account of 3 in all; more with --limit COUNT or --all\n"
    );
    let said = ask(&server, &["accounts", "list", "--table", "-q", "nothing"]);
    assert_eq!(
        (said.fine(), said.err.as_str()),
        ("", "no accounts match\n")
    );
}

#[test]
fn all_fields_of_an_account_are_shown_in_their_order() {
    let server = start();
    let whole = server.id_of("example-token-1");
    let said = ask(&server, &["accounts", "show", &whole[..9], "--table"]);
    let lines: Vec<&str> = said.fine().lines().collect();
    let shown = |line: &str| lines.iter().position(|known| *known == line);
    let order = [
        format!("id                  {whole}"),
        "token               ex…-1".to_owned(),
        "provider            gpt".to_owned(),
        "type                plus".to_owned(),
        "quota               25".to_owned(),
        "cookie              …".to_owned(),
        "n                   1.50".to_owned(),
        "owners              local, manual".to_owned(),
    ]
    .map(|line| shown(&line).unwrap_or_else(|| panic!("{line}: {said:?}")));
    assert!(order.is_sorted(), "{said:?}");
    check_no_secret(&said.out);
}

#[test]
fn lists_longer_than_a_page_are_followed_to_their_end() {
    let server = Server::start();
    let tokens: Vec<String> = (0..2_500).map(|n| format!("page-{n:05}")).collect();
    server.post(INJECT, &json!({ "tokens": tokens }).to_string());
    let ids = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("a list").iter();
        let ids = items.map(|item| item["id"].as_str().expect("an id").to_owned());
        ids.collect()
    };
    let all = ask(&server, &["accounts", "list", "--all"]).json();
    let expected: Vec<String> = tokens.iter().map(|token| server.id_of(token)).collect();
    assert_eq!(ids(&all), expected);
    assert_eq!((&all["next"], &all["total"]), (&Value::Null, &json!(2_500)));
    let some = ask(&server, &["accounts", "list", "--limit", "1200"]).json();
    let next = some["next"].as_str().expect("more");
    let args = ["accounts", "list", "--all", "--after", next];
    let rest = ask(&server, &args).json();
    assert_eq!([ids(&some), ids(&rest)].concat(), expected);
    let table = ask(&server, &["accounts", "list", "--all", "--table"]);
    assert_eq!(table.fine().lines().count(), 2_501);
    assert_eq!(table.err, "2500 accounts\n");
}

#[test]
fn accounts_are_counted() {
    let server = start();
    for (args, count) in [
        (&["accounts", "list", "--count"][..], "3\n"),
        (
            &["accounts", "list", "--count", "--provider", "grok"],
            "1\n",
        ),
        (
            &["accounts", "list", "--count", "--owner", "none", "--table"],
            "0\n",
        ),
    ] {
        assert_eq!(ask(&server, args).fine(), count, "{args:?}");
    }
    let both = ["accounts", "list", "--count", "--all"];
    ask(&server, &both).refused(2);
}

#[test]
fn what_the_server_refuses_is_said_with_a_remedy() {
    let server = start();
    let nobody = "0".repeat(32);
    for (args, said) in [
        (
            &["accounts", "show", &nobody][..],
            "account not found; `tributary accounts list` shows them all",
        ),
        (
            &["accounts", "show", "00000000"],
            "no account has an id that begins with `00000000`; `tributary accounts list` shows them all",
        ),
        (
            &["accounts", "list", "--owner", "nobody"],
            "`owner` must be `local`, or `source:` and an id, as GET /api/accounts/owners shows",
        ),
    ] {
        assert_eq!(ask(&server, args).refused(1), said);
    }
    for args in [
        &["accounts"][..],
        &["accounts", "show"],
        &["accounts", "show", "abc"],
        &["accounts", "list", "--limit", "0"],
        &["accounts", "list", "--limit", "5", "--all"],
        &["accounts", "list", "--nothing"],
        &["accounts", "update", &nobody],
        &["accounts", "update", &nobody, "--quota", "many"],
        &["accounts", "update", &nobody, "--limits-progress", "{}"],
        &["accounts", "delete"],
    ] {
        ask(&server, args).refused(2);
    }
}

#[test]
fn state_is_updated_field_by_field() {
    let server = start();
    let whole = server.id_of("example-token-2");
    let said = ask(
        &server,
        &[
            "accounts",
            "update",
            &whole[..8],
            "--status",
            "正常",
            "--type",
            "team",
            "--quota",
            "7",
            "--success",
            "3",
            "--fail",
            "1",
            "--restore-at",
            "2026-12-01",
            "--last-used-at",
            "",
            "--image-quota-unknown",
            "true",
            "--limits-progress",
            "[{\"n\": 1.50}]",
        ],
    );
    let item = &said.json()["item"];
    for (name, value) in [
        ("id", json!(whole)),
        ("status", json!("正常")),
        ("type", json!("team")),
        ("quota", json!(7)),
        ("success", json!(3)),
        ("fail", json!(1)),
        ("restore_at", json!("2026-12-01")),
        ("last_used_at", json!("")),
        ("image_quota_unknown", json!(true)),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    assert!(said.out.contains("1.50") && said.err.is_empty(), "{said:?}");
    let again = ask(
        &server,
        &["accounts", "update", &whole, "--quota", "7", "--table"],
    );
    assert!(
        again.fine().contains("quota                7\n"),
        "{again:?}"
    );
    assert_eq!(again.err, "nothing is different: it was so already\n");
    check_no_secret(&(said.out + &again.out));
}

#[test]
fn nothing_in_an_account_steers_the_terminal() {
    let server = Server::start();
    let body = json!({"accounts": [{"token": "example-token-1", "type": "\u{1b}[2J\u{9b}31m\u{202e}x", "note": "a\u{7}\nb\u{9b}c"}]});
    server.post(INJECT, &body.to_string());
    let id = server.id_of("example-token-1");
    for args in [
        &["accounts", "list"][..],
        &["accounts", "list", "--json"],
        &["accounts", "show", &id],
    ] {
        let said = ask_in_terminal(&server, 200, "", args);
        let colours = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m"];
        let seen = colours.iter().fold(said.fine().to_owned(), |seen, colour| {
            seen.replace(colour, "")
        });
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!seen.contains(steers), "{seen:?}");
    }
    let said = ask(&server, &["accounts", "show", &id]).json();
    assert_eq!(said["item"]["note"], "a\u{7}\nb\u{9b}c");
}
