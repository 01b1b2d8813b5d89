//! Why a fetch fails, in words fit for the log: a host at most, never a path, query, header, token or body.

use std::borrow::Cow;
use std::fmt::{self, Display};

use url::Url;

/// A fetch that failed. Its `Display` is one sentence for the log.
#[derive(Debug)]
pub struct FetchError {
    cause: Cause,
    host: Option<String>,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
}

impl FetchError {
    /// `detail` repeats nothing that a source or its answer holds.
    pub(super) fn new(cause: Cause, detail: impl Into<Cow<'static, str>>) -> Self {
        FetchError {
            cause,
            host: None,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// The same error, with the seconds that the server asked to be left alone.
    pub(super) fn retrying_after(self, seconds: Option<u64>) -> Self {
        FetchError {
            retry_after: seconds,
            ..self
        }
    }

    /// Seconds that the server asked to be left alone, at most a day.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// Whether the same request may be answered a while later. What a person must mend first is not: an address, a token,
    /// a certificate, or a server that sends something else.
    pub fn is_transient(&self) -> bool {
        match self.cause {
            Cause::Dns | Cause::Connect | Cause::Timeout | Cause::Protocol => true,
            Cause::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Cause::Url
            | Cause::Header
            | Cause::Address
            | Cause::Tls
            | Cause::Redirect
            | Cause::TooLarge
            | Cause::Encoding
            | Cause::Sink => false,
        }
    }

    /// The same error, with the host that was asked.
    pub(super) fn at(mut self, url: &Url) -> Self {
        self.host = url.host_str().map(str::to_owned);
        self
    }

    /// What went wrong.
    pub fn cause(&self) -> Cause {
        self.cause
    }
}

impl Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "cannot fetch from `{host}`: {}", self.detail),
            None => write!(f, "cannot fetch: {}", self.detail),
        }
    }
}

impl std::error::Error for FetchError {}

/// What went wrong in a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The source's address cannot be asked.
    Url,
    /// The source's header or token cannot be sent.
    Header,
    /// The host has only addresses that are never dialed.
    Address,
    /// The name cannot be resolved.
    Dns,
    /// No connection, or one that was cut before it was secured.
    Connect,
    /// The server cannot be trusted, or does not speak TLS.
    Tls,
    /// Not done in time.
    Timeout,
    /// A status other than 2xx.
    Status(u16),
    /// Redirected too often, or to where nothing can be asked.
    Redirect,
    /// The decoded body, or the head, is larger than its limit.
    TooLarge,
    /// The content encoding is unknown, or the body does not keep to it.
    Encoding,
    /// The answer is not HTTP, or ends early.
    Protocol,
    /// The sink wanted no more.
    Sink,
}

impl Cause {
    /// One word for log fields and counters.
    pub fn class(self) -> &'static str {
        match self {
            Cause::Url => "url",
            Cause::Header => "header",
            Cause::Address => "address",
            Cause::Dns => "dns",
            Cause::Connect => "connect",
            Cause::Tls => "tls",
            Cause::Timeout => "timeout",
            Cause::Status(_) => "status",
            Cause::Redirect => "redirect",
            Cause::TooLarge => "too_large",
            Cause::Encoding => "encoding",
            Cause::Protocol => "protocol",
            Cause::Sink => "sink",
        }
    }
}

/// Why no fetcher can be made; the sentence is for the operator who starts the server.
#[derive(Debug)]
pub struct FetchSetupError(pub(super) String);

impl Display for FetchSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FetchSetupError {}
