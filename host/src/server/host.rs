//! The one Host of a request: what it means would depend on who reads which of several.

use hyper::Version;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::http::request::Parts;

use crate::error::ApiError;

/// 400, the last answer of its connection, unless there is exactly one Host; HTTP/1.0 may have none.
pub(super) fn check(head: &Parts) -> Result<(), ApiError> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let wrong = match (hosts.next(), hosts.next()) {
        (None, _) if head.version < Version::HTTP_11 => return Ok(()),
        (Some(host), None) if is_host(host) => return Ok(()),
        (None, _) => "a request needs a Host header; send one",
        (Some(_), None) => "the Host header names no host; send a name or an address, and a port",
        (Some(_), Some(_)) => "a request has one Host header; send no second one",
    };
    let close = HeaderValue::from_static("close");
    Err(ApiError::bad_request(wrong).with_header(CONNECTION, close))
}

/// Whether this could be a host and a port. An empty one is what an address without a host asks for.
fn is_host(host: &HeaderValue) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(byte);
    host.as_bytes().iter().all(allowed)
}
