//! `tributary jobs show` and `jobs undo`.

use serde_json::json;

use super::asked::{ask, ask_in_terminal};
use crate::service::harness::{ACCOUNTS, INJECT, Server};

/// A pool of two accounts from which one was removed by hand; that job.
fn start() -> (Server, String) {
    let server = Server::start();
    let body = r#"{"accounts": ["example-1", {"token": "example-2", "password": "canary-p"}, 5, null], "source_id": "s", "source_name": "Team"}"#;
    server.post(INJECT, body);
    server.delete_with(ACCOUNTS, r#"{"tokens": ["example-2"]}"#);
    let job = server.last_job();
    (server, job)
}

#[test]
fn a_job_is_shown_line_by_line() {
    let (server, _) = start();
    let jobs = ask(&server, &["jobs", "--kind", "inject"]).json();
    let id = jobs["items"][0]["job_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let shown = ask(&server, &["jobs", "show", &id, "--table"]);
    let line = |name: &str| {
        let mut lines = shown.fine().lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix("  "));
        value.map(str::trim)
    };
    for (name, value) in [
        ("job_id", Some(id.as_str())),
        ("status", Some("success")),
        ("source_id", Some("s")),
        ("source_name", Some("Team")),
        ("kind", Some("inject")),
        ("by", Some("admin")),
        ("added", Some("2")),
        ("not taken: blank", Some("1")),
        ("not taken: entry type", Some("1")),
        ("undoable", Some("true")),
        ("removed", None),
        ("errors", None),
    ] {
        assert_eq!(line(name), value, "{name}: {shown:?}");
    }
    let apply = line("apply").expect("a time");
    assert!(apply.ends_with(" ms"), "{shown:?}");
    assert!(!shown.out.contains("canary"), "{shown:?}");
    let json = ask(&server, &["jobs", "show", &id.to_uppercase()]);
    assert_eq!(json.json()["job"], server.job(&id));
}

#[test]
fn an_undo_is_looked_at_and_then_done() {
    let (server, job) = start();
    let (before, newest) = (server.export(), server.last_job());
    let plan = ask(&server, &["jobs", "undo", &job, "--plan", "--table"]);
    let expected = format!(
        "Undo of job {job} would add 1 and remove none.\nCompared with the pool of http://{}.\n\n\
         changes\n  + add            e…2          gpt\n",
        server.addr
    );
    assert_eq!(plan.fine(), expected);
    let plan = ask(&server, &["jobs", "undo", &job, "--plan"]).json();
    assert_eq!(plan["plan"]["counts"]["added"], json!(1));
    let without = ask(&server, &["jobs", "undo", &job]);
    assert_eq!(
        without.refused(2),
        "without a terminal to ask in, say --yes; nothing was changed"
    );
    assert_eq!((server.export(), server.last_job()), (before, newest));
    let done = ask(&server, &["jobs", "undo", &job, "--yes"]).json();
    assert_eq!(
        (&done["job"]["kind"], &done["job"]["undoes"]),
        (&json!("undo"), &json!(job))
    );
    assert_eq!(server.tokens(), ["example-1", "example-2"]);
    let undo = done["job"]["job_id"].as_str().expect("an id").to_owned();
    assert_eq!(
        ask(&server, &["jobs", "undo", &job, "--yes"]).refused(1),
        format!("the job is undone by job `{undo}`; undo that one to have it again")
    );
    let again = ask(&server, &["jobs", "undo", &undo, "--yes", "--table"]);
    assert!(again.fine().contains(&format!("{undo}\n")), "{again:?}");
    assert_eq!(server.tokens(), ["example-1"]);
}

#[test]
fn a_terminal_is_asked_before_a_job_is_undone() {
    let (server, job) = start();
    let asked = format!(
        "undo job {job}: add 1, change 0 and remove 0 accounts, and leave 0 as they are? [y/N] "
    );
    let no = ask_in_terminal(&server, 120, "n\n", &["jobs", "undo", &job]);
    assert!(no.code == Some(1) && no.out.contains(&asked), "{no:?}");
    assert_eq!(server.tokens(), ["example-1"]);
    let yes = ask_in_terminal(&server, 120, "y\n", &["jobs", "undo", &job]);
    assert!(yes.fine().contains(&asked), "{yes:?}");
    assert_eq!(server.tokens(), ["example-1", "example-2"]);
}

#[test]
fn what_an_undo_leaves_is_named() {
    let (server, job) = start();
    server.post(INJECT, r#"{"tokens": ["example-2"], "source_id": "t"}"#);
    let id = server.id_of("example-2");
    let plan = ask(&server, &["jobs", "undo", &job, "--plan", "--table"]);
    let left = format!(
        "\nleft as it is\n  left      {} the account is in the pool again\n",
        &id[..12]
    );
    assert!(plan.fine().contains(&left), "{plan:?}");
    let done = ask(&server, &["jobs", "undo", &job, "--yes", "--table"]);
    let line = format!("left: {}", &id[..12]);
    assert!(done.fine().contains(&line), "{done:?}");
}

#[test]
fn what_is_no_job_is_said() {
    let (server, job) = start();
    for wrong in ["", "..", "12", &job[1..], &job.replace(|_| true, "x")] {
        for command in ["show", "undo"] {
            let said = ask(&server, &["jobs", command, wrong]);
            assert!(said.refused(2).contains("32 hex digits"), "{said:?}");
        }
    }
    let none = "0".repeat(32);
    for args in [
        &["jobs", "show", &none][..],
        &["jobs", "undo", &none, "--yes"],
    ] {
        let said = ask(&server, args);
        assert!(said.refused(1).starts_with("job not found"), "{said:?}");
    }
    server.post(INJECT, r#"{"tokens": ["example-1"], "source_id": "s"}"#);
    let nothing = server.last_job();
    assert_eq!(
        ask(&server, &["jobs", "undo", &nothing, "--yes"]).refused(1),
        "the job changed nothing"
    );
}
