//! Whom the client trusts: the system's roots, and the certificates that were named.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::certificates;

/// The system's roots and the certificates in `ca`, which must hold at least one.
pub(super) fn load(ca: Option<&Path>) -> Result<TlsConfig, String> {
    let mut roots = rustls_native_certs::load_native_certs().certs;
    if let Some(file) = ca {
        roots.extend(certificates::read(file)?);
    }
    if roots.is_empty() {
        return Err(
            "this machine has no root certificates; name a file of them with --ca".to_owned(),
        );
    }
    let roots = roots
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        // Named here, so that no other crate's features can choose another.
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}
