//! `tributary sources`: list, add, edit, delete and sync.

use std::time::{Duration, Instant};

use serde_json::json;

use super::asked::{ask, ask_in_terminal, ask_with, command, said};
use crate::service::harness::{INJECT, SOURCES, Server};
use crate::service::upstream::{Reply, Upstream};

/// The id of a source that the command line adds.
fn add(server: &Server, options: &[&str]) -> String {
    let answer = ask(server, &[&["sources", "add"], options].concat()).json();
    answer["source"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn every_field_can_be_set_and_changed() {
    let server = Server::start();
    let id = add(
        &server,
        &[
            "--url",
            "http://a.test/x",
            "--name",
            "Team",
            "--method",
            "POST",
            "--provider",
            "grok",
            "--strategy",
            "replace",
            "--interval",
            "60",
            "--auth-header",
            "X-Key",
            "--enabled",
            "false",
        ],
    );
    let expected = json!({"id": id, "name": "Team", "enabled": false, "url": "http://a.test/x", "method": "POST", "auth_header": "X-Key",
        "provider": "grok", "sync_strategy": "replace", "interval_seconds": 60, "last_sync_at": "", "import_job": null,
        "has_auth_token": false, "has_bearer_token": false});
    let listed = ask(&server, &["sources", "list"]);
    assert_eq!(listed.json(), json!({"sources": [expected]}));
    assert_eq!(listed.out, server.get(SOURCES).body + "\n");
    let edited = ask(
        &server,
        &[
            "sources",
            "edit",
            &id,
            "--enabled",
            "true",
            "--provider",
            "",
            "--auth-header",
            "",
            "--url",
            "http://b.test/",
        ],
    );
    let edited = &edited.json()["source"];
    for (name, value) in [
        ("name", json!("Team")),
        ("enabled", json!(true)),
        ("url", json!("http://b.test/")),
        ("provider", json!("")),
        ("auth_header", json!("")),
        ("interval_seconds", json!(60)),
    ] {
        assert_eq!(edited[name], value, "{name}");
    }
}

#[test]
fn tokens_come_from_files_stdin_and_variables_and_are_shown_nowhere() {
    let server = Server::start();
    std::fs::write(server.home().file("bearer"), "canary-bearer\n").expect("a file");
    let options = [
        "--url",
        "http://a.test/",
        "--bearer-token-file",
        "bearer",
        "--table",
    ];
    let added = ask(&server, &[&["sources", "add"], &options[..]].concat());
    assert!(added.fine().contains("bearer token  set\n"), "{added:?}");
    assert!(added.out.contains("auth token    none\n"), "{added:?}");
    let id = server.get(SOURCES).json()["sources"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let edit = [
        "sources",
        "edit",
        &id,
        "--auth-header",
        "X-Key",
        "--auth-token-file",
        "-",
        "--no-bearer-token",
    ];
    let edited = ask_with(&server, &edit, "canary-auth\n");
    let has = |said: &super::asked::Said| {
        let source = said.json()["source"].clone();
        (
            source["has_auth_token"] == true,
            source["has_bearer_token"] == true,
        )
    };
    assert_eq!(has(&edited), (true, false));
    let mut variable = command(&server, &["sources", "edit", &id, "--no-auth-token"]);
    let by_variable = said(
        variable.env("TRIBUTARY_SOURCE_BEARER_TOKEN", "canary-variable"),
        "",
    );
    assert_eq!(has(&by_variable), (false, true));
    for said in [&added, &edited, &by_variable] {
        assert!(!format!("{said:?}").contains("canary"), "{said:?}");
    }
    let both = [
        "sources",
        "edit",
        &id,
        "--auth-token-file",
        "-",
        "--bearer-token-file",
        "-",
    ];
    ask_with(&server, &both, "x").refused(2);
    let empty = ["sources", "edit", &id, "--auth-token-file", "-"];
    assert_eq!(
        ask_with(&server, &empty, " \n").refused(1),
        "`-` holds no token"
    );
    let help = ask(&server, &["sources", "add", "--help"]);
    assert!(
        help.fine().contains("never from the command line"),
        "{help:?}"
    );
}

#[test]
fn a_sync_tells_its_counts() {
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-1", "example-2", 5]}"#);
    let id = add(
        &server,
        &[
            "--url",
            &upstream.url("/x?key=canary-query"),
            "--name",
            "Team",
        ],
    );
    let answer = ask(&server, &["sources", "sync", &id]);
    let job = answer.json()["import_job"].clone();
    assert_eq!(
        (&job["status"], &job["added"]),
        (&json!("success"), &json!(2))
    );
    let job = job["job_id"].as_str().expect("a job");
    assert_eq!(answer.err, format!("job {job}, 1 entry was not taken\n"));
    let again = ask(&server, &["sources", "sync", &id, "--table"]);
    let counts = "total      2\nadded      0\nskipped    2\nremoved    0\nnot taken  1\n";
    assert!(again.fine().contains(counts), "{again:?}");
    let table = ask(&server, &["sources", "list", "--table"]);
    let line = table.fine().lines().nth(1).expect("a line");
    assert!(line.starts_with(&format!("{id}  Team  yes ")), "{table:?}");
    assert!(
        line.contains("success") && line.ends_with("/x?…"),
        "{table:?}"
    );
    assert!(!table.out.contains("canary"), "{table:?}");
}

#[test]
fn a_failed_sync_is_1_and_says_where_to_look() {
    let server = Server::start();
    let upstream = Upstream::start(|_| Reply::status(500, "canary"));
    let id = add(&server, &["--url", &upstream.url("")]);
    for form in ["--json", "--table"] {
        let failed = ask(&server, &["sources", "sync", &id, form]);
        let said = failed.refused(1);
        let jobs = server.get("/api/remote-account/jobs").json();
        let job = jobs["items"][0]["job_id"].as_str().expect("a job");
        assert_eq!(
            said,
            format!("remote account sync failed; `tributary jobs show {job}` tells why")
        );
        let shown = ask(&server, &["jobs", "show", job, "--table"]);
        for part in ["failed", "status", "it answered with status 500"] {
            assert!(shown.fine().contains(part), "{shown:?}");
        }
    }
    ask(&server, &["sources", "edit", &id, "--enabled", "false"]).fine();
    assert_eq!(
        ask(&server, &["sources", "sync", &id]).refused(1),
        "source is disabled; `tributary sources edit ID --enabled true` enables it"
    );
}

#[test]
fn a_source_goes_after_a_yes_and_its_accounts_as_told() {
    let server = Server::start();
    let start = |name: &str| {
        let id = add(&server, &["--url", "http://a.test/", "--name", name]);
        let body = json!({"source_id": id, "tokens": [format!("{name}-1"), format!("{name}-2")]});
        server.post(INJECT, &body.to_string());
        id
    };
    let (kept, released, removed) = (start("kept"), start("released"), start("removed"));
    ask(&server, &["sources", "delete", &kept]).refused(2);
    for (id, name, accounts, question) in [
        (&kept, "kept", "keep", "and keep its accounts"),
        (
            &released,
            "released",
            "release",
            "and release its 2 accounts",
        ),
        (
            &removed,
            "removed",
            "remove",
            "and remove for good, where nobody else owns them, its 2 accounts",
        ),
    ] {
        let args = ["sources", "delete", id, "--accounts", accounts];
        let asked = format!("delete source {name} ({id}) {question}? [y/N] ");
        let no = ask_in_terminal(&server, 200, "n\n", &args);
        assert!(no.code == Some(1) && no.out.contains(&asked), "{no:?}");
        let yes = ask_in_terminal(&server, 200, "y\n", &args);
        assert!(yes.fine().contains(&asked), "{yes:?}");
    }
    assert_eq!(
        server.tokens(),
        ["kept-1", "kept-2", "released-1", "released-2"]
    );
    let owners = |at: usize| server.pool()[at]["owners"].clone();
    assert_eq!(owners(0), json!({"local": false, "sources": [kept]}));
    assert_eq!(owners(2), json!({"local": true, "sources": []}));
    let last = start("last");
    let answer = ask(&server, &["sources", "delete", &last, "--yes"]);
    assert_eq!(answer.fine(), "{\"sources\":[]}\n");
    let last = start("last");
    let answer = ask(&server, &["sources", "delete", &last, "--yes", "--table"]);
    assert_eq!(
        answer.fine(),
        format!("deleted source {last}; 0 sources are left\n")
    );
}

#[test]
fn the_list_tells_which_source_the_schedule_gave_up() {
    let server = Server::start_with(&["--auto-sync"]);
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        "/good" => Reply::json(r#"["example-1"]"#),
        _ => Reply::status(403, ""),
    });
    for (path, interval) in [("/good", "86400"), ("/bad", "1")] {
        add(
            &server,
            &["--url", &upstream.url(path), "--interval", interval],
        );
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let listed = loop {
        let listed = ask(&server, &["sources", "list", "--table"]);
        if listed.out.contains("quarantined") {
            break listed;
        }
        assert!(Instant::now() < deadline, "{listed:?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let lines: Vec<_> = listed.fine().lines().collect();
    let at = lines[0].find("NEXT (UTC)").expect("a column");
    for (line, next) in [(lines[1], "20"), (lines[2], "quarantined")] {
        assert!(line[at..].starts_with(next), "{listed:?}");
    }
}

#[test]
fn the_list_of_a_server_that_knows_no_schedule_is_told_without_it() {
    let here = Server::start();
    let older = Upstream::start(|asked| match asked.path.as_str() {
        "/api/remote-account/sources" => Reply::json(
            r#"{"sources": [{"id": "a1b2c3d4e5f6", "name": "Older", "enabled": true}]}"#,
        ),
        _ => Reply::status(404, r#"{"detail": {"error": "not found"}}"#),
    });
    let url = older.url("");
    let listed = ask(&here, &["sources", "list", "--table", "--server", &url]);
    let line = listed.fine().lines().nth(1).expect("a source");
    assert!(line.starts_with("a1b2c3d4e5f6  Older"), "{line}");
}

#[test]
fn what_cannot_be_done_is_said_with_a_remedy() {
    let server = Server::start();
    for args in [
        &["sources", "sync", "a1b2c3d4e5f6"][..],
        &["sources", "edit", "a1b2c3d4e5f6", "--name", "x"],
        &["sources", "delete", "a1b2c3d4e5f6", "--yes"],
    ] {
        assert_eq!(
            ask(&server, args).refused(1),
            "source not found; `tributary sources list` shows them all"
        );
    }
    let wrong = ask(&server, &["sources", "add", "--url", "nothing"]);
    assert_eq!(
        wrong.refused(1),
        "url must start with `http://` or `https://` and name a host"
    );
    for args in [
        &["sources"][..],
        &["sources", "add"],
        &[
            "sources",
            "add",
            "--url",
            "http://a.test/",
            "--method",
            "PUT",
        ],
        &["sources", "sync", ".."],
        &["sources", "delete", "", "--yes"],
    ] {
        ask(&server, args).refused(2);
    }
    let none = ask(&server, &["sources", "list", "--table"]);
    assert_eq!(
        none.err,
        "no sources yet; `tributary sources add --url URL` adds one\n"
    );
}
