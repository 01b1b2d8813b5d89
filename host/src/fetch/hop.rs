//! One request of a fetch, and where its answer leads.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use hyper::{Request, StatusCode};
use url::{Position, Url};

use super::error::{Cause, FetchError};
use super::patience;
use super::validators::Validators;
use crate::source::{Method, Source, check_url};

/// One request: where, how, and with which headers beside those that every request carries.
pub(super) struct Hop {
    pub(super) url: Url,
    method: Method,
    headers: HeaderMap,
    /// Those that ask for a body with other names; empty when any is wanted.
    conditions: HeaderMap,
    worth: Worth,
}

/// Which names of a body can be sent to the source's own address, where the next fetch begins.
#[derive(Clone, Copy)]
enum Worth {
    Both,
    /// It redirected: which of two addresses changed last says nothing of what either holds.
    EtagAlone,
    /// The body is another origin's, or the answer to a POST, which is no document.
    Nothing,
}

/// Where an answer leads.
pub(super) enum Next {
    /// It is the one to read.
    Read,
    /// The body has no other name than those that were sent.
    NotModified,
    /// There is another to ask for.
    Ask(Box<Hop>),
}

impl Hop {
    /// The request to the source itself, with its token, for a body with other names than `known`.
    pub(super) fn first(source: &Source, known: &Validators) -> Result<Hop, FetchError> {
        let url = Url::parse(&source.url)
            .ok()
            .filter(|_| check_url(&source.url).is_ok());
        let url = url.ok_or_else(|| {
            FetchError::new(
                Cause::Url,
                "the source's url is not an http or https address",
            )
        })?;
        let mut headers = only_accept();
        headers.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_static("gzip, deflate, br"),
        );
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("tributary/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some((name, token)) = credential(source)? {
            headers.insert(name, token);
        }
        let (mut conditions, worth) = match source.method {
            Method::Get => (known.conditions(), Worth::Both),
            Method::Post => (HeaderMap::new(), Worth::Nothing),
        };
        if headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE) {
            // The operator's own: what a 304 means by it is not known here.
            conditions.clear();
        }
        Ok(Hop {
            url,
            method: source.method,
            headers,
            conditions,
            worth,
        })
    }

    /// Where an answer leads: it is read, or redirects, or is what was known.
    ///
    /// 307 and 308 keep method and body, the other redirects become a GET without one. A 304 answers conditions.
    pub(super) fn next(&self, status: StatusCode, headers: &HeaderMap) -> Result<Next, FetchError> {
        match status.as_u16() {
            200..=299 => Ok(Next::Read),
            304 if !self.conditions.is_empty() => Ok(Next::NotModified),
            301..=303 => Ok(Next::Ask(self.redirected(headers, Method::Get)?.into())),
            307 | 308 => Ok(Next::Ask(self.redirected(headers, self.method)?.into())),
            code => {
                let why = format!("it answered with status {code}");
                let error = FetchError::new(Cause::Status(code), why);
                Err(error.retrying_after(patience::retry_after(status, headers)))
            }
        }
    }

    /// The request that an answer redirects to. On another origin only `Accept` is kept, and for the rest of the fetch:
    /// what the source was given is not for whoever it points to.
    fn redirected(&self, headers: &HeaderMap, method: Method) -> Result<Hop, FetchError> {
        let url = self.location(headers)?;
        if url.origin() != self.url.origin() {
            return Ok(Hop {
                url,
                method,
                headers: only_accept(),
                conditions: HeaderMap::new(),
                worth: Worth::Nothing,
            });
        }
        let mut conditions = self.conditions.clone();
        conditions.remove(IF_MODIFIED_SINCE);
        Ok(Hop {
            url,
            method,
            headers: self.headers.clone(),
            conditions,
            worth: match self.worth {
                Worth::Both | Worth::EtagAlone => Worth::EtagAlone,
                Worth::Nothing => Worth::Nothing,
            },
        })
    }

    /// The names to remember of the body that is read.
    pub(super) fn names(&self, status: StatusCode, headers: &HeaderMap) -> Validators {
        let both = Validators::of(status, headers);
        match self.worth {
            Worth::Both => both,
            Worth::EtagAlone => Validators {
                last_modified: String::new(),
                ..both
            },
            Worth::Nothing => Validators::default(),
        }
    }

    /// Where a redirect points: an address that a source could have, too.
    fn location(&self, headers: &HeaderMap) -> Result<Url, FetchError> {
        let location = headers
            .get(LOCATION)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let url = location.and_then(|location| self.url.join(location).ok());
        url.filter(|url| check_url(url.as_str()).is_ok())
            .ok_or_else(|| {
                FetchError::new(Cause::Redirect, "redirected to no http or https address")
            })
    }

    /// The request as it is sent. A body of 307 or 308 keeps its type on another origin, where it could not be read without.
    pub(super) fn request(&self) -> Result<Request<Full<Bytes>>, FetchError> {
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let body = match self.method {
            Method::Get => Bytes::new(),
            Method::Post => Bytes::from_static(b"{}"),
        };
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(target)
            .header(HOST, host)
            .body(Full::new(body))
            .map_err(|_| FetchError::new(Cause::Url, "the address cannot be put into a request"))?;
        let headers = request.headers_mut();
        if self.method == Method::Post {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(self.headers.clone());
        headers.extend(self.conditions.clone());
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

fn only_accept() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))])
}

/// The header with the source's token, of which the bearer token wins.
fn credential(source: &Source) -> Result<Option<(HeaderName, HeaderValue)>, FetchError> {
    let (bearer, name, token) = (
        source.bearer_token.reveal(),
        &source.auth_header,
        source.auth_token.reveal(),
    );
    if !bearer.is_empty() {
        return Ok(Some((AUTHORIZATION, secret(&format!("Bearer {bearer}"))?)));
    }
    if name.is_empty() || token.is_empty() {
        return Ok(None);
    }
    Ok(Some((header_name(name)?, secret(token)?)))
}

fn header_name(name: &str) -> Result<HeaderName, FetchError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| FetchError::new(Cause::Header, "the source's auth_header is not a name"))
}

/// A header value that nothing prints.
fn secret(value: &str) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| FetchError::new(Cause::Header, "the source's token cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
