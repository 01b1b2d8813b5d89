//! What reads cost over HTTP: lists, the export, the start.

use std::fs;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tributary_core::Fingerprint;
use tributary_host::store::vault::{Identity, MasterKey, Vault};
use zeroize::Zeroizing;

use crate::bare::Bare;
use crate::harness::{ACCOUNTS, EXPORT, Home, SOURCES, Server};
use crate::imports::{inject, middle, settle};
use crate::load::{self, Client};
use crate::report::{Ends, Goal, Report, Unit, median, percentile, timed};
use crate::{MANY, RUNS, payload};

/// How long one rate is measured.
const TIME: Duration = Duration::from_millis(500);
/// Rates of each side, in turns.
const TURNS: usize = 12;

/// A list of 20 sources, to 16 connections that ask without pause; the server writes its log.
pub(crate) fn sources(report: &mut Report) {
    let server = Server::start();
    add_sources(&server);
    let asked = load::get(SOURCES);
    let rates = against_bare(&server, 16, &asked);
    report.row(
        "GET sources, 20 of them, 16 connections",
        Unit::PerSecond,
        rates,
        Some(Goal::AtLeast(0.8)),
    );
}

pub(crate) fn add_sources(server: &Server) {
    for n in 0..20 {
        server.source(&format!(
            r#"{{"name": "source {n}", "url": "http://a.example.test/{n}"}}"#
        ));
    }
}

/// Hyper alone, which answers with the bytes that the server has for this request.
fn bare_like(server: &Server, asked: &[u8]) -> Bare {
    let home = Home::new();
    let answer = home.file("answer");
    let mut client = Client::new(server.addr);
    let length = client.ask(asked);
    fs::write(&answer, client.body(length)).expect("a file");
    Bare::answering(&answer)
}

/// Rates of the server, and of hyper alone with the same bytes, in turns.
fn against_bare(server: &Server, connections: usize, asked: &[u8]) -> (f64, f64) {
    let bare = bare_like(server, asked);
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..TURNS {
        floor.push(load::rate(bare.addr, connections, TIME, |_, _| {
            asked.to_vec()
        }));
        product.push(load::rate(server.addr, connections, TIME, |_, _| {
            asked.to_vec()
        }));
    }
    (middle(&mut product), middle(&mut floor))
}

/// Pages of 100 in a pool of 1,000,000: the first, one in the middle and the last.
pub(crate) fn pages(report: &mut Report, large: &Server) {
    let total = large.get(&format!("{ACCOUNTS}?limit=1")).json()["total"].as_u64();
    let total = total.expect("a number");
    assert!(total >= 10 * MANY as u64);
    for (name, rest) in [("first", total), ("middle", total / 2), ("last", 100)] {
        let after = cursor_before(large, total - rest);
        let asked = load::get(&format!("{ACCOUNTS}?limit=100{after}"));
        let rates = against_bare(large, 4, &asked);
        let name = format!("GET accounts, 100 of 1,000,000, {name} page");
        report.row(&name, Unit::PerSecond, rates, Some(Goal::AtLeast(0.13)));
    }
}

/// Where the list goes on after so many accounts, as a parameter.
fn cursor_before(server: &Server, mut passed: u64) -> String {
    let mut after = String::new();
    while passed > 0 {
        let limit = passed.min(1_000);
        let page = server
            .get(&format!("{ACCOUNTS}?limit={limit}{after}"))
            .json();
        after = format!("&after={}", page["next"].as_str().expect("more follow"));
        passed -= limit;
    }
    after
}

/// The slowest hundredth of lists asked for while 1,000,000 go in, against hyper alone beside as many busy threads.
pub(crate) fn during_imports(report: &mut Report) {
    let bodies = bulk(0..10);
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..3 {
        let server = Server::start();
        add_sources(&server);
        let asked = load::get(SOURCES);
        let bare = bare_like(&server, &asked);
        let mut times = beside_imports(&server, &bodies);
        product.push(percentile(&mut times, 99));
        // What is still copied of the WAL would be a third.
        drop(server);
        floor.push(percentile(&mut beside_busy_threads(&bare, &asked), 99));
    }
    report.times(
        "GET sources p99 while 1,000,000 go in",
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.5),
    );
}

/// How long bare hyper takes beside as many busy threads as an import has: the one that writes, and the one that reads.
fn beside_busy_threads(bare: &Bare, asked: &[u8]) -> Vec<Duration> {
    let (ended, sum) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    sum.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(5));
            ended.store(true, Ordering::Relaxed);
        });
        poll(&mut Client::new(bare.addr), asked, &ended)
    })
}

/// These hundreds of thousands of accounts, each a payload.
pub(crate) fn bulk(parts: Range<usize>) -> Vec<String> {
    parts
        .map(|part| payload::accounts_of(part * MANY..(part + 1) * MANY, "bulk"))
        .collect()
}

