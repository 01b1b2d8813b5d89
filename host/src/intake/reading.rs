//! Reads the pieces of a body where they come in, or those of a large one on a thread of its own meanwhile.

use std::panic::resume_unwind;
use std::thread::{Builder, JoinHandle, yield_now};

use hyper::body::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tributary_core::{BatchReader, ImportError};

use super::IntakeError;
use crate::priority;

/// Bytes from which on a body is worth a thread.
const LARGE: u64 = 1 << 20;
/// Bytes that it reads before it offers its processor to others.
const AT_ONCE: usize = 64 << 10;
/// Pieces that may wait for it.
const WAITING: usize = 2;

/// A reader that is fed here or elsewhere.
pub(super) struct Reading {
    len: u64,
    at: At,
}

enum At {
    /// Where the pieces come in.
    Here(Box<BatchReader>),
    /// On a thread that ends with the pieces, or at the first that it cannot read.
    Apart(Apart),
    /// Nowhere any more.
    Ended,
}

struct Apart {
    /// `None` when no more come.
    pieces: Option<Sender<Bytes>>,
    read: oneshot::Receiver<Read>,
    thread: JoinHandle<()>,
}

type Read = Result<Box<BatchReader>, ImportError>;

impl Reading {
    /// Begins where the pieces come in.
    pub(super) fn by(reader: BatchReader) -> Reading {
        Reading {
            len: 0,
            at: At::Here(Box::new(reader)),
        }
    }

    /// The next piece, read elsewhere when there were many. What is wrong with it is told with one of those that follow, by
    /// [`Reading::stopped`], or at the end.
    pub(super) async fn send(&mut self, piece: Bytes) -> Result<(), IntakeError> {
        self.len += piece.len() as u64;
        if self.len > LARGE {
            self.part()?;
        }
        match &mut self.at {
            At::Here(reader) => return Ok(reader.feed(&piece)?),
            At::Apart(Apart {
                pieces: Some(pieces),
                ..
            }) if pieces.send(piece).await.is_ok() => return Ok(()),
            At::Apart(_) | At::Ended => {}
        }
        self.end().await.map(drop)
    }

    /// Ready when no further piece is read, because of what came before.
    pub(super) async fn stopped(&self) {
        match &self.at {
            At::Apart(Apart {
                pieces: Some(pieces),
                ..
            }) => pieces.closed().await,
            At::Here(_) | At::Apart(_) | At::Ended => std::future::pending().await,
        }
    }

    /// The reader after all pieces that were sent. Who stops waiting for it may ask again.
    pub(super) async fn end(&mut self) -> Result<BatchReader, IntakeError> {
        let read = match &mut self.at {
            At::Apart(apart) => {
                apart.pieces = None;
                Some((&mut apart.read).await)
            }
            At::Here(_) | At::Ended => None,
        };
        match (std::mem::replace(&mut self.at, At::Ended), read) {
            (At::Here(reader), _) => Ok(*reader),
            (At::Apart(_), Some(Ok(read))) => Ok(*read?),
            // It has ended without a word.
            (At::Apart(apart), _) => Err(apart
                .thread
                .join()
                .map_or_else(|panic| resume_unwind(panic), |()| ended())),
            (At::Ended, _) => Err(ended()),
        }
    }

    /// From now on reads on a thread of its own.
    fn part(&mut self) -> Result<(), IntakeError> {
        if let At::Here(_) = self.at
            && let At::Here(reader) = std::mem::replace(&mut self.at, At::Ended)
        {
            let ((pieces, come), (tell, read)) = (channel(WAITING), oneshot::channel());
            let named = Builder::new().name("reading".to_owned());
            let thread = named.spawn(move || {
                priority::lower();
                // Whoever asked may be gone.
                drop(tell.send(read_all(reader, come)));
            });
            let thread = thread.map_err(|error| {
                IntakeError::Unavailable(format!("there is no thread to read a body: {error}"))
            })?;
            self.at = At::Apart(Apart {
                pieces: Some(pieces),
                read,
                thread,
            });
        }
        Ok(())
    }
}

fn read_all(mut reader: Box<BatchReader>, mut pieces: Receiver<Bytes>) -> Read {
    while let Some(piece) = pieces.blocking_recv() {
        for part in piece.chunks(AT_ONCE) {
            reader.feed(part)?;
            yield_now();
        }
    }
    Ok(reader)
}

fn ended() -> IntakeError {
    IntakeError::Unavailable("the body is not read any more".to_owned())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use super::*;
    use tributary_core::{Form, Salt};

    #[tokio::test]
    async fn who_stops_waiting_for_what_is_wrong_may_ask_again() {
        let reader = BatchReader::new(Form::Payload, Salt::new([7; 32]));
        let mut reading = Reading::by(reader);
        let entries = r#""a-1","#.repeat(300_000);
        for piece in [format!("[{entries}"), entries, "?".to_owned()] {
            reading.send(Bytes::from(piece)).await.unwrap();
        }
        let first = std::future::poll_fn(|context| {
            Poll::Ready(match pin!(reading.end()).poll(context) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            })
        });
        // Where the thread was sooner, it is told at once.
        let ended = match first.await {
            Some(ended) => ended,
            None => reading.end().await,
        };
        assert!(matches!(ended, Err(IntakeError::Refused(_))));
    }
}
