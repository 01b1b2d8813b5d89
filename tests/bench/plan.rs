//! What a plan costs in the core, and in each runtime of its wasm.

use std::borrow::Cow;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tributary_core::{Change, ImportOptions, Pool, Salt, plan_import, plan_json};

use crate::harness::Home;
use crate::node;
use crate::report::{Goal, Report, median, timed};
use crate::{MANY, RUNS, wasmtime_example};

/// A payload as a program would read it that knows these accounts and no others.
#[derive(Deserialize)]
pub(crate) struct Read<'a> {
    #[serde(borrow)]
    pub(crate) accounts: Vec<Account<'a>>,
}

/// One of its accounts. What is nested stays as it came.
#[derive(Deserialize)]
pub(crate) struct Account<'a> {
    pub(crate) access_token: &'a str,
    pub(crate) provider: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    pub(crate) email: Cow<'a, str>,
    pub(crate) refresh_token: &'a str,
    pub(crate) quota: u64,
    #[serde(borrow)]
    pub(crate) status: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) limits_progress: &'a RawValue,
    #[serde(borrow)]
    pub(crate) metadata: &'a RawValue,
    pub(crate) user_agent: &'a str,
}

/// The fingerprint as the core makes it, from the same number of bytes.
pub(crate) fn fingerprint(token: &str) -> [u8; 16] {
    let hash = blake3::keyed_hash(&[7; 32], token.as_bytes());
    *hash.as_bytes().first_chunk().expect("32 bytes")
}

/// Reads a payload and hashes its tokens: the least that a plan can be.
fn floor(body: &str) -> Duration {
    timed(|| {
        let read: Read<'_> = serde_json::from_str(body).expect("JSON");
        let hashes: Vec<_> = read
            .accounts
            .iter()
            .map(|a| fingerprint(a.access_token))
            .collect();
        for account in &read.accounts {
            black_box((
                account.provider,
                account.kind,
                &account.email,
                account.quota,
            ));
            black_box((
                account.refresh_token,
                &account.status,
                account.limits_progress,
                account.metadata,
            ));
            black_box(account.user_agent);
        }
        assert_eq!(black_box(hashes).len(), MANY);
    })
}

/// The rows of the native core.
pub(crate) fn natively(report: &mut Report, body: &str) {
    let empty = Pool::new(Salt::new([7; 32]));
    let (by_account, by_entry) = (filled(body, false), filled(body, true));
    let changed = one_in_ten_changed(body);
    let most_stay = [0, MANY / 10, MANY * 9 / 10];
    let (mut floors, mut plans, mut answers) = (vec![], vec![], vec![]);
    let (mut present, mut known) = (vec![], vec![]);
    for _ in 0..RUNS {
        floors.push(floor(body));
        plans.push(planned(body, &empty, [MANY, 0, 0]));
        answers.push(natively_as_json(body));
        present.push(planned(&changed, &by_account, most_stay));
        known.push(planned(&changed, &by_entry, most_stay));
    }
    let floor = median(&mut floors);
    for (name, times, goal) in [
        ("plan, empty pool, native", &mut plans, 1.2),
        ("the same with its JSON", &mut answers, 1.35),
        ("plan, all present, 10 % changed", &mut present, 1.7),
        ("the same, what brought them known", &mut known, 1.7),
    ] {
        report.times(name, median(times), floor, Goal::AtMost(goal));
    }
}

/// A pool of the accounts that a payload brings, with or without what stands for their entries.
fn filled(body: &str, knows_entries: bool) -> Pool {
    let mut full = Pool::new(Salt::new([7; 32]));
    let empty = Pool::new(full.salt().clone());
    let plan = plan_import(body.as_bytes(), &ImportOptions::default(), &empty).expect("a plan");
    for Change { after, item, .. } in plan.changes() {
        let (account, item) = after.zip(item).expect("an item brings it");
        match knows_entries {
            true => full.put_brought(account, plan.entry(&item)),
            false => full.put(account),
        }
    }
    full
}

/// A plan that adds, updates and leaves so many accounts.
fn planned(body: &str, pool: &Pool, expected: [usize; 3]) -> Duration {
    timed(|| {
        let plan = plan_import(body.as_bytes(), &ImportOptions::default(), pool).expect("a plan");
        let counts = black_box(plan).counts;
        let counts = [counts.added, counts.updated, counts.unchanged];
        assert_eq!(counts, expected.map(|count| count as u64));
    })
}

