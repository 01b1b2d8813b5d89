//! Fetching from real servers on loopback.

mod answers;
mod conditional;
mod encodings;
mod limits;
mod reach;
mod redirects;
mod trust;
mod upstream;

use std::net::TcpListener;

use hyper::body::Bytes;

use super::*;
use crate::body::Unwanted;
use crate::source::Method;
use tributary_core::{Secret, Strategy};
use upstream::{Upstream, answer, ok};

/// A source without a token.
fn source(url: &str) -> Source {
    Source {
        id: "a1b2c3d4e5f6".to_owned(),
        name: "Test".to_owned(),
        enabled: true,
        url: url.to_owned(),
        method: Method::Get,
        auth_header: String::new(),
        auth_token: Secret::default(),
        bearer_token: Secret::default(),
        provider: None,
        strategy: Strategy::Merge,
        interval_seconds: None,
        revision: 1,
        last_sync_at: None,
    }
}

/// Gathers what is fetched, and refuses from `refuse_after` bytes on.
struct Gathered {
    bytes: Vec<u8>,
    refuse_after: usize,
}

impl Sink for Gathered {
    fn expect(&mut self, _len: u64) {}

    async fn push(&mut self, piece: Bytes) -> Result<(), Unwanted> {
        assert!(!piece.is_empty(), "an empty piece says nothing");
        self.bytes.extend_from_slice(&piece);
        match self.bytes.len() > self.refuse_after {
            true => Err(Unwanted),
            false => Ok(()),
        }
    }

    async fn stopped(&self) {
        std::future::pending().await
    }
}

async fn fetch_with(config: FetchConfig, source: &Source) -> Result<Vec<u8>, FetchError> {
    let mut gathered = Gathered {
        bytes: Vec::new(),
        refuse_after: usize::MAX,
    };
    Fetcher::new(config)
        .unwrap()
        .fetch(source, &Validators::default(), &mut gathered)
        .await?;
    Ok(gathered.bytes)
}

async fn fetch(url: &str) -> Result<Vec<u8>, FetchError> {
    fetch_with(FetchConfig::default(), &source(url)).await
}

async fn cause(url: &str) -> Cause {
    fetch(url).await.unwrap_err().cause()
}

