//! An import job: the record of one inject or sync, or of one change by hand.

use tributary_core::Strategy;

/// The record of one import, or of one change by hand. Counts are accounts.
#[derive(Clone, Debug)]
pub struct ImportJob {
    /// 32 lower-case hex digits.
    pub id: String,
    /// What made it.
    pub kind: JobKind,
    /// Where it stands.
    pub status: JobStatus,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch.
    pub updated_at: i64,
    /// The source it imported for, or that was released; empty where there is none.
    pub source_id: String,
    /// That source's name at the time.
    pub source_name: String,
    /// How the batch met the pool.
    pub strategy: Strategy,
    /// Items accepted, or accounts named by hand.
    pub total: u64,
    /// Accounts that were new.
    pub added: u64,
    /// Accounts that were in the pool already.
    pub skipped: u64,
    /// Accounts that left the pool.
    pub removed: u64,
}

/// What made a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// A fetch of a source.
    Sync,
    /// A payload given directly.
    Inject,
    /// Accounts given by hand.
    Add,
    /// Fields of an account set by hand.
    Edit,
    /// Accounts removed by hand.
    Delete,
    /// An owner dropped from its accounts.
    Release,
}

/// Where a job stands. A failed job answers `failed` 1 and the fixed text in `errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Fetching or waiting to be applied.
    Running,
    /// Applied and on disk.
    Success,
    /// Nothing was changed.
    Failed,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [JobKind; 6] = [
        JobKind::Sync,
        JobKind::Inject,
        JobKind::Add,
        JobKind::Edit,
        JobKind::Delete,
        JobKind::Release,
    ];

    /// The name used in answers and tables: `sync`, `inject`, `add`, `edit`, `delete` or `release`.
    pub fn as_str(self) -> &'static str {
        match self {
            JobKind::Sync => "sync",
            JobKind::Inject => "inject",
            JobKind::Add => "add",
            JobKind::Edit => "edit",
            JobKind::Delete => "delete",
            JobKind::Release => "release",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<JobKind> {
        JobKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl JobStatus {
    /// The name used in answers and tables: `running`, `success` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Running => "running",
            JobStatus::Success => "success",
            JobStatus::Failed => "failed",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<JobStatus> {
        match name {
            "running" => Some(JobStatus::Running),
            "success" => Some(JobStatus::Success),
            "failed" => Some(JobStatus::Failed),
            _ => None,
        }
    }
}
