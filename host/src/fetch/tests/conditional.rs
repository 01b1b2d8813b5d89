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
    assert!(upstream.request().contains(ASKED));
    // Where an address points today can be older than where it pointed yesterday: the date says nothing there.
    let redirected = upstream.request();
    assert!(
        redirected.contains("if-none-match: \"v1\"\n"),
        "{redirected}"
    );
    assert!(!redirected.contains("if-modified-since"), "{redirected}");
    let upstream = Upstream::answering([redirect(302, "/b"), named("200 OK")]);
    let fetched = ask(&source(&upstream.url("/")), &known()).await.unwrap();
    assert!(
        matches!(fetched, Fetched::Body(names) if names.etag == "\"v2\"" && names.last_modified.is_empty())
    );

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

/// What is remembered of a single answer.
async fn remembered(status: &str, headers: &str) -> Validators {
    let upstream = Upstream::answering([answer(status, headers, b"[]")]);
    match ask(&source(&upstream.url("/")), &Validators::default()).await {
        Ok(Fetched::Body(names)) => names,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_that_means_any_body_or_several_is_none() {
    for etag in [
        "*",
        "v1",
        "W/v1",
        "\"",
        "\"a\", \"b\"",
        "\"a\", *",
        "\"a\tb\"",
        "\"a\"\r\nETag: \"b\"",
    ] {
        let names = remembered("200 OK", &format!("ETag: {etag}\r\n")).await;
        assert_eq!(names, Validators::default(), "{etag}");
    }
    for etag in ["\"\"", "W/\"a\"", "\"a,b\""] {
        let names = remembered("200 OK", &format!("ETag: {etag}\r\n")).await;
        assert_eq!(names.etag, etag);
    }
}

#[tokio::test]
async fn only_a_200_has_names() {
    for status in ["201 Created", "203 Elsewhere", "206 Part"] {
        let names = remembered(status, "ETag: \"v2\"\r\n").await;
        assert_eq!(names, Validators::default(), "{status}");
    }
}

#[tokio::test]
async fn a_date_is_a_name_once_its_second_is_over() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (modified, is_name) in [
        ("Sun, 06 Nov 1994 08:49:36 GMT", true),
        ("Sun, 06 Nov 1994 08:49:37 GMT", false),
        ("Sun, 06 Nov 2094 08:49:37 GMT", false),
        ("yesterday", false),
    ] {
        let names = remembered("200 OK", &format!("{date}Last-Modified: {modified}\r\n")).await;
        assert_eq!(names.last_modified, if is_name { modified } else { "" });
    }
    let names = remembered("200 OK", "Last-Modified: Sun, 06 Nov 2094 08:49:37 GMT\r\n").await;
    assert_eq!(names, Validators::default(), "by the system's clock");
}

#[tokio::test]
async fn a_condition_of_the_operator_s_own_is_left_as_it_is() {
    for known in [Validators::default(), known()] {
        let upstream = Upstream::answering([not_modified()]);
        let source = Source {
            auth_header: "If-None-Match".to_owned(),
            auth_token: Secret::new("\"mine\"".to_owned()),
            ..source(&upstream.url("/"))
        };
        let error = ask(&source, &known).await;
        assert_eq!(error.unwrap_err().cause(), Cause::Status(304));
        let request = upstream.request();
        assert!(request.contains("if-none-match: \"mine\"\n"), "{request}");
        assert!(!request.contains("if-modified-since"), "{request}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_cut_may_pass_and_one_that_is_refused_may_not() {
    for (said, cause, transient) in [
        ("", Cause::Connect, true),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Cause::Tls, false),
    ] {
        let (listener, url) = upstream::silent();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
            io::Write::write_all(&mut stream, said.as_bytes()).unwrap();
        });
        let error = fetch(&url.replace("http", "https")).await.unwrap_err();
        let told = (error.cause(), error.is_transient());
        assert_eq!(told, (cause, transient), "{error}");
        server.join().unwrap();
    }
}
