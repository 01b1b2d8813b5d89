//! Bytes on their way in: parsed and normalized while they arrive, and kept for the decision.

mod reading;

use hyper::body::Bytes;
use tributary_core::{BatchReader, Form, ImportError, Member};

use crate::app::App;
use crate::body::{BodyError, BodyLimits, Collector, Sink, SinkError};
use crate::store::decide::Received;
use reading::Reading;

/// Takes a body piece by piece. After an error nothing more is taken.
pub struct Intake {
    reading: Reading,
    collector: Collector,
    /// The first byte that is neither white space nor of a byte order mark.
    first: Option<u8>,
    failed: Option<IntakeError>,
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
    /// Ready for at most `max` bytes of this form; `size_hint` (bytes) saves copying.
    pub fn new(app: &App, form: Form, max: u64, size_hint: Option<u64>) -> Intake {
        let limits = BodyLimits {
            max,
            spool_above: app.config.bodies.spool_above,
            spool_dir: app.config.data.dir.clone(),
        };
        Intake {
            reading: Reading::by(BatchReader::new(form, app.salt.clone())),
            collector: Collector::new(&limits, size_hint),
            first: None,
            failed: None,
        }
    }

    /// The next piece of what a client sends, who is kept waiting as little as may be: a large body is read on a thread of its
    /// own while more of it comes.
    pub async fn take(&mut self, piece: Bytes) -> Result<(), IntakeError> {
        if let Err(error) = self.keep(&piece) {
            // What is wrong with the pieces before it came first.
            return Err(self.refusal().await.unwrap_or(error));
        }
        self.reading.send(piece).await
    }

    /// Ready when no further piece is wanted, because of what came before.
    pub async fn stopped(&self) {
        self.reading.stopped().await;
    }

    /// Why what was taken so far is refused, if it is; nothing more is taken.
    pub async fn refusal(&mut self) -> Option<IntakeError> {
        self.reading.end().await.err()
    }

    /// Says that a client has sent all: what else an inject body held, and what was received or why it is refused.
    pub async fn end(mut self) -> Result<Whole, IntakeError> {
        let reader = self.reading.end().await?;
        whole(reader, self.collector)
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), IntakeError> {
        self.first = self.first.or_else(|| first_of(piece));
        Ok(self.collector.push(piece)?)
    }

    /// Whether what came is a page for people, which a source answers where somebody has to sign in.
    pub fn looks_like_html(&self) -> bool {
        self.first == Some(b'<')
    }

    /// Says that all was pushed; the same as [`Intake::end`].
    pub fn finish(self) -> Result<Whole, IntakeError> {
        match self.failed {
            Some(failed) => Err(failed),
            None => whole(self.reading.here()?, self.collector),
        }
    }
}

/// What else an inject body held, and what was received or why it is refused.
pub type Whole = (Vec<Member>, Result<Received, ImportError>);

fn whole(reader: BatchReader, collector: Collector) -> Result<Whole, IntakeError> {
    let (members, batch) = reader.finish()?;
    let body = collector.finish()?;
    Ok((members, batch.map(|batch| Received { body, batch })))
}

fn first_of(piece: &[u8]) -> Option<u8> {
    let passed_over = |byte: &&u8| !b"\xef\xbb\xbf \t\r\n".contains(byte);
    piece.iter().find(passed_over).copied()
}

impl Sink for Intake {
    fn push(&mut self, piece: &[u8]) -> Result<(), SinkError> {
        let taken = self.keep(piece).and_then(|()| self.reading.feed(piece));
        let Err(error) = taken else {
            return Ok(());
        };
        let told = match error {
            IntakeError::TooLarge(_) => SinkError::TooLarge,
            IntakeError::Refused(_) => SinkError::Refused,
            IntakeError::Unavailable(_) => SinkError::Io,
        };
        self.failed = Some(error);
        Err(told)
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
