//! Secrets are sealed at rest: what the pool was entrusted with is in no file, and opens with its master key alone.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::json;

use super::harness::{ACCOUNTS, EXPORT, Home, INJECT, JOBS, SOURCES, Server};
use super::upstream::Upstream;

/// What must be found nowhere. Masked tokens show at most the first and last 4 characters.
const CANARIES: [&str; 6] = [
    "canary-token-of-an-account",
    "canary-password-of-an-account",
    "canary-replaced-password",
    "canary-bearer-of-a-source",
    "canary-header-of-a-source",
    "canary-query-of-a-source",
];

/// The files of a folder that hold a canary, with which.
fn found_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        for canary in CANARIES {
            let canary = canary.as_bytes();
            if bytes.windows(canary.len()).any(|part| part == canary) {
                found.push(format!(
                    "{}: {}",
                    path.display(),
                    String::from_utf8_lossy(canary)
                ));
            }
        }
    }
    found
}

/// Gives the server everything that is secret, and has it change, remove, undo and fail.
fn entrust(server: &Server) {
    let upstream = Upstream::json(
        r#"[{"token": "canary-token-of-an-account-2", "cookie": "canary-password-of-an-account-2"}]"#,
    );
    let source = json!({"url": upstream.url("/pool?key=canary-query-of-a-source"), "bearer_token": "canary-bearer-of-a-source"});
    let id = server.source(&source.to_string());
    server.source(&json!({"url": "http://127.0.0.1:9/", "auth_header": "X-Key", "auth_token": "canary-header-of-a-source"}).to_string());
    assert_eq!(server.post(&format!("{SOURCES}/{id}/sync"), "").status, 200);
    let inject = |password: &str| {
        let account = json!({"token": "canary-token-of-an-account", "password": password, "n": {"jwt": "canary-password-of-an-account"}});
        let body = json!({"accounts": [account, "canary-token-of-an-account-3"], "source_id": "s"});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
    };
    inject("canary-password-of-an-account");
    inject("canary-replaced-password");
    let replace = json!({"tokens": ["canary-token-of-an-account-3"], "source_id": "s", "strategy": "replace"});
    server.post(INJECT, &replace.to_string());
    assert_eq!(
        server
            .post(&format!("{JOBS}/{}/undo", server.last_job()), "")
            .status,
        200
    );
    server.post(INJECT, r#"{"tokens": [{"canary-token-of-an-account": 1}], "strategy": "replace", "source_id": "s"}"#);
    server.delete_with(ACCOUNTS, r#"{"tokens": ["canary-token-of-an-account-3"]}"#);
    assert_eq!(server.post("/api/master-key/rotate", "").status, 200);
    inject("canary-password-of-an-account");
}

#[test]
fn no_secret_is_in_any_file_or_log() {
    let home = Home::new();
    let server = Server::start_in(home, &["--log-level", "trace"]);
    entrust(&server);
    assert_eq!(
        found_in(&server.home().data()),
        Vec::<String>::new(),
        "while it runs"
    );
    let export = server.export();
    assert!(
        export.contains("canary-token-of-an-account\""),
        "an export tells it: {export}"
    );
    let home = server.crash();
    assert_eq!(
        found_in(&home.data()),
        Vec::<String>::new(),
        "after a crash"
    );
    for canary in CANARIES {
        assert!(!home.log().contains(canary), "{canary}");
    }
    let server = Server::start_in(home, &[]);
    assert_eq!(server.export(), export);
    let home = server.stop();
    assert_eq!(
        found_in(&home.data()),
        Vec::<String>::new(),
        "when it has ended"
    );
}

/// What a server says that must not start.
fn refused(home: &Home, options: &[&str]) -> String {
    let output = super::store::refused(home, options);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_or_wrong_key_is_refused_and_nothing_is_touched() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["example-1"]}"#);
    let home = server.stop();
    let (key, database) = (
        home.data().join("master-key"),
        home.data().join("tributary.db"),
    );
    let kept = (
        fs::read(&key).expect("a key"),
        fs::read(&database).expect("a database"),
    );
    fs::remove_file(&key).expect("it goes");
    let said = refused(&home, &[]);
    assert!(said.contains("--master-key-file"), "{said}");
    assert!(!key.exists(), "no other key is made");
    let other = home.file("other-key");
    fs::write(&other, "ab".repeat(32)).expect("a file");
    let said = refused(
        &home,
        &["--master-key-file", other.to_str().expect("a path")],
    );
    assert!(said.contains("is sealed with another master key"), "{said}");
    fs::write(&other, "no key").expect("a file");
    let said = refused(
        &home,
        &["--master-key-file", other.to_str().expect("a path")],
    );
    assert!(said.contains("64 hex digits"), "{said}");
    assert_eq!(fs::read(&database).expect("a database"), kept.1);
    fs::write(&other, &kept.0).expect("a file");
    let server = Server::start_in(
        home,
        &["--master-key-file", other.to_str().expect("a path")],
    );
    assert_eq!(server.tokens(), ["example-1"]);
}

#[test]
fn a_key_may_come_from_the_environment() {
    let home = Home::new();
    let key = "0f".repeat(32);
    let start = |home: Home| {
        let mut command = home.serve();
        command.env("TRIBUTARY_MASTER_KEY", &key);
        Server::spawn(home, command)
    };
    let server = start(home);
    server.post(INJECT, r#"{"tokens": ["example-1"]}"#);
    assert!(!server.home().data().join("master-key").exists());
    let rotated = server.post("/api/master-key/rotate", "");
    assert_eq!(rotated.status, 409, "{rotated:?}");
    let server = start(server.stop());
    assert_eq!(server.tokens(), ["example-1"]);
}

#[test]
fn what_is_no_text_is_no_key() {
    let home = Home::new();
    let mut command = home.serve();
    command.env("TRIBUTARY_MASTER_KEY", OsStr::from_bytes(&[0xff; 32]));
    let status = command.status().expect("it ends");
    assert!(!status.success());
    assert!(home.log().contains("64 hex digits"), "{}", home.log());
    assert!(!home.data().join("master-key").exists());
}

#[test]
fn a_rotation_ends_beside_imports() {
    let server = Server::start();
    let tokens: Vec<String> = (0..9_000).map(|n| format!("example-{n}")).collect();
    server.post(
        INJECT,
        &json!({"tokens": tokens, "source_id": "s"}).to_string(),
    );
    let key = server.home().data().join("master-key");
    let lines = |path: &Path| fs::read_to_string(path).expect("a key").lines().count();
    let before = fs::read_to_string(&key).expect("a key");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let imports = scope.spawn(|| {
            let mut imported = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let body = json!({"tokens": [format!("other-{imported}")]});
                assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
                imported += 1;
            }
            imported
        });
        let rotated = server.post("/api/master-key/rotate", "");
        assert_eq!(rotated.status, 200, "{rotated:?}");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(imports.join().expect("imports") > 0);
    });
    let rotated = fs::read_to_string(&key).expect("a key");
    assert_ne!(rotated, before);
    assert_eq!(lines(&key), 1, "the older key is gone");
    let export = server.export();
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.export(), export);
}

