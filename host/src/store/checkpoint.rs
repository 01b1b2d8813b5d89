//! Keeps the WAL small, outside the writer's answers.
//!
//! A thread copies the WAL into the database while others read and write. Once all is copied and nobody reads the WAL,
//! the next write starts it anew. Under writes without a pause that moment never comes; then the writer, between two
//! groups, copies the little that is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{StoreOptions, connect, migrate};

/// How long the writer waits for readers to leave the WAL: a short read's time.
const PATIENCE: Duration = Duration::from_millis(100);

/// The writer's end.
pub(super) struct Checkpoints {
    wal: PathBuf,
    soft: u64,
    hard: u64,
    /// The WAL's size when a checkpoint was last asked for, since it was last small.
    asked_at: Option<u64>,
    /// Held while a checkpoint runs, so that the writer can wait for it rather than fail beside it.
    running: Arc<Mutex<()>>,
    wake: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`.
    pub(super) fn start(path: &Path, options: &StoreOptions) -> Result<Checkpoints, String> {
        let db = connect::checkpointer(path).map_err(|e| e.to_string())?;
        let wal = migrate::with_suffix(path, "-wal");
        let running = Arc::new(Mutex::new(()));
        let (wake, woken) = sync_channel(1);
        let (held, file, soft) = (Arc::clone(&running), wal.clone(), options.wal_soft);
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || copy_when_woken(&db, &woken, &held, &file, soft))
            .map_err(|e| e.to_string())?;
        Ok(Checkpoints {
            wal,
            soft,
            hard: options.wal_hard,
            asked_at: None,
            running,
            wake,
            thread,
        })
    }

    /// After a group: wakes the thread when the WAL is large, and does its work when that was not enough.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        let size = length(&self.wal);
        if size <= self.soft {
            self.asked_at = None;
            return;
        }
        // Asking again is worth it once there is something more to copy.
        if self
            .asked_at
            .is_some_and(|asked| size < asked.saturating_add(self.soft / 2))
        {
            return;
        }
        if size > self.hard && self.asked_at.is_some() {
            let _alone = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            truncate(writer);
        } else {
            // Full means that it is awake or about to be.
            let _ = self.wake.try_send(());
        }
        self.asked_at = Some(size);
    }

    /// Ends the thread, and closes the writer with an empty WAL unless that takes long.
    pub(super) fn close(self, writer: Connection) {
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread panicked");
        }
        if length(&self.wal) <= self.hard {
            truncate(&writer);
            // The last connection then removes the WAL.
            if let Err(error) =
                writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            {
                tracing::warn!(%error, "the WAL stays until the next start");
            }
        }
        if let Err((_, error)) = writer.close() {
            tracing::warn!(%error, "the database did not close");
        }
    }
}

/// The thread: one checkpoint per wake-up, until the writer is gone.
fn copy_when_woken(
    db: &Connection,
    woken: &Receiver<()>,
    running: &Mutex<()>,
    wal: &Path,
    soft: u64,
) {
    while woken.recv().is_ok() {
        let _alone = running.lock().unwrap_or_else(PoisonError::into_inner);
        // PASSIVE holds up nobody. When it got everything, cutting the file is quick, and not done if anyone is at it.
        if checkpoint(db, "PASSIVE") && length(wal) > soft {
            checkpoint(db, "TRUNCATE");
        }
    }
}

/// Copies all and empties the file, unless a reader still needs it after a moment.
fn truncate(writer: &Connection) {
    // Setting a time cannot fail while it fits into 31 bits of milliseconds.
    let _ = writer.busy_timeout(PATIENCE);
    checkpoint(writer, "TRUNCATE");
    let _ = writer.busy_timeout(connect::WRITER_PATIENCE);
}

/// Whether a checkpoint copied the whole WAL.
fn checkpoint(db: &Connection, mode: &str) -> bool {
    let asked = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |r| {
        Ok((
            r.get::<_, i64>(0)?,
            r.get::<_, i64>(1)?,
            r.get::<_, i64>(2)?,
        ))
    });
    match asked {
        Ok((busy, frames, copied)) => busy == 0 && frames == copied,
        Err(error) => {
            tracing::warn!(%error, mode, "a checkpoint failed");
            false
        }
    }
}

/// The WAL's size in bytes; it is cut to the soft limit whenever it starts anew, so this is how far it has grown.
fn length(wal: &Path) -> u64 {
    fs::metadata(wal).map_or(0, |m| m.len())
}

#[cfg(test)]
mod tests;
