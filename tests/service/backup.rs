//! A pool as one file and back again, and whether it holds together.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use serde_json::json;

use super::harness::{Home, INJECT, JOBS, Server};
use super::payload;

/// A token, a password and the address of a source that no backup shows.
const CANARIES: [&str; 3] = ["canary-token-1", "canary-password-1", "canary-address-1"];

/// A server with accounts of two owners, a source and something to undo.
fn start() -> Server {
    let server = Server::start();
    let inject = |body: &str| assert_eq!(server.post(INJECT, body).status, 200);
    inject(&payload::accounts(50));
    inject(
        r#"{"accounts": [{"token": "canary-token-1", "password": "canary-password-1"}], "source_id": "s"}"#,
    );
    inject(r#"{"accounts": [{"token": "canary-token-1", "quota": 2}], "source_id": "t"}"#);
    server.source(r#"{"name": "near", "url": "http://127.0.0.1:9/canary-address-1"}"#);
    server
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Runs a command that must end well; what it said.
fn done(home: &Home, args: &[&str]) -> String {
    let output = home.run(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output));
    text(&output)
}

/// Runs a command that must fail with exit code 1 and one line; that line.
fn refused(home: &Home, args: &[&str]) -> String {
    let output = home.run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), said.lines().count()),
        (Some(1), 1),
        "{args:?}: {said}"
    );
    said
}

fn backup(server: &Server) -> String {
    let file = server
        .home()
        .file("pool.backup")
        .to_string_lossy()
        .into_owned();
    done(server.home(), &["backup", &file, "--force"]);
    file
}

fn copy_key(from: &Home, to: &Home) {
    fs::create_dir_all(to.data()).expect("a folder");
    fs::copy(from.data().join("master-key"), to.data().join("master-key")).expect("a key");
}

#[test]
fn a_backup_beside_a_running_server_is_restored_elsewhere_with_its_key() {
    let server = start();
    let file = server.home().file("pool.backup");
    let said = done(server.home(), &["backup", &file.to_string_lossy()]);
    assert!(said.starts_with("51 accounts and 1 source in "), "{said}");
    assert!(said.contains("it opens with master key "), "{said}");
    let nameless = refused(server.home(), &["backup", "-"]);
    assert!(nameless.contains("a file of its own"), "{nameless}");
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!server.home().file("pool.backup.new").exists());
    let pool = server.export();
    let there = Home::new();
    copy_key(server.home(), &there);
    let said = done(&there, &["restore", &file.to_string_lossy()]);
    assert!(
        said.starts_with("restored 51 accounts and 1 source into "),
        "{said}"
    );
    assert!(said.contains("keys are what they were then"), "{said}");
    let restored = Server::start_in(there, &[]);
    assert_eq!(restored.export(), pool);
    let undone = restored.post(&format!("{JOBS}/{}/undo", restored.last_job()), "");
    assert_eq!(
        undone.status, 200,
        "what could be undone still can: {undone:?}"
    );
    no_canary(&restored.stop().data());
    no_canary(file.parent().expect("a folder"));
}

fn no_canary(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).unwrap_or_default();
        for canary in CANARIES.map(str::as_bytes) {
            assert!(
                !bytes.windows(canary.len()).any(|part| part == canary),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn a_backup_holds_no_master_key_and_names_its_own() {
    let server = start();
    let key = fs::read_to_string(server.home().data().join("master-key")).expect("a key");
    let file = backup(&server);
    let bytes = fs::read(&file).expect("a file");
    let raw: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&key[at..at + 2], 16).expect("hex"))
        .collect();
    for key in [key.trim().as_bytes(), &raw] {
        assert!(!bytes.windows(key.len()).any(|part| part == key));
    }
    let rotated = server.post("/api/master-key/rotate", "").json()["key_id"].clone();
    let again = server.home().file("again.backup");
    let said = done(server.home(), &["backup", &again.to_string_lossy()]);
    assert!(
        said.contains(&format!("master key {},", rotated.as_str().expect("an id"))),
        "{said}"
    );
}

#[test]
fn a_backup_during_imports_has_each_of_them_whole_or_not_at_all() {
    const SIZE: u64 = 300;
    let server = Server::start();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let server = &server;
        let ended = Ended(&ended);
        let flag = ended.0;
        scope.spawn(move || {
            for n in (0..10_000).take_while(|_| !flag.load(Ordering::Relaxed)) {
                let tokens: Vec<_> = (0..SIZE).map(|one| format!("import-{n}-{one}")).collect();
                let body = json!({"tokens": tokens, "source_id": format!("s{n}")});
                server.post(INJECT, &body.to_string());
            }
        });
        for round in 0..5 {
            // What was acknowledged before is in it.
            let before = server.pool().len() as u64;
            let file = backup(server);
            let db = Connection::open(&file).expect("a database");
            let count = |sql: &str| {
                let count = db.query_row(sql, [], |row| row.get::<_, i64>(0));
                count.expect("a number").unsigned_abs()
            };
            let accounts = count("SELECT count(*) FROM account");
            assert!(
                accounts >= before && accounts.is_multiple_of(SIZE),
                "round {round}: {accounts} after {before}"
            );
            assert_eq!(count("SELECT count(*) FROM job") * SIZE, accounts);
            let said = done(server.home(), &["verify", &file]);
            assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
        }
    });
}

