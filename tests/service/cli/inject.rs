//! `tributary inject`: files and stdin become accounts, and what is wrong with them is said by line.

use serde_json::json;

use super::asked::{ask, ask_in_terminal, ask_with, command, said};
use crate::service::harness::Server;

fn write(server: &Server, name: &str, text: &str) {
    std::fs::write(server.home().file(name), text).expect("a file");
}

#[test]
fn counts_are_the_answer_and_the_job_stands_beside_it() {
    let server = Server::start();
    write(
        &server,
        "pool.json",
        r#"["example-1", "example-2", 5, "example-1"]"#,
    );
    let answer = ask(&server, &["inject", "pool.json", "--provider", "grok"]);
    assert_eq!(
        answer.fine(),
        "{\"strategy\":\"merge\",\"source_id\":\"\",\"source_name\":\"\",\"total\":2,\"added\":2,\"skipped\":0,\"removed\":0}\n"
    );
    let jobs = server.get("/api/remote-account/jobs").json();
    let job = jobs["items"][0]["job_id"].as_str().expect("a job");
    assert_eq!(answer.err, format!("job {job}, 2 entries were not taken\n"));
    assert_eq!(server.pool()[0]["provider"], "grok");
}

#[test]
fn a_person_gets_a_line_for_each_count() {
    let server = Server::start();
    write(
        &server,
        "pool.json",
        r#"{"tokens": ["example-1", "", 5, "example-2"]}"#,
    );
    let args = [
        "inject",
        "pool.json",
        "--source-id",
        "manual",
        "--source-name",
        "Manual",
        "--table",
    ];
    let answer = ask(&server, &args);
    let jobs = server.get("/api/remote-account/jobs").json();
    let job = jobs["items"][0]["job_id"].as_str().expect("a job");
    let expected = format!(
        "strategy   merge\nsource     Manual (manual)\ntotal      2\nadded      2\nskipped    0\nremoved    0\nnot taken  1\njob        {job}\n"
    );
    assert_eq!(
        (answer.fine(), answer.err.as_str()),
        (expected.as_str(), "")
    );
    let args = [
        "inject",
        "-",
        "--source-id",
        "manual",
        "--strategy",
        "replace",
        "--table",
    ];
    let answer = ask_with(&server, &args, r#"["example-2"]"#);
    assert!(
        answer.fine().contains("skipped   1\nremoved   1\n"),
        "{answer:?}"
    );
    assert_eq!(server.tokens(), ["example-2"]);
}

#[test]
fn a_byte_order_mark_is_cut_from_files_and_stdin() {
    let server = Server::start();
    write(&server, "pool.json", "\u{feff}[\"example-1\"]\n");
    ask(&server, &["inject", "pool.json"]).fine();
    ask_with(&server, &["inject", "-"], "\u{feff}[\"example-2\"]").fine();
    assert_eq!(server.tokens(), ["example-1", "example-2"]);
}

#[test]
fn what_is_wrong_with_a_payload_is_said_by_line() {
    let server = Server::start();
    for (payload, said) in [
        (
            "[\"a\",\n  \"\u{e9}\" x]",
            "the payload is not valid JSON at line 2, column 7",
        ),
        (
            "\u{feff}[x",
            "the payload is not valid JSON at line 1, column 2",
        ),
        (
            "[\"a\"",
            "the payload is not valid JSON: it closes less than it opens, or more",
        ),
        (
            "[\"a\"]}",
            "the payload is not valid JSON: it closes less than it opens, or more",
        ),
        ("", "the payload is empty"),
        (
            "[\"\\ud800\"]",
            "the payload has a lone surrogate at line 1, column 3",
        ),
        (
            "{\"access_token\":\"a\"}\n{\"access_token\":\"b\"}\n",
            "the payload is not valid JSON at line 2, column 1; lines of an export are restored with `tributary import`",
        ),
        ("{}", "payload must contain accounts or tokens"),
        ("5", "payload must be a list or wrapper object"),
    ] {
        write(&server, "bad.json", payload);
        let answer = ask(&server, &["inject", "bad.json"]);
        assert!(
            answer.refused(1).starts_with(said),
            "{payload:?}: {answer:?}"
        );
    }
    let answer = ask_with(&server, &["inject", "-"], "[\"a\",\n x]");
    assert_eq!(answer.refused(1), "the payload is not valid JSON at byte 7");
    assert_eq!(server.tokens(), Vec::<String>::new());
}

#[test]
fn nothing_in_a_payload_stands_in_for_an_option() {
    let server = Server::start();
    let text = r#"["example-1"], "source_id": "other", "strategy": "replace", "provider": "grok""#;
    let answer = ask_with(&server, &["inject", "-"], text);
    if answer.code == Some(0) {
        assert_eq!(answer.json()["source_id"], "");
        assert_eq!(server.pool()[0]["provider"], "gpt");
        assert_eq!(
            server.pool()[0]["owners"],
            json!({"local": true, "sources": []})
        );
    }
}

#[test]
fn mistakes_are_said_before_anything_is_sent() {
    let server = Server::start();
    let replace = ask_with(
        &server,
        &["inject", "-", "--strategy", "replace"],
        "[\"a\"]",
    );
    assert_eq!(
        replace.refused(1),
        "replace requires source_id; say whose accounts are replaced with --source-id"
    );
    let missing = ask(&server, &["inject", "nothing.json"]);
    assert_eq!(
        missing.refused(1),
        "cannot read `nothing.json`: there is no such file"
    );
    ask(&server, &["inject", "data"]).refused(1);
    for args in [
        &["inject"][..],
        &["inject", "-", "--strategy", "mix"],
        &["inject", "-", "--provider", "openai"],
    ] {
        ask(&server, args).refused(2);
    }
}

#[test]
fn a_large_payload_is_refused_before_it_is_sent() {
    let server = Server::start_with(&["--max-body", "1MiB"]);
    let large = json!({"tokens": ["x".repeat(40_000_000)]}).to_string();
    write(&server, "large.json", &large);
    let mut wrong = command(&server, &["inject", "large.json"]);
    let answer = said(wrong.env("TRIBUTARY_KEY", "wrong"), "");
    assert!(answer.refused(1).contains("TRIBUTARY_KEY"), "{answer:?}");
    let answer = ask(&server, &["inject", "large.json"]);
    assert_eq!(
        answer.refused(1),
        "body is larger than 1MiB; send a smaller one"
    );
    // Of stdin nobody knows the size before it is too much.
    let answer = ask_with(&server, &["inject", "-"], &large);
    assert_eq!(
        answer.refused(1),
        "body is larger than 1MiB; send a smaller one"
    );
}

#[test]
fn what_is_wrong_at_the_front_of_a_large_payload_is_said_however_much_follows() {
    let server = Server::start();
    let wrong = format!("[\n1 2, \"{}\"]", "x".repeat(16_000_000));
    write(&server, "wrong.json", &wrong);
    let answer = ask(&server, &["inject", "wrong.json"]);
    let refused = answer.refused(1);
    assert!(refused.contains("line 2, column 3"), "{answer:?}");
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let server = Server::start();
    let tokens: Vec<String> = (0..200_000)
        .map(|n| format!("bar-{n:06}-{}", "x".repeat(60)))
        .collect();
    write(&server, "many.json", &json!(tokens).to_string());
    let answer = ask_in_terminal(&server, 100, "", &["inject", "many.json"]);
    assert!(
        answer.fine().contains("sending the payload ["),
        "{answer:?}"
    );
    assert!(answer.out.contains("added     200000") || answer.out.contains("200000\u{1b}[0m"));
}
