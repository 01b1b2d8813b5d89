//! A write that waits for its group, and whoever waits for its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::db::Db;
use super::error::StoreError;

/// Something to write, and someone who waits for the answer.
pub(super) trait Work: Send {
    /// Bytes of payload.
    fn weight(&self) -> u64;
    /// Does it; `false` takes back what it wrote. Called once.
    fn run(&mut self, db: &Db) -> bool;
    /// Answers with what `run` returned.
    fn settle(self: Box<Self>);
    /// Answers that nothing was written.
    fn refuse(self: Box<Self>, why: &str);
}

/// A closure as [`Work`].
pub(super) struct Task<T, E, W> {
    weight: u64,
    work: Option<W>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, W> Task<T, E, W> {
    /// `work` with a payload of `weight` bytes, for whoever holds the other end of `answer`.
    pub(super) fn new(
        weight: u64,
        work: W,
        answer: oneshot::Sender<Result<T, E>>,
    ) -> Task<T, E, W> {
        Task {
            weight,
            work: Some(work),
            result: None,
            answer,
        }
    }
}

impl<T, E, W> Work for Task<T, E, W>
where
    T: Send,
    E: From<StoreError> + Send,
    W: FnOnce(&Db) -> Result<T, E> + Send,
{
    fn weight(&self) -> u64 {
        self.weight
    }

    fn run(&mut self, db: &Db) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // A panic takes back this work alone; its savepoint holds whatever state it left.
        let result = catch_unwind(AssertUnwindSafe(|| work(db)))
            .unwrap_or_else(|_| Err(StoreError::Internal("a write panicked".to_owned()).into()));
        self.result.insert(result).is_ok()
    }

    fn settle(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| {
            Err(StoreError::Internal("a write was never run".to_owned()).into())
        });
        // Whoever hung up does not mind.
        let _ = self.answer.send(result);
    }

    fn refuse(self: Box<Self>, why: &str) {
        let _ = self
            .answer
            .send(Err(StoreError::Unavailable(why.to_owned()).into()));
    }
}
