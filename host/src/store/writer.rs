//! The one writer: whatever waits is applied in one transaction, synced once, and only then answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::audit;
use super::checkpoint::Checkpoints;
use super::db::Db;
use super::health::Record;
use super::meters::Meters;
use super::work::Work;

/// The most works in one transaction.
const GROUP: usize = 64;
/// The most payload bytes in one transaction of several works.
const GROUP_BYTES: u64 = 4 << 20;
/// How soon after a work that came alone the next one does where a client sends one after the other: so long the writer stays
/// awake for it, since to wake a thread takes a good part of what a small import takes.
const SOON: Duration = Duration::from_micros(400);
/// How long a writer that failed rests before it tries whether it can write again.
const RETRY: Duration = Duration::from_secs(1);

/// The writer's thread: owns the writing connection and ends when the queue's other end is dropped.
pub(super) struct Writer {
    db: Db,
    queue: Receiver<Box<dyn Work>>,
    /// What did not fit into the group before.
    held: Option<Box<dyn Work>>,
    /// Whether the work before came alone, and [`SOON`].
    stays_awake: bool,
    /// Whether a commit is the writer's own.
    commits: Arc<AtomicBool>,
    /// Counts the commits after which a list of sources may tell something else.
    sources_edition: Arc<AtomicU64>,
    /// Set at the deadline of a shutdown: what is not committed never will be.
    stop: Arc<AtomicBool>,
    record: Arc<Record>,
    checkpoints: Checkpoints,
    meters: Meters,
}

impl Writer {
    /// Takes the connection. Nothing but [`Writer`] commits on it: work that tries, or goes on after SQLite gave its
    /// transaction up, is rolled back.
    pub(super) fn new(
        mut db: Db,
        queue: Receiver<Box<dyn Work>>,
        stop: Arc<AtomicBool>,
        sources_edition: Arc<AtomicU64>,
        record: Arc<Record>,
        checkpoints: Checkpoints,
        meters: Meters,
    ) -> rusqlite::Result<Writer> {
        let commits = Arc::new(AtomicBool::new(false));
        let (allowed, stopped) = (Arc::clone(&commits), Arc::clone(&stop));
        db.commit_hook(Some(move || !allowed.load(Ordering::Relaxed)))?;
        db.progress_handler(10_000, Some(move || stopped.load(Ordering::Relaxed)))?;
        Ok(Writer {
            db,
            queue,
            held: None,
            stays_awake: false,
            commits,
            sources_edition,
            stop,
            record,
            checkpoints,
            meters,
        })
    }

    /// Applies groups until nobody can send any more, then tidies the WAL.
    pub(super) fn run(mut self) {
        while let Some(group) = self.next_group() {
            self.apply(group);
            self.checkpoints.after_group(&self.db);
        }
        self.checkpoints.close(self.db.into_connection());
    }

    /// Waits for work and takes what has gathered behind it, within the limits of a group.
    fn next_group(&mut self) -> Option<Vec<Box<dyn Work>>> {
        let waiting = Instant::now();
        let first = match self.held.take().or_else(|| self.look_out(waiting)) {
            Some(work) => work,
            None => self.wait()?,
        };
        let came_soon = waiting.elapsed() < SOON;
        let mut weight = first.weight();
        let mut group = vec![first];
        while group.len() < GROUP {
            let Ok(next) = self.queue.try_recv() else {
                break;
            };
            weight = weight.saturating_add(next.weight());
            if weight > GROUP_BYTES {
                self.held = Some(next);
                break;
            }
            group.push(next);
        }
        self.stays_awake = came_soon && group.len() == 1;
        // At most `GROUP`.
        self.meters.grouped(u32::try_from(group.len()).unwrap_or(0));
        Some(group)
    }

    /// The next work, where it is worth staying awake for and comes in time. Others that are ready run in between.
    fn look_out(&self, waiting: Instant) -> Option<Box<dyn Work>> {
        while self.stays_awake && waiting.elapsed() < SOON {
            if let Ok(work) = self.queue.try_recv() {
                return Some(work);
            }
            thread::yield_now();
        }
        None
    }

    /// The next work; `None` when there will be no more. After a failure it tries now and then whether writing works
    /// again, so that readiness returns without anyone's import being the trial. After much was written it cuts the WAL.
    fn wait(&self) -> Option<Box<dyn Work>> {
        loop {
            let failed = self.record.failed();
            let pause = match failed {
                true => Some(RETRY),
                false => self.checkpoints.idle_after(),
            };
            let Some(pause) = pause else {
                return self.queue.recv().ok();
            };
            match self.queue.recv_timeout(pause) {
                Ok(work) => return Some(work),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if failed => self.probe(),
                Err(RecvTimeoutError::Timeout) => self.checkpoints.when_idle(&self.db),
            }
        }
    }

