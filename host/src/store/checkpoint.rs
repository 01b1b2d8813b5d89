//! Keeps the WAL small, outside the writer's answers.
//!
//! A thread copies the WAL into the database while others read and write. What is written meanwhile is left over, so
//! between two groups the writer copies that little rest, and its next group starts the WAL anew. The file keeps its
//! length and has room ahead, since a commit that makes it longer takes longer. A long one is cut when nobody has written for a
//! while, by the writer: if another connection cut it, the writer would forget all pages that it has in memory.

mod room;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;

use super::{StoreOptions, connect, migrate};
use crate::priority;

/// Bytes of a frame, one page in the WAL. Everything here is counted in frames.
const FRAME: u64 = 4096 + 24;
/// How much the writer copies between two groups without asking the thread: 1 MiB.
const REST: u64 = (1 << 20) / FRAME;
/// Up to here a WAL has little in it, and needs no room ahead: 256 KiB.
const LITTLE: u64 = (256 << 10) / FRAME;
/// How long a writer that must wait waits for readers to leave the WAL, and who makes room in it for writers: a short read's time.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long nobody has written before a large file is cut, and how long a copy that a reader prevented rests.
const QUIET: Duration = Duration::from_millis(250);

/// Stands for a WAL that was copied as a whole: what is in it now came later.
const EMPTIED: u64 = u64::MAX;

/// The writer's end.
pub(super) struct Checkpoints {
    hard: u64,
    /// The WAL's size when the thread was last woken, since it was last small.
    asked_at: Option<u64>,
    shared: Arc<Shared>,
    wake: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What the writer and the thread both see.
#[derive(Default)]
struct Shared {
    soft: u64,
    /// The WAL's size after the last commit; 0 when all of it has been copied since.
    size: AtomicU64,
    /// Up to where the thread has copied the WAL since it was last asked; 0 while it has not, [`EMPTIED`] once nothing is
    /// left in it.
    copied: AtomicU64,
    /// How often the thread was asked to look after the WAL.
    asked: AtomicU64,
    /// Up to which of these times it has done all that there is to do.
    done: AtomicU64,
    /// Whether the file is so long that it is to be cut, and all in it was copied.
    is_long: AtomicBool,
    /// Whether the file was lengthened, as far as it is to be, since it was last cut.
    has_room: AtomicBool,
    /// Held while a checkpoint runs, so that the writer can wait for it rather than fail beside it.
    running: Mutex<()>,
}

impl Shared {
    /// Waits until no other checkpoint runs, and lets none begin.
    fn alone(&self) -> MutexGuard<'_, ()> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread has something to do.
    fn is_awake(&self) -> bool {
        self.asked.load(Ordering::Acquire) != self.done.load(Ordering::Acquire)
    }
}

impl Checkpoints {
    /// Watches what `writer` commits to the database at `path`, and starts the thread.
    pub(super) fn start(
        writer: &mut Connection,
        path: &Path,
        options: &StoreOptions,
    ) -> Result<Checkpoints, String> {
        let shared = Arc::new(Shared {
            soft: options.wal_soft / FRAME,
            ..Shared::default()
        });
        let (watched, seen) = (Arc::clone(&shared), Arc::clone(&shared));
        let watch = move |_: &mut Wal, frames| {
            watched
                .size
                .store(u64::try_from(frames).unwrap_or(0), Ordering::Release);
            Ok(())
        };
        writer.wal_hook(Some(watch)).map_err(|e| e.to_string())?;
        let db = connect::checkpointer(path).map_err(|e| e.to_string())?;
        let wal = migrate::with_suffix(path, "-wal");
        // What a crash left may be a large import, and is copied at once.
        let left = frames_in(&wal);
        let (wake, woken) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || {
                priority::lower();
                copy_when_woken(&db, &wal, &woken, &seen);
            })
            .map_err(|e| e.to_string())?;
        let checkpoints = Checkpoints {
            hard: options.wal_hard / FRAME,
            asked_at: None,
            shared,
            wake,
            thread,
        };
        if left > checkpoints.shared.soft {
            checkpoints.shared.size.store(left, Ordering::Release);
            checkpoints.wake();
        }
        Ok(checkpoints)
    }

    /// After a group: has the WAL copied when it is large, and copies the rest when that is little; once it is in use, has room
    /// made in its file.
    pub(super) fn after_group(&mut self, writer: &Connection) {
        let size = self.shared.size.load(Ordering::Acquire);
        let copied = self.shared.copied.swap(0, Ordering::AcqRel);
        if size <= self.shared.soft || copied == EMPTIED {
            self.asked_at = None;
        }
        if size <= self.shared.soft {
            if size > LITTLE && !self.shared.has_room.load(Ordering::Relaxed) {
                self.wake();
            }
            return;
        }
        match (self.asked_at, copied) {
            // The thread is still at it. A writer that fills the WAL much faster waits for it.
            (Some(asked), 0) => {
                if size > self.hard && size >= asked.saturating_add(self.hard / 2) {
                    self.copy_rest(writer, "RESTART");
                    self.asked_at = Some(size);
                }
            }
            // What came after the copy is little, unless the WAL was started anew since.
            (Some(_), copied) if size >= copied && size - copied <= REST => {
                self.copy_rest(writer, "PASSIVE");
                self.asked_at = None;
            }
            _ => {
                self.asked_at = Some(size);
                self.wake();
            }
        }
    }

