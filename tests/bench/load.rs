//! The load: clients that keep their connection, each in a thread of its own, as light as the server allows.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Client {
            stream,
            buffer: vec![0; 256 << 10],
        }
    }

    /// Sends a request and reads its answer, which must be 200 with a length; how many bytes its body has.
    pub(crate) fn ask(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).expect("it reads");
        let mut filled = 0;
        loop {
            let read = self
                .stream
                .read(&mut self.buffer[filled..])
                .expect("it answers");
            assert!(read > 0, "it closed");
            filled += read;
            if let Some((head, length)) = measured(&self.buffer[..filled]) {
                let whole = head + length;
                if self.buffer.len() < whole {
                    self.buffer.resize(whole, 0);
                }
                self.stream
                    .read_exact(&mut self.buffer[filled..whole])
                    .expect("it answers");
                return length;
            }
        }
    }

    /// The same with a body that is too large to be copied behind its head.
    pub(crate) fn send(&mut self, path: &str, body: &str) -> usize {
        let head = head_of_post(path, body.len());
        self.stream.write_all(head.as_bytes()).expect("it reads");
        self.ask(body.as_bytes())
    }

    /// The body of the last answer, whose length `ask` told.
    pub(crate) fn body(&self, length: usize) -> &[u8] {
        let (head, _) = measured(&self.buffer).expect("an answer");
        &self.buffer[head..head + length]
    }
}

/// The lengths of head and body, once the head is there.
fn measured(answer: &[u8]) -> Option<(usize, usize)> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("a head is text");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().expect("a length"))
    });
    Some((head, length.expect("an answer of known length")))
}

/// A request by the administrator.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n").into()
}

/// The same with a body.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    (head_of_post(path, body.len()) + body).into()
}

fn head_of_post(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// Answers per second to `clients` that ask for `time` without pause; `request` is told the client and a number.
pub(crate) fn rate(
    addr: SocketAddr,
    clients: usize,
    time: Duration,
    request: impl Fn(usize, usize) -> Vec<u8> + Sync,
) -> f64 {
    let together = Barrier::new(clients);
    let one = |client: usize| {
        let mut connection = Client::new(addr);
        connection.ask(&request(client, 0));
        together.wait();
        let began = Instant::now();
        let mut asked = 0;
        while began.elapsed() < time {
            asked += 1;
            connection.ask(&request(client, asked));
        }
        asked as f64 / began.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let one = &one;
        let all: Vec<_> = (0..clients)
            .map(|client| scope.spawn(move || one(client)))
            .collect();
        all.into_iter()
            .map(|client| client.join().expect("a client"))
            .sum()
    })
}
