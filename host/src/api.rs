//! The resources of the HTTP API, one file each, and what their functions take and give.

pub mod accounts;
pub mod audit;
mod cursor;
mod etag;
mod fields;
pub mod health;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod lookup;
pub mod master_key;
pub mod metrics;
pub mod page;
pub mod plan;
pub mod policy;
mod query;
pub mod schedule;
pub mod shape;
pub mod sources;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use crate::app::App;
use crate::error::ApiError;
use crate::job::{Actor, Asker};
pub use crate::server::RequestBody;

/// A request that was let in: every handler takes one and gives a [`Response`] or an [`ApiError`].
pub struct Request {
    /// What the whole server shares.
    pub app: Arc<App>,
    /// Method, address and headers.
    pub head: Parts,
    /// The body, not read yet. What a handler leaves of it is discarded.
    pub body: RequestBody,
    /// The part of the path that the route's `{…}` stands for; empty for a route without.
    pub id: String,
    /// Who asks; `None` where anyone may.
    pub actor: Option<Actor>,
    /// From which address, without the port.
    pub address: IpAddr,
}

impl Request {
    /// The address asked for.
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// Who asks, as jobs and the audit keep it.
    pub fn asker(&self) -> Asker {
        let actor = self.actor.as_ref();
        Asker {
            actor: actor.map_or_else(String::new, Actor::to_string),
            address: self.address.to_string(),
        }
    }
}

/// The body of an answer: a whole one, or a stream. An error cuts the connection, so that the client sees the break.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// An answer.
pub type Response = hyper::Response<ResponseBody>;

/// Room for the headers of nearly every answer: a map that grows is made anew each time.
const HEADERS: usize = 12;

/// What a handler gives.
pub type Answer = Result<Response, ApiError>;

/// An answer with this status and `value` as JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => with_type(status, "application/json", whole(text)),
        // Serializing our own shapes fails only by a mistake in them, and the error's own shape is two strings.
        Err(_) => with_type(
            StatusCode::INTERNAL_SERVER_ERROR,
            "application/json",
            whole("{}"),
        ),
    }
}

/// 200 with `value` as JSON.
pub fn ok(value: &impl Serialize) -> Answer {
    Ok(json(StatusCode::OK, value))
}

/// An answer with this status, Content-Type and body, kept by no cache.
pub fn with_type(status: StatusCode, content_type: &'static str, body: ResponseBody) -> Response {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A body that is there as a whole.
pub fn whole(text: impl Into<Bytes>) -> ResponseBody {
    Full::new(text.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}