/// How long lists take that are asked for while these payloads go in, each of 100,000 new accounts.
pub(crate) fn beside_imports(server: &Server, bodies: &[String]) -> Vec<Duration> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ends = Ends(&ended);
            for body in bodies {
                inject(server, body, MANY);
            }
        });
        poll(&mut Client::new(server.addr), &load::get(SOURCES), &ended)
    })
}

/// Asks every 2 ms until it ends.
fn poll(client: &mut Client, asked: &[u8], ended: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        times.push(timed(|| {
            client.ask(asked);
        }));
        thread::sleep(Duration::from_millis(2));
    }
    times
}

/// Everything read back, against one thread that reads and opens the rows. The server goes on.
pub(crate) fn export(report: &mut Report, large: Server) -> Server {
    let server = Server::start_in(large.stop(), &[]);
    let before = server.peak_memory();
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..RUNS {
        let (mut opened, mut bytes) = (0, 0);
        floor.push(timed(|| opened = open_all(server.home())));
        product.push(timed(|| bytes = exported(&server)));
        // Each has some 700.
        assert!(
            opened >= 10 * MANY && bytes > opened * 600,
            "{bytes} of {opened}"
        );
    }
    report.times(
        "export 1,000,000",
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(0.95),
    );
    let mib = f64::from(1 << 20);
    let grown = (server.peak_memory() - before) as f64 / mib;
    report.row(
        "its memory over the start's, against 64",
        Unit::Mebibytes,
        (grown, 64.0),
        Some(Goal::AtMost(1.0)),
    );
    server
}

/// Reads the export as it comes; how many bytes there were.
fn exported(server: &Server) -> usize {
    use std::io::{Read, Write};
    let mut stream = server.connect();
    let request = format!(
        "POST {EXPORT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let (mut piece, mut end, mut all) = (vec![0; 1 << 20], Vec::new(), 0);
    loop {
        let length = stream.read(&mut piece).expect("it goes on to its end");
        if length == 0 {
            assert!(end.ends_with(b"0\r\n\r\n"), "it broke off");
            return all;
        }
        all += length;
        end.extend_from_slice(&piece[length.saturating_sub(5)..length]);
        end.drain(..end.len().saturating_sub(5));
    }
}

fn open_all(home: &Home) -> usize {
    let key = fs::read_to_string(home.data().join("master-key")).expect("a key");
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(key.trim().as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).expect("hex");
        *byte = u8::from_str_radix(pair, 16).expect("hex");
    }
    let vault = Vault::new(&[MasterKey::new(Zeroizing::new(bytes))]);
    let db = open_file(home);
    let mut rows = db
        .prepare("SELECT fingerprint, shown, secret FROM account ORDER BY id")
        .expect("a statement");
    let mut rows = rows.query([]).expect("rows");
    let mut opened = 0;
    while let Some(row) = rows.next().expect("a row") {
        let print = Fingerprint::from_bytes(row.get(0).expect("a fingerprint"));
        let shown = row.get_ref(1).expect("text").as_str().expect("text");
        let secret = row.get_ref(2).expect("a blob").as_blob().expect("a blob");
        let secret = vault
            .open(Identity::Account(&print), secret)
            .expect("it opens");
        opened += usize::from(!shown.is_empty() && !secret.is_empty());
    }
    opened
}

fn open_file(home: &Home) -> Connection {
    let path = home.data().join("tributary.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

/// From the start of the program to its address, with 1,000,000 accounts, over that with none and the opening of the file.
pub(crate) fn start(report: &mut Report, large: Server) -> Home {
    settle(&large);
    let (mut empty, mut full) = (Server::start().stop(), large.stop());
    let (mut product, mut floor, mut opening) = (vec![], vec![], vec![]);
    for _ in 0..RUNS * 3 {
        opening.push(timed(|| {
            let one = open_file(&full).query_row("SELECT count(*) FROM meta", [], |row| row.get(0));
            assert_eq!(one, Ok(1));
        }));
        let (server, took) = started(empty);
        floor.push(took);
        empty = server.stop();
        let (server, took) = started(full);
        product.push(took);
        full = server.stop();
    }
    let allowed = median(&mut opening) + Duration::from_millis(20);
    let took = median(&mut product);
    report.times(
        "start with 1,000,000, against an empty pool",
        took,
        median(&mut floor),
        Goal::AtMost(1.25),
    );
    report.times(
        "the same, against opening the file + 20 ms",
        took,
        allowed,
        Goal::AtMost(1.0),
    );
    full
}

/// A server in this home, and how long it took until it told its address.
pub(crate) fn started(home: Home) -> (Server, Duration) {
    let began = Instant::now();
    let server = Server::start_in(home, &[]);
    (server, began.elapsed())
}
