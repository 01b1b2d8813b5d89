//! A source: an address that answers JSON, and how to ask it.

use tributary_core::{Provider, Strategy};

/// A stored source, secrets included. Never serialized as it is: `api::shape` makes the answer.
#[derive(Clone)]
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
    pub auth_token: String,
    /// Bearer token; wins over the custom header; empty when none.
    pub bearer_token: String,
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
