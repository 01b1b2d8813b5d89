//! This build of the program and another one in turns, so that both meet the same noise: what a change gained or cost.

use std::path::Path;
use std::time::Duration;

use crate::MANY;
use crate::harness::{Home, INJECT, SOURCES, Server};
use crate::imports::{inject, middle, tokens_at_once};
use crate::load::{self, Client};
use crate::program::{binary, program_at};
use crate::reads::{add_sources, beside_imports, bulk};
use crate::report::{Report, Unit, median, milliseconds, percentile, timed};

/// How often each is measured.
const TURNS: usize = 8;

/// What is measured of each, in this order.
const ROWS: [(&str, Unit); 6] = [
    ("inject 100,000, empty pool", Unit::Milliseconds),
    ("inject the same again", Unit::Milliseconds),
    ("GET sources p99 while 300,000 go in", Unit::Milliseconds),
    ("GET sources, 20 of them, 16 connections", Unit::PerSecond),
    ("one token, one client, 400,000", Unit::Milliseconds),
    ("one token each from 64 clients, 400,000", Unit::PerSecond),
];

/// The medians of this build, with those of `other` as the floor.
pub(crate) fn against(report: &mut Report, other: &Path, body: &str) {
    assert_ne!(other, binary(), "this build is there now: name a copy");
    let bodies = bulk(1..4);
    let mut rows = ROWS.map(|_| [vec![], vec![]]);
    for turn in 0..TURNS {
        // Who goes first meets what the other left to the disk.
        let order = [turn % 2, 1 - turn % 2];
        for build in order {
            let path = [binary(), other][build];
            let home = Home::new();
            let command = home.serve_by(program_at(path));
            let measured = measure(&Server::spawn(home, command), body, &bodies);
            for (row, value) in rows.iter_mut().zip(measured) {
                row[build].push(value);
            }
        }
    }
    for ((name, unit), [mut this, mut other]) in ROWS.into_iter().zip(rows) {
        report.row(name, unit, (middle(&mut this), middle(&mut other)), None);
    }
}

/// The rows of one server, which is new.
fn measure(server: &Server, body: &str, bodies: &[String]) -> [f64; ROWS.len()] {
    add_sources(server);
    let first = timed(|| inject(server, body, MANY));
    let again = timed(|| inject(server, body, 0));
    let late = percentile(&mut beside_imports(server, bodies), 99);
    let rate = load::rate(server.addr, 16, Duration::from_secs(1), |_, _| {
        load::get(SOURCES)
    });
    let [first, again, late, one] = [first, again, late, one_token(server)].map(milliseconds);
    let together = tokens_at_once(server.addr, Duration::from_secs(1), "turns");
    [first, again, late, rate, one, together]
}

/// The median of 200.
fn one_token(server: &Server) -> Duration {
    let mut client = Client::new(server.addr);
    let times = (0..200).map(|n| {
        let body = format!(r#"{{"tokens": ["turns-{n:08}"], "source_id": "turns"}}"#);
        let request = load::post(INJECT, &body);
        timed(|| {
            client.ask(&request);
        })
    });
    median(&mut times.collect::<Vec<_>>())
}
