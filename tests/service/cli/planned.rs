//! `--plan` and `--expect`: what an inject or a sync would change, and doing just that.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::asked::{Said, ask, ask_in_terminal, ask_with};
use crate::service::harness::{INJECT, Server};
use crate::service::upstream::{Reply, Upstream};

const OTHER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn hash(said: &Said) -> String {
    let hash = said.json()["plan"]["plan_hash"].clone();
    hash.as_str().expect("a hash").to_owned()
}

/// A pool in which `s` owns two accounts, and what is imported next.
fn start() -> Server {
    let server = Server::start();
    let body = r#"{"accounts": [{"token": "example-1", "password": "p-1"}, "example-2"], "source_id": "s"}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    let next = r#"["example-3", {"token": "example-1", "password": "p-2", "note": "n"},
        5, {"token": "example-4", "status": 7}]"#;
    std::fs::write(server.home().file("next.json"), next).expect("a file");
    server
}

const NEXT: [&str; 4] = ["inject", "next.json", "--source-id", "s"];

fn next(more: &[&'static str]) -> Vec<&'static str> {
    [&NEXT[..], more].concat()
}

#[test]
fn a_plan_is_shown_line_by_line_and_changes_nothing() {
    let server = start();
    let before = server.export();
    let shown = ask(&server, &next(&["--plan", "--table"]));
    let hash = hash(&ask(&server, &next(&["--plan"])));
    let expected = format!(
        "Merge for `s` would add 2, update 1 and remove none.
Compared with the pool of http://{}.

changes
  + add     #0     e…3          gpt
  ~ update  #1     e…1          gpt   password: \"…\" → \"…\", note: (none) → \"n\"
  + add     #3     e…4          gpt

not taken
  skip      #2     neither a string nor an object (line 2, byte 78)

notes
  entry #3 is taken without `status`: its value has the wrong type

plan hash {hash}
",
        server.addr
    );
    assert_eq!((shown.fine(), shown.err.as_str()), (expected.as_str(), ""));
    assert_eq!(server.export(), before);
    let jobs = server.get("/api/remote-account/jobs").json();
    assert_eq!(
        jobs["items"].as_array().map(Vec::len),
        Some(1),
        "a plan is no job"
    );
}

#[test]
fn a_plan_without_a_server_has_the_hash_and_the_lines_of_the_server_s() {
    let server = start();
    let asked = ask(&server, &next(&["--plan"]));
    let plan = ["plan", "next.json", "--source-id", "s", "--data", "data"];
    let alone = ask(&server, &[&plan[..], &["--json"]].concat());
    assert_eq!(hash(&alone), hash(&asked));
    let (alone, asked) = (
        ask(&server, &plan),
        ask(&server, &next(&["--plan", "--table"])),
    );
    let lines = |said: &Said| -> Vec<String> {
        let lines = said.fine().lines();
        let lines = lines.filter(|line| !line.starts_with("Compared with"));
        lines
            .map(|line| line.replace("(line 2, byte 78)", "(byte 78)"))
            .collect()
    };
    assert_eq!(lines(&alone), lines(&asked));
    let replace = ["--strategy", "replace", "--provider", "grok"];
    let alone = ask(&server, &[&plan[..], &replace, &["--json"]].concat());
    let whole = r#"["example-3", "example-1"]"#;
    std::fs::write(server.home().file("next.json"), whole).expect("a file");
    assert_eq!(alone.code, Some(1), "an entry has no token: {alone:?}");
    let alone = ask(&server, &[&plan[..], &replace, &["--json"]].concat());
    let asked = ask(&server, &[&NEXT[..], &replace, &["--plan"]].concat());
    assert_eq!(hash(&alone), hash(&asked));
}

#[test]
fn an_inject_does_what_was_approved_and_nothing_else() {
    let server = start();
    let hash = hash(&ask(&server, &next(&["--plan"])));
    let before = server.export();
    let expect = |hash: &str| {
        let args = [&NEXT[..], &["--expect", hash]].concat();
        ask(&server, &args)
    };
    assert_eq!(
        expect(OTHER).refused(1),
        "the plan is another one than was approved: look at it again; --plan shows it"
    );
    for wrong in ["", "00", &hash[1..], &hash.replace(|_| true, "x")] {
        let said = expect(wrong);
        assert!(said.refused(2).contains("64 hex digits"), "{said:?}");
    }
    let both = [&NEXT[..], &["--plan", "--expect", &hash]].concat();
    ask(&server, &both).refused(2);
    assert_eq!(server.export(), before);
    let done = expect(&hash.to_uppercase());
    assert_eq!(done.json()["added"], json!(2));
    expect(&hash).refused(1);
    assert_eq!(server.tokens().len(), 4);
    let marked = "\u{feff}[\"example-5\", 7]";
    let marked = ask_with(&server, &["inject", "-", "--plan", "--table"], marked);
    assert!(marked.fine().contains("(line 1, byte 17)\n"), "{marked:?}");
    let empty = ask_with(&server, &["inject", "-", "--plan", "--table"], "[]");
    let said = "Merge would add 0 and remove none.\n";
    assert!(empty.fine().starts_with(said), "{empty:?}");
}

/// A server with a source that has as many tokens as it is told.
fn start_with_source() -> (Server, Upstream, Arc<Mutex<u32>>, String) {
    let count = Arc::new(Mutex::new(20));
    let counted = Arc::clone(&count);
    let upstream = Upstream::start(move |_| {
        let tokens: Vec<String> = (0..*counted.lock().expect("a count"))
            .map(|n| format!("example-{n:03}"))
            .collect();
        Reply::json(&json!(tokens).to_string())
    });
    let server = Server::start();
    let source = json!({"name": "Team", "url": upstream.url("/"), "sync_strategy": "replace"});
    let id = server.source(&source.to_string());
    (server, upstream, count, id)
}

#[test]
fn a_blocked_sync_is_looked_at_and_then_approved() {
    let (server, _upstream, count, id) = start_with_source();
    ask(&server, &["sources", "sync", &id]).fine();
    *count.lock().expect("a count") = 8;
    let blocked = ask(&server, &["sources", "sync", &id]);
    let job = server.last_job();
    assert_eq!(
        blocked.refused(1),
        format!("remote account sync failed; `tributary jobs show {job}` tells why")
    );
    let why = ask(&server, &["jobs", "show", &job, "--table"]);
    for part in [
        "blocked",
        "would own 8 of the 20",
        "`--guard-percent`",
        "guard: loss        12\n",
    ] {
        assert!(why.fine().contains(part), "{part}: {why:?}");
    }
    let shown = ask(&server, &["sources", "sync", &id, "--plan", "--table"]);
    let hash = hash(&ask(&server, &["sources", "sync", &id, "--plan"]));
    let first = format!("Replace for `{id}` would add 0, keep 8 and remove 12 of 20 (60.0 %).\n");
    let blocks = "\na sync is blocked: the source would own 8 of the 20 accounts that it owned within a day, \
        as `--guard-percent` and `--guard-floor` decide\n";
    let last = format!("\nplan hash {hash}\n");
    assert!(shown.fine().starts_with(&first), "{shown:?}");
    assert!(
        shown.out.contains(blocks) && shown.out.ends_with(&last),
        "{shown:?}"
    );
    assert_eq!(shown.out.matches("  - remove ").count(), 12);
    assert_eq!(server.job(&job)["plan_hash"], json!(hash));
    assert_eq!(server.last_job(), job, "looking is no job");
    let expect = |hash: &str| ask(&server, &["sources", "sync", &id, "--expect", hash]);
    expect("12").refused(2);
    expect(OTHER).refused(1);
    assert_eq!(server.tokens().len(), 20);
    let done = expect(&hash);
    assert_eq!(done.json()["import_job"]["removed"], json!(12));
    assert_eq!(server.tokens().len(), 8);
}

#[test]
fn a_policy_is_shown_and_set() {
    let (server, _upstream, count, id) = start_with_source();
    let policy = |more: &[&str]| ask(&server, &[&["sources", "policy", &id], more].concat());
    let shown = policy(&["--table"]);
    let lines = format!(
        "source             {id}\nremoval            remove\nguard percent      the server's\n\
         guard floor        the server's\nfailures in a row  0\n"
    );
    assert_eq!(shown.fine(), lines);
    let set = policy(&[
        "--removal",
        "disable",
        "--guard-percent",
        "80",
        "--guard-floor",
        "3",
    ]);
    let values = |said: &Said| -> Vec<Value> {
        let policy = said.json()["policy"].clone();
        ["removal", "guard_percent", "guard_floor"]
            .map(|name| policy[name].clone())
            .into()
    };
    assert_eq!(values(&set), [json!("disable"), json!(80), json!(3)]);
    let back = policy(&["--guard-percent", "server"]);
    assert_eq!(values(&back), [json!("disable"), json!(null), json!(3)]);
    let table = policy(&["--guard-percent", "100", "--table"]);
    assert!(
        table
            .fine()
            .contains("guard percent      100\nguard floor        3\n"),
        "{table:?}"
    );
    for wrong in [
        ["--removal", "keep"],
        ["--guard-percent", "-1"],
        ["--guard-floor", "five"],
    ] {
        policy(&wrong).refused(2);
    }
    assert_eq!(
        policy(&["--guard-percent", "101"]).refused(1),
        "guard_percent must be a whole number from 0 to 100, or null for the server's"
    );
    assert_eq!(
        ask(&server, &["sources", "policy", "none"]).refused(1),
        "source not found; `tributary sources list` shows them all"
    );
    ask(&server, &["sources", "sync", &id]).fine();
    *count.lock().expect("a count") = 1;
    ask(&server, &["sources", "sync", &id]).fine();
    assert_eq!(server.job(&server.last_job())["disabled"], json!(19));
}

#[test]
fn a_plan_in_a_terminal_has_colours() {
    let server = start();
    let seen = ask_in_terminal(&server, 100, "", &next(&["--plan"]));
    for part in [
        "\u{1b}[1mMerge for `s` would add 2, update 1 and remove none.\u{1b}[0m",
        "\u{1b}[32m+ add    \u{1b}[0m",
        "\u{1b}[33m~ update \u{1b}[0m",
    ] {
        assert!(seen.fine().contains(part), "{part:?}: {seen:?}");
    }
}
