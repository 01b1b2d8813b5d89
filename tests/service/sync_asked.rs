//! What a source is asked, and how its answer is read.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;

use super::harness::{Home, Server};
use super::sync::{source_of, sync};
use super::sync_failed::check_failed;
use super::upstream::{Reply, Upstream};

#[test]
fn a_get_asks_for_json_without_a_body() {
    let server = Server::start();
    let upstream = Upstream::json("[]");
    let body = json!({"url": upstream.url("/pool.json?team=7&x=%20y")}).to_string();
    assert_eq!(sync(&server, &server.source(&body)).status, 200);
    let asked = &upstream.asked()[0];
    assert_eq!(
        (
            asked.method.as_str(),
            asked.path.as_str(),
            asked.body.as_str()
        ),
        ("GET", "/pool.json?team=7&x=%20y", "")
    );
    assert_eq!(
        (
            asked.header("accept"),
            asked.header("content-type"),
            asked.header("authorization")
        ),
        (Some("application/json"), None, None)
    );
    assert_eq!(
        asked.header("host"),
        Some(format!("127.0.0.1:{}", upstream.port()).as_str())
    );
    let encodings = asked.header("accept-encoding").unwrap_or_default();
    assert!(
        ["gzip", "deflate", "br"]
            .iter()
            .all(|encoding| encodings.contains(encoding)),
        "{encodings}"
    );
}

#[test]
fn a_post_sends_an_empty_object() {
    let server = Server::start();
    let upstream = Upstream::json("[]");
    assert_eq!(
        sync(
            &server,
            &source_of(&server, &upstream, &json!({"method": "POST"}))
        )
        .status,
        200
    );
    let asked = &upstream.asked()[0];
    assert_eq!(
        (
            asked.method.as_str(),
            asked.body.as_str(),
            asked.header("content-type")
        ),
        ("POST", "{}", Some("application/json"))
    );
}

#[test]
fn a_bearer_token_wins_over_a_header_that_needs_its_token() {
    let server = Server::start();
    let upstream = Upstream::json("[]");
    let custom = json!({"auth_header": "X-Remote-Account-Key", "auth_token": "header-1"});
    let both = json!({"auth_header": "X-Remote-Account-Key", "auth_token": "header-1", "bearer_token": "bearer-1"});
    for fields in [
        custom,
        both,
        json!({"auth_header": "X-Remote-Account-Key"}),
        json!({"auth_token": "header-1"}),
        json!({"auth_header": "Authorization", "auth_token": "Token t-1"}),
    ] {
        assert_eq!(
            sync(&server, &source_of(&server, &upstream, &fields)).status,
            200
        );
    }
    let sent: Vec<_> = upstream
        .asked()
        .iter()
        .map(|a| {
            (
                a.header("x-remote-account-key").map(str::to_owned),
                a.header("authorization").map(str::to_owned),
            )
        })
        .collect();
    let key = Some("header-1".to_owned());
    assert_eq!(
        sent,
        [
            (key, None),
            (None, Some("Bearer bearer-1".to_owned())),
            (None, None),
            (None, None),
            (None, Some("Token t-1".to_owned()))
        ]
    );
}

#[test]
fn compressed_answers_are_decoded() {
    let server = Server::start();
    let plain = br#"{"tokens": ["z-1", "z-2"]}"#;
    for (n, encoding) in ["gzip", "deflate", "br", "GZIP", "identity"]
        .into_iter()
        .enumerate()
    {
        let body = encoded(encoding, plain);
        let upstream = Upstream::start(move |_| Reply::coded(encoding, body.clone()));
        let answer = sync(&server, &source_of(&server, &upstream, &json!({}))).json();
        assert_eq!(
            (
                &answer["import_job"]["total"],
                &answer["import_job"]["added"]
            ),
            (&json!(2), &json!(if n == 0 { 2 } else { 0 })),
            "{encoding}: {answer}"
        );
    }
}

