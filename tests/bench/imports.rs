//! What imports cost over HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bare::{self, Bare};
use crate::harness::{Home, INJECT, SOURCES, Server};
use crate::load::{self, Client};
use crate::report::{
    Ends, Goal, Report, Unit, append_synced, median, milliseconds, synced_file, timed,
};
use crate::{MANY, RUNS, floor, payload};

/// 100,000 into an empty pool, and again; and once more from a source.
pub(crate) fn many(report: &mut Report, body: &str) {
    let home = Home::new();
    let file = home.file("payload.json");
    std::fs::write(&file, body).expect("a file");
    let (mut floors, mut product, mut looked_up, mut again) = (vec![], vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let pool = floor::empty_pool();
        let (db, vault) = (floor::open(&pool), floor::vault());
        floors.push(floor::insert_all(&db, &file, &vault));
        looked_up.push(floor::look_all_up(&db, &file));
        let server = Server::start();
        product.push(timed(|| inject(&server, body, MANY)));
        again.push(timed(|| inject(&server, body, 0)));
    }
    let empty = "inject 100,000 over HTTP, empty pool, sealed";
    report.times(
        empty,
        median(&mut product),
        median(&mut floors),
        Goal::AtMost(0.95),
    );
    report.times(
        "inject the same again",
        median(&mut again),
        median(&mut looked_up),
        Goal::AtMost(0.8),
    );
}

/// Imports a payload, which adds so many accounts.
pub(crate) fn inject(server: &Server, body: &str, added: usize) {
    let mut client = Client::new(server.addr);
    let length = client.send(INJECT, body);
    let answer: Value = serde_json::from_slice(client.body(length)).expect("JSON");
    assert_eq!(answer["added"], added, "{answer}");
}

/// A sync of 10,000 against an inject of the same, each into an empty pool.
pub(crate) fn sync(report: &mut Report) {
    let body = payload::accounts(MANY / 10);
    let home = Home::new();
    let file = home.file("answer.json");
    std::fs::write(&file, &body).expect("a file");
    let upstream = Bare::answering(&file);
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..RUNS * 3 {
        let server = Server::start();
        let source = format!(r#"{{"name": "near", "url": "http://{}/"}}"#, upstream.addr);
        let id = server.source(&source);
        product.push(timed(|| {
            let answer = server.post(&format!("{SOURCES}/{id}/sync"), "");
            assert_eq!(
                answer.json()["import_job"]["added"],
                MANY / 10,
                "{answer:?}"
            );
        }));
        let server = Server::start();
        floor.push(timed(|| inject(&server, &body, MANY / 10)));
    }
    let name = "sync of 10,000, against an inject of the same";
    report.times(
        name,
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.15),
    );
}

/// Replaces 10,000 by 10,000, half of which never were there, in the larger pool against the smaller, in turns.
pub(crate) fn replace(report: &mut Report, small: &Server, large: &Server) {
    const HALF: usize = 5_000;
    let of = |turn: usize| {
        let first = 5_000_000 + turn * HALF;
        payload::accounts_of(first..first + 2 * HALF, "turns").replace(r#""merge""#, r#""replace""#)
    };
    for server in [small, large] {
        inject(server, &of(0), 2 * HALF);
    }
    let mut times = [vec![], vec![]];
    for turn in 1..=2 * RUNS {
        let body = of(turn);
        // Who goes first meets what the other left to the disk.
        for which in [turn % 2, 1 - turn % 2] {
            let server = [large, small][which];
            times[which].push(timed(|| inject(server, &body, HALF)));
        }
    }
    let [mut product, mut floor] = times;
    let name = "replace 10,000, half new: 1,000,000 against 100,000";
    report.times(
        name,
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.3),
    );
}

