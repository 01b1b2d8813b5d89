//! A disk that is full, fails, tears writes, or forgets what was not synced.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::crash::{Random, Sent, check, check_whole, until};
use super::shim::{IO, NO_SPACE, READ_ONLY, command, start_in, tell};
use crate::service::client::Answer;
use crate::service::harness::{ACCOUNTS, EXPORT, Home, INJECT, JOBS, SOURCES, Server, wait};
use crate::service::payload;

/// Power cuts of each kind.
const CUTS: usize = 12;

/// A server whose disk works until it is told otherwise.
pub(super) fn working() -> Server {
    let home = Home::new();
    tell(&home, "none 0 0");
    start_in(home)
}

/// Cuts the power again and again in the way that `words` make of a random number, and looks what is left each time.
fn cut(words: impl Fn(&mut Random) -> String) -> Sent {
    let (mut random, mut sent) = (Random(0x0bad_d15c), Sent::default());
    let mut home = Home::new();
    for round in 0..CUTS {
        tell(&home, "none 0 0");
        let server = start_in(home);
        check(&server, &sent, &format!("cut {round}"));
        let told = words(&mut random);
        home = until(server, &mut sent, &mut random, |mut server| {
            tell(server.home(), &told);
            server.wait(Duration::from_secs(20));
            server.crash()
        });
    }
    tell(&home, "none 0 0");
    let server = start_in(home);
    check(&server, &sent, "the end");
    check_whole(server.home());
    sent
}

fn is_telling(sent: &Sent) {
    let acknowledged = sent
        .merges
        .iter()
        .filter(|import| import.acknowledged)
        .count();
    assert!(acknowledged > CUTS, "{acknowledged} acknowledged");
}

#[test]
fn what_was_not_synced_is_lost_and_nothing_that_was_acknowledged() {
    is_telling(&cut(|_| "cut 0 0".to_owned()));
}

#[test]
fn of_what_was_not_synced_a_random_half_is_lost_and_nothing_that_was_acknowledged() {
    is_telling(&cut(|random| {
        format!("cut {} 0", 1 + random.below(1_000_000))
    }));
}

#[test]
fn a_torn_write_of_the_wal_tears_nothing_else() {
    is_telling(&cut(|random| format!("torn {} 0", 1 + random.below(4_000))));
}

#[test]
fn a_torn_write_of_a_checkpoint_is_mended_from_the_wal() {
    for bytes in [1, 512, 4_000] {
        let mut server = working();
        assert_eq!(server.post(INJECT, &payload::accounts(30_000)).status, 200);
        let before = server.get(ACCOUNTS).json()["total"].clone();
        tell(server.home(), &format!("tornmain {bytes} 0"));
        // More than the WAL may hold before it is copied.
        let body = payload::accounts_of(30_000..60_000, "s");
        let _ = server.try_send("POST", INJECT, Some("Bearer admin"), &body);
        server.wait(Duration::from_secs(20));
        let server = Server::start_in(server.crash(), &[]);
        let after = server.get(ACCOUNTS).json()["total"].clone();
        assert!(after == before || after == 60_000, "{after}");
        check_whole(server.home());
    }
}