#[test]
fn lists_look_ups_and_plans_open_no_secret() {
    let server = Server::start();
    let body = json!({"accounts": [{"token": "example-1", "password": "p-1"}, "example-2"], "source_id": "s"});
    server.post(INJECT, &body.to_string());
    let home = server.stop();
    home.database()
        .execute("UPDATE account SET secret = x'00'", [])
        .expect("no secret opens any more");
    let server = Server::start_in(home, &[]);
    assert_eq!(server.get(ACCOUNTS).json()["total"], 2);
    assert_eq!(
        server
            .get(&format!("{ACCOUNTS}/{}", server.id_of("example-1")))
            .status,
        200
    );
    let lookup = server.post(
        "/api/remote-account/pool/lookup",
        r#"{"tokens": ["example-1"]}"#,
    );
    assert_eq!(lookup.status, 200, "{lookup:?}");
    let other = json!({"accounts": [{"token": "example-1", "password": "p-2", "quota": 3}], "source_id": "s", "strategy": "replace"});
    for plan in [&body, &other] {
        let planned = server.post("/api/remote-account/plan", &plan.to_string());
        assert_eq!(planned.status, 200, "{planned:?}");
    }
    // What changes no secret opens none either, and neither does a removal.
    let quota = json!({"accounts": [{"token": "example-1", "quota": 9}], "source_id": "s"});
    assert_eq!(server.post(INJECT, &quota.to_string()).status, 200);
    assert_eq!(server.post(EXPORT, "").status, 503, "an export opens them");
    assert_eq!(
        server
            .delete_with(ACCOUNTS, r#"{"tokens": ["example-2"]}"#)
            .status,
        200
    );
}

#[test]
fn a_first_start_says_to_keep_a_copy_of_the_key() {
    let server = Server::start();
    let told = |server: &Server| {
        server
            .home()
            .log()
            .matches("keep a copy of it apart")
            .count()
    };
    assert_eq!(told(&server), 1, "{}", server.home().log());
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(told(&server), 1, "once: {}", server.home().log());
}

#[test]
fn an_export_under_way_outlives_the_key_that_its_rows_are_sealed_with() {
    let server = Server::start();
    assert_eq!(
        server
            .post(INJECT, &super::payload::accounts(40_000))
            .status,
        200
    );
    let whole = server.export();
    let request = format!(
        "POST {EXPORT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    let mut wire = server.connect();
    wire.write_all(request.as_bytes()).expect("it listens");
    let mut answer = vec![0; 100_000];
    wire.read_exact(&mut answer).expect("it has begun");
    for _ in 0..2 {
        assert_eq!(server.post("/api/master-key/rotate", "").status, 200);
    }
    wire.read_to_end(&mut answer).expect("it goes on");
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    assert!(answer.ends_with(b"\r\n0\r\n\r\n"), "it is whole");
    let text = String::from_utf8_lossy(&answer);
    let tokens = |text: &str| text.matches("\"access_token\":").count();
    assert_eq!(tokens(&text), 40_000);
    assert_eq!((tokens(&whole), lines(whole.as_bytes())), (40_000, 40_000));
}

#[test]
fn a_look_makes_no_key_and_a_restore_tells_of_the_one_it_made() {
    let server = Server::start();
    server.post(INJECT, r#"{"tokens": ["example-1"]}"#);
    let lines = server.home().file("lines");
    fs::write(&lines, server.export()).expect("a file");
    let lines = lines.to_str().expect("a path");
    let home = Home::new();
    home.key("reader", "mirror");
    let key = home.data().join("master-key");
    let planned = home.run(&["plan", lines]);
    let said = String::from_utf8_lossy(&planned.stderr).into_owned();
    assert!(
        !planned.status.success() && said.contains("start the server once"),
        "{said}"
    );
    assert!(!key.exists());
    let restored = home.run(&["import", lines]);
    let said = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(
        restored.status.success() && said.contains("keep a copy of it"),
        "{said}"
    );
    let again = Server::start_in(home, &[]);
    assert!(key.exists());
    assert_eq!(again.tokens(), ["example-1"]);
}
