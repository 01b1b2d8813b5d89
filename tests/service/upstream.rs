//! A remote account server: real TCP, real TLS, answers by a script, and a record of what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;

/// A running upstream. Dropping it closes its port.
pub(crate) struct Upstream {
    addr: SocketAddr,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
    closed: Arc<AtomicBool>,
    /// The certificate of a TLS upstream, PEM, to be trusted as it is.
    pub(crate) certificate: String,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What an upstream does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers and closes.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Writes these bytes as they are and closes.
    Raw(Vec<u8>),
    /// Writes these bytes and then nothing, without closing.
    Stall(Vec<u8>),
    /// Answers with the body only when this is set.
    Held(Arc<AtomicBool>, String),
}

impl Reply {
    /// 200 with this body.
    pub(crate) fn json(body: &str) -> Reply {
        Reply::coded("", body.as_bytes().to_vec())
    }

    /// 200 with this body under this content encoding; empty is none.
    pub(crate) fn coded(encoding: &str, body: Vec<u8>) -> Reply {
        let mut headers = vec![("Content-Type", "application/json".to_owned())];
        if !encoding.is_empty() {
            headers.push(("Content-Encoding", encoding.to_owned()));
        }
        Reply::Answer {
            status: 200,
            headers,
            body,
        }
    }

    pub(crate) fn status(status: u16, body: &str) -> Reply {
        Reply::Answer {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Reply {
        Reply::Answer {
            status,
            headers: vec![("Location", to.to_owned())],
            body: Vec::new(),
        }
    }
}

impl Upstream {
    /// Always the same JSON.
    pub(crate) fn json(body: &str) -> Upstream {
        let body = body.to_owned();
        Upstream::start(move |_| Reply::json(&body))
    }

    /// What `script` says of each request.
    /// One that answers every request with this body once the flag is set.
    pub(crate) fn held(body: &str) -> (Upstream, Arc<AtomicBool>) {
        let go = Arc::new(AtomicBool::new(false));
        let reply = Reply::Held(Arc::clone(&go), body.to_owned());
        (Upstream::start(move |_| reply.clone()), go)
    }

    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Upstream {
        Upstream::listen("http", String::new(), script, Ok)
    }

    /// The same over TLS, as `127.0.0.1` and `localhost`, with a certificate of its own making.
    pub(crate) fn start_tls(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Upstream {
        let made =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])
                .expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        let config = Arc::new(config);
        Upstream::listen("https", made.cert.pem(), script, move |stream| {
            let session = rustls::ServerConnection::new(Arc::clone(&config))
                .map_err(std::io::Error::other)?;
            Ok(rustls::StreamOwned::new(session, stream))
        })
    }

    fn listen<W: Read + Write>(
        scheme: &'static str,
        certificate: String,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> std::io::Result<W> + Send + Sync + 'static,
    ) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(AtomicBool::new(false));
        let serving = Arc::new((script, wrap, Arc::clone(&asked)));
        let ends = Arc::clone(&closed);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || {
                    let (script, wrap, asked) = &*serving;
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                    // What the other side gives up is its own choice and no fault of the upstream.
                    let _ = wrap(stream).and_then(|mut wire| converse(&mut wire, script, asked));
                });
            }
        });
        Upstream {
            addr,
            scheme,
            asked,
            closed,
            certificate,
        }
    }

    /// The address of `path` here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.addr)
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no thread panicked").clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is closed.
        let _ = TcpStream::connect(self.addr);
    }
}

/// One request, its record and its reply.
fn converse(
    wire: &mut (impl Read + Write),
    script: impl Fn(&Asked) -> Reply,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let request = read_request(wire)?;
    asked
        .lock()
        .expect("no thread panicked")
        .push(request.clone());
    match script(&request) {
        Reply::Answer {
            status,
            headers,
            body,
        } => answer(wire, status, &headers, &body),
        Reply::Raw(bytes) => wire.write_all(&bytes).and_then(|()| wire.flush()),
        Reply::Stall(bytes) => {
            wire.write_all(&bytes)?;
            wire.flush()?;
            wire.read(&mut [0; 1]).map(drop)
        }
        Reply::Held(go, body) => {
            while !go.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
            answer(wire, 200, &[], body.as_bytes())
        }
    }
}

fn answer(
    wire: &mut impl Write,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    wire.write_all(head.as_bytes())?;
    wire.write_all(b"\r\n")?;
    wire.write_all(body)?;
    wire.flush()
}

fn read_request(wire: &mut impl Read) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        match wire.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&piece[..length]),
        }
    };
    let mut body = bytes.split_off(head + 4);
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let mut first = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned);
    let (method, path) = (
        first.next().unwrap_or_default(),
        first.next().unwrap_or_default(),
    );
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    let mut asked = Asked {
        method,
        path,
        headers,
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    while body.len() < length {
        match wire.read(&mut piece)? {
            0 => break,
            read => body.extend_from_slice(&piece[..read]),
        }
    }
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}
