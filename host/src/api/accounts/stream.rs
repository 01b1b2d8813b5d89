//! Accounts with their secrets, as a stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame};
use tokio::sync::mpsc;

use super::list::count;
use crate::api::query::Query;
use crate::api::{Answer, Request, with_type};
use crate::error::ApiError;
use crate::store::audit::{self, Act};
use crate::store::export::Exporter;

/// Parts of an export that wait for a slow client.
const PARTS_AHEAD: usize = 1;

/// 200 with all that an exporter gives, in constant memory.
pub(super) async fn answer(exporter: Exporter, content_type: &'static str) -> Answer {
    let (parts, mut body) = mpsc::channel(PARTS_AHEAD);
    thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || send(exporter, &parts))
        .map_err(|error| ApiError::unavailable(error.to_string()))?;
    // The answer waits for the first part: a pool that cannot be read is a 503 and no broken 200.
    let first = match body.recv().await {
        Some(Err(error)) => return Err(ApiError::unavailable(error.to_string())),
        Some(Ok(part)) => Some(part),
        None => None,
    };
    let parts = Parts { first, rest: body };
    Ok(with_type(
        StatusCode::OK,
        content_type,
        parts.boxed_unsync(),
    ))
}

/// Tells the audit that accounts are handed out, before they are, and the log where the audit's chain then ends.
pub(super) async fn note_handing_out(
    request: &Request,
    act: &'static str,
    asked: &Query,
) -> Result<(), ApiError> {
    let accounts = count(&request.app, asked.filter()?).await?;
    // What is looked for is not told: somebody may have pasted a token there, although none is found by it.
    let target = match asked.names() {
        names if names.is_empty() => "pool".to_owned(),
        names => format!("pool by {}", names.join(", ")),
    };
    let act = Act::new(request.asker(), act, &target).counting("accounts", accounts);
    let noted = request
        .app
        .store
        .write(0, move |db| audit::append(db, &act));
    audit::log(&noted.await?);
    Ok(())
}

/// Reads part after part until the end, an error, or a client that hangs up.
fn send(exporter: Exporter, parts: &mpsc::Sender<io::Result<Bytes>>) {
    exporter.each(|part| {
        let part = part.map_err(|error| {
            tracing::error!(reason = %error, "export broke off");
            io::Error::other("the store is unavailable")
        });
        parts.blocking_send(part.map(Bytes::from)).is_ok()
    });
}

/// The body that `send` fills.
struct Parts {
    first: Option<Bytes>,
    rest: mpsc::Receiver<io::Result<Bytes>>,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let parts = self.get_mut();
        if let Some(first) = parts.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let part = parts.rest.poll_recv(context);
        part.map(|part| part.map(|part| part.map(Frame::data)))
    }
}
