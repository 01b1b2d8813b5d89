//! `tributary import`: an export becomes a pool again.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::harness::{ACCOUNTS, EXPORT, Home, INJECT, SOURCES, Server};
use super::program::program;

/// Restores `lines` into a new folder.
fn import(lines: &str) -> (Home, Output) {
    let home = Home::new();
    std::fs::write(home.file("export.ndjson"), lines).expect("a file");
    let output = import_into(&home);
    (home, output)
}

fn import_into(home: &Home) -> Output {
    let file = home.file("export.ndjson");
    home.run(&["import", file.to_str().expect("a path")])
}

fn restored(lines: &str) -> Server {
    let (home, output) = import(lines);
    assert!(output.status.success(), "{output:?}");
    Server::start_in(home, &[])
}

/// It ends with 1 and says this, without Rust's own words.
fn check_refused(output: &Output, part: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    // The first to open a pool is told of its new master key.
    let lines = said
        .lines()
        .filter(|line| !line.starts_with("the master key was made"));
    let said: Vec<&str> = lines.collect();
    assert_eq!(
        (output.status.code(), output.stdout.len()),
        (Some(1), 0),
        "{output:?}"
    );
    assert!(
        said.len() == 1 && said[0].contains(part),
        "{part}: {said:?}"
    );
}

/// An account as a line of an export.
fn line(token: &str, rest: &str) -> String {
    format!(
        r#"{{"access_token":"{token}","provider":"gpt","type":"free","status":"正常","quota":0,"success":0,"fail":0{rest}}}"#
    ) + "\n"
}

const LOCAL: &str =
    r#","remote_injected_at":"2026-05-23T10:15:30+00:00","owners":{"local":true,"sources":[]}"#;
const DISABLED: &str = r#","earlier_status":"限 \"流\"","remote_injected_at":"2025-01-01T00:00:00+00:00","owners":{"local":false,"sources":[]}"#;

