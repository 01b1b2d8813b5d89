//! Real servers on loopback, one connection after the other, each answering what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server in a thread. It ends after its last answer.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    requests: Receiver<String>,
}

impl Upstream {
    /// Gives one answer a connection, in order.
    pub(super) fn answering<const N: usize>(answers: [Vec<u8>; N]) -> Upstream {
        Upstream::answering_on(loopback(), answers)
    }

    /// The same on a socket that listens already.
    pub(super) fn answering_on<const N: usize>(
        listener: TcpListener,
        answers: [Vec<u8>; N],
    ) -> Upstream {
        Upstream::start(listener, answers.into(), |stream| stream)
    }

    /// The same over TLS.
    pub(super) fn over_tls(config: Arc<ServerConfig>, answers: Vec<Vec<u8>>) -> Upstream {
        Upstream::start(loopback(), answers, move |stream| {
            StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
        })
    }

    fn start<S: Read + Write>(
        listener: TcpListener,
        answers: Vec<Vec<u8>>,
        wrap: impl Fn(TcpStream) -> S + Send + 'static,
    ) -> Upstream {
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(5)))
                    .unwrap();
                let mut stream = wrap(stream);
                // A client that hangs up during the handshake, or reads no further, is one of the cases.
                let Ok(request) = read_request(&mut stream) else {
                    continue;
                };
                let _ = sender.send(request);
                let _ = stream.write_all(&answer);
                let _ = stream.flush();
            }
        });
        Upstream { address, requests }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request as it came, header names in lower case.
    pub(super) fn request(&self) -> String {
        self.requests
            .recv_timeout(Duration::from_secs(5))
            .expect("a request")
    }

    /// Whether nobody has asked.
    pub(super) fn is_unasked(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

/// A socket on a free port.
pub(super) fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A server that takes connections and never says a word.
pub(super) fn silent() -> (TcpListener, String) {
    let listener = loopback();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

pub(super) fn read_request(stream: &mut impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).unwrap();
    let (line, fields) = head.split_once("\r\n").unwrap();
    let fields = lower_case_names(fields);
    let len = fields
        .lines()
        .find_map(|field| field.strip_prefix("content-length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok(format!(
        "{line}\n{fields}\n{}",
        String::from_utf8(body).unwrap()
    ))
}

/// The fields in the order of their names.
fn lower_case_names(fields: &str) -> String {
    let mut lines: Vec<_> = fields
        .lines()
        .filter_map(|field| field.split_once(": "))
        .map(|(name, value)| format!("{}: {value}\n", name.to_ascii_lowercase()))
        .collect();
    lines.sort_by_cached_key(|line| line.split(':').next().map(str::to_owned));
    lines.concat()
}

/// An answer with its length.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body)
}

pub(super) fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("Content-Encoding: {encoding}\r\n"), body)
}

pub(super) fn redirect(status: u16, location: &str) -> Vec<u8> {
    answer(
        &format!("{status} Elsewhere"),
        &format!("Location: {location}\r\n"),
        b"ignored",
    )
}
