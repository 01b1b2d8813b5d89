//! Fetching: asks a source over http or https and pushes the decoded answer into a sink.
//!
//! One request a connection, no proxies, no cookies. Every address is checked when it is dialed (`dial`), every
//! redirect is followed by hand (`hop`), and everything a server can make large is bounded.

mod address;
mod decode;
mod dial;
mod error;
mod hop;
mod patience;
mod reach;
mod tls;
mod validators;

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::body::Sink;
use crate::source::Source;
use decode::{Decoder, Gate};
use dial::Dialer;
pub use error::{Cause, FetchError, FetchSetupError};
use hop::{Hop, Next};
pub use reach::Reach;
pub use validators::Validators;

/// The limits of a fetch.
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// To resolve, connect and shake hands, for each request. Default 10 s.
    pub connect_timeout: Duration,
    /// For everything, redirects and the whole body included. Default 30 s.
    pub total_timeout: Duration,
    /// Most bytes of a decoded body. Default 256 MiB.
    pub max_body: u64,
    /// Most redirects that are followed. Default 5.
    pub max_redirects: u32,
    /// PEM file of certificates to trust beside the system's roots.
    pub ca_file: Option<PathBuf>,
    /// Where fetches may go.
    pub reach: Reach,
}

impl Default for FetchConfig {
    fn default() -> Self {
        FetchConfig {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            max_body: 256 << 20,
            max_redirects: 5,
            ca_file: None,
            reach: Reach::default(),
        }
    }
}

/// Bytes of an answer's status line and headers, together.
const MAX_HEAD: usize = 64 << 10;

/// Bytes read at once from a fast server.
const READ_BUFFER: usize = 256 << 10;

/// What a source answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// A body, which the sink has, and its names.
    Body(Validators),
    /// That the body has no other names than those that were known.
    NotModified,
}

/// Fetches from sources. Holds the limits and what TLS trusts, and no connection.
pub struct Fetcher {
    config: FetchConfig,
    trust: tls::Trust,
    dialer: Dialer,
}

impl Fetcher {
    /// Reads the system's roots and the CA file; fails when that file cannot be used.
    pub fn new(config: FetchConfig) -> Result<Fetcher, FetchSetupError> {
        let trust = tls::Trust::load(config.ca_file.as_deref())?;
        let dialer = Dialer::new(config.reach.clone(), config.connect_timeout);
        Ok(Fetcher {
            config,
            trust,
            dialer,
        })
    }

