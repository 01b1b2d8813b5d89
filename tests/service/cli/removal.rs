//! `tributary accounts delete`: what it asks, what it removes and what it says.

use serde_json::{Value, json};

use super::asked::{ask, ask_in_terminal, ask_with};
use crate::service::harness::{INJECT, SOURCES, Server};
use crate::service::upstream::Upstream;

fn start() -> Server {
    let server = Server::start();
    let body = r#"{"source_id": "s", "tokens": ["example-1", "example-2", "example-3"]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    server
}

#[test]
fn without_a_terminal_nothing_goes_without_a_yes() {
    let server = start();
    let id = server.id_of("example-1");
    for args in [
        &["accounts", "delete", &id][..],
        &["accounts", "delete", "--tokens-from", "-"],
    ] {
        let said = ask_with(&server, args, "example-1\n");
        assert_eq!(
            said.refused(2),
            "without a terminal to ask in, say --yes; nothing was changed"
        );
    }
    assert_eq!(server.tokens().len(), 3);
}

#[test]
fn in_a_terminal_a_person_is_asked() {
    let server = start();
    let (first, second) = (server.id_of("example-1"), server.id_of("example-2"));
    let args = ["accounts", "delete", &first[..8], &second];
    for (typed, code, left) in [
        ("n\n", 1, 3),
        ("\n", 1, 3),
        ("\u{4}", 1, 3),
        ("Yes\n", 0, 1),
    ] {
        let said = ask_in_terminal(&server, 200, typed, &args);
        let question = format!(
            "remove 2 accounts for good from the pool at http://{}? [y/N] ",
            server.addr
        );
        assert!(said.out.contains(&question), "{said:?}");
        let end = if code == 0 {
            "removed 2 accounts\n"
        } else {
            "error: nothing was changed\n"
        };
        assert!(said.out.ends_with(end), "{said:?}");
        assert_eq!((said.code, server.tokens().len()), (Some(code), left));
    }
}

#[test]
fn what_was_not_there_is_named_and_no_token_is() {
    let server = start();
    let (id, nobody) = (server.id_of("example-1"), "0".repeat(32));
    let args = [
        "accounts",
        "delete",
        &id,
        &nobody,
        "--tokens-from",
        "-",
        "--yes",
        "--table",
    ];
    let said = ask_with(
        &server,
        &args,
        "\u{feff}example-2\r\n\n  example-9  \nexample-1\n",
    );
    let expected =
        format!("removed 2 accounts\nnot there: id {nobody}\nnot there: the token in line 3\n");
    assert_eq!((said.fine(), said.err.as_str()), (expected.as_str(), ""));
    assert_eq!(server.tokens(), ["example-3"]);
    let file = server.home().file("tokens");
    std::fs::write(&file, "example-3\nexample-4\n").expect("a file");
    let args = ["accounts", "delete", "--tokens-from", "tokens", "-y"];
    assert_eq!(
        ask(&server, &args).json(),
        json!({"removed": 1, "unknown_ids": [], "unknown_tokens": [1], "returning": []})
    );
    std::fs::write(&file, "\n\n").expect("a file");
    let none = ask(&server, &args);
    assert_eq!(
        none.refused(1),
        "the file names no tokens; write one a line"
    );
    let args = ["accounts", "delete", "--tokens-from", "nothing", "-y"];
    let none = ask(&server, &args);
    assert_eq!(
        none.refused(1),
        "cannot read `nothing`: there is no such file"
    );
}

#[test]
fn sources_that_bring_accounts_back_are_named_with_what_prevents_it() {
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-1", "example-2"]}"#);
    let body = json!({"name": "Team", "url": upstream.url("")});
    let source = server.source(&body.to_string());
    server.post(&format!("{SOURCES}/{source}/sync"), "");
    let id = server.id_of("example-1");
    let said = ask(&server, &["accounts", "delete", &id, "--yes", "--table"]);
    let expected = format!(
        "removed 1 account\nTeam ({source}) will bring 1 account back when it is synced; \
         `tributary sources edit {source} --enabled false` prevents it\n"
    );
    assert_eq!(said.fine(), expected);
}

#[test]
fn more_than_one_request_can_name_is_removed_all_the_same() {
    let server = Server::start();
    let tokens: Vec<String> = (0..10_500).map(|n| format!("many-{n:05}")).collect();
    server.post(INJECT, &json!({ "tokens": tokens }).to_string());
    let lines = tokens[1..].join("\n") + "\nnobody-1\n";
    let args = ["accounts", "delete", "--tokens-from", "-", "--yes"];
    let answer = ask_with(&server, &args, &lines).json();
    assert_eq!(
        (&answer["removed"], &answer["unknown_tokens"]),
        (&json!(10_499), &json!([10_499]))
    );
    assert_eq!(answer["returning"], Value::Array(Vec::new()));
    assert_eq!(server.tokens(), ["many-00000"]);
}
