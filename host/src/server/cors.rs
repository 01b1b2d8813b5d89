//! Pages of other origins, named one by one, that may read this server's answers. Without any, no answer says a word of it.
//!
//! No credential of the browser is ever meant: whoever asks sends a key in `Authorization`, as a page of this server does.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
    HeaderValue, ORIGIN, VARY,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};

use crate::api::{Response, whole};

/// Headers with which a request may come.
const TAKEN: &str = "authorization, content-type, if-none-match, tributary-expect-plan";

/// Headers of an answer that a page may read.
const SHOWN: &str = "etag, retry-after, tributary-job, tributary-skipped, x-request-id";

/// Seconds for which a browser remembers what it was told.
const REMEMBERED: &str = "600";

/// What a request says of the page behind it.
pub(super) struct Asking {
    /// Whether any origin was named, so that answers differ by it.
    differs: bool,
    /// The origin, where it is one of those that were named.
    origin: Option<HeaderValue>,
    /// Whether a browser asks first what it may ask.
    preflight: bool,
}

impl Asking {
    /// Looks at a request; `origins` are those that were named.
    pub(super) fn of(head: &Parts, origins: &[String]) -> Asking {
        Asking {
            differs: !origins.is_empty(),
            origin: named(&head.headers, origins),
            preflight: head.method == Method::OPTIONS
                && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Lets the page read the answer, where its origin was named. A preflight, which has no key and no route, is
    /// answered with the methods that its refusal tells.
    pub(super) fn allow(self, response: &mut Response) {
        if self.differs {
            response
                .headers_mut()
                .append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = self.origin else {
            return;
        };
        if self.preflight && response.status() == StatusCode::METHOD_NOT_ALLOWED {
            permit(response);
        }
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(SHOWN),
        );
    }
}

/// The one Origin of a request, where it is exactly one of `origins`.
fn named(headers: &HeaderMap, origins: &[String]) -> Option<HeaderValue> {
    let mut values = headers.get_all(ORIGIN).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let is_named = origins
        .iter()
        .any(|origin| origin.as_bytes() == value.as_bytes());
    is_named.then(|| value.clone())
}

/// Makes 204 of a 405.
fn permit(response: &mut Response) {
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.body_mut() = whole("");
    let headers = response.headers_mut();
    headers.remove(hyper::header::CONTENT_TYPE);
    if let Some(methods) = headers.remove(ALLOW) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
