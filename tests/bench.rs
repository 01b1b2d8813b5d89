//! What the program costs, each row beside its floor in the same run: `cargo bench -p tributary-tests`.
//!
//! `-- plan imports` measures those groups alone, `--json FILE` writes the rows there too, `growth` the curves, and
//! `--against PROGRAM` this build in turns with another one, which then is the floor.

#[path = "bench/bare.rs"]
mod bare;
#[path = "service/client.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod client;
#[path = "bench/curves.rs"]
mod curves;
#[path = "bench/floor.rs"]
mod floor;
#[path = "bench/growth.rs"]
mod growth;
mod gzip;
#[path = "service/harness.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod harness;
#[path = "bench/imports.rs"]
mod imports;
#[path = "bench/load.rs"]
mod load;
#[path = "browser/node.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod node;
#[path = "service/payload.rs"]
mod payload;
#[path = "bench/plan.rs"]
mod plan;
#[path = "service/program.rs"]
mod program;
#[path = "bench/reads.rs"]
mod reads;
#[path = "bench/report.rs"]
mod report;
#[path = "bench/runtimes.rs"]
mod runtimes;
#[path = "bench/turns.rs"]
mod turns;
#[path = "../web/examples/rust/main.rs"]
#[allow(dead_code, reason = "the benchmark has a main of its own")]
mod wasmtime_example;

use std::path::PathBuf;

use report::Report;

/// Accounts of a large import.
const MANY: usize = 100_000;
/// Runs of what takes long; the median counts.
const RUNS: usize = 5;
/// The curves, up to 1,000,000 accounts in the pool and up to 10,000,000: measured only when they are named.
const GROWTH: [&str; 2] = ["growth", "growth-to-10M"];
/// What can be measured alone.
const GROUPS: [&str; 10] = [
    "plan", "wasmtime", "node", "browsers", "imports", "single", "at-once", "reads", "pools",
    "memory",
];

fn main() {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    if bare::runs(&args) {
        return;
    }
    let Asked {
        groups: wanted,
        json,
        against,
    } = match asked(&args[1..]) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(2);
        }
    };
    for (group, most) in GROWTH.iter().zip([1_000_000, growth::LARGEST]) {
        if wanted.contains(group) {
            return growth::measure(most);
        }
    }
    let mut report = Report::begin();
    let body = payload::accounts(MANY);
    let all = wanted.is_empty() && against.is_none();
    for group in GROUPS.iter().filter(|group| all || wanted.contains(group)) {
        report.ask_the_disk();
        measure(group, &mut report, &body);
        json.iter().for_each(|file| report.write(file));
    }
    if let Some(other) = against {
        turns::against(&mut report, &other, &body);
        json.iter().for_each(|file| report.write(file));
    }
}

/// What is to be measured.
#[derive(Default)]
struct Asked {
    /// These groups; all where nothing is named.
    groups: Vec<&'static str>,
    /// The file for JSON.
    json: Option<PathBuf>,
    /// Another build of the program.
    against: Option<PathBuf>,
}

fn asked(args: &[String]) -> Result<Asked, String> {
    let (mut asked, mut args) = (Asked::default(), args.iter());
    while let Some(arg) = args.next() {
        let file = match arg.as_str() {
            "--json" => &mut asked.json,
            "--against" => &mut asked.against,
            group => {
                asked.groups.push(known(group)?);
                continue;
            }
        };
        *file = Some(args.next().ok_or(format!("{arg} wants a file"))?.into());
    }
    if let Some(other) = &mut asked.against {
        *other = other
            .canonicalize()
            .map_err(|error| format!("--against {}: {error}", other.display()))?;
    }
    let more = asked.groups.len() > 1 || asked.json.is_some() || asked.against.is_some();
    match asked.groups.iter().find(|group| GROWTH.contains(group)) {
        Some(growth) if more => Err(format!("{growth} is measured alone")),
        _ => Ok(asked),
    }
}

/// The group of this name.
fn known(name: &str) -> Result<&'static str, String> {
    let known = GROUPS.iter().chain(&GROWTH).find(|group| **group == name);
    known.copied().ok_or_else(|| {
        format!(
            "`{name}` is none of {}, {}, --json FILE, --against PROGRAM",
            GROUPS.join(", "),
            GROWTH.join(", ")
        )
    })
}

fn measure(group: &str, report: &mut Report, body: &str) {
    match group {
        "plan" => plan::natively(report, body),
        "wasmtime" => {
            runtimes::in_wasmtime(report, body);
            runtimes::size(report);
        }
        "node" => runtimes::in_node(report, body),
        "browsers" => runtimes::in_browsers(report, body),
        "imports" => {
            imports::many(report, body);
            imports::sync(report);
        }
        "at-once" => imports::at_once(report),
        "reads" => {
            reads::sources(report);
            reads::during_imports(report);
        }
        "memory" => imports::memory(report),
        "single" | "pools" => pools(group, report, body),
        _ => {}
    }
}

/// What depends on the size of the pool.
fn pools(group: &str, report: &mut Report, body: &str) {
    let (empty, small) = (harness::Server::start(), harness::Server::start());
    imports::inject(&small, body, MANY);
    let large = imports::pool_of(10 * MANY);
    imports::settle(&small);
    imports::settle(&large);
    if group == "single" {
        let pools = [
            ("empty pool", &empty),
            ("100,000", &small),
            ("1,000,000", &large),
        ];
        return imports::single(report, pools);
    }
    reads::pages(report, &large);
    let large = reads::export(report, large);
    imports::replace(report, &small, &large);
    reads::start(report, large);
}
