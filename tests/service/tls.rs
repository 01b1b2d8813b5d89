//! https: what the server shows, who can ask it, and what is said of files that do not do.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::read_all;
use super::harness::{Home, Server};

/// The paths of a certificate for 127.0.0.1 and its key, made in the server's home under `name`.
fn certificate(home: &Home, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (cert, key) = (
        home.file(&format!("{name}.pem")),
        home.file(&format!("{name}.key")),
    );
    std::fs::write(&cert, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    (cert, key)
}

/// A server that speaks https, and the certificate that it shows.
fn secured(options: &[&str]) -> (Server, PathBuf) {
    let home = Home::new();
    let (cert, key) = certificate(&home, "own");
    let mut command = home.serve();
    command
        .arg("--tls-cert")
        .arg(&cert)
        .arg("--tls-key")
        .arg(key);
    command.args(options);
    (Server::spawn(home, command), cert)
}

/// What the command line says of the server's sources when it trusts `ca`.
fn sources(server: &Server, ca: &Path) -> std::process::Output {
    let mut command = super::program::program();
    command.args(["sources", "list", "--json", "--server"]);
    command.arg(format!("https://{}", server.addr));
    command.arg("--ca").arg(ca).env("TRIBUTARY_KEY", "admin");
    command.output().expect("the program runs")
}

#[test]
fn the_command_line_asks_over_https_whom_it_trusts() {
    let (server, cert) = secured(&[]);
    let listed = sources(&server, &cert);
    assert!(listed.status.success(), "{listed:?}");
    let (other, _) = certificate(server.home(), "other");
    let refused = sources(&server, &other);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("certificate"),
        "{said}"
    );
}

#[test]
fn browsers_are_told_to_stay_with_https() {
    let (server, cert) = secured(&[]);
    let pem = std::fs::read(cert).expect("a certificate");
    let root = ureq::tls::Certificate::from_pem(&pem).expect("PEM");
    let ring = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let trust = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::Specific(vec![root].into()))
        .unversioned_rustls_crypto_provider(ring)
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(trust)
        .proxy(None)
        .build()
        .into();
    let answer = agent.get(format!("https://{}/health", server.addr)).call();
    let answer = answer.expect("it is trusted");
    let told = answer.headers().get("strict-transport-security");
    assert_eq!(told.expect("it is told"), "max-age=31536000");
}

#[test]
fn a_handshake_that_does_not_end_is_cut_and_plain_http_gets_no_answer() {
    let (server, cert) = secured(&["--header-timeout", "300ms"]);
    let mut silent = server.connect();
    silent.write_all(&[0x16, 3, 1]).expect("it listens");
    let plain = server.wire(
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        Duration::from_secs(5),
    );
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
    let began = std::time::Instant::now();
    read_all(&mut silent, Duration::from_secs(10));
    assert!(began.elapsed() < Duration::from_secs(5), "it was not cut");
    assert!(sources(&server, &cert).status.success());
    server.stop();
}

#[test]
fn files_that_do_not_do_are_refused_with_what_to_do() {
    let home = Home::new();
    let (cert, key) = certificate(&home, "own");
    let (_, other) = certificate(&home, "other");
    let missing = home.file("missing.pem");
    for (cert, key, expected) in [
        (Some(&cert), None, "name the file of its key with --tls-key"),
        (
            None,
            Some(&key),
            "name the file of its certificate with --tls-cert",
        ),
        (Some(&missing), Some(&key), "of --tls-cert cannot be read"),
        (
            Some(&key),
            Some(&key),
            "of --tls-cert holds no certificate in PEM form",
        ),
        (
            Some(&cert),
            Some(&cert),
            "of --tls-key holds no private key in PEM form",
        ),
        (
            Some(&cert),
            Some(&other),
            "name a certificate and its own key",
        ),
    ] {
        let home = Home::new();
        let mut command = home.serve();
        for (option, file) in [("--tls-cert", cert), ("--tls-key", key)] {
            file.map(|file| command.arg(option).arg(file));
        }
        let ended = command.output().expect("it ends");
        assert_eq!(ended.status.code(), Some(1), "{expected}");
        assert!(home.log().contains(expected), "{expected}: {}", home.log());
        assert!(!home.log().contains("PRIVATE KEY"), "{}", home.log());
    }
}
