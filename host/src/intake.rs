//! Bytes on their way in: parsed and normalized while they arrive, and kept for the decision.

use tributary_core::{BatchReader, Form, ImportError, Member};

use crate::app::App;
use crate::body::{BodyError, BodyLimits, Collector, Sink, SinkError};
use crate::store::apply::Received;

/// Takes a body piece by piece. After an error nothing more is taken.
pub struct Intake {
    reader: BatchReader,
    collector: Collector,
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
    /// Ready for at most `max` bytes of this form; `size_hint` (bytes) only saves copying.
    pub fn new(app: &App, form: Form, max: u64, size_hint: Option<u64>) -> Intake {
        let limits = BodyLimits {
            max,
            spool_above: app.config.bodies.spool_above,
            spool_dir: app.config.data.dir.clone(),
        };
        Intake {
            reader: BatchReader::new(form, app.salt.clone()),
            collector: Collector::new(&limits, size_hint),
            failed: None,
        }
    }

    /// The next piece.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), IntakeError> {
        self.collector.push(piece)?;
        Ok(self.reader.feed(piece)?)
    }

    /// Says that the bytes have ended: what else an inject body held, and what was received or why it is refused.
    pub fn finish(self) -> Result<(Vec<Member>, Result<Received, ImportError>), IntakeError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let (members, batch) = self.reader.finish()?;
        let body = self.collector.finish()?;
        Ok((members, batch.map(|batch| Received { body, batch })))
    }
}

impl Sink for Intake {
    fn push(&mut self, piece: &[u8]) -> Result<(), SinkError> {
        let Err(error) = self.take(piece) else {
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