#[tokio::test]
async fn a_get_asks_for_json_and_says_no_more_than_it_must() {
    let upstream = Upstream::answering([ok(b"[1]")]);
    assert_eq!(
        fetch(&upstream.url("/a%20b/c?d=e#f")).await.unwrap(),
        b"[1]"
    );
    let expected = format!(
        "GET /a%20b/c?d=e HTTP/1.1\naccept: application/json\naccept-encoding: gzip, deflate, br\nconnection: close\n\
         host: {}\nuser-agent: tributary/{}\n\n",
        upstream.address,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(upstream.request(), expected);
}

#[tokio::test]
async fn a_post_sends_an_empty_object() {
    let upstream = Upstream::answering([ok(b"[]")]);
    let source = Source {
        method: Method::Post,
        ..source(&upstream.url(""))
    };
    fetch_with(FetchConfig::default(), &source).await.unwrap();
    let request = upstream.request();
    assert!(request.starts_with("POST / HTTP/1.1\n"), "{request}");
    assert!(
        request.contains("content-length: 2\n")
            && request.contains("content-type: application/json\n"),
        "{request}"
    );
    assert!(request.ends_with("\n\n{}"), "{request}");
}

#[tokio::test]
async fn the_bearer_token_wins_over_the_custom_header_which_needs_both_parts() {
    for (bearer, name, token, wanted, unwanted) in [
        (
            "tok-b",
            "X-Key",
            "tok-h",
            "authorization: Bearer tok-b\n",
            "x-key",
        ),
        ("", "X-Key", "tok-h", "x-key: tok-h\n", "authorization"),
        (
            "",
            "Authorization",
            "Token tok-h",
            "authorization: Token tok-h\n",
            "Bearer",
        ),
        ("", "", "tok-h", "accept: application/json\n", "tok-h"),
        ("", "X-Key", "", "accept: application/json\n", "x-key"),
    ] {
        let upstream = Upstream::answering([ok(b"[]")]);
        let source = Source {
            bearer_token: Secret::new(bearer.to_owned()),
            auth_header: name.to_owned(),
            auth_token: Secret::new(token.to_owned()),
            ..source(&upstream.url("/"))
        };
        fetch_with(FetchConfig::default(), &source).await.unwrap();
        let request = upstream.request();
        assert!(
            request.contains(wanted) && !request.contains(unwanted),
            "{request}"
        );
    }
}

#[tokio::test]
async fn an_ipv6_host_is_asked_and_named_in_brackets() {
    let upstream = Upstream::answering_on(TcpListener::bind("[::1]:0").unwrap(), [ok(b"[6]")]);
    assert_eq!(fetch(&upstream.url("/")).await.unwrap(), b"[6]");
    assert!(
        upstream
            .request()
            .contains(&format!("host: {}\n", upstream.address))
    );
}

#[tokio::test]
async fn a_name_is_resolved() {
    let upstream = Upstream::answering([ok(b"[]")]);
    let url = format!("http://localhost:{}/", upstream.address.port());
    assert_eq!(fetch(&url).await.unwrap(), b"[]");
    // A label longer than 63 letters fails without asking any server.
    assert_eq!(
        cause(&format!("http://{}.test/", "a".repeat(64))).await,
        Cause::Dns
    );
}

#[tokio::test]
async fn addresses_that_are_never_dialed_are_refused_in_every_notation() {
    for host in [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "%31%36%39.254.169.254",
        "\u{ff11}69.254.169.254",
        "0xa9fea9fe.",
        "0xA9.0376.169.0xfe",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[64:ff9b:1:a9fe:a9:fe00::]",
        "[2002:a9fe:a9fe::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fd00:ec2::23]",
        "[::]",
        "0",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        assert_eq!(
            cause(&format!("http://{host}/latest/meta-data")).await,
            Cause::Address,
            "{host}"
        );
        assert_eq!(
            cause(&format!("https://{host}/")).await,
            Cause::Address,
            "{host}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_an_error_of_its_own() {
    assert_eq!(cause("ftp://127.0.0.1/").await, Cause::Url);
    assert_eq!(cause("http://a:b@127.0.0.1/").await, Cause::Url);
    let header = Source {
        auth_header: "X Y".to_owned(),
        auth_token: Secret::new("a".to_owned()),
        ..source("http://127.0.0.1/")
    };
    assert_eq!(
        fetch_with(FetchConfig::default(), &header)
            .await
            .unwrap_err()
            .cause(),
        Cause::Header
    );
    let token = Source {
        bearer_token: Secret::new("a\nb".to_owned()),
        ..source("http://127.0.0.1/")
    };
    assert_eq!(
        fetch_with(FetchConfig::default(), &token)
            .await
            .unwrap_err()
            .cause(),
        Cause::Header
    );
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_refused() {
    let (listener, url) = upstream::silent();
    drop(listener);
    let error = fetch(&url).await.unwrap_err();
    assert_eq!(error.cause(), Cause::Connect);
    assert_eq!(
        error.to_string(),
        "cannot fetch from `127.0.0.1`: connection refused"
    );
}

#[tokio::test]
async fn errors_name_the_host_and_nothing_else_of_the_source() {
    let upstream = Upstream::answering([answer(
        "403 Secret-Reason",
        "X-Echo: tok-secret\r\n",
        b"tok-secret",
    )]);
    let url = upstream.url("/path-secret?query=secret");
    let source = Source {
        bearer_token: Secret::new("tok-secret".to_owned()),
        ..source(&url)
    };
    let error = fetch_with(FetchConfig::default(), &source)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch from `127.0.0.1`: it answered with status 403"
    );
    assert!(!format!("{error:?}").contains("secret"));
}
