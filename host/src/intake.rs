//! Bytes on their way in: parsed and normalized while they arrive, and kept for the decision.

mod reading;

use hyper::body::Bytes;
use tokio::task::yield_now;
use tributary_core::{BatchReader, Form, ImportError, Member};

use crate::app::App;
use crate::body::{BodyError, BodyLimits, Collector, Sink, Unwanted};
use crate::store::decide::Received;
use reading::Reading;

/// Takes a body piece by piece, and keeps whoever sends it waiting as little as may be: a large one is read on a thread of its
/// own while more of it comes. After an error nothing more is taken.
pub struct Intake {
    reading: Reading,
    collector: Collector,
    /// The first byte that is neither white space nor of a byte order mark.
    first: Option<u8>,
    /// What was wrong with the pieces, where that is known.
    refused: Option<IntakeError>,
    /// Why the last piece was not kept.
    unkept: Option<IntakeError>,
}

/// Why a body is not taken.
#[derive(Debug)]
pub enum IntakeError {
    /// It is larger than the limit, in bytes.
    TooLarge(u64),
    /// The core refuses it as it stands.
    Refused(ImportError),
    /// It cannot be kept; the sentence is for the log.
    Unavailable(String),
}

impl Intake {
    /// Ready for at most `max` bytes of this form.
    pub fn new(app: &App, form: Form, max: u64) -> Intake {
        let limits = BodyLimits {
            max,
            spool_above: app.config.bodies.spool_above,
            spool_dir: app.config.data.dir.clone(),
        };
        Intake {
            reading: Reading::by(BatchReader::new(form, app.salt.clone())),
            collector: Collector::new(&limits),
            first: None,
            refused: None,
            unkept: None,
        }
    }

    /// Says that no more comes: why what was taken is refused, if it is.
    pub async fn refusal(mut self) -> Option<IntakeError> {
        self.read().await.err()
    }

    /// Says that all came: what else an inject body held, and what was received or why it is refused.
    pub async fn end(mut self) -> Result<Whole, IntakeError> {
        let (members, batch) = self.read().await?.finish()?;
        while self.collector.take_over()? {
            yield_now().await;
        }
        let body = self.collector.finish()?;
        Ok((members, batch.map(|batch| Received { body, batch })))
    }

    /// The reader of all pieces. What is wrong with those before one that could not be kept came first.
    async fn read(&mut self) -> Result<BatchReader, IntakeError> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        let reader = self.reading.end().await?;
        self.unkept.take().map_or(Ok(reader), Err)
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), IntakeError> {
        self.first = self.first.or_else(|| first_of(piece));
        Ok(self.collector.push(piece)?)
    }

    /// Whether what came is a page for people, which a source answers where somebody has to sign in.
    pub fn looks_like_html(&self) -> bool {
        self.first == Some(b'<')
    }
}

/// What else an inject body held, and what was received or why it is refused.
pub type Whole = (Vec<Member>, Result<Received, ImportError>);

fn first_of(piece: &[u8]) -> Option<u8> {
    let passed_over = |byte: &&u8| !b"\xef\xbb\xbf \t\r\n".contains(byte);
    piece.iter().find(passed_over).copied()
}

impl Sink for Intake {
    fn expect(&mut self, len: u64) {
        self.collector.expect(len);
    }

    async fn push(&mut self, piece: Bytes) -> Result<(), Unwanted> {
        self.unkept = self.keep(&piece).err();
        if self.unkept.is_none() {
            self.refused = self.reading.send(piece).await.err();
        }
        match (&self.unkept, &self.refused) {
            (None, None) => Ok(()),
            _ => Err(Unwanted),
        }
    }

    async fn stopped(&self) {
        self.reading.stopped().await;
    }
}

impl From<BodyError> for IntakeError {
    fn from(error: BodyError) -> IntakeError {
        match error {
            BodyError::TooLarge { max } => IntakeError::TooLarge(max),
            BodyError::Io(_) => IntakeError::Unavailable(error.to_string()),
        }
    }
}

impl From<ImportError> for IntakeError {
    fn from(error: ImportError) -> IntakeError {
        IntakeError::Refused(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_the_text_is_looked_at() {
        for (piece, first) in [
            ("", None),
            (" \r\n\t", None),
            ("\u{feff} <html>", Some(b'<')),
            ("\u{feff}[", Some(b'[')),
            ("\n<!doctype html>", Some(b'<')),
        ] {
            assert_eq!(first_of(piece.as_bytes()), first, "{piece:?}");
        }
    }
}
