//! What a terminal shows: tables with colours, as wide as it is; and what completes commands in it.

use std::process::Command;

use serde_json::{Value, json};

use super::asked::{ask, ask_in_terminal, command, in_terminal, said};
use crate::service::harness::{INJECT, Server};

fn start() -> Server {
    let server = Server::start();
    let statuses = ["正常", "限流", "异常", "禁用"].iter().enumerate();
    let accounts: Vec<Value> = statuses
        .map(|(n, status)| json!({"token": format!("example-token-{n}"), "status": status, "type": "a type with a long name"}))
        .collect();
    for source in ["manual-gpt-of-operations", "manual-gpt-of-somebody-else"] {
        let body = json!({"source_id": source, "source_name": "手动来源", "accounts": accounts});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
    }
    server.source(
        r#"{"name": "团队来源", "url": "https://accounts.example.test/a/rather/long/path.json"}"#,
    );
    server
}

/// Columns that a line takes: Chinese characters two, colours none.
fn width(line: &str) -> usize {
    let mut plain = line.to_owned();
    while let Some(from) = plain.find('\u{1b}') {
        let to = plain[from..].find('m').expect("a colour ends");
        plain.replace_range(from..=from + to, "");
    }
    plain
        .chars()
        .map(|c| {
            if ('\u{2e80}'..'\u{fffd}').contains(&c) {
                2
            } else {
                1
            }
        })
        .sum()
}

const COMMANDS: [&[&str]; 5] = [
    &["accounts", "list"],
    &["sources", "list"],
    &["owners"],
    &["jobs"],
    &["accounts", "show", "ID"],
];

/// All of these in a terminal of that width.
fn shown(server: &Server, columns: u16) -> Vec<String> {
    let id = server.id_of("example-token-0");
    let shown = COMMANDS.iter().map(|args| {
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "ID" { &id } else { *arg })
            .collect();
        let said = ask_in_terminal(server, columns, "", &args);
        said.fine().to_owned()
    });
    shown.collect()
}

#[test]
fn tables_fit_the_terminal() {
    let server = start();
    for columns in [24, 40, 60, 80, 120, 200] {
        for text in shown(&server, columns) {
            // Remarks are sentences, which a terminal breaks.
            let lines = text.lines().filter(|line| !line.starts_with("\u{1b}[2m"));
            for line in lines {
                assert!(
                    width(line) <= usize::from(columns),
                    "{columns}: {line}\n{text}"
                );
            }
        }
    }
    let narrow = shown(&server, 24);
    assert!(narrow[0].contains("STATUS"), "{narrow:?}");
    let wide = &shown(&server, 200)[0];
    assert!(!wide.contains("type with a long na…"), "{wide}");
    assert!(
        wide.contains("manual-gpt-of-operations, manual-gpt-of-somebody-else"),
        "{wide}"
    );
    let middle = &shown(&server, 80)[0];
    assert!(
        middle.contains('…') && middle.contains("OWNERS"),
        "{middle}"
    );
}

#[test]
fn colours_mean_something_and_are_left_out_where_they_are_not_wanted() {
    let server = start();
    let seen = ask_in_terminal(&server, 200, "", &["accounts", "list"]);
    for colour in [
        "\u{1b}[32m正常\u{1b}[0m",
        "\u{1b}[33m限流\u{1b}[0m",
        "\u{1b}[31m异常\u{1b}[0m",
        "\u{1b}[1mSTATUS\u{1b}[0m",
    ] {
        assert!(seen.fine().contains(colour), "{seen:?}");
    }
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        for args in COMMANDS.iter().filter(|args| !args.contains(&"ID")) {
            let mut plain = command(&server, args);
            plain.env(name, value);
            let seen = in_terminal(plain, 200, "");
            assert!(!seen.fine().contains('\u{1b}'), "{seen:?}");
        }
    }
    let mut empty = command(&server, &["accounts", "list"]);
    empty.env("NO_COLOR", "");
    assert!(
        in_terminal(empty, 200, "").fine().contains('\u{1b}'),
        "an empty NO_COLOR is none"
    );
    let piped = ask(&server, &["accounts", "list", "--table"]);
    assert!(!piped.fine().contains('\u{1b}') && !piped.err.contains('\u{1b}'));
}

#[test]
fn the_form_follows_the_terminal_the_variable_and_the_option() {
    let server = start();
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    let list = ["accounts", "list"];
    assert!(is_json(ask(&server, &list).fine()));
    assert!(!is_json(
        ask(&server, &[&list[..], &["--table"]].concat()).fine()
    ));
    assert!(!is_json(ask_in_terminal(&server, 80, "", &list).fine()));
    let json = [&list[..], &["--json"]].concat();
    assert!(is_json(ask_in_terminal(&server, 80, "", &json).fine()));
    let with_variable = |args: &[&str]| {
        let mut command = command(&server, args);
        command.env("TRIBUTARY_JSON", "1");
        in_terminal(command, 80, "")
    };
    assert!(is_json(with_variable(&list).fine()));
    let table = [&list[..], &["--table"]].concat();
    assert!(
        !is_json(with_variable(&table).fine()),
        "an option counts before its variable"
    );
}

#[test]
fn shells_accept_the_scripts_that_complete_commands() {
    let server = Server::start();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ask(&server, &["completions", shell]);
        for word in ["tributary", "accounts", "inject", "sources"] {
            assert!(script.fine().contains(word), "{shell}: {word}");
        }
    }
    ask(&server, &["completions", "smalltalk"]).refused(2);
    let script = ask(&server, &["completions", "bash"]).out;
    let accepted = said(Command::new("bash").arg("-n"), &script);
    assert_eq!((accepted.code, accepted.err.as_str()), (Some(0), ""));
    let ask_bash = "\nCOMP_WORDS=(tributary accounts l); COMP_CWORD=2\n_tributary tributary l accounts\necho \"${COMPREPLY[@]}\"\n";
    let completed = said(&mut Command::new("bash"), &(script + ask_bash));
    assert_eq!(completed.fine(), "list\n", "{completed:?}");
}
