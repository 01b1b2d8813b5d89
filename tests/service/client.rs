//! The client: one request, one answer, whatever its status.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// What came back: the status, the headers and the body as text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header is text"))
    }
}

/// A client that reports every status as an answer and never follows a proxy of the environment.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// One request by `agent`; an empty `body` is none.
pub(crate) fn ask(
    agent: &ureq::Agent,
    addr: SocketAddr,
    method: &str,
    path: &str,
    authorization: Option<&str>,
    body: &str,
) -> Result<Answer, ureq::Error> {
    let authorization = authorization.map(|value| ("Authorization", value));
    let headers: Vec<_> = authorization.into_iter().collect();
    ask_with(agent, addr, method, path, &headers, body)
}

/// The same with these headers.
pub(crate) fn ask_with(
    agent: &ureq::Agent,
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, ureq::Error> {
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{addr}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = if body.is_empty() {
        agent.run(request.body(())?)?
    } else {
        agent.run(
            request
                .header("Content-Type", "application/json")
                .body(body)?,
        )?
    };
    let body = response
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_vec()?;
    let body = String::from_utf8(body).expect("answers are text");
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body,
    })
}

/// All that `stream` sends until it closes or stays silent for `patience`.
pub(crate) fn read_all(stream: &mut TcpStream, patience: Duration) -> String {
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..length]);
    }
    String::from_utf8_lossy(&all).into_owned()
}
