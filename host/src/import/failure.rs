//! Why an import failed, for its job, for the log and for whoever asked.

use std::fmt;

use hyper::StatusCode;
use tributary_core::{ImportError, PlanHash};

use crate::error::ApiError;
use crate::fetch::FetchError;
use crate::intake::IntakeError;
use crate::job::{Findings, GuardReport, ImportJob, JobStatus};
use crate::store::StoreError;
use crate::store::apply::ApplyError;

/// Why an import failed. Its text repeats nothing of an address, a header, a token or a body.
#[derive(Debug)]
pub enum Failure {
    /// The source could not be asked, or did not answer well.
    Fetch(FetchError),
    /// What came could not be taken in.
    Intake(IntakeError),
    /// What came is a page for people.
    Html,
    /// The core refuses it.
    Refused(ImportError),
    /// The plan is another one than was approved.
    PlanDiffers,
    /// The source would lose too much.
    Blocked(Box<GuardReport>, PlanHash),
    /// The source was edited or disabled, or accounts were taken from it, while it was fetched.
    Changed,
    /// The source was deleted meanwhile.
    Gone,
    /// A mistake of the program; its place is in the log.
    Panicked,
    /// The store cannot be used.
    Store(StoreError),
}

impl Failure {
    /// One word for the history, log fields and counters.
    pub fn class(&self) -> &'static str {
        match self {
            Failure::Fetch(error) => error.cause().class(),
            Failure::Intake(IntakeError::TooLarge(_)) => "too_large",
            Failure::Intake(IntakeError::Refused(error)) | Failure::Refused(error) => {
                class_of(error)
            }
            Failure::Html => "html",
            Failure::Intake(IntakeError::Unavailable(_)) | Failure::Store(_) => "store",
            Failure::PlanDiffers => "plan_differs",
            Failure::Blocked(..) => "blocked",
            Failure::Changed => "source_changed",
            Failure::Gone => "source_gone",
            Failure::Panicked => "panic",
        }
    }

    /// Whether the same attempt may succeed a while later, without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Failure::Fetch(error) => error.is_transient(),
            Failure::Changed => true,
            Failure::Store(error) => matches!(error, StoreError::Unavailable(_)),
            Failure::Intake(error) => matches!(error, IntakeError::Unavailable(_)),
            _ => false,
        }
    }

    /// Whether the source is to blame, rather than this server or whoever asked.
    pub fn is_of_the_source(&self) -> bool {
        !matches!(
            self,
            Failure::Store(_)
                | Failure::Panicked
                | Failure::PlanDiffers
                | Failure::Changed
                | Failure::Intake(IntakeError::Unavailable(_))
        )
    }

    /// Seconds that the source asked to be left alone.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::Fetch(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The job that failed so at this time, in seconds since the epoch. Nothing of a payload is in it but hash and counts.
    pub fn of_job(&self, job: ImportJob, at: i64) -> ImportJob {
        let (status, guard, plan_hash) = match self {
            Failure::Blocked(report, hash) => (
                JobStatus::Blocked,
                Some(report.as_ref().clone()),
                Some(hash.to_string()),
            ),
            _ => (JobStatus::Failed, None, job.findings.plan_hash.clone()),
        };
        ImportJob {
            status,
            updated_at: at.max(job.created_at),
            cause: self.class().to_owned(),
            findings: Findings {
                error: self.to_string(),
                guard,
                plan_hash,
                ..job.findings
            },
            trace: None,
            ..job
        }
    }
}

/// A word for each kind of refusal; the sentence beside it is more precise.
fn class_of(error: &ImportError) -> &'static str {
    match error {
        ImportError::Text(_) => "not_json",
        ImportError::NotAWrapper
        | ImportError::NoList
        | ImportError::AccountsNotAList
        | ImportError::TokensNotAList
        | ImportError::BodyNotAnObject
        | ImportError::PayloadMissing => "shape",
        ImportError::TooManyEntries
        | ImportError::ReplaceNeedsSource
        | ImportError::ReplaceNeedsAccounts
        | ImportError::ReplaceNeedsTokens { .. }
        | ImportError::Context(_) => "refused",
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Fetch(error) => error.fmt(f),
            Failure::Intake(IntakeError::TooLarge(max)) => {
                let max = crate::config::write_size(*max);
                write!(f, "the payload is larger than {max}")
            }
            Failure::Intake(IntakeError::Refused(error)) | Failure::Refused(error) => error.fmt(f),
            Failure::Intake(IntakeError::Unavailable(why)) => f.write_str(why),
            Failure::Html => f.write_str(
                "the source answered a web page, not JSON: open its address in a browser, and check its token",
            ),
            Failure::PlanDiffers => {
                f.write_str("the plan is another one than was approved: look at it again")
            }
            Failure::Blocked(report, _) => write!(
                f,
                "blocked: the source would own {} of the {} accounts that it owned within a day, as {} decide; \
                 if that is meant, look at its plan and sync with the hash of that",
                report.would_own, report.most_owned, report.setting
            ),
            Failure::Changed => f.write_str(
                "the source, or what it has in the pool, was changed while it was fetched: sync it again",
            ),
            Failure::Gone => f.write_str("the source was deleted"),
            Failure::Panicked => f.write_str("a mistake of the program: its place is in the log"),
            Failure::Store(error) => error.fmt(f),
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Failure {
        Failure::Fetch(error)
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Failure {
        Failure::Intake(error)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        Failure::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Failure {
        match error {
            ApplyError::Refused(error) => Failure::Refused(error),
            ApplyError::PlanDiffers => Failure::PlanDiffers,
            ApplyError::Blocked(report, hash) => Failure::Blocked(report, hash),
            ApplyError::Store(error) => Failure::Store(error),
        }
    }
}

impl From<Failure> for ApiError {
    /// What whoever gave the payload is told.
    fn from(failure: Failure) -> ApiError {
        match failure {
            Failure::Intake(IntakeError::TooLarge(max)) => ApiError::too_large(max),
            Failure::Intake(IntakeError::Refused(error)) | Failure::Refused(error) => error.into(),
            Failure::Intake(IntakeError::Unavailable(why)) => ApiError::unavailable(why),
            Failure::Store(error) => error.into(),
            Failure::PlanDiffers => ApiError::new(StatusCode::CONFLICT, failure.to_string()),
            Failure::Panicked => ApiError::internal(failure.to_string()),
            // Those of a sync: its handler tells no more than the fixed text.
            other => ApiError::sync_failed().because(other.to_string()),
        }
    }
}

impl From<ImportError> for ApiError {
    /// 422 for a body that is no JSON object, 400 for every other refusal.
    fn from(error: ImportError) -> ApiError {
        match error {
            ImportError::Text(text) => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("body {text}"))
            }
            ImportError::BodyNotAnObject => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            _ => ApiError::bad_request(error.to_string()),
        }
    }
}
