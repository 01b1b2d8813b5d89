//! The power goes, or the disk is full, at one write after another of what is done seldom: the first sealing of a pool, a
//! rotation, and commands.

use std::fs;
use std::io::Read;
use std::iter::successors;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use serde_json::Value;
use tributary_core::Salt;

use super::crash::check_whole;
use super::shim::{command, shimmed, start_in, tell};
use crate::service::harness::{Home, INJECT, Server, wait};
use crate::service::store::back_to_version_5;
use crate::service::{payload, store};

const CANARY: &str = "canary-of-an-earlier-version";
/// Accounts of a pool that is sealed in several steps.
const ACCOUNTS: i64 = 3_000;

/// After how many writes it happens, from few to many.
fn moments() -> impl Iterator<Item = u32> {
    successors(Some(0), |after| Some(after + 1 + after / 3))
}

/// Has `run` meet a power cut, and then a full disk, at one moment after another of a fresh home, until it ends well. `look`
/// sees what is left, with what `run` gave of it.
fn at_every_write<T>(
    fresh: impl Fn() -> Home,
    run: impl Fn(Home) -> (Home, bool, T),
    look: impl Fn(Home, bool, T),
) {
    for mode in ["dies", "fills"] {
        let mut met = 0;
        for moment in moments() {
            let home = fresh();
            tell(&home, &format!("{mode} {moment} 0"));
            let (home, ended_well, given) = run(home);
            tell(&home, "none 0 0");
            look(home, ended_well, given);
            if ended_well {
                break;
            }
            met += 1;
        }
        // A figure of the README; `--nocapture` shows it.
        println!("{mode}: {met} moments");
        assert!(met > 3, "{mode}: only {met} moments");
    }
}

/// A folder with what lies in another.
fn copy_of(from: &Path) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.data()).expect("a folder");
    for file in store::files(from) {
        let to = home.data().join(file.file_name().expect("a name"));
        fs::copy(&file, to).expect("a copy");
    }
    home
}

fn database(home: &Home) -> PathBuf {
    home.data().join("tributary.db")
}

fn holds_canary(folder: &Path) -> bool {
    let canary = CANARY.as_bytes();
    let holds = |file: PathBuf| {
        let bytes = fs::read(file).expect("a file");
        bytes.windows(canary.len()).any(|part| part == canary)
    };
    store::files(folder).into_iter().any(holds)
}

/// A pool of an earlier version, whose secrets nobody has sealed.
fn unsealed() -> Home {
    let home = Home::new();
    home.key("reader", "mirror");
    let db = Connection::open(database(&home)).expect("a database");
    let salt: [u8; 32] = db
        .query_row("SELECT salt FROM meta", [], |row| row.get(0))
        .expect("a salt");
    let salt = Salt::new(salt);
    db.execute_batch("BEGIN").expect("a transaction");
    for id in 1..=ACCOUNTS {
        let token = format!("{CANARY}-{id}");
        let fingerprint = *salt.of_token(&token).as_bytes();
        let len = u32::try_from(token.len()).expect("short").to_le_bytes();
        let secret = [&len[..], token.as_bytes()].concat();
        let account = "INSERT INTO account VALUES(?1, ?2, 0, 'c…', '{\"status\":\"s\"}', x'', NULL, ?3, 0, 0)";
        db.execute(account, params![id, fingerprint, secret])
            .expect("an account");
        let key =
            "INSERT INTO settled_key(fingerprint, account, owners) VALUES(?1, ?2, x'00000000')";
        db.execute(key, params![fingerprint, id]).expect("a key");
        db.execute("INSERT INTO owned VALUES(0, ?1)", [id])
            .expect("an owner");
    }
    db.execute_batch(&format!(
        "UPDATE number SET value = {ACCOUNTS}, last_account = {ACCOUNTS}; \
         INSERT INTO number(kind, of, name, value) VALUES('status', 0, 's', {ACCOUNTS}), ('owner', 0, '', {ACCOUNTS}); COMMIT; {}",
        back_to_version_5()
    ))
    .expect("numbers");
    home
}

#[test]
fn a_migration_and_a_first_sealing_that_are_cut_off_leave_no_secret_unsealed() {
    let made = unsealed();
    assert!(holds_canary(&made.data()));
    at_every_write(
        || copy_of(&made.data()),
        |home| {
            let mut child = command(&home).spawn().expect("it starts");
            let started = starts(&mut child, &home);
            (home, started, ())
        },
        |home, _, ()| {
            let server = Server::start_in(home, &[]);
            assert_eq!(server.get("/api/accounts").json()["total"], ACCOUNTS);
            assert!(!holds_canary(&server.home().data()));
            check_whole(server.home());
        },
    );
}

/// Whether a server comes as far as to listen; it is gone afterwards.
fn starts(child: &mut Child, home: &Home) -> bool {
    let mut byte = [0; 1];
    let stdout = child.stdout.as_mut().expect("it is piped");
    let listens = stdout.read(&mut byte).is_ok_and(|read| read == 1);
    let _ = child.kill();
    assert!(
        wait(child, Duration::from_secs(20)).is_some(),
        "{}",
        home.log()
    );
    listens
}

