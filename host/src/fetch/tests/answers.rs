//! Answers as servers frame, end and break them.

use super::upstream::{Upstream, answer, encoded, ok};
use super::*;

#[tokio::test]
async fn any_2xx_is_taken_and_any_other_status_is_an_error() {
    for status in [200, 201, 206, 299] {
        let upstream = Upstream::answering([answer(&format!("{status} Fine"), "", b"[]")]);
        assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"[]", "{status}");
    }
    for status in [300, 304, 305, 400, 401, 403, 404, 429, 500, 503] {
        let upstream = Upstream::answering([answer(&format!("{status} Other"), "", b"")]);
        assert_eq!(cause(&upstream.url("/")).await, Cause::Status(status));
    }
}

#[tokio::test]
async fn no_content_and_an_empty_body_push_nothing() {
    for empty in [
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        ok(b""),
        encoded("gzip", b""),
        encoded("br", b""),
    ] {
        let upstream = Upstream::answering([empty]);
        assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"");
    }
}

#[tokio::test]
async fn every_framing_of_a_body_is_read() {
    for body in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n2;x=y\r\n2]\r\n0\r\nTrailer-Field: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n[12]",
        "HTTP/1.0 200 OK\r\n\r\n[12]",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[12]ignored",
    ] {
        let upstream = Upstream::answering([body.into()]);
        assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"[12]", "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_or_is_no_http_is_an_error() {
    for body in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n[]",
        "SSH-2.0-OpenSSH\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        let upstream = Upstream::answering([body.into()]);
        assert_eq!(cause(&upstream.url("/")).await, Cause::Protocol, "{body}");
    }
}

#[tokio::test]
async fn reading_stops_when_the_sink_refuses() {
    let upstream = Upstream::answering([ok(&vec![b' '; 50 << 20])]);
    let mut gathered = Gathered {
        bytes: Vec::new(),
        refuse_after: 1000,
    };
    let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
    let error = fetcher
        .fetch(
            &source(&upstream.url("/")),
            &Validators::default(),
            &mut gathered,
        )
        .await
        .unwrap_err();
    assert_eq!(error.cause(), Cause::Sink);
    assert!(
        gathered.bytes.len() < 1 << 20,
        "{} bytes were pushed",
        gathered.bytes.len()
    );
}

#[tokio::test]
async fn a_fetch_can_be_a_task_of_its_own() {
    let upstream = Upstream::answering([ok(b"[]")]);
    let source = source(&upstream.url("/"));
    let task = tokio::spawn(async move { fetch_with(FetchConfig::default(), &source).await });
    assert_eq!(task.await.unwrap().unwrap(), b"[]");
}
