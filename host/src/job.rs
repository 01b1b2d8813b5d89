//! An import job: the record of one inject or sync, or of one change by hand.

mod findings;

use std::fmt;

use tributary_core::{Counts, Strategy};

pub use findings::{Findings, GuardReport, LeftReport, Phases, micros};

/// The record of one import, of one change by hand, or of an undo. Counts are accounts.
#[derive(Clone, Debug, Default)]
pub struct ImportJob {
    /// 32 lower-case hex digits, which it gets when it is kept; empty before.
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
    /// Of those in the pool already, the ones that changed.
    pub updated: u64,
    /// Of those in the pool already, the ones that stayed as they were.
    pub unchanged: u64,
    /// Accounts that lost an owner and kept others.
    pub released: u64,
    /// Accounts that lost their last owner and stayed, out of use.
    pub disabled: u64,
    /// Who asked for it, as [`Actor`] is written; empty in jobs of earlier versions.
    pub actor: String,
    /// From where they asked; kept in the audit alone.
    pub address: String,
    /// Bytes of the payload after decoding.
    pub bytes: u64,
    /// Why it failed, in one word that programs compare; empty when it did not.
    pub cause: String,
    /// What else is told of it.
    pub findings: Findings,
    /// What it takes to undo it; `None` when it changed nothing.
    pub trace: Option<Trace>,
    /// The job that it undid; empty when it is no undo.
    pub undoes: String,
    /// The job that undid it; empty when none did.
    pub undone_by: String,
}

/// What a job left behind of what it changed: row numbers, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Accounts that it added.
    pub added: (i64, i64),
    /// Accounts as it found and left them.
    pub changed: (i64, i64),
}

/// What made a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobKind {
    /// A fetch of a source.
    Sync,
    /// A payload given directly.
    #[default]
    Inject,
    /// Accounts given by hand.
    Add,
    /// Fields of an account set by hand.
    Edit,
    /// Accounts removed by hand.
    Delete,
    /// An owner dropped from its accounts.
    Release,
    /// Another job taken back.
    Undo,
}

/// Where a job stands. In the answers of `spec.txt` a blocked job is a failed one; both count 1 as `failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobStatus {
    /// Fetching or waiting to be applied.
    #[default]
    Running,
    /// Applied and on disk.
    Success,
    /// Nothing was changed.
    Failed,
    /// Nothing was changed, because too much would have been lost.
    Blocked,
}

/// Who asked for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever has the administrator's secret.
    Admin,
    /// The key with this name.
    Key(String),
    /// The server itself, at a source's interval.
    Schedule,
}

/// Who asked for something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// As [`Actor`] is written.
    pub actor: String,
    /// The address without its port; empty when nobody asked over HTTP.
    pub address: String,
}

impl Asker {
    /// Who does not ask over HTTP.
    pub fn beside_http(actor: &str) -> Asker {
        Asker {
            actor: actor.to_owned(),
            address: String::new(),
        }
    }
}

impl ImportJob {
    /// Whether its counts say that no account is another than before.
    pub fn changed_nothing(&self) -> bool {
        let changed = [
            self.added,
            self.updated,
            self.released,
            self.disabled,
            self.removed,
        ];
        changed.iter().all(|count| *count == 0)
    }

    /// The job with the counts of an import that was applied.
    #[must_use]
    pub fn counted(self, counts: &Counts) -> ImportJob {
        ImportJob {
            total: counts.total(),
            added: counts.added,
            skipped: counts.skipped(),
            removed: counts.removed,
            updated: counts.updated,
            unchanged: counts.unchanged,
            released: counts.released,
            disabled: counts.disabled,
            ..self
        }
    }
}

impl JobKind {
    /// Every kind.
    pub const ALL: [JobKind; 7] = [
        JobKind::Sync,
        JobKind::Inject,
        JobKind::Add,
        JobKind::Edit,
        JobKind::Delete,
        JobKind::Release,
        JobKind::Undo,
    ];

    /// The name used in answers and tables: `sync`, `inject`, `add`, `edit`, `delete`, `release` or `undo`.
    pub fn as_str(self) -> &'static str {
        match self {
            JobKind::Sync => "sync",
            JobKind::Inject => "inject",
            JobKind::Add => "add",
            JobKind::Edit => "edit",
            JobKind::Delete => "delete",
            JobKind::Release => "release",
            JobKind::Undo => "undo",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<JobKind> {
        JobKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl JobStatus {
    /// Every status.
    pub const ALL: [JobStatus; 4] = [
        JobStatus::Running,
        JobStatus::Success,
        JobStatus::Failed,
        JobStatus::Blocked,
    ];

    /// The name used in the history and in tables: `running`, `success`, `failed` or `blocked`.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Running => "running",
            JobStatus::Success => "success",
            JobStatus::Failed => "failed",
            JobStatus::Blocked => "blocked",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<JobStatus> {
        JobStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// Whether it ended without changing anything because it could not, or was not let.
    pub fn is_failure(self) -> bool {
        matches!(self, JobStatus::Failed | JobStatus::Blocked)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Admin => f.write_str("admin"),
            Actor::Key(name) => write!(f, "key:{name}"),
            Actor::Schedule => f.write_str("schedule"),
        }
    }
}
