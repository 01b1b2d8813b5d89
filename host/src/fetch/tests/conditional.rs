//! Asking whether there is anything new, and being told to come back later.

use super::upstream::{Upstream, answer, ok, redirect};
use super::*;

fn known() -> Validators {
    Validators {
        etag: "\"v1\"".to_owned(),
        last_modified: "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
    }
}

async fn ask(source: &Source, known: &Validators) -> Result<Fetched, FetchError> {
    let mut gathered = Gathered {
        bytes: Vec::new(),
        refuse_after: usize::MAX,
    };
    let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
    fetcher.fetch(source, known, &mut gathered).await
}

fn named(status: &str) -> Vec<u8> {
    let names = "ETag: \"v2\"\r\nLast-Modified: Mon, 07 Nov 1994 08:49:37 GMT\r\n";
    answer(status, names, b"[]")
}

/// An answer without a body, which has none by its status.
fn not_modified() -> Vec<u8> {
    b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n".to_vec()
}

const ASKED: &str = "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT\nif-none-match: \"v1\"\n";

#[tokio::test]
async fn the_names_of_a_body_are_remembered_and_asked_with() {
    let upstream = Upstream::answering([named("200 OK"), not_modified()]);
    let source = source(&upstream.url("/"));
    let fetched = ask(&source, &Validators::default()).await.unwrap();
    let Fetched::Body(names) = fetched else {
        panic!("{fetched:?}")
    };
    assert_eq!(names.etag, "\"v2\"");
    assert_eq!(names.last_modified, "Mon, 07 Nov 1994 08:49:37 GMT");
    assert!(!upstream.request().contains("if-"), "nothing was known yet");
    assert_eq!(ask(&source, &known()).await.unwrap(), Fetched::NotModified);
    assert!(upstream.request().contains(ASKED));
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    let upstream = Upstream::answering([not_modified()]);
    let error = ask(&source(&upstream.url("/")), &Validators::default()).await;
    assert_eq!(error.unwrap_err().cause(), Cause::Status(304));
}

#[tokio::test]
async fn names_follow_a_redirect_within_the_origin_alone() {
    let upstream = Upstream::answering([redirect(302, "/b"), not_modified()]);
    let fetched = ask(&source(&upstream.url("/")), &known()).await.unwrap();
    assert_eq!(fetched, Fetched::NotModified);
    upstream.request();
    assert!(upstream.request().contains(ASKED));

    let other = Upstream::answering([named("200 OK"), not_modified()]);
    let away = |other: &Upstream| Upstream::answering([redirect(302, &other.url("/b"))]);
    let fetched = ask(&source(&away(&other).url("/")), &known())
        .await
        .unwrap();
    assert_eq!(
        fetched,
        Fetched::Body(Validators::default()),
        "they are another server's"
    );
    assert!(!other.request().contains("if-"));
    let error = ask(&source(&away(&other).url("/")), &known()).await;
    assert_eq!(error.unwrap_err().cause(), Cause::Status(304));
}

#[tokio::test]
async fn an_answer_to_a_post_has_no_names() {
    let upstream = Upstream::answering([named("200 OK"), redirect(303, "/b"), named("200 OK")]);
    let source = Source {
        method: Method::Post,
        ..source(&upstream.url("/"))
    };
    for requests in [1, 2] {
        let fetched = ask(&source, &known()).await.unwrap();
        assert_eq!(fetched, Fetched::Body(Validators::default()));
        for _ in 0..requests {
            assert!(!upstream.request().contains("if-"));
        }
    }
}

#[tokio::test]
async fn names_that_are_long_no_ascii_or_mean_anything_are_none() {
    let long = format!("ETag: \"{}\"\r\n", "a".repeat(1 << 10));
    let upstream = Upstream::answering([
        answer("200 OK", &long, b"[]"),
        answer("200 OK", "ETag: \"\u{e9}\"\r\n", b"[]"),
        answer("200 OK", "ETag: *\r\n", b"[]"),
        answer("200 OK", "ETag: \"a\"\r\nETag: \"b\"\r\n", b"[]"),
        answer("200 OK", "ETag: \"a\tb\"\r\n", b"[]"),
        ok(b"[]"),
    ]);
    for _ in 0..6 {
        let fetched = ask(&source(&upstream.url("/")), &known()).await.unwrap();
        assert_eq!(fetched, Fetched::Body(Validators::default()));
    }
}

#[tokio::test]
async fn a_failure_says_whether_and_when_to_try_again() {
    for (status, transient, wait) in [
        ("429 Too Many Requests", true, Some(7)),
        ("503 Service Unavailable", true, Some(7)),
        ("500 Internal Server Error", true, Some(7)),
        ("408 Request Timeout", true, None),
        ("404 Not Found", false, None),
        ("401 Unauthorized", false, None),
    ] {
        let upstream = Upstream::answering([answer(status, "Retry-After: 7\r\n", b"")]);
        let error = ask(&source(&upstream.url("/")), &known())
            .await
            .unwrap_err();
        assert_eq!(
            (error.is_transient(), error.retry_after()),
            (transient, wait),
            "{status}"
        );
    }
    let nobody = upstream::loopback().local_addr().unwrap();
    let error = ask(&source(&format!("http://{nobody}/")), &known()).await;
    assert!(error.unwrap_err().is_transient(), "nobody listens yet");
}