    /// Writes a value as it is.
    fn probe(&self) {
        let written = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            self.execute("UPDATE meta SET sealed = sealed")?;
            self.commit()
        });
        self.conclude(written.map(|()| true));
    }

    /// Applies a group and answers everyone in it, after its COMMIT has returned.
    fn apply(&self, mut group: Vec<Box<dyn Work>>) {
        let refusal = self.conclude(self.transact(&mut group));
        for work in group {
            match &refusal {
                None => work.settle(),
                // Even a work that failed by itself: what it saw was perhaps never committed.
                Some(why) => work.refuse(why),
            }
        }
    }

    /// Leaves no transaction behind, records whether the disk took it, and returns why not.
    fn conclude(&self, outcome: Result<bool, String>) -> Option<String> {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "could not roll back a group");
        }
        match outcome {
            Ok(written) => {
                if written {
                    self.record.set(true);
                }
                None
            }
            Err(why) => {
                tracing::error!(why, "nothing of a group was written");
                self.record.set(false);
                Some(why)
            }
        }
    }

    /// One transaction around the group; whether any of it was kept. An error means that none of it is there.
    fn transact(&self, group: &mut [Box<dyn Work>]) -> Result<bool, String> {
        self.execute("BEGIN IMMEDIATE")?;
        let kept = match group {
            // Without a savepoint: the transaction is one, and SQLite need not keep the old pages of a large import.
            [only] => self.attempt(only)?,
            _ => self.attempt_together(group)? || self.isolate_each(group)?,
        };
        if kept {
            self.commit()?
        } else {
            self.execute("ROLLBACK")?
        }
        Ok(kept)
    }

    /// The only way to commit on this connection.
    fn commit(&self) -> Result<(), String> {
        self.commits.store(true, Ordering::Relaxed);
        let committed = self.execute("COMMIT");
        self.commits.store(false, Ordering::Relaxed);
        // Before anyone is answered, and even when it failed: a list that is read anew is never wrong.
        if self.db.have_sources_changed() {
            self.sources_edition.fetch_add(1, Ordering::Release);
        }
        if self.db.is_audit_to_be_noted() && committed.is_ok() {
            self.note_audit();
        }
        committed
    }

    /// Where the audit's chain now ends, for whoever keeps the log elsewhere.
    fn note_audit(&self) {
        match audit::head(&self.db) {
            Ok(Some(head)) => audit::log(&head),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the head of the audit cannot be read"),
        }
    }

    /// Runs repeatable works without a savepoint for each; whether all were kept. Otherwise nothing is written, and each is to run
    /// by itself.
    fn attempt_together(&self, group: &mut [Box<dyn Work>]) -> Result<bool, String> {
        if !group.iter().all(|work| work.is_repeatable()) {
            return Ok(false);
        }
        let all = || {
            for work in group {
                if !self.attempt(work)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        if self.db.together(all)? {
            return Ok(true);
        }
        self.execute("ROLLBACK")?;
        self.execute("BEGIN IMMEDIATE")?;
        Ok(false)
    }

    /// Runs each in a savepoint of its own; whether any was kept.
    fn isolate_each(&self, group: &mut [Box<dyn Work>]) -> Result<bool, String> {
        let mut kept = false;
        for work in group {
            kept |= self.isolate(work)?;
        }
        Ok(kept)
    }

    /// Runs a work in a savepoint of its own; whether it was kept.
    fn isolate(&self, work: &mut Box<dyn Work>) -> Result<bool, String> {
        self.execute("SAVEPOINT work")?;
        let kept = self.attempt(work)?;
        if !kept {
            self.execute("ROLLBACK TO work")?;
        }
        self.execute("RELEASE work")?;
        Ok(kept)
    }

    /// Runs a work; an error when the transaction around it is gone, which SQLite does on a full disk, for one.
    fn attempt(&self, work: &mut Box<dyn Work>) -> Result<bool, String> {
        if self.stop.load(Ordering::Relaxed) {
            return Err("the server is stopping".to_owned());
        }
        let keep = work.run(&self.db);
        if self.db.is_autocommit() {
            return Err("the transaction was given up".to_owned());
        }
        Ok(keep)
    }

    fn execute(&self, sql: &str) -> Result<(), String> {
        let run = || self.db.prepare_cached(sql)?.execute([]);
        run().map(drop).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests;
