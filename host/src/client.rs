//! Asks a running server over HTTP, as any other program would.

mod error;
mod key;
mod trust;
mod why;

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use ureq::http::{HeaderValue, Method, Request, Response};
use ureq::{Agent, Body, SendBody};
use url::Url;

pub use error::ClientError;
pub use key::Key;
pub use why::Why;

/// Time to find a server and connect to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server, and the key that it is asked with.
pub struct Client {
    server: Url,
    key: Option<Key>,
    agent: Agent,
}

/// What a server said: JSON, as it came.
pub struct Answer {
    /// The whole body.
    pub text: String,
    /// The job behind it, where there is one.
    pub job: Option<String>,
    /// Entries that were not taken.
    pub not_taken: u64,
}

/// Names and values behind the `?` of an address.
pub type Query<'a> = Vec<(&'a str, String)>;

impl Client {
    /// A client of `server`, which trusts the certificates in `ca` beside the system's. No proxy is obeyed, no redirect followed:
    /// the key goes to the server that was named and to no other.
    pub fn new(server: Url, key: Option<Key>, ca: Option<&Path>) -> Result<Client, String> {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")));
        let config = match server.scheme() {
            "https" => config.tls_config(trust::load(ca)?),
            _ => config,
        };
        Ok(Client {
            agent: config.build().into(),
            server,
            key,
        })
    }

    /// Where it asks.
    pub fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// Asks with GET.
    pub fn get(&self, path: &[&str], query: &Query<'_>) -> Result<Answer, ClientError> {
        let request = self.request(Method::GET, path, query);
        self.answer(self.send(request, SendBody::none())?)
    }

    /// Asks with POST and a small body.
    pub fn post(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, ClientError> {
        self.ask(Method::POST, path, body)
    }

    /// Asks with POST and without a body; `expected` is the hash of the plan that was approved.
    pub fn post_expecting(
        &self,
        path: &[&str],
        query: &Query<'_>,
        expected: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let request = expecting(self.request(Method::POST, path, query), expected);
        self.answer(self.send(request, SendBody::none())?)
    }

    /// Asks with DELETE.
    pub fn delete(&self, path: &[&str], query: &Query<'_>) -> Result<Answer, ClientError> {
        let request = self.request(Method::DELETE, path, query);
        self.answer(self.send(request, SendBody::none())?)
    }

    /// Asks with DELETE and a small body that says what goes.
    pub fn delete_named(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        self.ask(Method::DELETE, path, body)
    }

    fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(body).map_err(|_| ClientError::foreign(self.server()))?;
        let request = self
            .request(method, path, &Query::new())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len());
        let body = SendBody::from_owned_reader(io::Cursor::new(body));
        self.answer(self.send(request, body)?)
    }

    /// Sends JSON piece by piece, once the server has said that it wants it; `length` is how many bytes it will be, where
    /// that is known, and `expected` the hash of the plan that was approved.
    pub fn upload(
        &self,
        path: &[&str],
        body: &mut dyn Read,
        length: Option<u64>,
        expected: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let request = self.request(Method::POST, path, &Query::new());
        let mut request = expecting(request, expected)
            .header(CONTENT_TYPE, "application/json")
            .header(EXPECT, "100-continue");
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        let mut read = Watched { body, failed: None };
        let sent = self.send(request, SendBody::from_reader(&mut read));
        match read.failed {
            // What the file said went wrong, not what the connection made of it.
            Some(error) => Err(ClientError::Unreadable(error.kind())),
            None => self.answer(sent.map_err(ClientError::while_sending)?),
        }
    }

    /// Asks with POST for what is too long to be held; the body is read from the connection.
    pub fn download(&self, path: &[&str], query: &Query<'_>) -> Result<Body, ClientError> {
        let request = self.request(Method::POST, path, query);
        let response = self.send(request, SendBody::none())?;
        match response.status().is_success() {
            true => Ok(response.into_body()),
            false => Err(self.refusal(response)),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &Query<'_>,
    ) -> ureq::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(address(&self.server, path, query));
        match self.key.as_ref().and_then(Key::bearer) {
            Some(bearer) => request.header(AUTHORIZATION, bearer),
            None => request,
        }
    }

    fn send(
        &self,
        request: ureq::http::request::Builder,
        body: SendBody<'_>,
    ) -> Result<Response<Body>, ClientError> {
        let request = request.body(body).map_err(ureq::Error::Http);
        let config = |request| {
            let request = self.agent.configure_request(request);
            // DELETE has a body here, too.
            request.allow_non_standard_methods(true).build()
        };
        request
            .and_then(|request| self.agent.run(config(request)))
            .map_err(|error| ClientError::unreachable(self.server(), &error))
    }

    fn answer(&self, mut response: Response<Body>) -> Result<Answer, ClientError> {
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let text = body_of(&mut response)
            .map_err(|error| ClientError::unreachable(self.server(), &error))?;
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(ClientError::foreign(self.server()));
        }
        Ok(Answer {
            text,
            job: header(&response, "tributary-job").map(str::to_owned),
            not_taken: header(&response, "tributary-skipped")
                .and_then(|count| count.parse().ok())
                .unwrap_or_default(),
        })
    }

    fn refusal(&self, mut response: Response<Body>) -> ClientError {
        let text = body_of(&mut response).unwrap_or_default();
        let job = header(&response, "tributary-job").map(str::to_owned);
        ClientError::refused(
            self.server(),
            response.status().as_u16(),
            &text,
            job,
            self.key.is_some(),
        )
    }
}

fn expecting(
    request: ureq::http::request::Builder,
    expected: Option<&str>,
) -> ureq::http::request::Builder {
    match expected {
        Some(hash) => request.header("tributary-expect-plan", hash),
        None => request,
    }
}

/// A reader that remembers what went wrong with it.
struct Watched<'r> {
    body: &'r mut dyn Read,
    failed: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.body.read(into).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
}

/// The address of a route of `server`, which may itself lie below a path.
fn address(server: &Url, path: &[&str], query: &Query<'_>) -> String {
    let mut address = server.clone();
    if let Ok(mut parts) = address.path_segments_mut() {
        parts.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        address.query_pairs_mut().extend_pairs(query);
    }
    // A space is `+` in forms only; whoever reads an address strictly reads `%20`.
    match address.query().map(|query| query.replace('+', "%20")) {
        Some(query) => address.set_query(Some(&query)),
        None => address.set_query(None),
    }
    address.into()
}

fn body_of(response: &mut Response<Body>) -> Result<String, ureq::Error> {
    let body = response.body_mut().with_config().limit(u64::MAX);
    body.read_to_string()
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(HeaderValue::to_str)?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(server: &str, path: &[&str], query: &[(&str, &str)]) -> String {
        let query = query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        address(&Url::parse(server).unwrap(), path, &query.collect())
    }

    #[test]
    fn ids_and_filters_stay_within_their_place() {
        for (server, path, query, expected) in [
            (
                "http://a.test",
                &["api", "x"][..],
                &[][..],
                "http://a.test/api/x",
            ),
            ("http://a.test:1/p/", &["api"], &[], "http://a.test:1/p/api"),
            (
                "http://a.test/p",
                &["a/b?c#d"],
                &[],
                "http://a.test/p/a%2Fb%3Fc%23d",
            ),
            (
                "http://a.test",
                &["x"],
                &[("q", "a b+c&d"), ("status", "正常")],
                "http://a.test/x?q=a%20b%2Bc%26d&status=%E6%AD%A3%E5%B8%B8",
            ),
        ] {
            assert_eq!(at(server, path, query), expected);
        }
    }
}
