//! What the store knows about itself without asking anyone.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use crate::clock;

/// How the store fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The last group of writes; `None` when there was none since the start.
    pub last_write: Option<LastWrite>,
    /// Bytes that the data folder's file system still takes; `None` when it does not say.
    pub free_bytes: Option<u64>,
}

/// The outcome of the last group of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWrite {
    /// Whether it is on disk. After a failure the writer tries by itself, every second, until it can write again.
    pub succeeded: bool,
    /// Seconds since the epoch.
    pub at: i64,
}

/// Free space, in bytes, below which imports are likely to fail: room for one large import and its WAL.
const ROOM: u64 = 64 << 20;

impl Health {
    /// Whether what is given can be kept: the last write reached the disk and there is room for more.
    pub fn is_ready(&self) -> bool {
        let wrote = self.last_write.is_none_or(|write| write.succeeded);
        wrote && self.free_bytes.is_none_or(|bytes| bytes >= ROOM)
    }
}

const NEVER: u8 = 0;
const SUCCEEDED: u8 = 1;
const FAILED: u8 = 2;

/// Where the writer leaves its last outcome.
#[derive(Default)]
pub(super) struct Record {
    outcome: AtomicU8,
    at: AtomicI64,
}

impl Record {
    pub(super) fn set(&self, succeeded: bool) {
        self.at.store(clock::now(), Ordering::Relaxed);
        self.outcome.store(
            if succeeded { SUCCEEDED } else { FAILED },
            Ordering::Release,
        );
    }

    pub(super) fn failed(&self) -> bool {
        self.outcome.load(Ordering::Relaxed) == FAILED
    }

    /// The last outcome together with the room left in `dir`.
    pub(super) fn health(&self, dir: &Path) -> Health {
        let outcome = self.outcome.load(Ordering::Acquire);
        let at = self.at.load(Ordering::Relaxed);
        let last_write = (outcome != NEVER).then_some(LastWrite {
            succeeded: outcome == SUCCEEDED,
            at,
        });
        Health {
            last_write,
            free_bytes: free_bytes(dir),
        }
    }
}

/// Bytes that are left where this file or folder lies, if the system tells.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