fn first_key(home: &Home) -> String {
    let file = fs::read_to_string(home.data().join("master-key")).expect("a key");
    file.lines().next().expect("a line").to_owned()
}

#[test]
fn a_rotation_that_is_cut_off_is_told_by_the_audit_whether_it_switched_the_key_or_not() {
    let made = {
        let server = Server::start();
        // More than one step seals.
        server.post(INJECT, &payload::accounts(4_500));
        server.stop()
    };
    let before = first_key(&made);
    at_every_write(
        || {
            let home = copy_of(&made.data());
            tell(&home, "none 0 0");
            home
        },
        |home| {
            let words = fs::read_to_string(home.file("faults")).expect("words");
            tell(&home, "none 0 0");
            let server = start_in(home);
            let export = server.export();
            tell(server.home(), &words);
            let answer =
                server.try_send("POST", "/api/master-key/rotate", Some("Bearer admin"), "");
            let ended = answer.is_ok_and(|answer| answer.status == 200);
            (server.crash(), ended, export)
        },
        |home, ended, export| {
            let server = Server::start_in(home, &[]);
            assert_eq!(server.export(), export);
            let key = server.home().data().join("master-key");
            let until = Instant::now() + Duration::from_secs(20);
            while fs::read_to_string(&key).expect("a key").lines().count() > 1 {
                assert!(Instant::now() < until, "it goes on to its end");
                std::thread::sleep(Duration::from_millis(10));
            }
            let switched = first_key(server.home()) != before;
            assert!(switched || !ended);
            let told = |act: &str| targets(&server, act);
            assert_eq!(told("master-key.rotated").len(), usize::from(switched));
            if switched {
                assert_eq!(told("master-key.rotated"), told("master-key.rotate"));
            }
            check_whole(server.home());
        },
    );
}

/// What the audit says that an act was done to, each time.
fn targets(server: &Server, act: &str) -> Vec<Value> {
    let rows = server.get("/api/audit?limit=100").json();
    let rows = rows["items"].as_array().expect("a list").clone();
    let rows = rows.into_iter().filter(|row| row["act"] == act);
    rows.map(|row| row["target"].clone()).collect()
}

/// Runs a command whose disk fails, in a home.
fn run(home: &Home, args: &[&str]) -> Output {
    let mut command = shimmed(home, args);
    command
        .arg("--data")
        .arg(home.data())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

/// A pool that was used, and a backup of another state of it.
fn used() -> (Home, PathBuf) {
    let server = Server::start();
    server.post(INJECT, &payload::accounts(50));
    let backup = server.home().file("earlier.backup");
    let taken = server.home().run(&["backup", &backup.to_string_lossy()]);
    assert!(taken.status.success(), "{taken:?}");
    server.post(INJECT, r#"{"tokens": ["later-1"]}"#);
    (server.stop(), backup)
}

#[test]
fn a_backup_that_is_cut_off_leaves_no_half_of_one_and_the_pool_as_it_is() {
    let (made, _) = used();
    at_every_write(
        || copy_of(&made.data()),
        |home| {
            let file = home.file("pool.backup");
            let output = run(&home, &["backup", &file.to_string_lossy()]);
            // Of a pool that cannot be written, too, where there is room for the copy.
            let told = !String::from_utf8_lossy(&output.stderr).contains("does not tell");
            (
                home,
                output.status.success() && told,
                output.status.success(),
            )
        },
        |home, _, taken| {
            let file = home.file("pool.backup");
            assert!(file.exists() || !taken);
            if file.exists() {
                let verified = home.run(&["verify", &file.to_string_lossy()]);
                assert!(verified.status.success(), "{verified:?}");
            }
            assert_eq!(Server::start_in(home, &[]).pool().len(), 51);
        },
    );
}

#[test]
fn a_restore_that_is_cut_off_leaves_the_one_pool_or_the_other() {
    let (made, backup) = used();
    let backup = backup.to_string_lossy().into_owned();
    at_every_write(
        || copy_of(&made.data()),
        |home| {
            let output = run(&home, &["restore", &backup, "--force"]);
            (home, output.status.success(), ())
        },
        |home, restored, ()| {
            check_whole(&home);
            let accounts = Server::start_in(home, &[]).pool().len();
            assert!(
                accounts == 50 || (accounts == 51 && !restored),
                "{accounts}"
            );
        },
    );
}

#[test]
fn an_import_at_the_command_line_that_is_cut_off_is_whole_or_nothing() {
    let server = Server::start();
    server.post(INJECT, &payload::accounts(500));
    let lines = server.home().file("lines");
    fs::write(&lines, server.export()).expect("a file");
    let lines = lines.to_string_lossy().into_owned();
    at_every_write(
        Home::new,
        |home| {
            let output = run(&home, &["import", &lines]);
            (home, output.status.success(), ())
        },
        |home, imported, ()| {
            let server = Server::start_in(home, &[]);
            let accounts = server.pool().len();
            assert!(
                accounts == 500 || (accounts == 0 && !imported),
                "{accounts}"
            );
            check_whole(server.home());
        },
    );
}
