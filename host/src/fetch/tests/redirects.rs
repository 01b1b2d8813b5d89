//! Redirects: what is asked next, and what is told to whom.

use super::upstream::{Upstream, answer, loopback, ok, redirect};
use super::*;

fn post(url: &str) -> Source {
    Source {
        method: Method::Post,
        bearer_token: Secret::new("tok-b".to_owned()),
        ..source(url)
    }
}

async fn fetch_post(url: &str) -> Result<Vec<u8>, FetchError> {
    fetch_with(FetchConfig::default(), &post(url)).await
}

#[tokio::test]
async fn on_the_same_origin_307_and_308_keep_method_body_and_token() {
    for status in [307, 308] {
        let upstream = Upstream::answering([redirect(status, "../b?c"), ok(b"[]")]);
        assert_eq!(fetch_post(&upstream.url("/x/y/a")).await.unwrap(), b"[]");
        let (first, second) = (upstream.request(), upstream.request());
        assert_eq!(
            first.replace("/x/y/a", "/x/b?c"),
            second,
            "only the target differs"
        );
        assert!(
            second.contains("authorization: Bearer tok-b\n") && second.ends_with("\n\n{}"),
            "{second}"
        );
    }
}

#[tokio::test]
async fn on_the_same_origin_the_others_become_a_get_with_the_token() {
    for status in [301, 302, 303] {
        let upstream = Upstream::answering([redirect(status, "/b"), ok(b"[]")]);
        assert_eq!(fetch_post(&upstream.url("/a")).await.unwrap(), b"[]");
        upstream.request();
        let request = upstream.request();
        assert!(
            request.starts_with("GET /b HTTP/1.1\n") && request.ends_with("\n\n"),
            "{request}"
        );
        assert!(
            request.contains("authorization: Bearer tok-b\n") && !request.contains("content-"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn on_another_origin_only_accept_is_kept() {
    for status in [301, 302, 303, 307, 308] {
        let other = Upstream::answering([ok(b"[]")]);
        let first = Upstream::answering([redirect(status, &other.url("/b"))]);
        let source = Source {
            method: Method::Get,
            ..post(&first.url("/a"))
        };
        assert_eq!(
            fetch_with(FetchConfig::default(), &source).await.unwrap(),
            b"[]"
        );
        let expected = format!(
            "GET /b HTTP/1.1\naccept: application/json\nconnection: close\nhost: {}\n\n",
            other.address
        );
        assert_eq!(other.request(), expected);
    }
}

#[tokio::test]
async fn a_body_keeps_its_type_on_another_origin() {
    let other = Upstream::answering([ok(b"[]")]);
    let first = Upstream::answering([redirect(307, &other.url("/b"))]);
    fetch_post(&first.url("/a")).await.unwrap();
    let expected = format!(
        "POST /b HTTP/1.1\naccept: application/json\nconnection: close\ncontent-length: 2\n\
         content-type: application/json\nhost: {}\n\n{{}}",
        other.address
    );
    assert_eq!(other.request(), expected);
}

#[tokio::test]
async fn a_token_in_any_header_stays_with_its_origin() {
    for name in ["X-Key", "Cookie", "Accept", "Content-Type", "User-Agent"] {
        let other = Upstream::answering([ok(b"[]")]);
        let first = Upstream::answering([redirect(307, &other.url("/"))]);
        let (auth_header, auth_token) = (name.to_owned(), Secret::new("tok-h".to_owned()));
        let source = Source {
            auth_header,
            auth_token,
            bearer_token: Secret::default(),
            ..post(&first.url("/"))
        };
        fetch_with(FetchConfig::default(), &source).await.unwrap();
        let asked = first.request();
        let header = format!("{}: ", name.to_lowercase());
        assert!(asked.contains(&format!("{header}tok-h\n")), "{name}");
        // It stands in place of the server's own.
        assert_eq!(asked.matches(&header).count(), 1, "{name}");
        assert!(!other.request().contains("tok-h"), "{name}");
    }
}

#[tokio::test]
async fn a_token_does_not_come_back_with_its_origin() {
    let listener = loopback();
    let back = listener.local_addr().unwrap();
    let other = Upstream::answering([redirect(307, &format!("http://{back}/c"))]);
    let first = Upstream::answering_on(listener, [redirect(307, &other.url("/b")), ok(b"[]")]);
    fetch_post(&first.url("/a")).await.unwrap();
    assert!(first.request().contains("tok-b"));
    assert!(!first.request().contains("tok-b"));
}

#[tokio::test]
async fn the_same_host_by_another_name_or_scheme_is_another_origin() {
    let other = Upstream::answering([ok(b"[]")]);
    let named = format!("http://localhost:{}/b", other.address.port());
    let first = Upstream::answering([redirect(302, &named)]);
    fetch_post(&first.url("/a")).await.unwrap();
    assert!(!other.request().contains("tok-b"));
}

#[tokio::test]
async fn five_redirects_are_followed_and_not_six() {
    let hop = || redirect(302, "/next");
    let upstream = Upstream::answering([hop(), hop(), hop(), hop(), hop(), ok(b"[]")]);
    assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"[]");
    let upstream = Upstream::answering([hop(), hop(), hop(), hop(), hop(), hop(), ok(b"[]")]);
    let error = fetch(&upstream.url("/")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch from `127.0.0.1`: redirected more than 5 times"
    );
    let upstream = Upstream::answering([hop()]);
    let none = FetchConfig {
        max_redirects: 0,
        ..FetchConfig::default()
    };
    assert_eq!(
        fetch_with(none, &source(&upstream.url("/")))
            .await
            .unwrap_err()
            .cause(),
        Cause::Redirect
    );
}

#[tokio::test]
async fn a_redirect_to_what_no_source_could_be_is_an_error() {
    for location in [
        "ftp://a.test/",
        "file:///etc/hostname",
        "http://a:b@127.0.0.1/",
        "https://",
        "http://[::1",
    ] {
        let upstream = Upstream::answering([redirect(302, location)]);
        assert_eq!(
            cause(&upstream.url("/")).await,
            Cause::Redirect,
            "{location}"
        );
    }
    let upstream = Upstream::answering([answer("302 Found", "", b"")]);
    assert_eq!(
        cause(&upstream.url("/")).await,
        Cause::Redirect,
        "without a location"
    );
}

#[tokio::test]
async fn a_redirect_leads_to_no_address_that_is_never_dialed() {
    for location in [
        "http://169.254.169.254/latest",
        "//0xa9fea9fe/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://0:80/",
    ] {
        let upstream = Upstream::answering([redirect(302, location)]);
        assert_eq!(
            cause(&upstream.url("/")).await,
            Cause::Address,
            "{location}"
        );
    }
}

#[tokio::test]
async fn an_error_names_the_host_that_failed_and_an_unused_server_is_not_asked() {
    let other = Upstream::answering([ok(b"[]")]);
    let first = Upstream::answering([answer(
        "404 Not Found",
        &format!("Location: {}\r\n", other.url("/")),
        b"",
    )]);
    assert_eq!(cause(&first.url("/")).await, Cause::Status(404));
    assert!(other.is_unasked());
    let first = Upstream::answering([redirect(
        302,
        &format!("http://localhost:{}/x", first.address.port()),
    )]);
    let error = fetch(&first.url("/")).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot fetch from `localhost`: "),
        "{error}"
    );
}
