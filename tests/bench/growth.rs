//! How time and memory grow with the pool and with the payload: `cargo bench -p tributary-tests -- growth-to-10M` writes the
//! table and the curves that are kept in `tests/bench/growth`; `-- growth` ends sooner, and prints the table alone.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::curves::{Curve, Panel, draw};
use crate::harness::{ACCOUNTS, Home, INJECT, Server};
use crate::imports::{self, inject, peak};
use crate::load::{self, Client};
use crate::report::{median, milliseconds, timed};
use crate::{payload, reads};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/growth");
const MIB: f64 = 1_048_576.0;
/// Requests of which the median counts.
const ASKED: usize = 200;

/// What was measured of one pool.
struct OfPool {
    accounts: usize,
    token_ms: f64,
    page_ms: f64,
    start_ms: f64,
    at_rest_mib: f64,
    database_mib: f64,
}

/// What was measured of one payload.
struct OfPayload {
    accounts: usize,
    import_ms: f64,
    peak_mib: f64,
}

/// Largest pool of the curves that are kept.
pub(crate) const LARGEST: usize = 10_000_000;
/// Payloads: closer where the curve of the memory bends.
const PAYLOADS: [usize; 10] = [
    1, 10, 100, 1_000, 10_000, 30_000, 50_000, 100_000, 300_000, 1_000_000,
];

/// Measures pools from 1,000 to `most` accounts, and payloads up to 1,000,000.
pub(crate) fn measure(most: usize) {
    let pools: Vec<_> = decades(1_000, most).map(of_pool).collect();
    let payloads = PAYLOADS.map(of_payload);
    let table = table(&pools, &payloads);
    println!("{table}");
    if most < LARGEST {
        return;
    }
    let folder = Path::new(FOLDER);
    fs::write(folder.join("table.md"), table).expect("the folder is there");
    fs::write(folder.join("curves.svg"), curves(&pools, &payloads)).expect("the folder is there");
}

/// 10, 100, 1,000 …, both ends included.
fn decades(first: usize, last: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(first), |size| Some(size * 10)).take_while(move |size| *size <= last)
}

fn of_pool(accounts: usize) -> OfPool {
    let server = imports::pool_of(accounts);
    // Otherwise the next one begins with what is in the WAL.
    imports::settle(&server);
    let home = server.stop();
    let database = fs::metadata(home.data().join("tributary.db")).expect("a database");
    let (server, mut starts) = started_often(home);
    let mut client = Client::new(server.addr);
    let page = load::get(&format!("{ACCOUNTS}?limit=100"));
    let mut pages: Vec<_> = (0..ASKED)
        .map(|_| {
            timed(|| {
                client.ask(&page);
            })
        })
        .collect();
    let mut tokens: Vec<_> = (0..ASKED)
        .map(|n| {
            let request = load::post(INJECT, &format!(r#"{{"tokens": ["grown-{n:08}"]}}"#));
            timed(|| {
                client.ask(&request);
            })
        })
        .collect();
    // After what was asked: before that nothing was looked at.
    let at_rest = server.anonymous_memory();
    OfPool {
        accounts,
        token_ms: milliseconds(median(&mut tokens)),
        page_ms: milliseconds(median(&mut pages)),
        start_ms: milliseconds(median(&mut starts)),
        at_rest_mib: at_rest as f64 / MIB,
        database_mib: database.len() as f64 / MIB,
    }
}

/// A server that was started five times, and how long each start took.
fn started_often(mut home: Home) -> (Server, Vec<Duration>) {
    let mut starts = Vec::new();
    loop {
        let (server, took) = reads::started(home);
        starts.push(took);
        if starts.len() == 5 {
            return (server, starts);
        }
        home = server.stop();
    }
}

fn of_payload(accounts: usize) -> OfPayload {
    let body = payload::accounts(accounts);
    // A short import is repeated into new pools: its first one also waits for what a server does once.
    let is_short = accounts <= 10_000;
    let (mut times, mut peaks) = (vec![], vec![]);
    for _ in 0..if is_short { 15 } else { 1 } {
        let new = || Server::start_with(&["--max-body", "1GiB"]);
        let server = new();
        let at_rest = server.anonymous_memory();
        // Looked at without a pause, or its peak would lie between two looks: that takes time, too.
        let pause = Duration::from_millis(if is_short { 0 } else { 2 });
        let (took, most) = peak(&server, pause, || inject(&server, &body, accounts));
        peaks.push(most.saturating_sub(at_rest));
        times.push(match is_short {
            true => {
                let server = new();
                timed(|| inject(&server, &body, accounts))
            }
            false => took,
        });
    }
    peaks.sort_unstable();
    OfPayload {
        accounts,
        import_ms: milliseconds(median(&mut times)),
        peak_mib: peaks[peaks.len() / 2] as f64 / MIB,
    }
}

fn table(pools: &[OfPool], payloads: &[OfPayload]) -> String {
    let mut out = String::from(
        "| accounts in the pool | one token, ms | a page of 100, ms | start, ms | memory at rest, MiB | database, MiB |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for pool in pools {
        let OfPool {
            accounts,
            token_ms,
            page_ms,
            start_ms,
            at_rest_mib,
            database_mib,
        } = pool;
        writeln!(
            out,
            "| {accounts} | {token_ms:.2} | {page_ms:.2} | {start_ms:.1} | {at_rest_mib:.1} | {database_mib:.1} |"
        )
        .expect("memory takes it");
    }
    out.push_str(
        "\n| accounts in the payload | import, ms | per account, µs | memory over rest at its peak, MiB |\n\
         | ---: | ---: | ---: | ---: |\n",
    );
    for payload in payloads {
        let OfPayload {
            accounts,
            import_ms,
            peak_mib,
        } = payload;
        let each = import_ms * 1e3 / *accounts as f64;
        writeln!(
            out,
            "| {accounts} | {import_ms:.2} | {each:.1} | {peak_mib:.1} |"
        )
        .expect("memory takes it");
    }
    out
}

fn curves(pools: &[OfPool], payloads: &[OfPayload]) -> String {
    let pool = |name, of: fn(&OfPool) -> f64| Curve {
        name,
        points: pools.iter().map(|p| (p.accounts as f64, of(p))).collect(),
    };
    let payload = |name, of: fn(&OfPayload) -> f64| Curve {
        name,
        points: payloads
            .iter()
            .map(|p| (p.accounts as f64, of(p)))
            .collect(),
    };
    draw(&[
        Panel {
            title: "Time against the pool, ms",
            curves: vec![
                pool("one token", |p| p.token_ms),
                pool("a page", |p| p.page_ms),
                pool("start", |p| p.start_ms),
            ],
        },
        Panel {
            title: "Size against the pool, MiB",
            curves: vec![
                pool("memory", |p| p.at_rest_mib),
                pool("database", |p| p.database_mib),
            ],
        },
        Panel {
            title: "Time against the payload",
            curves: vec![
                payload("import, ms", |p| p.import_ms),
                payload("each, µs", |p| p.import_ms * 1e3 / p.accounts as f64),
            ],
        },
        Panel {
            title: "Memory against the payload, MiB",
            curves: vec![payload("over rest", |p| p.peak_mib)],
        },
    ])
}