    /// Asks the source for a body with other names than `known` and pushes that, decoded, piece by piece; an empty one
    /// pushes nothing. After an error the sink may hold a part of an answer, which must not be used.
    pub async fn fetch(
        &self,
        source: &Source,
        known: &Validators,
        sink: &mut impl Sink,
    ) -> Result<Fetched, FetchError> {
        let first = Hop::first(source, known)?;
        let (limit, url) = (self.config.total_timeout, first.url.clone());
        match timeout(limit, self.follow(first, sink)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::new(
                Cause::Timeout,
                format!("not finished within {limit:?}"),
            )
            .at(&url)),
        }
    }

    /// Asks until an answer is no redirect.
    async fn follow(&self, first: Hop, sink: &mut impl Sink) -> Result<Fetched, FetchError> {
        let mut hop = first;
        for _ in 0..=self.config.max_redirects {
            let visited = self.visit(&hop, sink).await;
            match visited.map_err(|error| error.at(&hop.url))? {
                Visited::Redirected(next) => hop = *next,
                Visited::Answered(fetched) => return Ok(fetched),
            }
        }
        let detail = format!("redirected more than {} times", self.config.max_redirects);
        Err(FetchError::new(Cause::Redirect, detail).at(&hop.url))
    }

    /// Asks once: reads the answer, or says where it redirects.
    async fn visit(&self, hop: &Hop, sink: &mut impl Sink) -> Result<Visited, FetchError> {
        let answer = self.ask(hop).await?;
        let (status, headers) = (answer.response.status(), answer.response.headers());
        match hop.next(status, headers)? {
            Next::Ask(next) => Ok(Visited::Redirected(next)),
            Next::NotModified => Ok(Visited::Answered(Fetched::NotModified)),
            Next::Read => {
                let names = hop.names(status, headers);
                self.receive(answer, sink).await?;
                Ok(Visited::Answered(Fetched::Body(names)))
            }
        }
    }

    /// Sends one request on a connection of its own and waits for the answer's head.
    async fn ask(&self, hop: &Hop) -> Result<Answer, FetchError> {
        let request = hop.request()?;
        let stream = TokioIo::new(self.open(&hop.url).await?);
        let mut http = http1::Builder::new();
        http.max_header_size(MAX_HEAD).max_buf_size(READ_BUFFER);
        let (mut sender, connection) = http.handshake(stream).await.map_err(from_hyper)?;
        let mut line = JoinSet::new();
        line.spawn(async {
            // Its error also reaches the request or the body, where it is reported.
            let _ = connection.await;
        });
        let response = sender.send_request(request).await.map_err(from_hyper)?;
        Ok(Answer {
            response,
            _line: line,
        })
    }

    /// Opens a connection in time.
    async fn open(&self, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
        let limit = self.config.connect_timeout;
        match timeout(limit, self.connect(url)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::new(
                Cause::Timeout,
                format!("no connection within {limit:?}"),
            )),
        }
    }

    /// Connects, with TLS when the address says https.
    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(FetchError::new(Cause::Url, "the address names no host"));
        };
        let stream = self.dialer.dial(&host, port).await?;
        if url.scheme() == "https" {
            return Ok(Box::new(self.trust.secure(&host, stream).await?));
        }
        Ok(Box::new(stream))
    }

    /// Decodes the body into the sink.
    async fn receive(&self, answer: Answer, sink: &mut impl Sink) -> Result<(), FetchError> {
        let mut decoder = Decoder::of(answer.response.headers())?;
        let mut body = answer.response.into_body();
        let mut gate = Gate::new(sink, self.config.max_body);
        if decoder.is_identity() {
            gate.expect(body.size_hint().lower())?;
        }
        while let Some(frame) = gate.wanted(body.frame()).await? {
            if let Ok(piece) = frame.map_err(from_hyper)?.into_data() {
                decoder.decode(piece, &mut gate).await?;
            }
        }
        decoder.finish()
    }
}

/// What one request led to.
enum Visited {
    Redirected(Box<Hop>),
    Answered(Fetched),
}

/// An answer whose body has yet to come.
struct Answer {
    response: Response<Incoming>,
    /// Moves the bytes; dropping it closes the connection.
    _line: JoinSet<()>,
}

/// A connection, plain or TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What went wrong on a connection, in words that repeat nothing of what was sent.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` wants"
)]
fn from_hyper(error: hyper::Error) -> FetchError {
    if error.is_parse_too_large() {
        return FetchError::new(
            Cause::TooLarge,
            format!("the answer's head is larger than {} KiB", MAX_HEAD >> 10),
        );
    }
    if error.is_parse() {
        return FetchError::new(Cause::Protocol, "the answer is not HTTP/1.1");
    }
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    if let Some(refusal) = io.and_then(tls::refusal) {
        return refusal;
    }
    let kind = io.map(io::Error::kind);
    if error.is_incomplete_message() || kind == Some(io::ErrorKind::UnexpectedEof) {
        return FetchError::new(
            Cause::Protocol,
            "the connection was closed before the answer was whole",
        );
    }
    let detail = kind.map_or("the connection broke".to_owned(), |kind| {
        format!("the connection broke: {kind}")
    });
    FetchError::new(Cause::Protocol, detail)
}

#[cfg(test)]
mod tests;