/// Says so when it goes, by a panic too.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_file_and_a_pool_are_replaced_only_when_that_is_asked() {
    let server = start();
    let file = backup(&server);
    let before = fs::read(&file).expect("a file");
    assert!(refused(server.home(), &["backup", &file]).contains("--force"));
    assert_eq!(fs::read(&file).expect("a file"), before);
    let pool = server.export();
    assert!(refused(server.home(), &["restore", &file, "--force"]).contains("another server uses"));
    server.post(INJECT, r#"{"tokens": ["later-1"]}"#);
    let home = server.crash();
    assert!(refused(&home, &["restore", &file]).contains("--force"));
    let server = Server::start_in(home, &[]);
    assert_ne!(server.export(), pool);
    let home = server.crash();
    done(&home, &["restore", &file, "--force"]);
    assert!(!home.data().join("restoring").exists());
    let server = Server::start_in(home, &[]);
    assert_eq!(server.export(), pool, "nothing of a WAL of before is in it");
}

#[test]
fn a_restored_pool_is_at_a_revision_that_it_never_was() {
    let server = start();
    let file = backup(&server);
    let changed = |server: &Server, token: &str| {
        let tokens = json!({"tokens": [token]}).to_string();
        assert_eq!(server.post(INJECT, &tokens).status, 200);
        let payload = server.get("/api/accounts/payload");
        (
            server.revision(),
            payload.header("etag").expect("a tag").to_owned(),
        )
    };
    let before = changed(&server, "later-1");
    let home = server.crash();
    done(&home, &["restore", &file, "--force"]);
    let after = changed(&Server::start_in(home, &[]), "later-2");
    assert!(after.0 > before.0, "{after:?} {before:?}");
    assert_ne!(after.1, before.1);
}

#[test]
fn no_file_of_the_pool_is_replaced_by_a_backup() {
    let server = start();
    let (home, data) = (server.home(), server.home().data());
    let before = server.export();
    for name in [
        "tributary.db",
        "tributary.db-wal",
        "master-key",
        "../data/lock",
    ] {
        let file = data.join(name);
        let said = refused(home, &["backup", &file.to_string_lossy(), "--force"]);
        assert!(said.contains("is a file of the pool itself"), "{said}");
    }
    // Wherever the key is, and where a link in its place leads.
    let key = home.file("key");
    fs::rename(data.join("master-key"), &key).expect("another place");
    symlink(&key, data.join("master-key")).expect("a link");
    let key = key.to_string_lossy();
    let named = ["--master-key-file", &key];
    let forced = ["backup", &key, "--force"];
    refused(home, &forced);
    refused(home, &[&forced[..], &named].concat());
    let server = Server::start_in(server.stop(), &[]);
    assert_eq!(server.export(), before);
    done(
        server.home(),
        &[
            "backup",
            &server.home().data().join("mine").to_string_lossy(),
        ],
    );
}

#[test]
fn a_backup_and_a_restore_are_rows_of_the_audit() {
    let server = start();
    let file = backup(&server);
    let home = server.stop();
    done(&home, &["restore", &file, "--force"]);
    let said = done(&home, &["audit", "verify"]);
    assert!(!said.contains("wait to be chained"), "{said}");
    let server = Server::start_in(home, &[]);
    let rows = server.get("/api/audit?limit=2").json()["items"].clone();
    for (row, act) in rows
        .as_array()
        .expect("a list")
        .iter()
        .zip(["restore", "backup"])
    {
        let told = json!([row["by"], row["act"], row["target"], row["counts"]]);
        assert_eq!(told, json!(["command line", act, file, {"accounts": 51}]));
    }
}

#[test]
fn a_backup_leaves_other_files_alone_and_takes_no_pool_that_is_not_sealed() {
    let server = start();
    let beside = server.home().file("pool.backup.new");
    fs::write(&beside, "mine").expect("a file");
    backup(&server);
    assert_eq!(fs::read(&beside).expect("a file"), b"mine");
    let home = Home::new();
    home.key("reader", "mirror");
    let file = home.file("pool.backup").to_string_lossy().into_owned();
    assert!(refused(&home, &["backup", &file]).contains("not sealed yet"));
    assert_eq!(
        fs::read_dir(home.root()).expect("a folder").count(),
        1,
        "no draft is left"
    );
}