#[test]
fn what_was_exported_is_restored_byte_for_byte() {
    let first = Server::start();
    let stored = first.source(r#"{"name": "Stored 源", "url": "http://a.example.test/"}"#);
    for body in [
        json!({"source_id": "alpha", "source_name": "Alpha \"1\"", "accounts": [
            {"token": "example-1", "provider": "xai", "email": "a@example.test", "refresh_token": "example-refresh", "n": 1.50,
                "nested": {"list": [{"password": {"deep": [1, "x"]}}, null, "…"], "cookie": null, "eyJh.b.c": {"k": " v "}}},
            {"token": "example-2", "status": "限流", "quota": 9, "restore_at": "", "limits_progress": [{"n": 1e3}], "image_quota_unknown": true},
            "example-3"]}),
        json!({"source_id": "beta", "tokens": ["example-1", "example-4"]}),
        json!({"source_id": stored, "tokens": ["example-2", "example-1"]}),
        json!({"tokens": ["example-3", "example-5 \u{0}\n\"\\ 词"]}),
        json!({"source_id": "local", "source_name": "L", "accounts": [{"token": "example-6", "a\n\u{1F600}": "b\u{7f}\u{2028}", "long": "x".repeat(70)}]}),
        json!({"source_id": "alpha", "strategy": "replace", "tokens": ["example-1", "example-7"]}),
    ] {
        assert_eq!(first.post(INJECT, &body.to_string()).status, 200, "{body}");
    }
    let raw = r#"{"accounts": [{"token": "example-8", "raw": {"example-8" :  1,
        "note": "a  b"}, "twice": 1, "twice": {"a": 1, "a": 2}, "\u0061bc": "\u00e9\/"}]}"#;
    assert_eq!(first.post(INJECT, raw).status, 200);
    let export = first.post(EXPORT, "").body;
    assert_eq!(export.lines().count(), 8, "{export}");
    let second = restored(&export);
    assert_eq!(second.post(EXPORT, "").body, export);
    assert_eq!(
        second.get("/api/accounts/payload").body,
        first.get("/api/accounts/payload").body
    );
    // Lists say the same but for the ids, which belong to a pool.
    let items = |server: &Server| {
        let mut page = server
            .get(&format!("{ACCOUNTS}?owner=source:alpha&count=true"))
            .json();
        for item in page["items"].as_array_mut().expect("a list") {
            item["id"] = Value::Null;
        }
        page
    };
    assert_eq!(items(&first), items(&second));
    // The restored pool goes on as the first would.
    let again =
        json!({"source_id": "alpha", "strategy": "replace", "tokens": ["example-1"]}).to_string();
    for server in [&first, &second] {
        let counts = server.post(INJECT, &again).json();
        assert_eq!(
            (&counts["skipped"], &counts["removed"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(server.post(INJECT, raw).status, 200);
    }
    assert_eq!(second.post(EXPORT, "").body, first.post(EXPORT, "").body);
}

#[test]
fn every_case_of_the_core_is_restored_byte_for_byte() {
    let (first, mut imported) = (Server::start(), 0);
    for case in crate::conformance::cases() {
        let source = imported % 3;
        let Ok(payload) = String::from_utf8(case.payload.bytes()) else {
            continue;
        };
        let body = format!(
            r#"{{"source_id": "s-{source}", "source_name": "S {source}", "payload": {payload}}}"#
        );
        imported += usize::from(first.post(INJECT, &body).status == 200);
    }
    assert!(imported > 100, "{imported}");
    let export = first.post(EXPORT, "").body;
    assert!(export.lines().count() > 50, "{}", export.lines().count());
    assert!(restored(&export).post(EXPORT, "").body == export);
}

#[test]
fn an_account_of_nobody_stays_out_of_use_until_it_has_an_owner() {
    let lines = line("example-1", LOCAL) + &line("example-2", DISABLED).replace("正常", "禁用");
    let server = restored(&lines);
    assert_eq!(server.post(EXPORT, "").body, lines);
    let page = server
        .get(&format!("{ACCOUNTS}?owner=none&count=true"))
        .json();
    assert_eq!(
        (&page["total"], page["items"].as_array().map(Vec::len)),
        (&json!(1), Some(1))
    );
    let item = &page["items"][0];
    assert_eq!(
        (&item["status"], &item["earlier_status"]),
        (&json!("禁用"), &json!("限 \"流\""))
    );
    assert_eq!(item["owners"], json!({"local": false, "sources": []}));
    let id = item["id"].as_str().expect("an id");
    assert_eq!(
        &server.get(&format!("{ACCOUNTS}/{id}")).json()["item"],
        item
    );
    assert_eq!(
        server
            .get(&format!("{ACCOUNTS}?owner=none&source_id=s"))
            .json()["items"],
        json!([])
    );
    server.post(INJECT, r#"{"tokens": ["example-2"], "source_id": "s"}"#);
    let account = &server.pool()[1];
    assert_eq!(account["status"], "限 \"流\"");
    assert!(account.get("earlier_status").is_none());
    assert_eq!(
        server.get(&format!("{ACCOUNTS}?owner=none")).json()["items"],
        json!([])
    );
}

#[test]
fn many_lines_come_through_stdin() {
    let lines: String = (0..2_500)
        .map(|n| line(&format!("example-{n}"), LOCAL))
        .collect();
    let home = Home::new();
    let mut child = program()
        .args(["import", "-", "--data"])
        .arg(home.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(lines.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.starts_with("restored 2500 accounts into "),
        "{output:?}"
    );
    let server = Server::start_in(home, &[]);
    assert_eq!(server.post(EXPORT, "").body, lines);
    for query in [
        "",
        "?owner=local&count=true",
        "?provider=gpt&status=%E6%AD%A3%E5%B8%B8&count=true",
        "?type=free&count=true",
    ] {
        assert_eq!(
            server.get(&format!("{ACCOUNTS}{query}")).json()["total"],
            2_500,
            "{query}"
        );
    }
    assert_eq!(
        server
            .post(INJECT, r#"{"tokens": ["example-7", "example-new"]}"#)
            .json()["added"],
        1
    );
}

#[test]
fn one_damaged_line_refuses_all() {
    let good = line("example-1", LOCAL);
    for (bad, part) in [
        (
            good.clone(),
            "line 3: an earlier line has the same token; nothing was restored",
        ),
        (
            line("example-2", LOCAL)[..80].to_owned(),
            "line 3: it is not valid JSON at byte 8",
        ),
        ("\n".to_owned(), "line 3: it is not valid JSON at byte 0"),
        ("[]\n".to_owned(), "line 3: it must be a JSON object"),
        (line("example-2", ""), "line 3: `owners` must be"),
        (
            line("example-2", LOCAL).replace("2026-05-23T", "2026-02-30T"),
            "line 3: `remote_injected_at` must be a time",
        ),
        (
            line("example-2", LOCAL).replace("\"quota\":0", "\"quota\":-1"),
            "line 3: `quota` must be",
        ),
        (
            line("example-2", LOCAL).replace("[]", "[\"canary\"]"),
            "line 3: `remote_source_id` must be",
        ),
        (line(" ", LOCAL), "line 3: an account needs"),
    ] {
        let lines = good.clone() + &line("example-0", DISABLED) + &bad + &line("example-9", LOCAL);
        let (home, output) = import(&lines);
        check_refused(&output, part);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("canary"));
        let server = Server::start_in(home, &[]);
        assert_eq!(
            server.get(ACCOUNTS).body,
            r#"{"items":[],"next":null,"total":0}"#
        );
        assert_eq!(server.post(EXPORT, "").body, "");
    }
    let cut = good.trim_end();
    assert_eq!(
        restored(cut).post(EXPORT, "").body,
        good,
        "the last line feed may be missing"
    );
    assert_eq!(restored("").tokens(), [""; 0]);
}

#[test]
fn only_an_empty_pool_is_restored_into_while_no_server_runs() {
    let server = Server::start();
    let file = server.home().file("export.ndjson");
    std::fs::write(&file, line("example-1", LOCAL)).expect("a file");
    check_refused(&import_into(server.home()), "another server uses");
    server.post(INJECT, r#"{"tokens": ["example-2"]}"#);
    let home = server.stop();
    check_refused(
        &import_into(&home),
        "the pool is not empty (1 of its own): restore into an empty one",
    );
    let server = Server::start_in(home, &[]);
    assert_eq!(server.tokens(), ["example-2"]);
    let home = server.stop();
    let missing = home.run(&["import", "/nowhere/export.ndjson"]);
    check_refused(&missing, "cannot read `/nowhere/export.ndjson`");
    let folder = home.run(&["import", home.data().to_str().expect("a path")]);
    check_refused(&folder, "the pool is not empty");
}

#[test]
fn what_is_there_beside_accounts_stays() {
    let server = Server::start();
    let id = server.source(r#"{"name": "Kept", "url": "http://a.example.test/"}"#);
    let home = server.stop();
    let rest = format!(
        r#","remote_source_id":"{id}","remote_source_name":"Its name","remote_injected_at":"2026-05-23T10:15:30+00:00","owners":{{"local":false,"sources":["{id}"]}}"#
    );
    std::fs::write(home.file("export.ndjson"), line("example-1", &rest)).expect("a file");
    let output = import_into(&home);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("restored 1 account into "));
    let server = Server::start_in(home, &[]);
    assert_eq!(server.get(SOURCES).json()["sources"][0]["name"], "Kept");
    assert_eq!(server.post(EXPORT, "").body, line("example-1", &rest));
}
