//! The audit: every administrative act is a row, and no row can be altered, left out or put in without the key.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::harness::{ACCOUNTS, EXPORT, Home, INJECT, JOBS, SOURCES, Server};
use super::store::back_to_version_5;
use super::upstream::Upstream;

const AUDIT: &str = "/api/audit";
const CANARY: &str = "canary-token-of-the-audit";

/// The rows, the oldest first.
fn rows(server: &Server) -> Vec<Value> {
    let page = server.get(&format!("{AUDIT}?limit=1000")).json();
    let mut rows = page["items"].as_array().expect("a list").clone();
    rows.reverse();
    rows
}

/// The last act and its target.
fn last(server: &Server) -> (String, String) {
    let rows = rows(server);
    let row = rows.last().expect("a row");
    assert_eq!(
        (&row["by"], &row["address"]),
        (&json!("admin"), &json!("127.0.0.1"))
    );
    let text = |field: &str| row[field].as_str().expect("text").to_owned();
    (text("act"), text("target"))
}

fn verify(home: &Home, head: Option<&str>) -> (Option<i32>, String) {
    let head = head.map(|head| vec!["--head", head]).unwrap_or_default();
    let output = home.run(&[&["audit", "verify"], &head[..]].concat());
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

/// The head that `verify` tells of a chain that is whole.
fn head(home: &Home) -> String {
    let (code, said) = verify(home, None);
    assert_eq!(code, Some(0), "{said}");
    let head = said.lines().next().and_then(|line| line.rsplit(' ').next());
    head.expect("a head").to_owned()
}

#[test]
fn every_act_is_a_row_and_tells_no_secret() {
    let server = Server::start();
    assert_eq!(server.get(AUDIT).body, r#"{"items":[],"next":null}"#);
    let inject = json!({"tokens": [CANARY, "example-token-2"], "source_id": "s"});
    server.post(INJECT, &inject.to_string());
    let row = rows(&server).remove(0);
    assert_eq!(
        row["counts"],
        json!({"status": "success", "total": 2, "added": 2, "updated": 0, "removed": 0, "released": 0, "disabled": 0})
    );
    assert_eq!(
        last(&server),
        (
            "inject".to_owned(),
            format!("job {} of s", server.last_job())
        )
    );
    let upstream = Upstream::json(r#"["example-token-3"]"#);
    let source =
        server.source(&json!({"url": upstream.url("/"), "bearer_token": CANARY}).to_string());
    let done =
        |act: &str, target: &str| assert_eq!(last(&server), (act.to_owned(), target.to_owned()));
    done("source.create", &source);
    server.post(&format!("{SOURCES}/{source}"), r#"{"name": "near"}"#);
    done("source.update", &source);
    server.post(
        &format!("{SOURCES}/{source}/policy"),
        r#"{"removal": "disable"}"#,
    );
    done("source.policy", &source);
    server.post(&format!("{SOURCES}/{source}/sync"), "");
    done("sync", &format!("job {} of {source}", server.last_job()));
    server.post(ACCOUNTS, r#"{"tokens": ["example-token-4"]}"#);
    done("add", &format!("job {}", server.last_job()));
    let edit = json!({"id": server.id_of(CANARY), "quota": 3});
    server.post("/api/accounts/update", &edit.to_string());
    done("edit", &format!("job {}", server.last_job()));
    server.post(&format!("{JOBS}/{}/undo", server.last_job()), "");
    done("undo", &format!("job {}", server.last_job()));
    server.delete_with(ACCOUNTS, &json!({"tokens": [CANARY]}).to_string());
    done("delete", &format!("job {}", server.last_job()));
    let released = server.post("/api/accounts/release", r#"{"owner": "source:s"}"#);
    assert_eq!(released.status, 200, "{released:?}");
    done("release", &format!("job {} of s", server.last_job()));
    server.post(&format!("{EXPORT}?provider=gpt"), "");
    done("export", "pool by provider");
    server.get("/api/accounts/payload");
    done("payload", "pool");
    assert_eq!(
        rows(&server).last().expect("a row")["counts"],
        json!({"accounts": server.get(ACCOUNTS).json()["total"]})
    );
    let key = server.post("/api/auth/users", r#"{"name": "ops"}"#).json()["item"]["id"].clone();
    let key = key.as_str().expect("an id");
    done("key.create", key);
    server.post(&format!("/api/auth/users/{key}"), r#"{"enabled": false}"#);
    done("key.update", key);
    server.delete(&format!("/api/auth/users/{key}"));
    done("key.delete", key);
    let rotated = server.post("/api/master-key/rotate", "").json()["key_id"].clone();
    done("master-key.rotated", rotated.as_str().expect("an id"));
    let asked = rows(&server).into_iter().rev().nth(1).expect("a row");
    assert_eq!(
        (&asked["act"], &asked["target"], &asked["by"]),
        (&json!("master-key.rotate"), &rotated, &json!("admin"))
    );
    server.delete(&format!("{SOURCES}/{source}"));
    done("source.delete", &source);
    let told = server.get(&format!("{AUDIT}?limit=1000")).body;
    assert!(
        !told.contains("canary") && !told.contains("example-token"),
        "{told}"
    );
    let (code, said) = verify(server.home(), None);
    assert!(
        code == Some(0) && said.starts_with("18 rows are as they were written, head "),
        "{said}"
    );
    assert_eq!(server.send("GET", AUDIT, None, "").status, 401);
}

#[test]
fn a_failed_sync_is_a_row_too_and_a_refusal_is_none() {
    let server = Server::start();
    server.send(
        "POST",
        INJECT,
        Some("Bearer wrong"),
        r#"{"tokens": ["a-1"]}"#,
    );
    server.post(&format!("{SOURCES}/nobody/sync"), "");
    assert!(rows(&server).is_empty());
    let source = server.source(r#"{"url": "http://127.0.0.1:9/"}"#);
    server.post(&format!("{SOURCES}/{source}/sync"), "");
    assert_eq!(last(&server).0, "sync");
    assert_eq!(rows(&server)[1]["counts"]["status"], "failed");
}

#[test]
fn pages_follow_each_other() {
    let server = Server::start();
    for n in 0..5 {
        server.post(INJECT, &json!({"tokens": [format!("a-{n}")]}).to_string());
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{AUDIT}?limit=2{after}")).json();
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|row| row["seq"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

#[test]
fn what_is_altered_missing_or_put_in_is_found_by_its_row() {
    let server = Server::start();
    for n in 0..6 {
        server.post(
            INJECT,
            &json!({"tokens": [format!("a-{n}")], "source_id": "s"}).to_string(),
        );
    }
    let home = server.stop();
    let path = home.data().join("tributary.db");
    let whole = std::fs::read(&path).expect("a database");
    for (sql, row) in [
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET actor = 'key:other' WHERE seq = 3", 3),
        ("UPDATE audit SET address = '127.0.0.2' WHERE seq = 3", 3),
        ("UPDATE audit SET act = 'sync' WHERE seq = 3", 3),
        ("UPDATE audit SET target = 'job 1' WHERE seq = 3", 3),
        ("UPDATE audit SET counts = '{}' WHERE seq = 3", 3),
        ("UPDATE audit SET mac = zeroblob(32) WHERE seq = 3", 3),
        ("UPDATE audit SET mac = x'' WHERE seq = 3", 3),
        (
            "UPDATE audit SET actor = 'command line', mac = x'' WHERE seq = 3",
            3,
        ),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        (
            "UPDATE audit SET seq = -seq WHERE seq IN (3, 4); UPDATE audit SET seq = 7 + seq WHERE seq < 0",
            3,
        ),
        (
            "INSERT INTO audit SELECT 7, at, actor, address, act, target, counts, mac FROM audit WHERE seq = 6",
            7,
        ),
    ] {
        std::fs::write(&path, &whole).expect("a file");
        Connection::open(&path)
            .and_then(|db| db.execute_batch(sql))
            .expect(sql);
        let (code, said) = verify(&home, None);
        assert_eq!(code, Some(1), "{sql}: {said}");
        assert!(
            said.contains(&format!("row {row} of the audit cannot be trusted")),
            "{sql}: {said}"
        );
    }
}

#[test]
fn a_cut_shows_and_an_older_copy_does_when_a_head_of_the_log_is_looked_for() {
    let server = Server::start();
    for n in 0..4 {
        server.post(INJECT, &json!({"tokens": [format!("a-{n}")]}).to_string());
    }
    let middle = head(server.home());
    let home = server.stop();
    let path = home.data().join("tributary.db");
    let older = std::fs::read(&path).expect("a database");
    let server = Server::start_in(home, &[]);
    server.post(EXPORT, "");
    let end = head(server.home());
    let log = server.home().log();
    assert!(
        log.contains(&end) && log.contains("rows=5"),
        "an export notes the head: {log}"
    );
    let home = server.stop();
    for noted in [&middle, &end] {
        assert_eq!(verify(&home, Some(noted)).0, Some(0), "{noted}");
    }
    Connection::open(&path)
        .and_then(|db| db.execute("DELETE FROM audit WHERE seq > 4", []))
        .expect("a cut");
    let (code, said) = verify(&home, None);
    assert!(
        code == Some(1) && said.contains("the chain of 4 rows does not reach its end"),
        "{said}"
    );
    std::fs::write(&path, older).expect("a file");
    assert_eq!(
        verify(&home, None).0,
        Some(0),
        "it is as it was written then"
    );
    assert_eq!(verify(&home, Some(&middle)).0, Some(0));
    assert_eq!(verify(&home, Some(&end)).0, Some(1));
    assert_eq!(verify(&home, Some("12")).0, Some(2), "a head that is none");
}

#[test]
fn what_was_chained_once_is_not_chained_again() {
    for forged in [
        "UPDATE audit SET actor = 'key:other', mac = x'' WHERE seq >= 2",
        "UPDATE audit SET actor = 'command line', act = 'key.create', mac = x'' WHERE seq >= 2",
        "UPDATE audit SET actor = 'command line', mac = x''",
        "UPDATE number SET audit_end = x''; UPDATE audit SET actor = 'command line', mac = x'' WHERE seq >= 2",
        "UPDATE number SET audit_end = x''; UPDATE audit SET actor = 'command line', mac = x''",
        "DELETE FROM audit WHERE seq = 3; UPDATE number SET audit_end = x''",
        "UPDATE meta SET audit_key = x''",
        "UPDATE meta SET audit_key = x''; UPDATE number SET audit_end = x''; UPDATE audit SET actor = 'command line', mac = x''",
        "UPDATE meta SET audit_key = x''; UPDATE number SET audit_end = x''; DELETE FROM audit",
        &back_to_version_5(),
    ] {
        let server = Server::start();
        for n in 0..3 {
            server.post(INJECT, &json!({"tokens": [format!("a-{n}")]}).to_string());
        }
        let home = server.stop();
        home.database().execute_batch(forged).expect(forged);
        let server = Server::start_in(home, &[]);
        server.post(INJECT, r#"{"tokens": ["b-1"]}"#);
        server.post("/api/master-key/rotate", "");
        server.post(INJECT, r#"{"tokens": ["b-2"]}"#);
        let (code, said) = verify(server.home(), None);
        assert_eq!(code, Some(1), "{forged}: {said}");
    }
}

#[test]
fn a_chain_recomputed_without_the_key_is_found() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let other = Server::start();
    other.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let (home, other) = (server.stop(), other.stop());
    let from = other.data().join("tributary.db");
    let db = home.database();
    db.execute("ATTACH ?1 AS other", [from.to_string_lossy()])
        .expect("a database");
    // A whole chain of another pool, and then its key too, which that pool's master key has sealed.
    db.execute_batch("DELETE FROM audit; INSERT INTO audit SELECT * FROM other.audit")
        .expect("rows");
    assert!(
        verify(&home, None)
            .1
            .contains("row 1 of the audit cannot be trusted")
    );
    db.execute_batch("UPDATE meta SET audit_key = (SELECT audit_key FROM other.meta)")
        .expect("a key");
    assert_eq!(verify(&home, None).0, Some(1));
}

#[test]
fn rows_stay_true_after_rotations_restarts_and_crashes() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let noted = head(server.home());
    for _ in 0..2 {
        server.post("/api/master-key/rotate", "");
    }
    let server = Server::start_in(server.crash(), &[]);
    server.post(INJECT, r#"{"tokens": ["a-2"]}"#);
    assert_eq!(verify(server.home(), Some(&noted)).0, Some(0));
    assert_eq!(rows(&server).len(), 6);
}

#[test]
fn acts_at_the_command_line_are_rows_that_are_chained_where_the_master_key_is() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    server.home().key("reader", "metrics");
    let row = rows(&server).pop().expect("a row");
    assert_eq!(
        (&row["by"], &row["act"], &row["address"]),
        (&json!("command line"), &json!("key.create"), &json!(""))
    );
    let (code, said) = verify(server.home(), None);
    assert!(
        code == Some(0) && said.starts_with("2 rows are as they were written"),
        "{said}"
    );
    assert!(!said.contains("wait"), "{said}");
}

#[test]
fn acts_at_the_command_line_without_the_master_key_are_rows_that_the_server_chains() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let (kept, away) = (
        server.home().data().join("master-key"),
        server.home().file("away"),
    );
    std::fs::rename(&kept, &away).expect("it moves");
    server.home().key("reader", "metrics");
    assert!(!kept.exists(), "no key is made");
    std::fs::rename(&away, &kept).expect("it moves");
    let (code, said) = verify(server.home(), None);
    assert!(
        code == Some(0) && said.contains("1 of commands beside the server wait"),
        "{said}"
    );
    server.post(INJECT, r#"{"tokens": ["a-2"]}"#);
    let (_, said) = verify(server.home(), None);
    assert!(
        said.starts_with("3 rows are as they were written") && !said.contains("wait"),
        "{said}"
    );
    let there = Home::new();
    let export = there.file("export");
    std::fs::write(&export, server.export()).expect("a file");
    let restored = there.run(&["import", &export.to_string_lossy()]);
    assert!(restored.status.success());
    let server = Server::start_in(there, &[]);
    let row = rows(&server).pop().expect("a row");
    assert_eq!(
        (&row["act"], &row["counts"]["added"]),
        (&json!("import"), &json!(2))
    );
}

#[test]
fn every_thousandth_row_goes_to_the_log() {
    let server = Server::start();
    std::thread::scope(|scope| {
        for client in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for n in 0..126 {
                    let body = json!({"tokens": [format!("a-{client}-{n}")]});
                    assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
                }
            });
        }
    });
    let log = server.home().log();
    let line = log
        .lines()
        .find(|line| line.contains("audit rows=10"))
        .unwrap_or_else(|| panic!("no line"));
    let head = line
        .split("head=")
        .nth(1)
        .expect("a head")
        .trim_matches('"');
    assert_eq!(verify(server.home(), Some(head)).0, Some(0), "{line}");
}

#[test]
fn what_an_export_looks_for_is_not_kept() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    let in_body = json!({"q": CANARY, "provider": "gpt"}).to_string();
    for (path, body) in [
        (format!("{EXPORT}?provider=gpt&q={CANARY}"), ""),
        (EXPORT.to_owned(), in_body.as_str()),
    ] {
        assert_eq!(server.post(&path, body).status, 200);
        let row = rows(&server).pop().expect("a row");
        let (target, counts) = (&row["target"], &row["counts"]);
        assert_eq!(
            (target, counts),
            (&json!("pool by provider, q"), &json!({"accounts": 0}))
        );
    }
    let listed = server.get(AUDIT).body;
    assert!(!listed.contains(CANARY), "{listed}");
}
