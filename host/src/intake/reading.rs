//! Reads the pieces of a body where they come in, or those of a large one on a thread of its own meanwhile.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use hyper::body::Bytes;
use tributary_core::{BatchReader, ImportError};

use super::IntakeError;

/// Bytes from which on a body is worth a thread.
const LARGE: u64 = 1 << 20;
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
    Apart(
        SyncSender<Bytes>,
        JoinHandle<Result<BatchReader, ImportError>>,
    ),
    /// Nowhere any more.
    Ended,
}

impl Reading {
    /// Begins where the pieces come in.
    pub(super) fn by(reader: BatchReader) -> Reading {
        Reading {
            len: 0,
            at: At::Here(Box::new(reader)),
        }
    }

    /// The next piece, read here.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), IntakeError> {
        match &mut self.at {
            At::Here(reader) => Ok(reader.feed(piece)?),
            At::Apart(..) | At::Ended => self.send(Bytes::copy_from_slice(piece)),
        }
    }

    /// The next piece, read elsewhere when there were many. What is wrong with it is told with one of those that follow, or at
    /// the end. Where too many wait this waits, too: no longer than it takes to read one.
    pub(super) fn send(&mut self, piece: Bytes) -> Result<(), IntakeError> {
        self.len += piece.len() as u64;
        if self.len > LARGE {
            self.part()?;
        }
        match &mut self.at {
            At::Here(reader) => Ok(reader.feed(&piece)?),
            At::Apart(pieces, _) if pieces.send(piece).is_ok() => Ok(()),
            At::Apart(..) | At::Ended => self.end().map(drop),
        }
    }

    /// The reader after all pieces.
    pub(super) fn end(&mut self) -> Result<BatchReader, IntakeError> {
        match std::mem::replace(&mut self.at, At::Ended) {
            At::Here(reader) => Ok(*reader),
            At::Apart(pieces, thread) => {
                drop(pieces);
                Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?)
            }
            At::Ended => Err(IntakeError::Unavailable("the body was ended".to_owned())),
        }
    }

    /// From now on reads on a thread of its own.
    fn part(&mut self) -> Result<(), IntakeError> {
        let At::Here(_) = self.at else {
            return Ok(());
        };
        let reader = self.end()?;
        let (pieces, come) = sync_channel(WAITING);
        let named = Builder::new().name("reading".to_owned());
        let thread = named.spawn(move || read(reader, &come)).map_err(|error| {
            IntakeError::Unavailable(format!("there is no thread to read a body: {error}"))
        })?;
        self.at = At::Apart(pieces, thread);
        Ok(())
    }
}

fn read(mut reader: BatchReader, pieces: &Receiver<Bytes>) -> Result<BatchReader, ImportError> {
    while let Ok(piece) = pieces.recv() {
        reader.feed(&piece)?;
    }
    Ok(reader)
}