fn one_in_ten_changed(body: &str) -> String {
    let mut parts = body.split(r#""type": "plus""#);
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for (n, part) in parts.enumerate() {
        changed.push_str(if n % 10 == 0 {
            r#""type": "team""#
        } else {
            r#""type": "plus""#
        });
        changed.push_str(part);
    }
    changed
}

fn natively_as_json(body: &str) -> Duration {
    timed(|| {
        let answer = plan_json(body.as_bytes(), b"{}");
        assert!(added_all(&answer));
    })
}

fn added_all(answer: &[u8]) -> bool {
    String::from_utf8_lossy(&answer[..400]).contains(&format!("\"added\":{MANY}"))
}

/// In wasmtime, in turns with the native core; the answer's text is included on both sides.
pub(crate) fn in_wasmtime(report: &mut Report, body: &str) {
    let wasm =
        std::fs::read(node::web().join("tributary.wasm")).expect("`cargo prove` builds the wasm");
    let mut plan = wasmtime_example::load(&wasm).expect("a module");
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..RUNS {
        floor.push(natively_as_json(body));
        product.push(timed(|| {
            assert!(added_all(&plan(body.as_bytes(), b"{}").expect("an answer")));
        }));
    }
    report.times(
        "plan in wasmtime, against native",
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.4),
    );
}

/// In Node.
pub(crate) fn in_node(report: &mut Report, body: &str) {
    const SCRIPT: &str = "
        import { readFileSync } from 'node:fs';
        const [wasm, payload, runs, load] = process.argv.slice(1);
        const plan = (await import(load)).load(readFileSync(wasm));
        const body = readFileSync(payload), context = new TextEncoder().encode('{}');
        const times = [];
        for (let run = 0; run < runs; run++) {
            const began = performance.now();
            plan(body, context);
            times.push(performance.now() - began);
        }
        console.log(JSON.stringify(times));";
    let home = Home::new();
    let payload = home.file("payload.json");
    std::fs::write(&payload, body).expect("a file");
    let load = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/examples/node/plan.mjs");
    let mut floor: Vec<_> = (0..RUNS).map(|_| natively_as_json(body)).collect();
    let run = Command::new("node")
        .args(["--input-type=module", "-e", SCRIPT])
        .args([&node::web().join("tributary.wasm"), &payload])
        .args([&RUNS.to_string(), load])
        .output();
    let Ok(run) = run else {
        return println!("Node is not installed");
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let times: Vec<f64> = serde_json::from_slice(&run.stdout).expect("times");
    floor.extend((0..RUNS).map(|_| natively_as_json(body)));
    report.times(
        "plan in Node, against native",
        of_milliseconds(&times),
        median(&mut floor),
        Goal::AtMost(1.4),
    );
}

/// In the page's module, its payload already in the page.
pub(crate) fn in_browsers(report: &mut Report, body: &str) {
    for (name, programs, goal) in [
        ("chromium", &["chromium", "chromium-browser"][..], 1.4),
        ("firefox", &["firefox-esr", "firefox"][..], 1.6),
    ] {
        let Some(browser) = node::browser(name, programs) else {
            continue;
        };
        let home = Home::new();
        let payload = home.file("payload.json");
        std::fs::write(&payload, body).expect("a file");
        let mut floor: Vec<_> = (0..RUNS).map(|_| natively_as_json(body)).collect();
        let told = json!({"web": node::web(), "payload": payload, "count": MANY, "runs": RUNS});
        let answered = browser.run("bench", &told);
        let times = answered["times"].as_array().expect("times");
        let times: Vec<_> = times
            .iter()
            .map(|ms| ms.as_f64().expect("a number"))
            .collect();
        floor.extend((0..RUNS).map(|_| natively_as_json(body)));
        let row = format!("plan in {name}, against native");
        report.times(
            &row,
            of_milliseconds(&times),
            median(&mut floor),
            Goal::AtMost(goal),
        );
    }
}

fn of_milliseconds(times: &[f64]) -> Duration {
    let mut times: Vec<_> = times
        .iter()
        .map(|ms| Duration::from_secs_f64(ms / 1e3))
        .collect();
    median(&mut times)
}

/// How large the module is, against its goal.
pub(crate) fn size(report: &mut Report) {
    let file: &Path = &node::web().join("tributary.wasm");
    let bytes = std::fs::metadata(file)
        .expect("`cargo prove` builds the wasm")
        .len();
    report.row(
        "tributary.wasm, against 100 KB",
        crate::report::Unit::Bytes,
        (bytes as f64, 100e3),
        Some(Goal::AtMost(1.0)),
    );
}
