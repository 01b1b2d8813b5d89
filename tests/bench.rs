//! What the program costs, each row beside its floor or goal in the same run: `cargo bench -p tributary-tests`.

#[path = "service/client.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod client;
#[path = "service/harness.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod harness;
#[path = "browser/node.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod node;
#[path = "service/payload.rs"]
mod payload;
#[path = "service/program.rs"]
mod program;
#[path = "../web/examples/rust/main.rs"]
#[allow(dead_code, reason = "the benchmark has a main of its own")]
mod wasmtime_example;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::{ACCOUNTS, Home, INJECT, SOURCES, Server};

/// Accounts of the large import.
const MANY: usize = 100_000;
/// Runs of what takes long; the median counts.
const RUNS: usize = 5;

fn main() {
    let body = payload::accounts(MANY);
    println!(
        "{MANY} accounts, {:.1} MB, medians of {RUNS}\n",
        body.len() as f64 / 1e6
    );
    println!(
        "{:<52} {:>11} {:>11} {:>8} {:>9}",
        "", "product", "floor", "ratio", "goal"
    );
    // `cargo bench -p tributary-tests -- browser` measures that alone.
    if std::env::args().any(|wanted| wanted == "browser") {
        return browser(&body);
    }
    // `wasmtime` likewise.
    if std::env::args().any(|wanted| wanted == "wasmtime") {
        return in_wasmtime(&body);
    }
    // `pages` likewise.
    if std::env::args().any(|wanted| wanted == "pages") {
        return pages();
    }
    large_import(&body);
    let server = Server::start();
    inject(&server, &body);
    single_import(&server);
    readers_during_imports(&body);
    start(server);
    pages();
    in_wasmtime(&body);
    browser(&body);
}

/// The page's module in Chromium against the native core, on the same payload into an empty pool.
fn browser(body: &str) {
    let Some(chromium) = node::browser("chromium", &["chromium", "chromium-browser"]) else {
        return;
    };
    let home = Home::new();
    let payload = home.file("payload.json");
    std::fs::write(&payload, body).expect("a file");
    let mut floor: Vec<_> = (0..RUNS).map(|_| plan_natively(body)).collect();
    let told =
        serde_json::json!({"web": node::web(), "payload": payload, "count": MANY, "runs": RUNS});
    let answered = chromium.run("bench", &told);
    let times = answered["times"].as_array().expect("times");
    let mut product: Vec<_> = times
        .iter()
        .map(|ms| Duration::from_secs_f64(ms.as_f64().expect("a number") / 1e3))
        .collect();
    floor.extend((0..RUNS).map(|_| plan_natively(body)));
    row(
        "plan in Chromium, against the native core",
        median(&mut product),
        median(&mut floor),
        "<= 1.8",
    );
}

fn plan_natively(body: &str) -> Duration {
    let began = Instant::now();
    let answer = tributary_core::plan_json(body.as_bytes(), b"{}");
    let took = began.elapsed();
    let said = String::from_utf8_lossy(&answer[..400]).into_owned();
    assert!(said.contains(&format!("\"added\":{MANY}")), "{said}");
    took
}

/// A plan in wasmtime against the same plan in native code, in turns, the answer's text included on both sides.
fn in_wasmtime(body: &str) {
    let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/web/tributary.wasm");
    let wasm = std::fs::read(wasm).expect("`cargo prove` builds the wasm");
    let mut plan = wasmtime_example::load(&wasm).expect("a module");
    let (mut product, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        let native = tributary_core::plan_json(body.as_bytes(), b"{}");
        floor.push(began.elapsed());
        let began = Instant::now();
        let answer = plan(body.as_bytes(), b"{}").expect("an answer");
        product.push(began.elapsed());
        assert!(answer == native, "both decide alike");
    }
    row(
        "plan in wasmtime, against native",
        median(&mut product),
        median(&mut floor),
        "<= 1.8",
    );
}

/// One large import over HTTP against Python's own modules on the same file, in turns.
fn large_import(body: &str) {
    let home = Home::new();
    let file = home.file("payload.json");
    std::fs::write(&file, body).expect("a file");
    let (mut product, mut floor, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        floor.push(python(&home, &file));
        let server = Server::start();
        let began = Instant::now();
        inject(&server, body);
        product.push(began.elapsed());
        memory.push(server.peak_memory());
    }
    row(
        "import, against json.loads and executemany",
        median(&mut product),
        median(&mut floor),
        "<= 0.35",
    );
    memory.sort_unstable();
    let (peak, size) = (
        memory[memory.len() / 2] as f64 / 1e6,
        body.len() as f64 / 1e6,
    );
    println!(
        "{:<52} {peak:>8.1} MB {size:>8.1} MB {:>8.2} {:>9}",
        "peak memory of that import, against its body",
        peak / size,
        "<= 3"
    );
}

fn inject(server: &Server, body: &str) {
    let answer = server.post(INJECT, body);
    assert_eq!(
        (answer.status, answer.json()["total"].as_u64()),
        (200, Some(MANY as u64)),
        "{answer:?}"
    );
}

