//! The README's chapter on the shell: its commands, run in their order as they stand there.

use std::process::Command;

use serde_json::Value;

use super::asked::said;
use crate::service::harness::{ACCOUNTS, SOURCES, Server};
use crate::service::program::binary;
use crate::service::upstream::Upstream;

#[test]
fn every_command_of_the_chapter_works() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))
        .expect("the README");
    let chapter = readme
        .split("\n## From a shell\n")
        .nth(1)
        .expect("a chapter");
    let block = chapter.split("```sh\n").nth(1).expect("a block");
    let block = block.split("\n```").next().expect("its end");
    let server = Server::start();
    let payload = r#"{"tokens": ["example-token-1", "example-token-2"]}"#;
    std::fs::write(server.home().file("pool.json"), payload).expect("a file");
    let upstream = Upstream::json(payload);
    let first = |path: &str, list: &str| {
        let answer = server.get(path).json();
        answer[list][0]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut all = String::new();
    for line in block.lines() {
        let account = first(ACCOUNTS, "items");
        let line = line
            .replace("http://localhost:8084", &upstream.url(""))
            .replace("SOURCE_ID", &first(SOURCES, "sources"))
            .replace("JOB_ID", &newest(&server))
            .replace("ACCOUNT_ID", &account[..account.len().min(8)]);
        let answer = said(&mut shell(&server, &line), "");
        assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
        if !line.contains(" -o ") {
            assert!(
                serde_json::from_str::<Value>(&answer.out).is_ok(),
                "{line}: {answer:?}"
            );
        }
        all.push_str(&answer.out);
    }
    for part in [
        "\"added\":2",
        "\"changed\":true",
        "\"removed\":1",
        "\"kept\":1",
        "{\"sources\":[]}",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(server.home().file("manual-gpt.ndjson").exists());
}

/// The newest job; nothing before the first.
fn newest(server: &Server) -> String {
    let jobs = server.get("/api/remote-account/jobs?limit=1").json();
    let id = jobs["items"][0]["job_id"].as_str();
    id.unwrap_or_default().to_owned()
}

/// A shell that finds the program, beside a server.
fn shell(server: &Server, line: &str) -> Command {
    let folder = binary().parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", line])
        .env("PATH", format!("{folder}:{path}"))
        .env("TRIBUTARY_URL", format!("http://{}", server.addr))
        .env("TRIBUTARY_KEY", "admin")
        .current_dir(server.home().file("."));
    shell
}
