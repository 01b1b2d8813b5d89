//! Where fetches may go: names that change their mind, private networks, and lists of hosts.

use std::net::SocketAddr;

use super::super::dial::Names;
use super::upstream::{Upstream, ok, redirect};
use super::*;

fn reaching(reach: Reach) -> FetchConfig {
    FetchConfig {
        reach,
        ..FetchConfig::default()
    }
}

async fn cause_within(reach: &Reach, url: &str) -> Cause {
    let outcome = fetch_with(reaching(reach.clone()), &source(url)).await;
    outcome.unwrap_err().cause()
}

/// Fetches with a resolver that gives these answers, each once.
async fn fetch_told(url: &str, answers: &[&[SocketAddr]]) -> Result<Vec<u8>, FetchError> {
    let mut fetcher = Fetcher::new(FetchConfig::default()).unwrap();
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let dialer = Dialer::new(Reach::default(), Duration::from_secs(5));
    fetcher.dialer = dialer.resolving(Names::Told(std::sync::Mutex::new(answers)));
    let mut gathered = Gathered {
        bytes: Vec::new(),
        refuse_after: usize::MAX,
    };
    let known = Validators::default();
    fetcher.fetch(&source(url), &known, &mut gathered).await?;
    Ok(gathered.bytes)
}

fn metadata() -> SocketAddr {
    "169.254.169.254:80".parse().unwrap()
}

#[tokio::test]
async fn a_name_is_resolved_once_a_connection_and_what_was_checked_is_dialed() {
    let upstream = Upstream::answering([ok(b"[1]")]);
    let answers = [&[upstream.address][..], &[metadata()]];
    let fetched = fetch_told("http://changes.test/", &answers).await;
    assert_eq!(
        fetched.unwrap(),
        b"[1]",
        "the second answer is not asked for"
    );
}

#[tokio::test]
async fn a_name_that_changes_to_a_forbidden_address_is_refused_at_the_next_connection() {
    let upstream = Upstream::answering([redirect(302, "http://changes.test/again")]);
    let answers = [&[upstream.address][..], &[metadata()]];
    let error = fetch_told("http://changes.test/", &answers).await;
    assert_eq!(error.unwrap_err().cause(), Cause::Address);
    let only = fetch_told("http://changes.test/", &[&[metadata()]]).await;
    assert_eq!(only.unwrap_err().cause(), Cause::Address);
    let none = fetch_told("http://changes.test/", &[]).await;
    assert_eq!(none.unwrap_err().cause(), Cause::Dns);
}

#[tokio::test]
async fn the_addresses_that_may_be_dialed_are_dialed_and_the_others_passed_over() {
    let upstream = Upstream::answering([ok(b"[2]")]);
    let mixed = [&[metadata(), upstream.address][..]];
    assert_eq!(
        fetch_told("http://two.test/", &mixed).await.unwrap(),
        b"[2]"
    );
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_notation_when_the_operator_says_so() {
    let reach = Reach {
        deny_private: true,
        ..Reach::default()
    };
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.0x1",
        "0177.0.0.01",
        "017700000001",
        "\u{ff11}27.0.0.1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "0xa000001",
        "172.16.0.1",
        "192.168.0.1",
        "3232235521",
        "100.64.0.1",
        "240.0.0.1",
        "[fd00::1]",
        "[::ffff:192.168.0.1]",
        "[2002:c0a8:1::]",
    ] {
        let cause = cause_within(&reach, &format!("http://{host}:1/")).await;
        assert_eq!(cause, Cause::Address, "{host}");
    }
    let upstream = Upstream::answering([ok(b"[]")]);
    let url = upstream.url("/");
    assert_eq!(cause_within(&reach, &url).await, Cause::Address);
    assert!(upstream.is_unasked());
}

#[test]
fn a_trailing_dot_names_the_same_host() {
    let reach = Reach {
        hosts: vec!["pool.example.test".to_owned()],
        ..Reach::default()
    };
    for (url, listed) in [
        ("http://pool.example.test/", true),
        ("http://POOL.example.test./", true),
        ("http://pool.example.test../", false),
        ("http://a.pool.example.test/", false),
        ("http://pool.example.test.evil.test/", false),
    ] {
        let url = Url::parse(url).unwrap();
        let checked = reach.check_host(&url.host().unwrap());
        assert_eq!(checked.is_ok(), listed, "{url}");
    }
}

#[tokio::test]
async fn only_the_hosts_of_the_list_are_asked_redirects_included() {
    let listed = |host: &str| Reach {
        hosts: vec![host.to_owned()],
        ..Reach::default()
    };
    let upstream = Upstream::answering([ok(b"[1]"), ok(b"[2]")]);
    let port = upstream.address.port();
    for (host, name) in [("127.0.0.1", "0x7f.1"), ("localhost", "LocalHost")] {
        let url = format!("http://{name}:{port}/");
        let fetched = fetch_with(reaching(listed(host)), &source(&url)).await;
        assert!(fetched.is_ok(), "{host}: {fetched:?}");
    }
    for name in ["127.0.0.1", "localhost", "[::1]", "a.localhost"] {
        let url = format!("http://{name}:{port}/");
        let cause = cause_within(&listed("other.test"), &url).await;
        assert_eq!(cause, Cause::Address, "{name}");
    }
    let away = Upstream::answering([redirect(302, &format!("http://localhost:{port}/"))]);
    let cause = cause_within(&listed("127.0.0.1"), &away.url("/")).await;
    assert_eq!(cause, Cause::Address);
    let never = cause_within(&listed("169.254.169.254"), "http://169.254.169.254/").await;
    assert_eq!(never, Cause::Address, "no list makes it fit to dial");
}
