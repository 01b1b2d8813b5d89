//! https: certificates that nobody should trust, and greetings and endings that are none.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Ending::{Fails, Takes};
use super::{Behaviour, ok_with};

const TLS: super::Ending = Fails(&["tls"]);
const GOOD: &[u8] = br#"["secured-1"]"#;

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).expect("a name")
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.expect("they belong together"))
}

/// A listener of its own that does this with each connection; its address.
fn listen(does: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let does = Arc::new(does);
    thread::spawn(move || {
        for wire in listener.incoming().map_while(Result::ok) {
            let does = Arc::clone(&does);
            // What the server gives up is its own choice.
            thread::spawn(move || drop(does(wire)));
        }
    });
    format!("https://{addr}/")
}

/// The same behind a handshake and a request that was read.
fn secured(
    config: &Arc<ServerConfig>,
    does: impl Fn(&mut StreamOwned<ServerConnection, TcpStream>) -> std::io::Result<()>
    + Send
    + Sync
    + 'static,
) -> String {
    let config = Arc::clone(config);
    listen(move |wire| {
        let server = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
        let mut wire = StreamOwned::new(server, wire);
        let (mut head, mut byte) = (Vec::new(), [0; 1]);
        while !head.ends_with(b"\r\n\r\n") && wire.read(&mut byte)? == 1 {
            head.push(byte[0]);
        }
        does(&mut wire)
    })
}

/// Says that it ends, as TLS wants.
fn good_bye(wire: &mut StreamOwned<ServerConnection, TcpStream>) -> std::io::Result<()> {
    wire.conn.send_close_notify();
    wire.flush()
}

/// All of them; `ca` is where the authority goes that the server trusts.
pub(super) fn all(ca: &Path) -> Vec<Behaviour> {
    let mut authority = params("authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    fs::write(ca, issuer.pem()).expect("a file");
    let signed = |params: CertificateParams| {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        config(certificate.der().clone(), &key)
    };
    let alone = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("one");
    let alone = config(alone.cert.der().clone(), &alone.signing_key);
    let mut past = params("127.0.0.1");
    past.not_before = date_time_ymd(2001, 1, 1);
    past.not_after = date_time_ymd(2002, 1, 1);
    let (past, other) = (signed(past), signed(params("other.example")));
    let own = signed(params("127.0.0.1"));
    let whole = |wire: &mut StreamOwned<ServerConnection, TcpStream>| {
        wire.write_all(&ok_with("", GOOD))?;
        good_bye(wire)
    };
    vec![
        Behaviour::at("speaks https", Takes(1), secured(&own, whole)),
        Behaviour::at("signs for itself", TLS, secured(&alone, whole)),
        Behaviour::at("shows an expired certificate", TLS, secured(&past, whole)),
        Behaviour::at("shows another's certificate", TLS, secured(&other, whole)),
        Behaviour::at(
            "speaks http where https is asked",
            TLS,
            listen(|mut wire| wire.write_all(&ok_with("", GOOD))),
        ),
        Behaviour::at(
            "refuses to shake hands",
            TLS,
            listen(|mut wire| {
                wire.read_exact(&mut [0; 5])?;
                wire.write_all(&[0x15, 3, 3, 0, 2, 2, 40])
            }),
        ),
        Behaviour::at(
            "resets in the handshake",
            Fails(&["connect"]),
            listen(|mut wire| {
                wire.read_exact(&mut [0; 5])?;
                rustix::net::sockopt::set_socket_linger(&wire, Some(Duration::ZERO))?;
                Ok(())
            }),
        ),
        Behaviour::at(
            "falls silent in the handshake",
            Fails(&["timeout"]),
            listen(|mut wire| {
                wire.read_exact(&mut [0; 5])?;
                thread::sleep(Duration::from_secs(30));
                Ok(())
            }),
        ),
        Behaviour::at(
            "cuts the body without a good-bye",
            Fails(&["protocol"]),
            secured(&own, |wire| {
                wire.write_all(&ok_with("", GOOD)[..46])?;
                wire.sock.shutdown(std::net::Shutdown::Both)
            }),
        ),
        Behaviour::at(
            "ends a body of no length without a good-bye",
            Fails(&["protocol"]),
            secured(&own, |wire| {
                wire.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                wire.write_all(GOOD)?;
                wire.sock.shutdown(std::net::Shutdown::Both)
            }),
        ),
        Behaviour::at(
            "drips one byte a second over https",
            Fails(&["timeout"]),
            secured(&own, |wire| {
                for byte in ok_with("", GOOD).chunks(1) {
                    wire.write_all(byte)?;
                    thread::sleep(Duration::from_secs(1));
                }
                Ok(())
            }),
        ),
    ]
}
