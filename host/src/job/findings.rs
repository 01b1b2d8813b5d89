//! What the history tells of a job beside its counts; kept as JSON, and answered so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What else is told of a job. Nothing of an upstream's text, an address, a header or a token is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    /// How long each phase took.
    #[serde(skip_serializing_if = "Phases::is_empty")]
    pub phases: Phases,
    /// Entries that were not taken, by the code of the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skips: BTreeMap<String, u64>,
    /// Why it failed, as a sentence; empty when it did not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// What the guard said, where it blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardReport>,
    /// Hash of the plan that was blocked, or approved: 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_hash: Option<String>,
    /// The source had nothing new to tell.
    #[serde(skip_serializing_if = "is_false")]
    pub not_modified: bool,
    /// The source is not asked again by the schedule until a person syncs or edits it.
    #[serde(skip_serializing_if = "is_false")]
    pub quarantined: bool,
    /// What an undo left as it was, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftReport>,
    /// How many more were left than `left` lists.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_more: u64,
}

/// How long each phase took, in microseconds. What a job did not do is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phases {
    /// Asking the source, until its answer was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_us: Option<u64>,
    /// Reading the body of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_us: Option<u64>,
    /// Waiting for the writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_us: Option<u64>,
    /// Deciding and writing, without the last sync to disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_us: Option<u64>,
}

/// What the guard against a broken source said. Counts are accounts that the source owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardReport {
    /// Whether a sync is blocked.
    pub blocked: bool,
    /// The most that it owned in the last 24 hours.
    pub most_owned: u64,
    /// What it owns now.
    pub owned: u64,
    /// What it would own.
    pub would_own: u64,
    /// `most_owned` − `would_own`, where that is a loss.
    pub loss: u64,
    /// A loss of more than this share of `most_owned`, in percent, …
    pub percent: u64,
    /// … and of at least so many accounts is blocked.
    pub floor: u64,
    /// Where `percent` and `floor` are set.
    pub setting: String,
    /// How to let the plan through.
    pub approve: String,
}

/// An account, or a part of it, that an undo left as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftReport {
    /// The account: 32 hex digits.
    pub fingerprint: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, as a sentence.
    pub error: String,
}

impl Phases {
    fn is_empty(&self) -> bool {
        *self == Phases::default()
    }
}

/// Whole microseconds of a duration.
pub fn micros(duration: Duration) -> Option<u64> {
    u64::try_from(duration.as_micros()).ok()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}
