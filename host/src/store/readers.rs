//! A few threads with read-only connections; none of them ever waits for the writer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::connect;
use super::db::Db;
use super::error::StoreError;
use super::vault::Vault;

/// A read and its answer.
type Read = Box<dyn FnOnce(&Db) + Send>;

/// The queue of the reading threads; they end when it is dropped.
pub(super) struct Readers {
    queue: Mutex<Option<Sender<Read>>>,
}

impl Readers {
    /// Starts `count` threads on the database at `path`.
    pub(super) fn start(path: &Path, count: usize, vault: &Vault) -> Result<Readers, String> {
        let (send, receive) = channel();
        let receive = Arc::new(Mutex::new(receive));
        for number in 0..count {
            let db = connect::reader(path).map_err(|e| e.to_string())?;
            let db = Db::new(db, vault.clone());
            let queue = Arc::clone(&receive);
            thread::Builder::new()
                .name(format!("reader-{number}"))
                .spawn(move || answer_reads(&db, &queue))
                .map_err(|e| e.to_string())?;
        }
        Ok(Readers {
            queue: Mutex::new(Some(send)),
        })
    }

    /// Runs `work` on one snapshot.
    pub(super) async fn read<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&Db) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(move |db| {
            let read = || {
                db.on_one_snapshot(work)
                    .unwrap_or_else(|error| Err(error.into()))
            };
            let result = catch_unwind(AssertUnwindSafe(read))
                .unwrap_or_else(|_| Err(StoreError::Internal("a read panicked".to_owned()).into()));
            // Whoever hung up does not mind.
            let _ = answer.send(result);
        }));
        answered.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the store is closed".to_owned()).into())
        })
    }

    /// Takes no more reads; the threads finish what waits.
    pub(super) fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    fn send(&self, read: Read) {
        if let Some(queue) = &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            // A refused read is dropped, and its caller told that the store is closed.
            let _ = queue.send(read);
        }
    }
}

/// A reading thread.
fn answer_reads(db: &Db, queue: &Mutex<Receiver<Read>>) {
    loop {
        // One thread waits for work while the others wait for the lock.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = next else { return };
        read(db);
    }
}
