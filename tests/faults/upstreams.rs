//! Upstreams that mean no good, or no longer know what they do: each ends as the contract says, in bounded time and memory.

mod answers;
mod bodies;
mod encodings;
mod heads;
mod secured;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::service::harness::{Home, SOURCES, Server};
use crate::service::upstream::Upstream;

/// How long the server waits for an upstream.
const PATIENCE: &str = "6s";
/// Within this, every sync has been answered: the patience, and what a slow machine takes to read 256 MiB and to plan a million
/// entries beside another sync.
const BOUND: Duration = Duration::from_secs(15);
/// The causes that a job can tell of an upstream.
const CAUSES: [&str; 16] = [
    "url",
    "header",
    "address",
    "dns",
    "connect",
    "tls",
    "timeout",
    "status",
    "redirect",
    "too_large",
    "encoding",
    "protocol",
    "not_json",
    "shape",
    "html",
    "refused",
];
/// Syncs that run at once.
const AT_ONCE: usize = 2;
/// The most memory over idle.
const MEMORY: u64 = 160 << 20;

/// What is done with a connection whose request was read.
type Does = dyn Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync;

/// What an upstream does with a request that it has read, and what must come of it.
pub(super) struct Behaviour {
    pub(super) name: &'static str,
    pub(super) does: Box<Does>,
    pub(super) ends: Ending,
    /// Where it listens, when it has a listener of its own.
    url: Option<String>,
}

/// How a sync ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// So many accounts are accepted.
    Takes(u64),
    /// Nothing is changed, and the job tells one of these causes.
    Fails(&'static [&'static str]),
}
use Ending::{Fails, Takes};

impl Behaviour {
    fn new(
        name: &'static str,
        ends: Ending,
        does: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Behaviour {
        Behaviour {
            name,
            does: Box::new(does),
            ends,
            url: None,
        }
    }

    /// Listens by itself.
    pub(super) fn at(name: &'static str, ends: Ending, url: String) -> Behaviour {
        Behaviour {
            url: Some(url),
            ..Behaviour::new(name, ends, |_| Ok(()))
        }
    }

    /// Writes these bytes and closes.
    pub(super) fn raw(name: &'static str, ends: Ending, bytes: impl Into<Vec<u8>>) -> Behaviour {
        let bytes = bytes.into();
        Behaviour::new(name, ends, move |wire| wire.write_all(&bytes))
    }

    /// 200 with this body and its length.
    pub(super) fn body(name: &'static str, ends: Ending, body: impl Into<Vec<u8>>) -> Behaviour {
        Behaviour::raw(name, ends, ok_with("", &body.into()))
    }
}

/// 200 with these further headers, a length and a body.
pub(super) fn ok_with(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn all(ca: &Path) -> Vec<Behaviour> {
    let mut all = heads::all();
    all.extend(secured::all(ca));
    all.extend(answers::all());
    all.extend(bodies::all());
    all.extend(encodings::all());
    all
}

/// A listener that leads each path to the behaviour of that number.
fn listen(all: &'static [Behaviour]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for wire in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut wire = wire;
                // What the server gives up is its own choice.
                let _ = serve(all, &mut wire);
                let _ = wire.shutdown(Shutdown::Write);
                let _ = wire.set_read_timeout(Some(Duration::from_secs(1)));
                let _ = wire.read(&mut [0; 1]);
            });
        }
    });
    addr
}

fn serve(all: &[Behaviour], wire: &mut TcpStream) -> std::io::Result<()> {
    wire.set_read_timeout(Some(BOUND))?;
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") && wire.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let number: usize = path.trim_start_matches('/').parse().unwrap_or(usize::MAX);
    all.get(number)
        .map_or(Ok(()), |behaviour| (behaviour.does)(wire))
}

#[test]
fn every_hostile_upstream_ends_as_the_contract_says_in_bounded_time_and_memory() {
    let home = Home::new();
    let ca = home.file("authority.pem");
    let all: &'static [Behaviour] = Vec::leak(all(&ca));
    assert!(all.len() >= 100, "only {} are tried", all.len());
    for Behaviour { name, ends, .. } in all {
        let Fails(causes) = ends else { continue };
        let known = |cause: &&str| CAUSES.contains(cause);
        assert!(causes.iter().all(known), "{name} ends with {causes:?}");
    }
    let ca = ca.to_str().expect("a path");
    let options = ["--upstream-timeout", PATIENCE, "--upstream-ca", ca];
    let server = Server::start_in(home, &options);
    let addr = listen(all);
    let good = Upstream::json(r#"["good-1"]"#);
    let good = server.source(&json!({"url": good.url("/"), "name": "good"}).to_string());
    sync_well(&server, &good);
    let idle = server.peak_memory();
    let (next, wrong) = (Mutex::new(0..all.len()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(number) = { next.lock().expect("no panic").next() } {
                    if let Err(why) = one(&server, addr, number, &all[number]) {
                        wrong
                            .lock()
                            .expect("no panic")
                            .push(format!("{}: {why}", all[number].name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(
        wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        server.home().log()
    );
    sync_well(&server, &good);
    let grown = server.peak_memory() - idle;
    // Figures of the README; `--nocapture` shows them.
    println!(
        "{} hostile upstreams, {} MiB over idle",
        all.len(),
        grown >> 20
    );
    assert!(grown <= MEMORY, "{} MiB over idle", grown >> 20);
}

fn sync_well(server: &Server, id: &str) {
    let synced = server.post(&format!("{SOURCES}/{id}/sync"), "");
    assert_eq!(synced.status, 200, "{synced:?}");
}

/// Syncs once from one behaviour, and compares how it ends.
fn one(
    server: &Server,
    addr: SocketAddr,
    number: usize,
    behaviour: &Behaviour,
) -> Result<(), String> {
    let shared = || format!("http://{addr}/{number}");
    let url = behaviour.url.clone().unwrap_or_else(shared);
    let source = json!({"url": url, "name": behaviour.name});
    let id = server.source(&source.to_string());
    let began = Instant::now();
    let synced = server.post(&format!("{SOURCES}/{id}/sync"), "");
    let took = began.elapsed();
    if took > BOUND {
        return Err(format!("it took {took:?}"));
    }
    let jobs = server
        .get(&format!("/api/remote-account/jobs?source_id={id}"))
        .json();
    let job = &jobs["items"][0];
    let (status, cause) = (
        job["status"].as_str().unwrap_or_default(),
        job["cause"].as_str().unwrap_or_default(),
    );
    println!("{took:>10.1?} {cause:<10} {}", behaviour.name);
    // Not read as JSON: numbers keep their text, and not every reader takes each of them.
    let owned = server
        .get(&format!("/api/accounts?source_id={id}&limit=1"))
        .body;
    let held = !owned.contains(r#""items":[]"#);
    let right = match behaviour.ends {
        Takes(total) => {
            synced.status == 200
                && status == "success"
                && job["total"] == total
                && held == (total > 0)
        }
        Fails(causes) => {
            synced.status == 502 && status == "failed" && causes.contains(&cause) && !held
        }
    };
    match right {
        true => Ok(()),
        false => Err(format!(
            "{:?}, but {} {status} {cause} {}",
            behaviour.ends, synced.status, job["total"]
        )),
    }
}
