//! `tributary owners` and `tributary jobs`.

use serde_json::json;

use super::asked::{ask, ask_in_terminal};
use crate::service::harness::{INJECT, Server};

fn start() -> Server {
    let server = Server::start();
    for (source, tokens) in [
        ("s", json!(["example-1", "example-2"])),
        ("", json!(["example-2"])),
    ] {
        let body =
            json!({"source_id": source, "source_name": source.to_uppercase(), "tokens": tokens});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
    }
    server
}

#[test]
fn owners_are_listed_with_their_accounts() {
    let server = start();
    let answer = ask(&server, &["owners"]);
    assert_eq!(
        answer.fine(),
        server.get("/api/accounts/owners").body + "\n"
    );
    let table = ask(&server, &["owners", "--table"]);
    assert_eq!(
        table.fine(),
        "OWNER     KIND          NAME  ENABLED  ACCOUNTS\n\
         local     local                               1\n\
         source:s  inject label  S                     2\n"
    );
}

#[test]
fn an_owner_is_released_after_a_yes() {
    let server = start();
    ask(&server, &["owners", "release", "source:s"]).refused(2);
    let question =
        "take `source:s` away from its 2 accounts and make local what nobody else owns? [y/N] ";
    let no = ask_in_terminal(&server, 200, "n\n", &["owners", "release", "source:s"]);
    assert!(no.code == Some(1) && no.out.contains(question), "{no:?}");
    let args = ["owners", "release", "source:s", "--yes", "--table"];
    assert_eq!(
        ask(&server, &args).fine(),
        "1 have other owners, 1 are local now, 0 were removed\n"
    );
    let args = [
        "owners",
        "release",
        "local",
        "--accounts",
        "remove",
        "--yes",
    ];
    assert_eq!(
        ask(&server, &args).fine(),
        "{\"owner\":\"local\",\"released\":0,\"kept\":0,\"removed\":2}\n"
    );
    let args = ["owners", "release", "source:s", "--yes"];
    assert_eq!(
        ask(&server, &args).refused(1),
        "owner not found; `tributary owners` shows them all"
    );
    ask(&server, &["owners", "release"]).refused(2);
    ask(
        &server,
        &["owners", "release", "local", "--accounts", "burn"],
    )
    .refused(2);
}

#[test]
fn jobs_are_listed_the_newest_first() {
    let server = start();
    let answer = ask(&server, &["jobs"]);
    assert_eq!(
        answer.fine(),
        server.get("/api/remote-account/jobs?limit=100").body + "\n"
    );
    let table = ask(&server, &["jobs", "--table"]);
    let lines: Vec<&str> = table.fine().lines().collect();
    let jobs = answer.json()["items"].clone();
    assert_eq!(
        lines[0],
        "JOB                               CREATED (UTC)     KIND    OUTCOME  SOURCE  BY     CAUSE  STRATEGY  TOTAL  ADDED  SKIPPED  REMOVED"
    );
    for (line, (at, rest)) in lines[1..].iter().zip([
        (
            0,
            "inject  success          admin         merge         1      0        1        0",
        ),
        (
            1,
            "inject  success  S       admin         merge         2      2        0        0",
        ),
    ]) {
        let job = jobs[at]["job_id"].as_str().expect("a job");
        assert!(line.starts_with(job) && line.ends_with(rest), "{table:?}");
    }
    assert_eq!(table.err, "2 jobs\n");
    let of = |options: &[&str]| {
        let list = ask(&server, &[&["jobs"], options].concat()).json();
        list["items"].as_array().map(Vec::len)
    };
    assert_eq!(of(&["--source-id", "s"]), Some(1));
    assert_eq!(of(&["--kind", "sync"]), Some(0));
    assert_eq!(of(&["--outcome", "success", "--limit", "1"]), Some(1));
    ask(&server, &["jobs", "--kind", "nothing"]).refused(1);
}
