//! https: the certificate with which the server proves who it is.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// Reads what https needs; `None` when neither file is named. The error says what to do.
pub fn load(files: &TlsFiles) -> Result<Option<TlsAcceptor>, String> {
    match (&files.tls_cert, &files.tls_key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(acceptor(cert, key)?)),
        (Some(_), None) => Err(
            "--tls-cert alone serves nothing: name the file of its key with --tls-key".to_owned(),
        ),
        (None, Some(_)) => Err(
            "--tls-key alone serves nothing: name the file of its certificate with --tls-cert"
                .to_owned(),
        ),
    }
}

fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let (chain, secret) = (certificates(cert)?, private_key(key)?);
    // The ring provider is named here, so that no other crate's features can choose another.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        });
    let mut config = config.map_err(|error| {
        format!(
            "cannot serve https with `{}` and `{}`: {error}; name a certificate and its own key",
            cert.display(),
            key.display()
        )
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(file, "--tls-cert")?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| {
        let file = file.display();
        format!("`{file}` of --tls-cert holds no certificate in PEM form; convert it with `openssl x509`")
    })
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let pem = read(file, "--tls-key")?;
    // What is wrong with it is not repeated: it could hold a piece of the key.
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let file = file.display();
        format!("`{file}` of --tls-key holds no private key in PEM form without a password; convert it with `openssl pkey`")
    })
}

fn read(file: &Path, option: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error: io::Error| {
        let (file, why) = (file.display(), error.kind());
        format!("`{file}` of {option} cannot be read: {why}; check its path and who may read it")
    })
}