/// How long Python takes for the same accounts: parsed, and inserted into one indexed table in one durable transaction.
fn python(home: &Home, payload: &Path) -> Duration {
    const SCRIPT: &str = "
import json, os, sqlite3, sys, time
payload, path = sys.argv[1:]
for suffix in ('', '-wal', '-shm'):
    if os.path.exists(path + suffix):
        os.remove(path + suffix)
text = open(payload, 'rb').read()
db = sqlite3.connect(path)
db.execute('PRAGMA journal_mode=WAL')
db.execute('PRAGMA synchronous=FULL')
names = ['access_token', 'provider', 'type', 'email', 'refresh_token', 'quota', 'status', 'limits_progress', 'metadata', 'user_agent']
db.execute('CREATE TABLE account (' + ', '.join(names) + ')')
db.execute('CREATE UNIQUE INDEX account_token ON account (access_token)')
began = time.perf_counter()
accounts = json.loads(text)['accounts']
def row(account):
    return [json.dumps(value) if isinstance(value, (list, dict)) else value for value in map(account.get, names)]
with db:
    db.executemany('INSERT INTO account VALUES (' + ','.join('?' * len(names)) + ')', map(row, accounts))
print(time.perf_counter() - began)
";
    let run = Command::new("python3")
        .arg("-c")
        .arg(SCRIPT)
        .arg(payload)
        .arg(home.file("floor.db"))
        .output()
        .expect("python3 runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let seconds = String::from_utf8_lossy(&run.stdout)
        .trim()
        .parse()
        .expect("a number of seconds");
    Duration::from_secs_f64(seconds)
}

/// One token into a pool of many and into an empty one, in turns.
fn single_import(full: &Server) {
    let empty = Server::start();
    let (mut product, mut floor) = (Vec::new(), Vec::new());
    for n in 0..500 {
        // Under the id that owns the many: whose accounts they are must not cost anything either.
        let body = format!(r#"{{"tokens": ["single-{n}"], "source_id": "bulk"}}"#);
        for (server, times) in [(&empty, &mut floor), (full, &mut product)] {
            let began = Instant::now();
            assert_eq!(server.post(INJECT, &body).status, 200);
            times.push(began.elapsed());
        }
    }
    row(
        "one token into 100,000, against an empty pool",
        median(&mut product),
        median(&mut floor),
        "<= 1.3",
    );
}

/// The slowest hundredth of the lists asked for while many accounts go in, against an idle server.
fn readers_during_imports(body: &str) {
    let (mut busy, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let server = Server::start();
        for n in 0..3 {
            server.source(&format!(
                r#"{{"name": "source {n}", "url": "http://a.example.test/"}}"#
            ));
        }
        for _ in 0..200 {
            idle.push(list(&server));
        }
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                inject(&server, body);
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                busy.push(list(&server));
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    }
    let name = format!("GET sources p99 while 100,000 go in ({} asked)", busy.len());
    row(
        &name,
        percentile(&mut busy, 99),
        percentile(&mut idle, 99),
        "< 20 ms",
    );
}

fn list(server: &Server) -> Duration {
    let began = Instant::now();
    assert_eq!(server.get(SOURCES).status, 200);
    began.elapsed()
}

/// The last 100 accounts of 1,000,000 against the first 100, in turns.
fn pages() {
    const ALL: usize = 1_000_000;
    const LAST: usize = 1_000;
    let server = Server::start();
    let mut first = 0;
    for (end, source) in [
        (250_000, "bulk"),
        (500_000, "bulk"),
        (750_000, "bulk"),
        (ALL - LAST, "bulk"),
        (ALL, "last"),
    ] {
        let body = payload::accounts_of(first..end, source);
        assert_eq!(server.post(INJECT, &body).status, 200);
        first = end;
    }
    // Where a list goes on does not depend on its filters.
    let before = server.get(&format!("{ACCOUNTS}?source_id=last&limit={}", LAST - 100));
    let next = before.json()["next"]
        .as_str()
        .expect("100 follow")
        .to_owned();
    let page = |query: &str| {
        let began = Instant::now();
        let answer = server.get(&format!("{ACCOUNTS}?limit=100{query}"));
        let took = began.elapsed();
        let page = answer.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(100));
        assert_eq!(page["total"], ALL);
        took
    };
    let last_page = format!("&after={next}");
    let (mut product, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        product.push(page(&last_page));
        floor.push(page(""));
    }
    row(
        "a page of 100 in a pool of 1,000,000: last against first",
        median(&mut product),
        median(&mut floor),
        "<= 1.2",
    );
}

/// From the start of the program to its address, with many accounts and with none, after an orderly end and after a crash.
fn start(server: Server) {
    let mut floor = Vec::new();
    let mut empty = Home::new();
    for _ in 0..RUNS {
        let (server, took) = started(empty);
        floor.push(took);
        empty = server.stop();
    }
    let floor = median(&mut floor);
    let mut home = server.stop();
    for (name, end) in [
        (
            "start with 100,000, against an empty pool",
            Server::stop as fn(Server) -> Home,
        ),
        ("the same after kill -9", Server::crash),
    ] {
        let mut product = Vec::new();
        for n in 0..RUNS {
            let (server, took) = started(home);
            product.push(took);
            server.post(INJECT, &format!(r#"{{"tokens": ["start-{n}"]}}"#));
            home = end(server);
        }
        row(name, median(&mut product), floor, "< 200 ms");
    }
}

fn started(home: Home) -> (Server, Duration) {
    let began = Instant::now();
    let server = Server::start_in(home, &[]);
    (server, began.elapsed())
}

fn row(name: &str, product: Duration, floor: Duration, goal: &str) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<52} {:>8.2} ms {:>8.2} ms {:>8.2} {goal:>9}",
        ms(product),
        ms(floor),
        ms(product) / ms(floor)
    );
}

fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}