#[test]
fn what_cannot_be_trusted_is_not_restored_and_nothing_is_touched() {
    let server = start();
    let file = backup(&server);
    let home = server.stop();
    let pool = fs::read(home.data().join("tributary.db")).expect("a database");
    let whole = fs::read(&file).expect("a file");
    let bad = home.file("bad.backup").to_string_lossy().into_owned();
    let restore = |there: &Home| refused(there, &["restore", &bad, "--force"]);
    let half = whole.len() / 8192 * 4096;
    fs::write(&bad, &whole[..half]).expect("a file");
    let said = restore(&home);
    assert!(
        said.contains("damaged") || said.contains("does not hold together"),
        "{said}"
    );
    assert!(said.contains(&bad), "{said}");
    fs::write(&bad, "not a database").expect("a file");
    assert!(restore(&home).contains("is not a Tributary database"));
    fs::write(&bad, &whole).expect("a file");
    Connection::open(&bad)
        .expect("a database")
        .pragma_update(None, "user_version", 99)
        .expect("a version");
    assert!(restore(&home).contains("newer Tributary"));
    fs::write(&bad, &whole).expect("a file");
    let other = Home::new();
    assert!(restore(&other).contains("master key"), "without a key");
    fs::write(other.data().join("master-key"), "11".repeat(32)).expect("a key");
    assert!(restore(&other).contains("another master key"));
    assert!(!other.data().join("tributary.db").exists());
    assert_eq!(
        fs::read(home.data().join("tributary.db")).expect("a database"),
        pool
    );
    assert!(!home.data().join("restoring").exists() && !other.data().join("restoring").exists());
}

#[test]
fn verify_finds_what_is_broken_and_names_it() {
    let server = start();
    let home = server.stop();
    let said = done(&home, &["verify"]);
    assert_eq!(
        said.lines().filter(|line| line.starts_with("ok ")).count(),
        5,
        "{said}"
    );
    let place = home.data().join("tributary.db");
    let whole = fs::read(&place).expect("a database");
    for (sql, finding) in [
        (
            "DELETE FROM settled_key WHERE account = 7",
            "account 7 is not found by its token",
        ),
        (
            "DELETE FROM account WHERE id = 7",
            "a token leads to account 7",
        ),
        (
            "DELETE FROM owned WHERE account = 7",
            "account 7 names owner 1",
        ),
        ("INSERT INTO owned VALUES(1, 51)", "53 accounts are owned"),
        (
            "UPDATE number SET value = 3 WHERE kind = 'pool'",
            "the number of all accounts",
        ),
        (
            "UPDATE number SET value = 3 WHERE kind = 'status'",
            "by provider and status",
        ),
        (
            "UPDATE number SET value = 3 WHERE kind = 'owner'",
            "the number of accounts of an owner",
        ),
        (
            "UPDATE number SET last_account = 3 WHERE kind = 'pool'",
            "the highest row",
        ),
        (
            "DELETE FROM number WHERE kind = 'pool'",
            "the number of all accounts",
        ),
        (
            "UPDATE number SET value = 0 WHERE kind = 'undo'",
            "the place of a job",
        ),
        ("UPDATE job SET place = 0", "the place of a job"),
        (
            "UPDATE account SET secret = (SELECT secret FROM account WHERE id = 8) WHERE id = 7",
            "row 7 of account: it does not open",
        ),
        (
            "UPDATE undo SET secret = x'00' WHERE side = 0",
            "row 1 of undo: it does not open",
        ),
        (
            "UPDATE account SET marks = x'' WHERE id = 7",
            "row 7 of account: it holds another number",
        ),
        ("UPDATE source SET secret = x'00'", "it does not open"),
        (
            "UPDATE audit SET act = 'sync' WHERE seq = 2",
            "the audit is not as it was written",
        ),
        (
            "UPDATE meta SET audit_key = x'00'",
            "the audit is not as it was written",
        ),
        ("DELETE FROM undo", "its record is not whole"),
        (
            "UPDATE owned SET owner = 9 WHERE account = 7",
            "owner 9 owns accounts and is not there",
        ),
    ] {
        fs::write(&place, &whole).expect("a file");
        let db = Connection::open(&place).expect("a database");
        assert!(db.execute(sql, []).expect(sql) > 0, "{sql}");
        drop(db);
        let output = home.run(&["verify"]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{sql}: {said}");
        assert!(said.contains(finding), "{sql}: {said}");
    }
    let mut torn = whole.clone();
    let middle = torn.len() / 8192 * 4096;
    torn[middle..middle + 4096].fill(0x5a);
    fs::write(&place, &torn).expect("a file");
    assert!(
        text(&home.run(&["verify"])).contains("broken  integrity of the file")
            || text(&home.run(&["verify"])).contains("damaged")
    );
}
