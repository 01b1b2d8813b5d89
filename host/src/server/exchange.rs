//! One request and its answer: find the route, ask who is there, let the handler answer, write the line in the log.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, EXPECT, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::time::sleep;

use super::cors::Asking;
use super::crowd::{Guest, Sending};
use super::headers::guard;
use super::host;
use super::request::RequestBody;
use super::{Door, Served};
use crate::api::{Answer, Request, Response};
use crate::auth;
use crate::error::{ApiError, Cause};
use crate::log::REQUESTS;
use crate::metrics::Ending;
use crate::routes::{self, Found};

/// Names a request in its answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers one request, whatever happens in its handler; `last`: no other may follow it.
pub(super) async fn answer(
    served: Arc<Served>,
    guest: Arc<Guest>,
    request: hyper::Request<Incoming>,
    last: bool,
) -> Result<hyper::Response<Sending>, Infallible> {
    let (head, body) = request.into_parts();
    let mut line = Line::begin(&served, &head);
    let found = host::check(&head).and_then(|()| find(served.door, &head));
    line.route = found.as_ref().ok().map(|found| found.number);
    let waits = head.headers.contains_key(EXPECT);
    let asking = Asking::of(&head, served.origins());
    let (body, unread) = RequestBody::new(body, served.app.config.patience.body_timeout);
    let answering = pin!(respond(&served, &guest, found, head, body));
    let answer = unless_panic(answering).await;
    let mut response = answer.unwrap_or_else(ApiError::into_response);
    let let_in = !guest.waits();
    let unread = unread.and_then(|mut unread| unread.try_recv().ok());
    let unfinished = unread.is_some_and(|unread| unread.dispose(waits, let_in));
    if unfinished || last {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    asking.allow(&mut response);
    guard(response.headers_mut(), served.tls.is_some());
    line.end(&mut response);
    Ok(response.map(|body| guest.until_sent(body)))
}

/// The route of a request, where its listener leads to it.
fn find(door: Door, head: &Parts) -> Result<Found, ApiError> {
    let path = head.uri.path();
    match door {
        Door::Metrics if path != routes::METRICS => Err(ApiError::not_found("not found")),
        Door::Api | Door::Metrics => routes::find(&head.method, path),
    }
}

/// Who may ask is settled before anything of the body is read.
async fn respond(
    served: &Served,
    guest: &Guest,
    found: Result<Found, ApiError>,
    head: Parts,
    body: RequestBody,
) -> Answer {
    let Found { route, id, .. } = found?;
    let admitted = match served.door {
        Door::Api => auth::admit(&served.app, route.who, &head.headers).await,
        Door::Metrics => Ok(None),
    };
    let actor = match admitted {
        Ok(actor) => actor,
        Err(refusal) => {
            // A stranger's head is not kept while it waits.
            drop(head);
            hold_back(served, guest, &refusal).await;
            return Err(refusal);
        }
    };
    if actor.is_some() {
        guest.admitted().await;
    }
    (route.handler)(Request {
        app: Arc::clone(&served.app),
        head,
        body,
        id,
        actor,
        address: guest.from,
    })
    .await
}

/// Without a valid key the answer is held back a little, longer with each failure of the same address.
async fn hold_back(served: &Served, guest: &Guest, refusal: &ApiError) {
    if refusal.status() == StatusCode::UNAUTHORIZED {
        sleep(served.failures.note(guest.from)).await;
    }
}

/// Turns a panic of this request into an answer of its own. What it held is dropped; the panic's place is in the log.
async fn unless_panic(mut answer: Pin<&mut impl Future<Output = Answer>>) -> Answer {
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(ApiError::internal("the handler panicked"))))
    })
    .await
}

/// What a request leaves in the log and in the metrics, whether it is answered or its connection is cut first.
struct Line {
    served: Arc<Served>,
    /// The number of its route, when it has one.
    route: Option<usize>,
    method: Method,
    path: String,
    id: String,
    begun: Instant,
    ended: bool,
}

impl Line {
    fn begin(served: &Arc<Served>, head: &Parts) -> Line {
        let path = head.uri.path().to_owned();
        Line {
            served: Arc::clone(served),
            route: None,
            method: head.method.clone(),
            path,
            id: request_id(),
            begun: Instant::now(),
            ended: false,
        }
    }

    fn end(mut self, response: &mut Response) {
        self.ended = true;
        self.count(Ending::Answered(response.status()));
        let status = response.status().as_u16();
        let cause = response
            .extensions_mut()
            .remove::<Cause>()
            .map(|Cause(cause)| cause);
        let (method, path, id) = (self.method.as_str(), self.path.as_str(), self.id.as_str());
        let duration_us = self.duration_us();
        match &cause {
            Some(cause) => {
                tracing::warn!(target: REQUESTS, method, path, status, duration_us, id, cause, "answered")
            }
            None => {
                tracing::info!(target: REQUESTS, method, path, status, duration_us, id, "answered")
            }
        }
        // Hex digits and a hyphen are always a valid value.
        if let Ok(id) = HeaderValue::from_str(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
    }

    fn count(&self, ending: Ending) {
        let took = self.begun.elapsed();
        self.served.times.note(self.route, ending, took);
    }

    fn duration_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            self.count(Ending::Gone);
            let (method, path, id) = (self.method.as_str(), self.path.as_str(), self.id.as_str());
            tracing::info!(
                target: REQUESTS,
                method,
                path,
                duration_us = self.duration_us(),
                id,
                "cut before the answer"
            );
        }
    }
}

/// 16 hex digits, one after the other from a random start: unlikely to meet those of another run in the same log.
fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::LazyLock<u64> =
        std::sync::LazyLock::new(|| getrandom::u64().unwrap_or_default());
    format!(
        "{:016x}",
        START.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_answers_500() {
        let answer = unless_panic(pin!(async { panic!("example-token") })).await;
        let error = answer.err().unwrap();
        assert_eq!(
            (error.status().as_u16(), error.message()),
            (500, "internal error")
        );
    }

    #[test]
    fn no_two_requests_have_the_same_id() {
        let (one, other) = (request_id(), request_id());
        assert_eq!(one.len(), 16);
        assert_ne!(one, other);
    }
}
