//! What the server allows a client: sizes, patience, and an orderly end.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::client::read_all;
use super::examples::check_refused;
use super::harness::{EXPORT, INJECT, SOURCES, Server};
use super::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn a_body_over_the_limit_is_413() {
    let server = Server::start_with(&["--max-body", "2KiB"]);
    let body = |length: usize| format!(r#"{{"tokens": ["{}"]}}"#, "x".repeat(length - 16));
    assert_eq!(body(2048).len(), 2048);
    assert_eq!(server.post(INJECT, &body(2048)).status, 200);
    check_refused(&server.post(INJECT, &body(2049)), 413);
    let announced = format!(
        "POST {SOURCES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 1048577\r\n\r\n"
    );
    let answer = server.wire(announced.as_bytes(), PATIENCE);
    assert!(
        answer.starts_with("HTTP/1.1 413 "),
        "a source is small: {answer}"
    );
    let chunked = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n{}\r\n0\r\n\r\n",
        body(4096)
    );
    let answer = server.wire(chunked.as_bytes(), PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(server.pool().len(), 1);
}

#[test]
fn a_client_may_read_the_refusal_of_what_it_still_sends() {
    let server = Server::start_with(&["--max-body", "1KiB"]);
    let mut stream = server.connect();
    let head = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 200000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it listens");
    stream
        .write_all(&[b' '; 200_000])
        .expect("what is refused is still taken, up to a point");
    let answer = read_all(&mut stream, PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[test]
fn a_client_that_reads_nothing_before_it_has_sent_all_is_told_what_is_wrong_with_a_large_body() {
    let server = Server::start();
    let body = wrong_after_two_million_bytes(1_000_000);
    let answer = server.post(INJECT, &body);
    check_refused(&answer, 422);
    assert!(answer.body.contains("at byte 20000"), "{answer:?}");
    assert!(server.pool().is_empty());
}

/// The connection is closed by the server within its patience and not long after.
fn check_cut(mut stream: TcpStream, began: Instant) {
    let answer = read_all(&mut stream, PATIENCE);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "cut, not waited for: {answer}"
    );
    assert!(
        answer.is_empty()
            || answer.starts_with("HTTP/1.1 408 ")
            || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
}

#[test]
fn headers_that_do_not_end_are_cut() {
    let server = Server::start_with(&["--header-timeout", "200ms"]);
    for start in [
        "",
        "GET /health HT",
        "GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ] {
        let began = Instant::now();
        let mut stream = server.connect();
        stream.write_all(start.as_bytes()).expect("it listens");
        check_cut(stream, began);
    }
    assert_eq!(server.get(SOURCES).status, 200);
}

#[test]
fn headers_that_drip_are_cut() {
    let server = Server::start_with(&["--header-timeout", "300ms"]);
    let began = Instant::now();
    let mut stream = server.connect();
    for letter in b"GET /health HTTP/1.1\r\nHost: xxxxxxxxxxxxxx".iter() {
        if stream.write_all(&[*letter]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    check_cut(stream, began);
}

#[test]
fn a_body_that_stalls_is_cut_and_imports_nothing() {
    let server = Server::start_with(&["--body-timeout", "200ms"]);
    let began = Instant::now();
    let mut stream = server.connect();
    let request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 100\r\n\r\n{{\"tokens\": [\"a-1\"]"
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    check_cut(stream, began);
    assert!(server.pool().is_empty());
}

/// Two million bytes of a list, then something that is no JSON, and so many of its tokens more.
fn wrong_after_two_million_bytes(more: usize) -> String {
    let tokens = |first: usize, count| -> String {
        let tokens = (first..).map(|n| format!(r#""token-{n:07}", "#));
        tokens.take(count).collect()
    };
    format!(
        r#"{{"tokens": [{}?, {}"#,
        tokens(0, 2_000_000 / 17),
        tokens(1_000_000, more)
    )
}

#[test]
fn what_is_wrong_with_a_large_body_is_said_while_the_client_waits_for_it() {
    let server = Server::start_with(&["--body-timeout", "60s"]);
    let body = wrong_after_two_million_bytes(0);
    let request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 9999999\r\n\r\n{body}"
    );
    let answer = server.wire(request.as_bytes(), 4 * PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(answer.contains("at byte 20000"), "{answer}");
    assert!(server.pool().is_empty());
}

#[test]
fn what_is_wrong_with_a_large_body_is_said_before_that_it_is_too_large() {
    // It ends in the piece after that which is wrong.
    let server = Server::start_with(&["--max-body", "2100KiB"]);
    let mut request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    let body = wrong_after_two_million_bytes(20_000);
    for piece in body.as_bytes().chunks(100_000) {
        request.extend([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    let answer = server.wire(&request, 4 * PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
}

#[test]
fn a_head_over_24_kib_is_431() {
    let server = Server::start();
    for (filler, status) in [(23 * 1024, "200"), (25 * 1024, "431")] {
        let request = format!(
            "GET {SOURCES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nX-Filler: {}\r\n\r\n",
            "x".repeat(filler)
        );
        let answer = server.wire(request.as_bytes(), PATIENCE);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[test]
fn a_body_that_moves_is_waited_for() {
    let server = Server::start_with(&["--body-timeout", "400ms"]);
    let mut stream = server.connect();
    let body = r#"{"tokens": ["a-1"]}"#;
    let head = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it listens");
    for piece in body.as_bytes().chunks(4) {
        std::thread::sleep(Duration::from_millis(150));
        stream.write_all(piece).expect("it still listens");
    }
    let answer = read_all(&mut stream, PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_half_sent_body_imports_nothing() {
    let server = Server::start();
    let mut stream = server.connect();
    let request = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 100\r\n\r\n{{\"tokens\": [\"a-1\"]}}"
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    drop(stream);
    assert_eq!(server.get(SOURCES).status, 200);
    assert!(server.pool().is_empty());
}

#[test]
fn nonsense_on_the_wire_ends_one_connection_only() {
    let server = Server::start();
    let keeper = server.connect();
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ] {
        server.wire(nonsense, Duration::from_millis(300));
    }
    let mut keeper = keeper;
    keeper
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("it listens");
    assert!(read_all(&mut keeper, PATIENCE).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_connection_serves_request_after_request() {
    let server = Server::start();
    let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = server.wire(&[&request[..], request, last].concat(), PATIENCE);
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 3, "{answer}");
}

#[test]
fn a_large_import_takes_three_times_its_body_at_most_and_an_export_takes_hardly_any() {
    let server = Server::start();
    let body = super::payload::accounts(40_000);
    let answer = server.post(INJECT, &body);
    assert_eq!(
        (answer.status, &answer.json()["added"]),
        (200, &40_000.into())
    );
    let (peak, size) = (server.peak_memory(), body.len() as u64);
    assert!(peak <= 3 * size, "{peak} bytes for a body of {size}");
    check_export_takes_little(server, 40_000, size);
}

#[cfg(target_os = "linux")]
#[test]
fn the_token_after_a_large_import_finds_the_pages_of_the_pool_in_memory() {
    let server = Server::start();
    let answer = server.post(INJECT, &super::payload::accounts(40_000));
    assert_eq!(answer.status, 200);
    let wal = server.home().data().join("tributary.db-wal");
    let length = || std::fs::metadata(&wal).map_or(0, |wal| wal.len());
    // Whoever copies the WAL reads it, and is done when it has been cut.
    let (until, mut before) = (Instant::now() + Duration::from_secs(60), 0);
    while length() > 8 << 20 || before != server.bytes_read() {
        assert!(Instant::now() < until, "{} bytes in the WAL", length());
        before = server.bytes_read();
        std::thread::sleep(Duration::from_millis(600));
    }
    let answer = server.post(INJECT, r#"{"tokens": ["after-1"]}"#);
    assert_eq!(answer.json()["added"], 1);
    let read = server.bytes_read() - before;
    assert!(read <= 10 * 4096, "{read} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_was_asked_one_thing_after_the_other_sleeps_when_nobody_asks() {
    let server = Server::start();
    // All are sent at once: the server reads each when it has answered the one before.
    let ask = |n: usize| {
        let body = format!(r#"{{"tokens": ["one-{n:03}"]}}"#);
        let (length, last) = (body.len(), if n < 200 { "keep-alive" } else { "close" });
        format!(
            "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: {last}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let answers = server.wire((1..=200).map(ask).collect::<String>().as_bytes(), PATIENCE);
    assert_eq!(answers.matches(r#""added":1"#).count(), 200);
    let before = server.busy_for();
    std::thread::sleep(Duration::from_secs(1));
    let busy = server.busy_for() - before;
    assert!(busy <= 20, "{busy} of 100 hundredths of a second");
}

#[test]
fn an_export_holds_few_accounts_where_each_is_long() {
    let server = Server::start();
    let note = "n".repeat(200_000);
    let account = |n| serde_json::json!({"token": format!("long-{n:03}"), "note": note});
    let accounts: Vec<_> = (0..150).map(account).collect();
    let body = serde_json::json!({ "accounts": accounts }).to_string();
    assert_eq!(server.post(INJECT, &body).status, 200);
    check_export_takes_little(server, 150, body.len() as u64);
}

/// Checks that an export of so many accounts takes at most half of the memory that their payload has bytes.
fn check_export_takes_little(server: Server, accounts: usize, size: u64) {
    let server = Server::start_in(server.stop(), &[]);
    let before = server.peak_memory();
    let export = server.post(EXPORT, "");
    assert_eq!(export.body.lines().count(), accounts);
    let grown = server.peak_memory() - before;
    assert!(
        grown <= size / 2,
        "{grown} bytes more for an export of {}",
        export.body.len()
    );
}

/// A server with a sync that waits for its upstream until the switch is set.
fn busy(options: &[&str]) -> (Server, Upstream, Arc<AtomicBool>, String) {
    let server = Server::start_with(options);
    let (upstream, go) = Upstream::held(r#"["a-1"]"#);
    let id = server.source(&serde_json::json!({ "url": upstream.url("/") }).to_string());
    (server, upstream, go, id)
}

/// Sends a sync and waits until the upstream has been asked.
fn begin(server: &Server, upstream: &Upstream, id: &str) -> TcpStream {
    let mut stream = server.connect();
    let request = format!(
        "POST {SOURCES}/{id}/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    let deadline = Instant::now() + PATIENCE;
    while upstream.asked().is_empty() {
        assert!(Instant::now() < deadline, "the upstream is not asked");
        std::thread::sleep(Duration::from_millis(2));
    }
    stream
}

#[test]
fn sigterm_lets_open_requests_end() {
    let (mut server, upstream, go, id) = busy(&[]);
    let mut stream = begin(&server, &upstream, &id);
    server.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(100));
    assert!(TcpStream::connect(server.addr).map_or(true, |mut late| {
        let _ = late.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        !read_all(&mut late, Duration::from_millis(300)).starts_with("HTTP/1.1 200 ")
    }));
    go.store(true, Ordering::SeqCst);
    let answer = read_all(&mut stream, PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.wait(PATIENCE).code(), Some(0));
    let next = Server::start_in(server.crash(), &[]);
    assert_eq!(next.tokens(), ["a-1"]);
}

#[test]
fn sigterm_does_not_wait_for_ever() {
    let (mut server, upstream, _go, id) = busy(&["--drain-timeout", "300ms"]);
    let _stream = begin(&server, &upstream, &id);
    let began = Instant::now();
    server.signal(Signal::TERM);
    server.wait(PATIENCE);
    assert!(began.elapsed() < Duration::from_secs(3));
    let next = Server::start_in(server.crash(), &[]);
    assert!(next.pool().is_empty());
    let job = next.get(&format!("{SOURCES}/{id}/sync")).json();
    assert_eq!(job["import_job"]["status"], "failed");
}

#[test]
fn sigterm_ends_an_idle_server_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        server.get(SOURCES);
        let _idle = server.connect();
        let began = Instant::now();
        server.signal(signal);
        assert_eq!(server.wait(PATIENCE).code(), Some(0));
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
    }
}
