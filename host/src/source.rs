//! A source: an address that answers JSON, and how to ask it.

use hyper::header::HeaderName;
use tributary_core::{Provider, Secret, Strategy};
use url::Url;

/// A stored source, secrets included. Never serialized as it is: `api::shape` makes the answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// 12 lower-case hex digits, unused among sources and owners.
    pub id: String,
    /// The operator's name for it.
    pub name: String,
    /// Whether it may be synced.
    pub enabled: bool,
    /// http or https, with a host, without userinfo.
    pub url: String,
    /// How it is asked.
    pub method: Method,
    /// Name of a custom header; empty when none.
    pub auth_header: String,
    /// Value of that header; empty when none.
    pub auth_token: Secret,
    /// Bearer token; wins over the custom header; empty when none.
    pub bearer_token: Secret,
    /// What entries without a provider of their own belong to; `None` is the empty string of the API.
    pub provider: Option<Provider>,
    /// How a sync meets the pool.
    pub strategy: Strategy,
    /// Stored and returned, in seconds.
    pub interval_seconds: Option<i64>,
    /// Counts the edits: a sync applies only to the revision it fetched.
    pub revision: i64,
    /// Seconds since the epoch of the last successful sync.
    pub last_sync_at: Option<i64>,
}

/// How a source is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    #[default]
    Get,
    /// With the body `{}`.
    Post,
}

impl Method {
    /// `GET` or `POST`.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<Method> {
        match name {
            "GET" => Some(Method::Get),
            "POST" => Some(Method::Post),
            _ => None,
        }
    }
}

/// Whether a source may have this address; the error is for the caller and never repeats the address.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    const WANTED: &str = "url must start with `http://` or `https://` and name a host";
    // `Url` repairs what a browser would (`http:///host`, `http:host`); an address that needs repair is refused instead.
    let (scheme, rest) = url.trim().split_once("://").ok_or(WANTED)?;
    if !["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return Err(WANTED);
    }
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(WANTED);
    }
    if authority.contains('@') {
        return Err(
            "url must not contain a user name or password; use bearer_token or auth_header",
        );
    }
    // `Url` leaves out line ends and tabs, after which the rest reads as something else.
    if url.trim().chars().any(char::is_control) {
        return Err("url must not contain control characters");
    }
    let parsed = Url::parse(url).map_err(|_| "url is not a valid address")?;
    if parsed.has_host() && parsed.username().is_empty() && parsed.password().is_none() {
        Ok(())
    } else {
        Err(WANTED)
    }
}

/// Whether a source may be asked with this custom header; an empty name or value is none.
/// The error is for the caller and repeats neither.
pub fn check_header(name: &str, value: &str) -> Result<(), &'static str> {
    if !name.is_empty() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "auth_header must be a header name, such as `X-Api-Key`")?;
        if RESERVED_HEADERS.contains(&name.as_str()) {
            return Err("auth_header must not be a header that carries the request itself");
        }
    }
    if is_header_value(value) {
        Ok(())
    } else {
        Err("auth_token must be visible ASCII characters")
    }
}

/// Whether a source may be asked with this bearer token; an empty one is none.
pub fn check_bearer_token(token: &str) -> Result<(), &'static str> {
    if is_header_value(token) {
        Ok(())
    } else {
        Err("bearer_token must be visible ASCII characters")
    }
}

/// Headers that say how the request is sent, or what it is about. A token in one of them would break the request, or the
/// reading of its answer.
const RESERVED_HEADERS: [&str; 11] = [
    "accept",
    "content-type",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
];

/// Visible ASCII; spaces between words as in `Token abc`, but not around them, where a receiver would drop them.
fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && value.trim_matches(' ') == value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_http_with_a_host_and_without_userinfo() {
        for url in [
            "http://accounts.example.test",
            "HTTPS://accounts.example.test:8443/a?b=c#d",
            "http://127.0.0.1:9/",
            "http://[::1]:9/x@y",
            "http://accounts.example.test?mail=a@b",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "x",
            "/a",
            "http:",
            "http:a.test",
            "http://",
            "http:///a.test",
            "https://?q",
            "ftp://a.test/",
            "file:///a",
            "http://a@b.test/",
            "http://@b.test/",
            "https://a:b@b.test",
            "http://a.test:99999/",
            "http://[::1/",
            "http://a b/",
            "http://\\a@b/",
            "http://999.1.1.1/",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn custom_headers_do_not_carry_the_request_and_hold_visible_ascii() {
        for (name, value) in [
            ("", ""),
            ("X-Api-Key", "a-1"),
            ("Authorization", "Token abc"),
            ("Cookie", "a=b; c=d~"),
        ] {
            assert_eq!(check_header(name, value), Ok(()), "{name}");
        }
        for name in [
            "Host",
            "content-length",
            "TRANSFER-ENCODING",
            "Connection",
            "te",
            "Upgrade",
            "Accept-Encoding",
            "If-None-Match",
        ] {
            assert!(check_header(name, "a").is_err(), "{name}");
        }
        for (name, value) in [
            ("X Key", "a"),
            ("X:", "a"),
            ("X-\u{e9}", "a"),
            ("X", "a\r\nb"),
            ("X", "\u{e9}"),
            ("X", " a"),
            ("X", "a\t"),
        ] {
            assert!(check_header(name, value).is_err(), "{name} {value}");
        }
        assert_eq!(check_bearer_token("example-token"), Ok(()));
        assert!(check_bearer_token("example\ntoken").is_err());
    }
}
