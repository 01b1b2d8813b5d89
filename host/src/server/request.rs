//! The body of a request, read with limited patience, and given back when nobody wants the rest.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::ApiError;

/// Unread bytes of a stranger's body that are discarded after an early answer, so that the client comes to read the
/// answer. After no more than these of anybody's the connection goes on.
const DISCARD: u64 = 256 * 1024;

/// Time for discarding them, and the longest that a piece of anybody's body is waited for meanwhile.
const LINGER: Duration = Duration::from_secs(1);

/// Time for discarding the whole body of someone who was let in: many a client reads nothing before it has sent all. It is
/// shorter than a server that ends waits for its connections.
const LINGER_LET_IN: Duration = Duration::from_secs(5);

/// The body of a request. Dropped before its end, it goes back to the connection, which discards the rest.
pub struct RequestBody {
    rest: Option<Incoming>,
    /// Whether reading began, which gives leave to a client that waits for it.
    begun: bool,
    give_back: Option<oneshot::Sender<Unread>>,
    patience: Duration,
}

impl RequestBody {
    /// Wraps what hyper gives; a piece may keep waiting for `patience`. What is not read arrives at the receiver, where there
    /// is a body at all.
    pub(super) fn new(
        body: Incoming,
        patience: Duration,
    ) -> (RequestBody, Option<oneshot::Receiver<Unread>>) {
        let (give_back, returned) = (!body.is_end_stream()).then(oneshot::channel).unzip();
        let body = RequestBody {
            rest: Some(body),
            begun: false,
            give_back,
            patience,
        };
        (body, returned)
    }

    /// The length in bytes that the client declared, when it did.
    pub fn declared_len(&self) -> Option<u64> {
        self.rest
            .as_ref()
            .map_or(Some(0), |body| body.size_hint().exact())
    }

    /// The next piece; `None` at the end. 408 when the client stalls, 400 when it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        self.begun = true;
        while let Some(body) = &mut self.rest {
            match timeout(self.patience, body.frame()).await {
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) => return Ok(Some(piece)),
                    Err(_trailers) => {}
                },
                Ok(None) => self.rest = None,
                Ok(Some(Err(error))) => {
                    self.rest = None;
                    return Err(ApiError::bad_request("body broke off").because(error.to_string()));
                }
                Err(_elapsed) => {
                    self.rest = None;
                    return Err(ApiError::stalled());
                }
            }
        }
        Ok(None)
    }

    /// The whole body, in memory. 413 when it is over `max` bytes, before anything is read if its length says so.
    pub async fn read_all(&mut self, max: u64) -> Result<Vec<u8>, ApiError> {
        let declared = self.declared_len().unwrap_or(0);
        let mut whole = match usize::try_from(declared) {
            Ok(len) if declared <= max => Vec::with_capacity(len),
            _ => return Err(ApiError::too_large(max)),
        };
        while let Some(piece) = self.next().await? {
            if (whole.len() + piece.len()) as u64 > max {
                return Err(ApiError::too_large(max));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let (Some(rest), Some(give_back)) = (self.rest.take(), self.give_back.take())
            && !rest.is_end_stream()
        {
            // Nobody takes it when the connection is gone already.
            let _ = give_back.send(Unread {
                rest,
                begun: self.begun,
            });
        }
    }
}

/// What a handler left of a body.
pub(super) struct Unread {
    rest: Incoming,
    begun: bool,
}

impl Unread {
    /// Discards it beside the answer; whether the connection ends with it. `waits`: the client sends it on leave only;
    /// `let_in`: it has a key to what it asked for.
    pub(super) fn dispose(self, waits: bool, let_in: bool) -> bool {
        if waits && !self.begun {
            return true;
        }
        let small = self
            .rest
            .size_hint()
            .upper()
            .is_some_and(|len| len <= DISCARD);
        tokio::spawn(match let_in {
            true => discard(self.rest, u64::MAX, LINGER_LET_IN),
            false => discard(self.rest, DISCARD, LINGER),
        });
        !small
    }
}

/// Reads and forgets a body up to the limits while the answer is on its way. Past the size, it waits for the end of
/// the time without reading: the client meanwhile stops sending and sees the answer.
async fn discard(mut body: Incoming, most: u64, time: Duration) {
    let end = Instant::now() + time;
    let mut discarded = 0;
    while discarded < most {
        let patience = end.min(Instant::now() + LINGER);
        match timeout_at(patience, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                discarded += frame.data_ref().map_or(0, |piece| piece.len() as u64)
            }
            Ok(None | Some(Err(_))) | Err(_) => return,
        }
    }
    if !body.is_end_stream() {
        tokio::time::sleep_until(end).await;
    }
}
