//! Strangers by the thousand: who has a key is answered in time, and what strangers send is not kept.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::harness::{INJECT, SOURCES, Server};

/// Takes as many file descriptors as the system gives, which must be `needed` at least: each connection is one here, too.
fn descriptors(needed: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    assert!(
        maximum.is_none_or(|maximum| maximum >= needed),
        "this test needs {needed} file descriptors and the system gives {maximum:?}: raise the hard limit (`ulimit -Hn`)"
    );
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the limit can be raised");
}

/// Sends a byte on each connection now and then, until it is dropped.
struct Dripping(Arc<AtomicBool>);

impl Dripping {
    fn on(mut streams: Vec<TcpStream>) -> Dripping {
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                for stream in &mut streams {
                    // Those that were cut are done with.
                    let _ = stream.write(b"x");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Dripping(ended)
    }
}

impl Drop for Dripping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Connections that have sent `start`.
fn crowd(server: &Server, count: usize, start: &str) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = server.connect();
        stream.write_all(start.as_bytes()).expect("it listens");
        stream
    };
    (0..count).map(connect).collect()
}

/// How long an administrator waits, on a connection of its own each time: the middle of nine.
fn wait_of_an_administrator(server: &Server) -> Duration {
    let request = format!(
        "GET {SOURCES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\n\r\n"
    );
    let mut waits: Vec<_> = (0..9)
        .map(|_| {
            let began = Instant::now();
            let answer = server.wire(request.as_bytes(), Duration::from_secs(20));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            began.elapsed()
        })
        .collect();
    waits.sort();
    waits[4]
}

fn slow_head() -> String {
    format!("POST {INJECT} HTTP/1.1\r\nHost: x\r\nX-Slow: ")
}

fn slow_body(secret: &str) -> String {
    format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: 100000\r\n\r\n{{"
    )
}

#[test]
fn an_administrator_is_answered_beside_2000_idle_and_400_slow_connections() {
    descriptors(4_000);
    let server = Server::start();
    let _idle = crowd(&server, 2_000, "");
    let mut slow = crowd(&server, 200, &slow_head());
    slow.extend(crowd(&server, 100, &slow_body("wrong")));
    slow.extend(crowd(&server, 100, &slow_body("admin")));
    let _slow = Dripping::on(slow);
    let wait = wait_of_an_administrator(&server);
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    assert!(server.pool().is_empty());
}

#[test]
fn more_connections_than_there_are_places_keep_no_administrator_out() {
    // Nobody is cut for being slow: only by giving way can a place become free.
    let patience = ["--header-timeout", "10m", "--body-timeout", "10m"];
    let server = Server::start_with(&[&patience[..], &["--max-connections", "64"]].concat());
    let _idle = crowd(&server, 100, "");
    let _unread = crowd(&server, 50, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut slow = crowd(&server, 50, &slow_head());
    slow.extend(crowd(&server, 16, &slow_body("admin")));
    let _slow = Dripping::on(slow);
    let wait = wait_of_an_administrator(&server);
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
}

#[test]
fn what_strangers_send_is_not_kept() {
    const STRANGERS: usize = 200;
    descriptors(1_000);
    let server = Server::start();
    drop(crowd(
        &server,
        STRANGERS,
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ));
    let before = server.peak_memory();
    let body = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{{\"tokens\": [\"{}",
        "x".repeat(10_000)
    );
    let mut strangers = crowd(&server, STRANGERS, &body);
    let more = vec![b'x'; 1 << 20];
    for stream in &mut strangers {
        let patience = Some(Duration::from_millis(50));
        stream.set_write_timeout(patience).expect("a timeout");
        // What the server does not take is not sent.
        let _ = stream.write_all(&more);
    }
    let heads = "x".repeat(31 * 1024);
    strangers.extend(crowd(
        &server,
        STRANGERS,
        &format!("{}{heads}", slow_head()),
    ));
    std::thread::sleep(Duration::from_millis(200));
    let each = (server.peak_memory() - before) / (2 * STRANGERS as u64);
    // A figure of the README; `--nocapture` shows it.
    println!("{each} bytes for each of {} strangers", 2 * STRANGERS);
    assert!(each <= 64 * 1024, "{each} bytes for each stranger");
    assert!(server.pool().is_empty());
}
