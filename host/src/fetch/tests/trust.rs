//! https: who is trusted, and who is not.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::upstream::{Upstream, ok, redirect, silent};
use super::*;

/// An authority, as PEM, and what signs for it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let params = authority_params(&[]);
        Authority {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server that shows a certificate of this authority.
    fn server(&self, params: &CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server_config(certificate.der().clone(), &key)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    )
    .unwrap()
}

fn authority_params(names: &[&str]) -> CertificateParams {
    let mut params = params(names);
    let name = format!("authority {:016x}", getrandom::u64().unwrap());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

/// A file that is removed when the test ends.
struct PemFile(PathBuf);

impl PemFile {
    fn new(text: &str) -> PemFile {
        let path = std::env::temp_dir().join(format!(
            "tributary-ca-{:016x}.pem",
            getrandom::u64().unwrap()
        ));
        std::fs::write(&path, text).unwrap();
        PemFile(path)
    }

    fn config(&self) -> FetchConfig {
        FetchConfig {
            ca_file: Some(self.0.clone()),
            ..FetchConfig::default()
        }
    }
}

impl Drop for PemFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Fetches `[]` from a TLS server, with these certificates trusted.
async fn fetch_tls(
    trusted: &str,
    server: Arc<ServerConfig>,
    host: &str,
) -> Result<Vec<u8>, String> {
    let upstream = Upstream::over_tls(server, vec![ok(b"[]")]);
    let url = format!("https://{host}:{}/a", upstream.address.port());
    let file = PemFile::new(trusted);
    let outcome = fetch_with(file.config(), &source(&url)).await;
    outcome.map_err(|error| {
        assert_eq!(error.cause(), Cause::Tls, "{error}");
        error.to_string()
    })
}

async fn check_untrusted(trusted: &str, server: Arc<ServerConfig>, why: &str) {
    let error = fetch_tls(trusted, server, "127.0.0.1").await.unwrap_err();
    assert!(error.contains(why), "{error}");
}

#[tokio::test]
async fn the_named_authority_is_trusted_by_address_and_by_name() {
    let authority = Authority::new();
    let server = authority.server(&params(&["127.0.0.1", "localhost"]));
    assert_eq!(
        fetch_tls(&authority.pem(), server.clone(), "127.0.0.1")
            .await
            .unwrap(),
        b"[]"
    );
    assert_eq!(
        fetch_tls(&authority.pem(), server.clone(), "localhost")
            .await
            .unwrap(),
        b"[]"
    );
    let several = Authority::new().pem() + &authority.pem();
    assert_eq!(
        fetch_tls(&several, server, "127.0.0.1").await.unwrap(),
        b"[]"
    );
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_trusted() {
    let server = Authority::new().server(&params(&["127.0.0.1"]));
    check_untrusted(
        &Authority::new().pem(),
        server.clone(),
        "not trusted; name it with `--upstream-ca`",
    )
    .await;
    let upstream = Upstream::over_tls(server, vec![ok(b"[]")]);
    assert_eq!(
        cause(&upstream.url("/").replace("http", "https")).await,
        Cause::Tls
    );
    assert!(
        upstream.is_unasked(),
        "nothing is sent to a server that is not trusted"
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_or_time_is_refused() {
    let authority = Authority::new();
    check_untrusted(
        &authority.pem(),
        authority.server(&params(&["other.test"])),
        "is for another name",
    )
    .await;
    let mut expired = params(&["127.0.0.1"]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    check_untrusted(&authority.pem(), authority.server(&expired), "has expired").await;
    let mut early = params(&["127.0.0.1"]);
    early.not_before = rcgen::date_time_ymd(2200, 1, 1);
    check_untrusted(
        &authority.pem(),
        authority.server(&early),
        "is not valid yet",
    )
    .await;
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_named_is_trusted_for_its_name_and_time() {
    for params in [params(&["127.0.0.1"]), authority_params(&["127.0.0.1"])] {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let server = server_config(certificate.der().clone(), &key);
        assert_eq!(
            fetch_tls(&certificate.pem(), server.clone(), "127.0.0.1")
                .await
                .unwrap(),
            b"[]"
        );
        let error = fetch_tls(&certificate.pem(), server.clone(), "localhost")
            .await
            .unwrap_err();
        assert!(error.contains("is for another name"), "{error}");
        let error = fetch_tls(&Authority::new().pem(), server, "127.0.0.1")
            .await
            .unwrap_err();
        assert!(
            error.contains("is not valid") || error.contains("not trusted"),
            "{error}"
        );
    }
    let key = KeyPair::generate().unwrap();
    let mut expired = authority_params(&["127.0.0.1"]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let certificate = expired.self_signed(&key).unwrap();
    check_untrusted(
        &certificate.pem(),
        server_config(certificate.der().clone(), &key),
        "has expired",
    )
    .await;
}

#[tokio::test]
async fn an_authority_that_is_named_does_not_stand_in_for_a_server_it_did_not_sign() {
    let (named, other) = (
        authority_params(&["127.0.0.1"]),
        authority_params(&["127.0.0.1"]),
    );
    let named = named.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let other = other.self_signed(&key).unwrap();
    check_untrusted(
        &named.pem(),
        server_config(other.der().clone(), &key),
        "is not valid",
    )
    .await;
}

#[tokio::test]
async fn a_server_without_tls_is_an_error() {
    let (listener, url) = silent();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
        io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let error = fetch(&url.replace("http", "https")).await.unwrap_err();
    assert_eq!(error.cause(), Cause::Tls, "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_tls_connection_that_is_cut_is_not_the_end_of_a_body() {
    // The server drops the socket without saying goodbye, as anybody between could.
    let authority = Authority::new();
    let server = authority.server(&params(&["127.0.0.1"]));
    let upstream = Upstream::over_tls(server, vec![b"HTTP/1.1 200 OK\r\n\r\n[]".to_vec()]);
    let file = PemFile::new(&authority.pem());
    let url = upstream.url("/").replace("http", "https");
    let error = fetch_with(file.config(), &source(&url)).await.unwrap_err();
    assert_eq!(error.cause(), Cause::Protocol, "{error}");
}

#[tokio::test]
async fn a_redirect_from_https_to_http_leaves_the_token_behind() {
    let authority = Authority::new();
    let plain = Upstream::answering([ok(b"[]")]);
    let server = authority.server(&params(&["127.0.0.1"]));
    let upstream = Upstream::over_tls(server, vec![redirect(302, &plain.url("/"))]);
    let file = PemFile::new(&authority.pem());
    let url = upstream.url("/").replace("http", "https");
    let source = Source {
        bearer_token: Secret::new("tok-b".to_owned()),
        ..source(&url)
    };
    assert_eq!(fetch_with(file.config(), &source).await.unwrap(), b"[]");
    assert!(upstream.request().contains("tok-b") && !plain.request().contains("tok-b"));
}

#[test]
fn a_file_without_certificates_stops_the_start_with_a_sentence() {
    let file = PemFile::new("no pem");
    let error = Fetcher::new(file.config()).err().unwrap().to_string();
    let begins = error.starts_with("--upstream-ca: `");
    assert!(
        begins && error.ends_with("` holds no certificates in PEM form"),
        "{error}"
    );
}