    /// How long the writer waits for work before [`Checkpoints::when_idle`] has something to do; `None` while it has not.
    pub(super) fn idle_after(&self) -> Option<Duration> {
        let is_to_come = self.shared.is_awake() || self.shared.is_long.load(Ordering::Acquire);
        is_to_come.then_some(QUIET)
    }

    /// When nobody has written for a while: cuts a file that is long and of which all was copied, and has room made in it again.
    pub(super) fn when_idle(&self, writer: &Connection) {
        if self.shared.is_awake() || !self.shared.is_long.load(Ordering::Acquire) {
            return;
        }
        if self.shared.size.load(Ordering::Acquire) > 0 {
            // What came since is for the thread to copy.
            return self.wake();
        }
        let Ok(_alone) = self.shared.running.try_lock() else {
            return;
        };
        // It waits for no reader: it comes again.
        if checkpoint_within(Duration::ZERO, writer, "TRUNCATE").is_some() {
            self.shared.is_long.store(false, Ordering::Release);
            self.shared.has_room.store(false, Ordering::Release);
            self.wake();
        }
    }

    fn wake(&self) {
        self.shared.asked.fetch_add(1, Ordering::AcqRel);
        // Full means that it is about to wake.
        let _ = self.wake.try_send(());
    }

    /// Ends the thread, and closes the writer with an empty WAL unless that takes long.
    pub(super) fn close(self, writer: Connection) {
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread panicked");
        }
        if self.shared.size.load(Ordering::Acquire) <= self.hard {
            checkpoint(&writer, "TRUNCATE");
            // The last connection then removes the WAL.
            let removes = writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
            if let Err(error) = removes {
                tracing::warn!(%error, "the WAL stays until the next start");
            }
        }
        if let Err((_, error)) = writer.close() {
            tracing::warn!(%error, "the database did not close");
        }
    }

    /// Copies all that is left, so that the next group starts the WAL anew unless a reader still needs it.
    fn copy_rest(&self, writer: &Connection, mode: &str) {
        let _alone = self.shared.alone();
        checkpoint_within(PATIENCE, writer, mode);
    }
}

/// The frames for which the file has room.
fn frames_in(wal: &Path) -> u64 {
    fs::metadata(wal).map_or(0, |m| m.len() / FRAME)
}

/// The thread: copies the WAL whenever it is woken, and the rest when nobody writes, until the writer is gone.
fn copy_when_woken(db: &Connection, wal: &Path, woken: &Receiver<()>, shared: &Shared) {
    while woken.recv().is_ok() {
        loop {
            let asked = shared.asked.load(Ordering::Acquire);
            let size = shared.size.load(Ordering::Acquire);
            if size > shared.soft {
                copy(db, shared);
            } else {
                make_room(db, wal, shared);
            }
            match woken.recv_timeout(QUIET) {
                Ok(()) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Nobody writes just now, so that there is a moment for room, too.
            if empty(db, wal, size, shared) && make_room(db, wal, shared) {
                shared.done.store(asked, Ordering::Release);
                break;
            }
        }
    }
}

/// Copies what is in the WAL now, as far as no reader needs what it would replace. It holds up nobody.
fn copy(db: &Connection, shared: &Shared) {
    let _alone = shared.alone();
    if let Some(copied) = checkpoint(db, "PASSIVE") {
        shared.copied.store(copied, Ordering::Release);
    }
}

/// Makes room in the WAL's file for all that comes before it is copied; whether it has that, or cannot have it.
fn make_room(db: &Connection, wal: &Path, shared: &Shared) -> bool {
    // Told first: who cuts the file meanwhile asks for room again.
    if shared.has_room.swap(true, Ordering::AcqRel) {
        return true;
    }
    let made = room::make(db, wal, shared.soft * FRAME).unwrap_or_else(|error| {
        tracing::warn!(%error, "the WAL cannot be given room ahead: imports take a little longer");
        // Not to be tried and told again and again.
        true
    });
    if !made {
        shared.has_room.store(false, Ordering::Release);
    }
    made
}

/// Copies all that is left of a WAL that still has this size; `false` when somebody has written since, or a reader is in the way.
fn empty(db: &Connection, wal: &Path, size: u64, shared: &Shared) -> bool {
    if shared.size.load(Ordering::Acquire) != size {
        return false;
    }
    let _alone = shared.alone();
    if checkpoint(db, "PASSIVE").is_none() {
        return false;
    }
    let is_long = frames_in(wal) > shared.soft.saturating_mul(2);
    shared.is_long.store(is_long, Ordering::Release);
    // Told first: a writer that then finds more in the WAL asks for another copy.
    shared.copied.store(EMPTIED, Ordering::Release);
    let (done, not) = (Ordering::AcqRel, Ordering::Relaxed);
    shared.size.compare_exchange(size, 0, done, not).is_ok()
}

/// Runs a checkpoint of the writer's that waits at most so long for others.
fn checkpoint_within(patience: Duration, writer: &Connection, mode: &str) -> Option<u64> {
    let usual = connect::WRITER_PATIENCE;
    connect::waiting(writer, patience, usual, || checkpoint(writer, mode))
}

/// Runs a checkpoint; the WAL's size if it copied all that was in it.
fn checkpoint(db: &Connection, mode: &str) -> Option<u64> {
    let asked = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |r| {
        Ok((
            r.get::<_, i64>(0)?,
            r.get::<_, i64>(1)?,
            r.get::<_, i64>(2)?,
        ))
    });
    match asked {
        Ok((0, size, copied)) if size == copied => u64::try_from(size).ok(),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, mode, "a checkpoint failed");
            None
        }
    }
}

#[cfg(test)]
mod tests;
