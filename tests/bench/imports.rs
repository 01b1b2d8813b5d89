//! What imports cost over HTTP.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::bare::{self, Bare};
use crate::harness::{Home, INJECT, SOURCES, Server};
use crate::load::{self, Client};
use crate::report::{Goal, Report, Unit, median, milliseconds, timed};
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
        product.push(timed(|| inject(&server, body)));
        again.push(timed(|| inject(&server, body)));
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

pub(crate) fn inject(server: &Server, body: &str) {
    Client::new(server.addr).send(INJECT, body);
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
            assert_eq!(answer.status, 200, "{answer:?}");
        }));
        let server = Server::start();
        floor.push(timed(|| inject(&server, &body)));
    }
    let name = "sync of 10,000, against an inject of the same";
    report.times(
        name,
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.15),
    );
}

/// Replaces 10,000 by 10,000, half of them new, in the larger pool against the smaller, in turns.
pub(crate) fn replace(report: &mut Report, small: &Server, large: &Server) {
    let of = |first: usize| {
        let first = 5_000_000 + first;
        payload::accounts_of(first..first + 10_000, "turns").replace(r#""merge""#, r#""replace""#)
    };
    let (even, odd) = (of(0), of(5_000));
    let (mut floor, mut product) = (vec![], vec![]);
    for server in [small, large] {
        inject(server, &odd);
    }
    for _ in 0..RUNS {
        for body in [&even, &odd] {
            floor.push(timed(|| inject(small, body)));
            product.push(timed(|| inject(large, body)));
        }
    }
    let name = "replace 10,000, half new: 1,000,000 against 100,000";
    report.times(
        name,
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.3),
    );
}

/// One token at a time by one client, into pools of three sizes and into a bare table, in turns.
pub(crate) fn single(report: &mut Report, pools: [(&str, &Server); 3]) {
    const TURNS: usize = 1_000;
    let home = Home::new();
    let db = bare::table(&home.file("floor.db"));
    let mut clients = pools.map(|(name, server)| (name, Client::new(server.addr), Vec::new()));
    let roomy = bare::table_with_room(&home.file("roomy.db"));
    let (mut floor, mut over) = (Vec::new(), Vec::new());
    for n in 0..TURNS {
        let body = format!(r#"{{"tokens": ["single-{n:08}"], "source_id": "single"}}"#);
        floor.push(timed(|| bare::insert(&db, body.as_bytes())));
        over.push(timed(|| bare::insert(&roomy, body.as_bytes())));
        let request = load::post(INJECT, &body);
        for (_, client, times) in &mut clients {
            times.push(timed(|| {
                client.ask(&request);
            }));
        }
    }
    let medians = clients.each_mut().map(|(name, _, times)| {
        let worst = times.iter().max().copied().unwrap_or_default();
        (*name, median(times), worst)
    });
    let (least, worst_floor) = (
        median(&mut floor),
        floor.last().copied().unwrap_or_default(),
    );
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
    let allowed = worst_floor + Duration::from_millis(5);
    let worst = medians
        .iter()
        .map(|(.., worst)| *worst)
        .max()
        .unwrap_or_default();
    report.times(
        "the worst of 1,000, against 5 ms + the worst insert",
        worst,
        allowed,
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
    for round in 0..3 {
        // Each token is new: to import one again costs less.
        let request = |client: usize, n: usize| {
            let token = format!("at-once-{round}-{client}-{n}");
            load::post(INJECT, &format!(r#"{{"tokens": ["{token}"]}}"#))
        };
        floor.push(load::rate(bare.addr, 64, time, request));
        product.push(load::rate(server.addr, 64, time, request));
    }
    let rates = (middle(&mut product), middle(&mut floor));
    report.row(
        "one token each from 64 clients",
        Unit::PerSecond,
        rates,
        Some(Goal::AtLeast(5.0)),
    );
}

pub(crate) fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The most anonymous memory while 700 MB come in, against its goal.
pub(crate) fn memory(report: &mut Report) {
    let body = payload::accounts(MANY * 10);
    let server = Server::start_with(&["--max-body", "1GiB"]);
    let (took, peak) = peak(&server, || inject(&server, &body));
    let mib = f64::from(1 << 20);
    let peak = peak as f64 / mib;
    println!(
        "{:.0} MB took {:.1} s",
        body.len() as f64 / 1e6,
        took.as_secs_f64()
    );
    let name = "peak anonymous MiB, inject of 700 MB, against 160";
    report.row(
        name,
        Unit::Megabytes,
        (peak, 160.0),
        Some(Goal::AtMost(1.0)),
    );
}

/// How long something takes, and the most anonymous memory of the server meanwhile, in bytes.
pub(crate) fn peak(server: &Server, work: impl FnOnce()) -> (Duration, u64) {
    let (ended, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                most.fetch_max(server.anonymous_memory(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let took = timed(work);
        ended.store(true, Ordering::Relaxed);
        took
    });
    (took, most.load(Ordering::Relaxed))
}

/// A pool with so many accounts, of one source, in a home that outlives its server.
pub(crate) fn pool_of(accounts: usize) -> Server {
    let server = Server::start();
    for first in (0..accounts).step_by(250_000) {
        let last = accounts.min(first + 250_000);
        inject(&server, &payload::accounts_of(first..last, "bulk"));
    }
    server
}