pub(crate) fn encoded(encoding: &str, plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match encoding.to_ascii_lowercase().as_str() {
        "gzip" => written(
            flate2::write::GzEncoder::new(Vec::new(), level),
            plain,
            flate2::write::GzEncoder::finish,
        ),
        "deflate" => written(
            flate2::write::ZlibEncoder::new(Vec::new(), level),
            plain,
            flate2::write::ZlibEncoder::finish,
        ),
        "br" => written(
            brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20),
            plain,
            |writer| Ok(writer.into_inner()),
        ),
        _ => plain.to_vec(),
    }
}

fn written<W: Write>(
    mut writer: W,
    plain: &[u8],
    finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>,
) -> Vec<u8> {
    writer.write_all(plain).expect("memory takes it");
    finish(writer).expect("memory takes it")
}

#[test]
fn tls_is_verified_against_the_given_authority() {
    let upstream = Upstream::start_tls(|_| Reply::json(r#"["tls-1"]"#));
    let home = Home::new();
    let ca = home.file("ca.pem");
    std::fs::write(&ca, &upstream.certificate).expect("a file");
    let server = Server::start_in(home, &["--upstream-ca", ca.to_str().expect("a path")]);
    assert_eq!(
        sync(&server, &source_of(&server, &upstream, &json!({}))).status,
        200
    );
    let by_name =
        json!({"url": format!("https://localhost:{}/pool.json", upstream.port())}).to_string();
    assert_eq!(sync(&server, &server.source(&by_name)).status, 200);
    let stranger = Server::start();
    check_failed(&stranger, &source_of(&stranger, &upstream, &json!({})), 502);
}

#[test]
fn redirects_are_followed_up_to_five() {
    let server = Server::start();
    let upstream =
        Upstream::start(
            |asked| match asked.path.trim_start_matches("/hop").parse::<u32>() {
                Ok(1) => Reply::redirect(302, "/pool.json"),
                Ok(left) => Reply::redirect(
                    [301, 302, 303, 307, 308][left as usize % 5],
                    &format!("hop{}", left - 1),
                ),
                Err(_) => Reply::json(r#"["hop-1"]"#),
            },
        );
    for (hops, status) in [(1, 200), (5, 200), (6, 502)] {
        let body = json!({"url": upstream.url(&format!("/hop{hops}"))}).to_string();
        assert_eq!(
            sync(&server, &server.source(&body)).status,
            status,
            "{hops} redirects"
        );
    }
}

#[test]
fn a_redirect_keeps_method_and_body_only_with_307_and_308() {
    let server = Server::start();
    for (status, method, body) in [
        (301, "GET", ""),
        (302, "GET", ""),
        (303, "GET", ""),
        (307, "POST", "{}"),
        (308, "POST", "{}"),
    ] {
        let upstream = Upstream::start(move |asked| {
            if asked.path == "/pool.json" {
                Reply::redirect(status, "/next")
            } else {
                Reply::json("[]")
            }
        });
        assert_eq!(
            sync(
                &server,
                &source_of(
                    &server,
                    &upstream,
                    &json!({"method": "POST", "bearer_token": "b-1"})
                )
            )
            .status,
            200
        );
        let asked = &upstream.asked()[1];
        assert_eq!(
            (asked.method.as_str(), asked.body.as_str()),
            (method, body),
            "{status}"
        );
        assert_eq!(
            asked.header("authorization"),
            Some("Bearer b-1"),
            "the same origin"
        );
    }
}

#[test]
fn a_redirect_to_another_origin_takes_no_credentials_along() {
    let server = Server::start();
    let other = Arc::new(Upstream::json("[]"));
    let to = other.url("/elsewhere");
    let upstream = Upstream::start(move |_| Reply::redirect(307, &to));
    for fields in [
        json!({"bearer_token": "b-1"}),
        json!({"auth_header": "X-Key", "auth_token": "k-1"}),
    ] {
        assert_eq!(
            sync(&server, &source_of(&server, &upstream, &fields)).status,
            200
        );
    }
    for asked in other.asked() {
        assert_eq!(
            (
                asked.header("authorization"),
                asked.header("x-key"),
                asked.header("accept")
            ),
            (None, None, Some("application/json"))
        );
    }
    assert_eq!(other.asked().len(), 2);
}
