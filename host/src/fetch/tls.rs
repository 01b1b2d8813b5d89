//! Whom https trusts: the system's roots, and the certificates that the operator names.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::{Cause, FetchError, FetchSetupError};
use crate::certificates;

/// What https is checked against.
pub(super) struct Trust {
    /// `None` on a machine without any root: http works, https says what is missing.
    connector: Option<TlsConnector>,
}

impl Trust {
    /// Reads the system's roots, and the certificates in `ca_file`, which must hold at least one.
    pub(super) fn load(ca_file: Option<&Path>) -> Result<Trust, FetchSetupError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let named = ca_file.map(certificates::read).transpose();
        let named = named.map_err(|why| FetchSetupError(format!("--upstream-ca: {why}")))?;
        let named = named.unwrap_or_default();
        roots.add_parsable_certificates(named.iter().cloned());
        if roots.is_empty() {
            return Ok(Trust { connector: None });
        }
        let config = client_config(roots, named)
            .map_err(|error| FetchSetupError(format!("cannot set up TLS: {error}")))?;
        Ok(Trust {
            connector: Some(TlsConnector::from(Arc::new(config))),
        })
    }

    /// Shakes hands with the server, which must prove that it is `host`.
    pub(super) async fn secure(
        &self,
        host: &Host<&str>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, FetchError> {
        let Some(connector) = &self.connector else {
            return Err(FetchError::new(
                Cause::Tls,
                "this machine has no root certificates; name a file with `--upstream-ca`",
            ));
        };
        let name = match host {
            Host::Ipv4(ip) => ServerName::from(std::net::IpAddr::V4(*ip)),
            Host::Ipv6(ip) => ServerName::from(std::net::IpAddr::V6(*ip)),
            Host::Domain(name) => ServerName::try_from((*name).to_owned())
                .map_err(|_| FetchError::new(Cause::Tls, "its name cannot be in a certificate"))?,
        };
        connector.connect(name, stream).await.map_err(|error| {
            refusal(&error).unwrap_or_else(|| {
                // Nobody refused anything: the connection went away, as it does while servers start.
                FetchError::new(
                    Cause::Connect,
                    format!("the TLS handshake broke: {}", error.kind()),
                )
            })
        })
    }
}

/// The ring provider is named here, so that no other crate's features can choose another.
fn client_config(
    roots: RootCertStore,
    named: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, Box<dyn std::error::Error>> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let chains =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { chains, named }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Connections are not reused, and neither is what they agreed on: every fetch checks the certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Checks a server as every client does, with one addition: a certificate that the operator named is also taken as
/// the server's own. Self-signed certificates usually say that they are an authority, and would be refused as servers.
#[derive(Debug)]
struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let outcome = self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match outcome {
            Err(error) if is_authority_as_server(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// INVARIANT: webpki says this only after it has found the certificate's dates good, so that nothing but the name is left to check.
/// rustls has no variant for it and passes it on as text; a test with a self-signed authority notices if the text changes.
fn is_authority_as_server(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    other.0.to_string() == "CaUsedAsEndEntity"
}

/// What TLS itself refused, when that is why a connection failed.
pub(super) fn refusal(error: &io::Error) -> Option<FetchError> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    if let rustls::Error::InvalidCertificate(why) = error {
        return Some(FetchError::new(Cause::Tls, distrust(why)));
    }
    // These are rustls's own words about the handshake; nothing that the server sent is in them.
    Some(FetchError::new(
        Cause::Tls,
        format!("the TLS handshake failed: {error}"),
    ))
}

fn distrust(why: &CertificateError) -> &'static str {
    use CertificateError as Why;
    if matches!(why, Why::UnknownIssuer) {
        "its certificate is of an authority that is not trusted; name it with `--upstream-ca`"
    } else if matches!(why, Why::Expired | Why::ExpiredContext { .. }) {
        "its certificate has expired"
    } else if matches!(why, Why::NotValidYet | Why::NotValidYetContext { .. }) {
        "its certificate is not valid yet"
    } else if matches!(
        why,
        Why::NotValidForName | Why::NotValidForNameContext { .. }
    ) {
        "its certificate is for another name"
    } else {
        "its certificate is not valid"
    }
}