#[test]
fn the_shim_does_lose_what_is_not_synced() {
    let mut server = working();
    server.post(INJECT, r#"{"tokens": ["a-1"]}"#);
    tell(server.home(), "nosync 0 0");
    assert_eq!(server.post(INJECT, r#"{"tokens": ["a-2"]}"#).status, 200);
    tell(server.home(), "cut 0 0");
    let cut_off = server.try_send(
        "POST",
        INJECT,
        Some("Bearer admin"),
        r#"{"tokens": ["a-3"]}"#,
    );
    assert!(cut_off.is_err(), "{cut_off:?}");
    server.wait(Duration::from_secs(20));
    let server = Server::start_in(server.crash(), &[]);
    assert_eq!(
        server.tokens(),
        ["a-1"],
        "without the sync it was not there"
    );
}

/// How something is asked.
type Ask = Box<dyn Fn(&Server) -> Answer>;

/// Everything that writes: its name, and how it is asked.
fn writes(server: &Server) -> Vec<(&'static str, Ask)> {
    let source = server.source(r#"{"url": "http://127.0.0.1:9/", "name": "kept"}"#);
    let gone = server.source(r#"{"url": "http://127.0.0.1:9/", "name": "gone"}"#);
    let key = server
        .post("/api/auth/users", r#"{"name": "mirror"}"#)
        .json()["item"]["id"]
        .clone();
    let key = format!("/api/auth/users/{}", key.as_str().expect("an id"));
    let job = server.last_job();
    let id = server.id_of("a-1");
    let post = |path: String, body: serde_json::Value| -> Ask {
        Box::new(move |server| server.post(&path, &body.to_string()))
    };
    let of_source = |rest: &str| format!("{SOURCES}/{source}{rest}");
    vec![
        (
            "merge",
            post(
                INJECT.to_owned(),
                json!({"tokens": ["a-2"], "source_id": "s"}),
            ),
        ),
        (
            "replace",
            post(
                INJECT.to_owned(),
                json!({"tokens": ["a-2"], "source_id": "s", "strategy": "replace"}),
            ),
        ),
        ("add", post(ACCOUNTS.to_owned(), json!({"tokens": ["a-3"]}))),
        (
            "edit",
            post(
                "/api/accounts/update".to_owned(),
                json!({"id": id, "quota": 8}),
            ),
        ),
        (
            "delete",
            Box::new(|server| server.delete_with(ACCOUNTS, r#"{"tokens": ["a-1"]}"#)),
        ),
        (
            "release",
            post(
                "/api/accounts/release".to_owned(),
                json!({"owner": "source:s"}),
            ),
        ),
        ("undo", post(format!("{JOBS}/{job}/undo"), json!({}))),
        ("export", post(EXPORT.to_owned(), json!({}))),
        (
            "source",
            post(SOURCES.to_owned(), json!({"url": "http://127.0.0.1:9/"})),
        ),
        (
            "edit of a source",
            post(of_source(""), json!({"name": "other"})),
        ),
        (
            "policy",
            post(of_source("/policy"), json!({"removal": "disable"})),
        ),
        ("sync", post(of_source("/sync"), json!({}))),
        (
            "delete of a source",
            Box::new(move |server| server.delete(&format!("{SOURCES}/{gone}"))),
        ),
        (
            "payload",
            Box::new(|server| server.get("/api/accounts/payload")),
        ),
        (
            "key",
            post("/api/auth/users".to_owned(), json!({"name": "ops"})),
        ),
        (
            "edit of a key",
            post(key.clone(), json!({"enabled": false})),
        ),
        (
            "delete of a key",
            Box::new(move |server| server.delete(&key)),
        ),
        (
            "rotation",
            post("/api/master-key/rotate".to_owned(), json!({})),
        ),
        (
            "large import",
            Box::new(|server| server.post(INJECT, &payload::accounts(30_000))),
        ),
        (
            // It waits in a file before it is imported.
            "larger import",
            Box::new(|server| server.post(INJECT, &payload::accounts(60_000))),
        ),
    ]
}

/// While writing fails with this number, every write is refused as a passing trouble and reads are answered; then all goes
/// on without a restart.
fn refuses_and_goes_on(number: i32) {
    let server = working();
    server.post(
        INJECT,
        r#"{"accounts": [{"token": "a-1", "quota": 7}], "source_id": "s"}"#,
    );
    let writes = writes(&server);
    let before = (server.export(), server.get(SOURCES).body);
    tell(server.home(), &format!("errno {number} 0"));
    for (name, write) in &writes {
        let answer = write(&server);
        assert_eq!(answer.status, 503, "{name}: {answer:?}");
        assert!(answer.body.contains("\"error\""), "{name}: {answer:?}");
        assert_eq!(server.get(SOURCES).body, before.1, "{name}");
        assert_eq!(server.get(ACCOUNTS).json()["total"], 1, "{name}");
    }
    let log = server.home().log();
    assert!(log.contains("cannot keep a large body"), "{log}");
    assert_eq!(server.get("/ready").status, 503);
    tell(server.home(), "none 0 0");
    ready_again(&server);
    assert_eq!(
        (server.export(), server.get(SOURCES).body),
        before,
        "nothing of it was written"
    );
    assert_eq!(server.post(INJECT, r#"{"tokens": ["a-4"]}"#).status, 200);
    check_whole(server.home());
    let home = server.crash();
    assert_eq!(Server::start_in(home, &[]).tokens().len(), 2);
}

pub(super) fn ready_again(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    while server
        .post(INJECT, r#"{"tokens": ["a-1"], "source_id": "s"}"#)
        .status
        != 200
    {
        assert!(
            Instant::now() < until,
            "it does not write again: {}",
            server.home().log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_full_disk_refuses_every_kind_of_write_and_goes_on_when_there_is_room() {
    refuses_and_goes_on(NO_SPACE);
}

#[test]
fn a_disk_that_fails_refuses_every_kind_of_write_and_goes_on_when_it_works() {
    refuses_and_goes_on(IO);
}

#[test]
fn a_database_made_read_only_refuses_every_kind_of_write_and_goes_on_when_it_is_not() {
    refuses_and_goes_on(READ_ONLY);
}

#[test]
fn a_body_whose_file_cannot_be_written_is_refused_at_once_and_taken_when_there_is_room() {
    let server = working();
    tell(server.home(), &format!("errno {NO_SPACE} 0"));
    let body = payload::accounts(60_000);
    assert!(body.len() > 32 << 20, "it would wait in memory");
    let begin = body.split_at(200_000).0;
    let request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\
         Content-Length: {}\r\n\r\n{begin}",
        body.len()
    );
    let answer = server.wire(request.as_bytes(), Duration::from_secs(20));
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(server.get(ACCOUNTS).json()["total"], 0);
    tell(server.home(), "none 0 0");
    assert_eq!(server.post(INJECT, &body).status, 200);
    assert_eq!(server.get(ACCOUNTS).json()["total"], 60_000);
}

#[test]
fn a_read_only_database_is_refused_at_the_start_in_one_sentence() {
    let home = Home::new();
    tell(&home, "none 0 0");
    let home = start_in(home).stop();
    tell(&home, &format!("errno {READ_ONLY} 0"));
    let mut child = command(&home)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    assert!(
        wait(&mut child, Duration::from_secs(20)).is_some(),
        "it runs"
    );
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let sentences = said
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!((output.status.code(), sentences), (Some(1), 1), "{said}");
}

#[test]
fn a_sync_that_fails_is_acknowledged_to_nobody() {
    let server = working();
    server.post(INJECT, r#"{"tokens": ["a-1"], "source_id": "s"}"#);
    tell(server.home(), &format!("syncs {IO} 0"));
    for n in 0..5 {
        let body = json!({"tokens": [format!("b-{n}")]});
        let answer = server.post(INJECT, &body.to_string());
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    tell(server.home(), "none 0 0");
    ready_again(&server);
    assert_eq!(server.tokens(), ["a-1"]);
    let home = server.crash();
    assert_eq!(Server::start_in(home, &[]).tokens(), ["a-1"]);
}

#[test]
fn a_disk_that_is_full_for_checkpoints_alone_loses_nothing_and_they_catch_up() {
    let server = working();
    server.post(INJECT, r#"{"tokens": ["a-1"], "source_id": "s"}"#);
    tell(server.home(), &format!("main {NO_SPACE} 0"));
    // The first is more than the WAL may hold before it is copied.
    for _ in 0..3 {
        let answer = server.post(INJECT, &payload::accounts(30_000));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let failed = || server.home().log().contains("a checkpoint failed");
    let until = Instant::now() + Duration::from_secs(20);
    while !failed() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(failed(), "{}", server.home().log());
    assert_eq!(server.post(INJECT, r#"{"tokens": ["a-2"]}"#).status, 200);
    assert_eq!(server.get(ACCOUNTS).json()["total"], 30_002);
    // With the power gone besides, the WAL alone holds them.
    tell(server.home(), "none 0 0");
    let server = start_in(server.crash());
    assert_eq!(server.get(ACCOUNTS).json()["total"], 30_002);
    let wal = server.home().data().join("tributary.db-wal");
    let until = Instant::now() + Duration::from_secs(20);
    // What has been copied is cut, but for room ahead.
    while fs::metadata(&wal).map_or(0, |wal| wal.len()) > 8 << 20 {
        assert!(Instant::now() < until, "{}", server.home().log());
        std::thread::sleep(Duration::from_millis(100));
    }
    check_whole(server.home());
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_keeps_the_order_of_jobs() {
    const YEARS: i64 = 10 * 365 * 86_400;
    let server = working();
    for (n, clock) in [0, YEARS, -YEARS, -3 * YEARS, 1, 0].into_iter().enumerate() {
        tell(server.home(), &format!("none 0 {clock}"));
        let body = json!({"tokens": [format!("a-{n}")], "source_id": format!("s{n}")});
        assert_eq!(server.post(INJECT, &body.to_string()).status, 200);
        let source = server.source(r#"{"url": "http://127.0.0.1:9/", "interval_seconds": 60}"#);
        assert_eq!(
            server.post(&format!("{SOURCES}/{source}/sync"), "").status,
            502
        );
        assert_eq!(
            server.get(&format!("{SOURCES}/{source}/policy")).status,
            200
        );
        assert_eq!(server.get("/metrics").status, 200);
    }
    assert_eq!(server.tokens(), ["a-0", "a-1", "a-2", "a-3", "a-4", "a-5"]);
    let jobs = server.get(&format!("{JOBS}?kind=inject&limit=100")).json();
    let jobs = jobs["items"].as_array().expect("a list").clone();
    let sources: Vec<_> = jobs
        .iter()
        .map(|job| job["source_id"].as_str().expect("an id"))
        .collect();
    assert_eq!(
        sources,
        ["s5", "s4", "s3", "s2", "s1", "s0"],
        "the newest first, whatever the clock said"
    );
    let undone = server.post(
        &format!("{JOBS}/{}/undo", jobs[5]["job_id"].as_str().expect("an id")),
        "",
    );
    assert_eq!(undone.status, 200, "{undone:?}");
    check_whole(server.home());
    let server = start_in(server.crash());
    assert_eq!(server.tokens().len(), 5);
    let log = server.home().log();
    assert!(!log.contains("panicked"), "{log}");
}

/// A server whose data folder is a file system of its own with so many bytes, which nobody else sees.
fn start_on_small_disk(home: Home, bytes: u64) -> Server {
    const SCRIPT: &str =
        r#"mount -t tmpfs -o mode=700,size="$1" tmpfs "$2" && shift 2 && exec "$@""#;
    fs::create_dir_all(home.data()).expect("a folder");
    let serve = home.serve();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", SCRIPT, "sh"]);
    command.arg(bytes.to_string()).arg(home.data());
    command.arg(serve.get_program()).args(serve.get_args());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let log = fs::File::create(home.file("log")).expect("a file");
    command.stderr(log);
    Server::spawn(home, command)
}

#[test]
fn a_small_disk_that_fills_up_loses_nothing_and_goes_on_when_there_is_room() {
    let server = start_on_small_disk(Home::new(), 6 << 20);
    let folder = format!(
        "/proc/{}/root{}",
        server.pid(),
        server.home().data().display()
    );
    let filler = std::path::Path::new(&folder).join("filler");
    fs::write(&filler, vec![7; 1 << 20]).expect("room for a filler");
    let mut taken = Vec::new();
    let full = (0..200).find_map(|n| {
        let body = payload::accounts_of(n * 100..(n + 1) * 100, &format!("s{n}"));
        let answer = server.post(INJECT, &body);
        match answer.status {
            200 => taken.push(n),
            _ => return Some(answer),
        }
        None
    });
    let full = full.expect("it fills up");
    assert_eq!(full.status, 503, "{full:?}");
    // A list, since an export writes down that it was made, for which there may be no room.
    assert_eq!(
        server.get("/api/accounts").json()["total"],
        taken.len() * 100,
        "each that was acknowledged, whole"
    );
    fs::remove_file(&filler).expect("the filler");
    ready_again(&server);
    assert_eq!(server.pool().len(), taken.len() * 100 + 1);
}
