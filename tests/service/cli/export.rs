//! `tributary accounts export`.

use std::os::unix::fs::PermissionsExt;

use super::asked::{ask, ask_in_terminal, command, said};
use crate::service::harness::{EXPORT, INJECT, Server};
use crate::service::upstream::{Reply, Upstream};

fn start() -> Server {
    let server = Server::start();
    let body = r#"{"accounts": ["example-1", {"token": "example-2", "provider": "grok", "cookie": "c-1"}]}"#;
    assert_eq!(server.post(INJECT, body).status, 200);
    server
}

/// Names in the directory in which commands run, but for the server's.
fn files(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir(server.home().file(".")).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !["data", "log"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

#[test]
fn lines_go_to_stdout_as_the_server_sends_them() {
    let server = start();
    let all = server.post(EXPORT, "").body;
    assert_eq!(ask(&server, &["accounts", "export"]).fine(), all);
    assert_eq!(ask(&server, &["accounts", "export", "-o", "-"]).fine(), all);
    // As of a variable that is not set: it does not mean the whole pool.
    for filter in ["--source-id", "--owner", "--status", "--q"] {
        let empty = ask(&server, &["accounts", "export", filter, ""]);
        assert!(empty.refused(2).contains(filter), "{empty:?}");
    }
    let grok = ask(&server, &["accounts", "export", "--provider", "grok"]);
    assert_eq!(
        grok.fine(),
        all.lines().nth(1).expect("a line").to_owned() + "\n"
    );
}

#[test]
fn a_file_is_for_its_owner_s_eyes_and_never_overwritten_unasked() {
    let server = start();
    let file = server.home().file("pool.ndjson");
    let args = ["accounts", "export", "-o", "pool.ndjson"];
    let said = ask(&server, &args);
    assert_eq!((said.fine(), said.err.as_str()), ("", ""));
    let all = server.post(EXPORT, "").body;
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), all);
    let mode = |file| {
        std::fs::metadata(file)
            .expect("a file")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&file), 0o600);
    std::fs::write(&file, "mine").expect("a file");
    assert_eq!(
        ask(&server, &args).refused(1),
        "`pool.ndjson` exists and is left as it is; name another file, or replace it with --force"
    );
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "mine");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    ask(&server, &[&args[..], &["--force"]].concat()).fine();
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), all);
    assert_eq!(
        (mode(&file), files(&server)),
        (0o600, vec!["pool.ndjson".to_owned()])
    );
}

#[test]
fn what_breaks_off_leaves_no_file() {
    let server = start();
    let broken = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n";
    let upstream = Upstream::start(|_| Reply::Raw(broken.to_vec()));
    let mut export = command(&server, &["accounts", "export", "-o", "pool.ndjson"]);
    let said = said(export.env("TRIBUTARY_URL", upstream.url("")), "");
    assert!(
        said.refused(1).starts_with("the export broke off: "),
        "{said:?}"
    );
    let wrong = ask(
        &server,
        &["accounts", "export", "--owner", "x", "-o", "pool.ndjson"],
    );
    assert!(wrong.refused(1).starts_with("`owner` must be"));
    let nowhere = ask(
        &server,
        &["accounts", "export", "-o", "nothing/pool.ndjson"],
    );
    assert_eq!(
        nowhere.refused(1),
        "cannot write `nothing/pool.ndjson`: there is no such folder"
    );
    let folder = ask(&server, &["accounts", "export", "-o", "data", "--force"]);
    assert_eq!(folder.refused(1), "cannot write `data`: is a directory");
    assert_eq!(files(&server), Vec::<String>::new());
}

#[test]
fn a_terminal_shows_tokens_only_when_told_to() {
    let server = start();
    let said = ask_in_terminal(&server, 100, "", &["accounts", "export"]);
    assert_eq!(said.code, Some(2));
    assert!(
        !said.out.contains("example-1") && said.out.contains("-o FILE"),
        "{said:?}"
    );
    let told = ask_in_terminal(&server, 100, "", &["accounts", "export", "-o", "-"]);
    assert!(told.fine().contains("example-1"), "{told:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let server = start();
    let mut list = command(&server, &["accounts", "export"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = list.stdout(writer).output().expect("the program runs");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