/// One token after the other by one client, into pools of three sizes and into a bare table, in turns of a few.
pub(crate) fn single(report: &mut Report, pools: [(&str, &Server); 3]) {
    const TURNS: usize = 20;
    const IN_A_ROW: usize = 50;
    let home = Home::new();
    let db = bare::table(&home.file("floor.db"));
    let mut clients = pools.map(|(name, server)| (name, Client::new(server.addr), Vec::new()));
    let roomy = bare::table_with_room(&home.file("roomy.db"));
    let (mut floor, mut over) = (Vec::new(), Vec::new());
    let (file, mut synced) = (synced_file(&home), Vec::new());
    for turn in 0..TURNS {
        let token =
            |n| format!(r#"{{"tokens": ["single-{turn:04}-{n:03}"], "source_id": "single"}}"#);
        let bodies: Vec<String> = (0..IN_A_ROW).map(token).collect();
        for (db, times) in [(&db, &mut floor), (&roomy, &mut over)] {
            times.extend(
                bodies
                    .iter()
                    .map(|body| timed(|| bare::insert(db, body.as_bytes()))),
            );
        }
        // As often as a token.
        synced.extend((0..3 * IN_A_ROW).map(|_| timed(|| append_synced(&file))));
        for (_, client, times) in &mut clients {
            times.extend(bodies.iter().map(|body| {
                let request = load::post(INJECT, body);
                timed(|| {
                    client.ask(&request);
                })
            }));
        }
    }
    let medians = clients.each_mut().map(|(name, _, times)| {
        let worst = times.iter().max().copied().unwrap_or_default();
        (*name, median(times), worst)
    });
    let least = median(&mut floor);
    for (name, time, _) in medians {
        let row = format!("one token, one client, {name}, against a synced insert");
        report.times(&row, time, least, Goal::AtMost(1.4));
    }
    report.row(
        "the insert, its WAL written over, against one that grows",
        Unit::Milliseconds,
        (milliseconds(median(&mut over)), milliseconds(least)),
        None,
    );
    report.times(
        "the same, 1,000,000 against an empty pool",
        medians[2].1,
        medians[0].1,
        Goal::AtMost(1.25),
    );
    let worst_synced = synced.into_iter().max().unwrap_or_default();
    let worst = medians.iter().map(|(.., worst)| *worst).max();
    report.times(
        "the worst of 1,000, against 5 ms + the worst bare fsync",
        worst.unwrap_or_default(),
        worst_synced + Duration::from_millis(5),
        Goal::AtMost(1.0),
    );
}

/// Waits until a server has copied what it imported: that takes the disk meanwhile. A WAL over 16 MiB is then cut, others take
/// a moment.
pub(crate) fn settle(server: &Server) {
    let wal = server.home().data().join("tributary.db-wal");
    let until = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(&wal).is_ok_and(|wal| wal.len() > 16 << 20) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
}

/// One token each from 64 clients, against a transaction for each over the same HTTP.
pub(crate) fn at_once(report: &mut Report) {
    let time = Duration::from_secs(3);
    let home = Home::new();
    let server = Server::start();
    let bare = Bare::inserting(&home.file("floor.db"));
    let (mut product, mut floor) = (vec![], vec![]);
    for round in ["first", "second", "third"] {
        floor.push(tokens_at_once(bare.addr, time, round));
        product.push(tokens_at_once(server.addr, time, round));
    }
    let rates = (middle(&mut product), middle(&mut floor));
    report.row(
        "one token each from 64 clients",
        Unit::PerSecond,
        rates,
        Some(Goal::AtLeast(5.0)),
    );
}

/// New tokens a second that 64 clients bring, one each. To import one again costs less, so each `round` has its own.
pub(crate) fn tokens_at_once(addr: SocketAddr, time: Duration, round: &str) -> f64 {
    load::rate(addr, 64, time, |client, n| {
        let token = format!("at-once-{round}-{client}-{n}");
        load::post(INJECT, &format!(r#"{{"tokens": ["{token}"]}}"#))
    })
}

pub(crate) fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The most anonymous memory while 700 MB come in, against its goal.
pub(crate) fn memory(report: &mut Report) {
    let body = payload::accounts(MANY * 10);
    let server = Server::start_with(&["--max-body", "1GiB"]);
    let pause = Duration::from_millis(2);
    let (took, peak) = peak(&server, pause, || inject(&server, &body, MANY * 10));
    let mib = f64::from(1 << 20);
    let peak = peak as f64 / mib;
    println!(
        "{:.0} MB took {:.1} s",
        body.len() as f64 / 1e6,
        took.as_secs_f64()
    );
    let name = "peak anonymous memory, inject of 700 MB, against 160 MiB";
    report.row(
        name,
        Unit::Mebibytes,
        (peak, 160.0),
        Some(Goal::AtMost(1.0)),
    );
}

/// How long something takes, and the most anonymous memory of the server meanwhile, in bytes, which is looked at after each pause.
pub(crate) fn peak(server: &Server, pause: Duration, work: impl FnOnce()) -> (Duration, u64) {
    let (ended, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                most.fetch_max(server.anonymous_memory(), Ordering::Relaxed);
                std::thread::sleep(pause);
            }
        });
        let _ends = Ends(&ended);
        timed(work)
    });
    (took, most.load(Ordering::Relaxed))
}

/// A pool with so many accounts, of one source, in a home that outlives its server.
pub(crate) fn pool_of(accounts: usize) -> Server {
    let server = Server::start();
    for first in (0..accounts).step_by(250_000) {
        let last = accounts.min(first + 250_000);
        let body = payload::accounts_of(first..last, "bulk");
        inject(&server, &body, last - first);
    }
    server
}
