//! Limits of time and size.

use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use super::upstream::{Upstream, answer, ok, read_request, silent};
use super::*;

async fn cause_with(config: FetchConfig, url: &str) -> Cause {
    fetch_with(config, &source(url)).await.unwrap_err().cause()
}

fn short() -> FetchConfig {
    FetchConfig {
        total_timeout: Duration::from_millis(200),
        ..FetchConfig::default()
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_after_the_total_time() {
    let (_listener, url) = silent();
    let begun = Instant::now();
    assert_eq!(cause_with(short(), &url).await, Cause::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_left_after_the_connect_time() {
    let (_listener, url) = silent();
    let config = FetchConfig {
        connect_timeout: Duration::from_millis(200),
        ..FetchConfig::default()
    };
    let error = fetch_with(config, &source(&url.replace("http", "https")))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch from `127.0.0.1`: no connection within 200ms"
    );
    assert_eq!(error.cause(), Cause::Timeout);
}

/// A server that sends the first byte of nine, until what it gives is dropped.
fn stalling() -> (Sender<()>, String) {
    let (listener, url) = silent();
    let (holds, wait) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream).unwrap();
        io::Write::write_all(
            &mut stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[",
        )
        .unwrap();
        wait.recv().unwrap_err();
    });
    (holds, url)
}

#[tokio::test]
async fn a_body_that_stalls_counts_into_the_total_time() {
    let (_holds, url) = stalling();
    assert_eq!(cause_with(short(), &url).await, Cause::Timeout);
}

/// Wants no more after the first piece, which it takes.
#[derive(Default)]
struct Satisfied {
    expected: u64,
    pieces: Vec<Bytes>,
}

impl Sink for Satisfied {
    fn expect(&mut self, len: u64) {
        self.expected = len;
    }

    async fn push(&mut self, piece: Bytes) -> Result<(), Unwanted> {
        self.pieces.push(piece);
        Ok(())
    }

    async fn stopped(&self) {
        if self.pieces.is_empty() {
            std::future::pending().await
        }
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_left_when_no_more_of_it_is_wanted() {
    let (_holds, url) = stalling();
    let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
    let mut sink = Satisfied::default();
    let fetched = fetcher
        .fetch(&source(&url), &Validators::default(), &mut sink)
        .await;
    assert_eq!(fetched.unwrap_err().cause(), Cause::Sink);
    assert_eq!((sink.expected, sink.pieces), (9, vec![Bytes::from("[")]));
}

#[tokio::test]
async fn a_body_may_have_the_limit_and_not_a_byte_more() {
    let config = FetchConfig {
        max_body: 4,
        ..FetchConfig::default()
    };
    for (headers, close) in [
        ("Content-Length: 4\r\n", ""),
        ("", ""),
        ("Transfer-Encoding: chunked\r\n", "\r\n0\r\n\r\n"),
    ] {
        let chunk = |len: usize| {
            if close.is_empty() {
                String::new()
            } else {
                format!("{len}\r\n")
            }
        };
        let body = |text: &str| {
            format!(
                "HTTP/1.1 200 OK\r\n{headers}\r\n{}{text}{close}",
                chunk(text.len())
            )
            .into_bytes()
        };
        let upstream = Upstream::answering([body("[12]"), body("[123]")]);
        let source = source(&upstream.url("/"));
        assert_eq!(fetch_with(config.clone(), &source).await.unwrap(), b"[12]");
        if !headers.starts_with("Content-Length") {
            assert_eq!(
                cause_with(config.clone(), &source.url).await,
                Cause::TooLarge,
                "{headers}"
            );
        }
    }
    let upstream = Upstream::answering([ok(b"[123]")]);
    assert_eq!(
        cause_with(config, &upstream.url("/")).await,
        Cause::TooLarge
    );
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_the_body_comes() {
    let upstream =
        Upstream::answering([b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".to_vec()]);
    assert_eq!(cause(&upstream.url("/")).await, Cause::TooLarge);
}

#[tokio::test]
async fn a_head_is_bounded_in_bytes_and_in_fields() {
    for headers in [
        format!("X: {}\r\n", "y".repeat(MAX_HEAD)),
        "X: y\r\n".repeat(1000),
    ] {
        let upstream = Upstream::answering([answer("200 OK", &headers, b"[]")]);
        let error = fetch(&upstream.url("/")).await.unwrap_err();
        assert_eq!(error.cause(), Cause::TooLarge, "{error}");
    }
    let upstream = Upstream::answering([answer(
        "200 OK",
        &format!("X: {}\r\n", "y".repeat(MAX_HEAD / 2)),
        b"[]",
    )]);
    assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"[]");
}
