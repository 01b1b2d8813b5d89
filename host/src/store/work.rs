//! A write that waits for its group, and whoever waits for its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::db::Db;
use super::error::StoreError;

/// Something to write, and someone who waits for the answer.
pub(super) trait Work: Send {
    /// Bytes of payload.
    fn weight(&self) -> u64;
    /// Whether it may run again after what it wrote was taken back.
    fn is_repeatable(&self) -> bool;
    /// Does it; `false` takes back what it wrote. Called once, unless it is repeatable.
    fn run(&mut self, db: &Db) -> bool;
    /// Answers with what `run` returned.
    fn settle(self: Box<Self>);
    /// Answers that nothing was written.
    fn refuse(self: Box<Self>, why: &str);
}

/// A closure as [`Work`].
pub(super) struct Task<T, E, W> {
    weight: u64,
    is_repeatable: bool,
    work: W,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

/// `work` with a payload of `weight` bytes, for whoever holds the other end of `answer`.
pub(super) fn once<T, E, W>(
    weight: u64,
    work: W,
    answer: oneshot::Sender<Result<T, E>>,
) -> Task<T, E, impl FnMut(&Db) -> Result<T, E>>
where
    E: From<StoreError>,
    W: FnOnce(&Db) -> Result<T, E>,
{
    let mut work = Some(work);
    let work = move |db: &Db| match work.take() {
        Some(work) => work(db),
        None => Err(StoreError::Internal("a write was to run again".to_owned()).into()),
    };
    Task::new(weight, false, work, answer)
}

/// The same for what may run again.
pub(super) fn repeatable<T, E, W>(
    weight: u64,
    work: W,
    answer: oneshot::Sender<Result<T, E>>,
) -> Task<T, E, W>
where
    W: Fn(&Db) -> Result<T, E>,
{
    Task::new(weight, true, work, answer)
}

impl<T, E, W> Task<T, E, W> {
    fn new(
        weight: u64,
        is_repeatable: bool,
        work: W,
        answer: oneshot::Sender<Result<T, E>>,
    ) -> Task<T, E, W> {
        Task {
            weight,
            is_repeatable,
            work,
            result: None,
            answer,
        }
    }
}

impl<T, E, W> Work for Task<T, E, W>
where
    T: Send,
    E: From<StoreError> + Send,
    W: FnMut(&Db) -> Result<T, E> + Send,
{
    fn weight(&self) -> u64 {
        self.weight
    }

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    fn run(&mut self, db: &Db) -> bool {
        // A panic is the work's own failure: whatever state it left is taken back like any other's.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(db)))
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
