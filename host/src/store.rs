//! What must outlive the program: one SQLite database in the data folder, one writer, a few readers.

pub mod accounts;
pub mod apply;
pub mod audit;
pub mod backup;
pub mod change;
mod checkpoint;
mod connect;
pub mod db;
pub mod decide;
mod error;
pub mod export;
mod files;
pub mod filter;
pub mod guard;
pub mod hand;
mod health;
pub mod jobs;
pub mod keys;
pub mod listing;
pub mod lookup;
pub mod master_key;
pub mod meta;
pub mod meters;
mod migrate;
pub mod numbers;
pub mod owners;
mod peek;
pub mod policies;
pub mod prune;
mod readers;
pub mod record;
pub mod restore;
mod sealing;
pub mod sources;
pub mod standing;
mod together;
pub mod undo;
pub mod vault;
pub mod verify;
mod work;
mod writer;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use serde::Serialize;
use tokio::sync::{oneshot, watch};

pub use db::Db;
pub use error::{OpenError, StoreError};
pub use health::{Health, LastWrite};
pub use sealing::Place as SealingPlace;

use crate::clock;
use crate::config::MasterKeyOptions;
use crate::job::Asker;
use crate::lock::DirLock;
use checkpoint::Checkpoints;
use health::Record;
use master_key::{MasterKeys, NewKey};
use meters::Meters;
use readers::Readers;
use vault::Vault;
use work::Work;
use writer::Writer;

/// The store of one data folder. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What may be set about a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Threads that read.
    pub readers: usize,
    /// Bytes of WAL from which on it is copied into the database in the background. Its file has room for so many once it is in
    /// use, and keeps its length up to twice as many.
    pub wal_soft: u64,
    /// Bytes of WAL from which on the writer pauses for that.
    pub wal_hard: u64,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            readers: 2,
            wal_soft: 8 << 20,
            wal_hard: 64 << 20,
        }
    }
}

struct Shared {
    dir: PathBuf,
    queue: Mutex<Option<Sender<Box<dyn Work>>>>,
    readers: Readers,
    record: Arc<Record>,
    stop: Arc<AtomicBool>,
    sources_edition: Arc<AtomicU64>,
    meters: Meters,
    vault: Vault,
    /// The file that holds the master keys; `None` when they were given.
    key_file: Option<PathBuf>,
    /// Whether it was made just now.
    key_is_new: bool,
    /// Closed when the writer's thread has ended.
    ended: watch::Receiver<()>,
}

/// Bytes that one step of sealing anew touches, about.
const SEALING_WEIGHT: u64 = 4 << 20;

/// Why there is no new master key.
#[derive(Debug)]
pub enum TurnError {
    /// The key was given from outside, where nobody here can put another.
    Given,
    /// The file cannot be written.
    File(std::io::Error),
}

/// How long a server waits for a command that is just creating the database.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);

impl Store {
    /// Opens the store of `dir`, which is made (0700) when missing, and keeps every other server out. Checks, creates
    /// or migrates the database, seals what is not sealed yet, and fails the jobs that a crash cut short.
    pub fn open(
        dir: &Path,
        options: StoreOptions,
        key: &MasterKeyOptions,
    ) -> Result<Store, OpenError> {
        create_dir(dir)?;
        let lock = DirLock::acquire(dir, LOCK_PATIENCE)?;
        let path = dir.join(migrate::FILE);
        // Before anything is written: who comes with another key leaves every byte as it is.
        let keys = Store::unlock(dir, &path, key)?;
        let (connection, vault) = (migrate::prepare(dir)?, Vault::new(&keys.keys));
        let db = Db::new(connection, vault);
        let io = |e: StoreError| OpenError::Io(path.clone(), e.to_string());
        sealing::seal_all(&db).map_err(io)?;
        if let Err(error) = db.at_once(|db| jobs::fail_cut_short(db, clock::now())) {
            // What can still be read is served.
            tracing::error!(%error, "jobs that were cut short are told to run");
        }
        let started = Store::start(dir, &path, db, keys, lock, &options);
        started.map_err(|why| OpenError::Io(path, why))
    }

    /// Runs `work` in the writer's next group and answers when it is on disk. `weight` is its payload in bytes.
    ///
    /// An `Err` or a panic takes back what this work wrote, and only that. The error is the work's own; a panic is
    /// [`StoreError::Internal`]; when the group could not be committed, each of its works gets
    /// [`StoreError::Unavailable`]. A caller that goes away cancels nothing.
    pub async fn write<T, E, W>(&self, weight: u64, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&Db) -> Result<T, E> + Send + 'static,
    {
        let work = |answer| Box::new(work::once(weight, work, answer)) as Box<dyn Work>;
        self.answered(work).await
    }

    /// The same for work that may run again. Where many such wait, none has a savepoint, which costs a twelfth more, and the
    /// numbers and the end of the audit are written once for all: when one fails, all are taken back and each runs once more, by
    /// itself.
    pub async fn write_repeatable<T, E, W>(&self, weight: u64, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: Fn(&Db) -> Result<T, E> + Send + 'static,
    {
        let work = |answer| Box::new(work::repeatable(weight, work, answer)) as Box<dyn Work>;
        self.answered(work).await
    }

    /// Runs `work` on a read-only connection, in one read transaction; it never waits for the writer. Keep it short
    /// (at most 1,000 rows): what streams takes a [`Store::passing_connection`].
    pub async fn read<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&Db) -> Result<T, E> + Send + 'static,
    {
        self.shared.readers.read(work).await
    }

    /// A further read-only connection, for a long answer on a thread of its own. Read it in short transactions: one
    /// that stays open keeps the WAL from being emptied.
    pub fn reader_connection(&self) -> Result<Db, StoreError> {
        self.connection(connect::reader)
    }

    /// The same for who goes through the accounts in their order.
    pub fn passing_connection(&self) -> Result<Db, StoreError> {
        self.connection(connect::passing)
    }

    fn connection(
        &self,
        open: fn(&Path) -> rusqlite::Result<Connection>,
    ) -> Result<Db, StoreError> {
        let db = open(&self.shared.dir.join(migrate::FILE))?;
        Ok(Db::new(db, self.shared.vault.clone()))
    }

    /// Makes a new master key, which nothing is sealed with before [`Store::turn_to`].
    pub fn new_key(&self) -> Result<NewKey, TurnError> {
        let file = self.shared.key_file.as_ref().ok_or(TurnError::Given)?;
        NewKey::make(file).map_err(TurnError::File)
    }

    /// From now on seals with a new master key, which is put in front of the older ones in their file first. What is sealed
    /// with those is to be sealed anew with [`Store::seal_more`].
    pub fn turn_to(&self, new: &NewKey) -> Result<(), TurnError> {
        new.prepend().map_err(TurnError::File)?;
        self.shared.vault.turn_to(new.key());
        Ok(())
    }

    /// Seals some more with the current master key, as somebody wanted; where to go on, `None` when all is.
    pub async fn seal_more(
        &self,
        place: SealingPlace,
        by: Asker,
    ) -> Result<Option<SealingPlace>, StoreError> {
        let step = self.write(SEALING_WEIGHT, move |db| sealing::step(db, place, &by));
        step.await
    }

    /// Forgets older master keys once nothing is sealed with them any more.
    pub fn forget_older_keys(&self) -> Result<(), TurnError> {
        if let Some(file) = &self.shared.key_file {
            master_key::keep_first(file).map_err(TurnError::File)?;
        }
        self.shared.vault.forget_older();
        Ok(())
    }

    /// What whoever starts the program must know when a master key was just made.
    pub fn about_new_key(&self) -> Option<String> {
        let file = self.shared.key_file.as_ref()?.display();
        let about = format!(
            "the master key was made in {file}: keep a copy of it apart from the pool, which nobody can read without it"
        );
        self.shared.key_is_new.then_some(about)
    }

    /// The id of the master key that seals.
    pub fn key_id(&self) -> String {
        self.shared.vault.key_id()
    }

    /// The master keys that open what is sealed, by their ids, the current one first.
    pub fn key_ids(&self) -> Vec<String> {
        self.shared.vault.key_ids()
    }

    /// The last write's outcome and the room left. Never queues.
    pub fn health(&self) -> Health {
        self.shared.record.health(&self.shared.dir)
    }

    /// A number that grows when a list of sources may tell something else: one that was read after this was asked is good
    /// until then. Never queues.
    pub fn sources_edition(&self) -> u64 {
        self.shared.sources_edition.load(Ordering::Acquire)
    }

    /// What waits for the writer and what it writes at once.
    pub fn meters(&self) -> &Meters {
        &self.shared.meters
    }

    /// The length of the WAL's file in bytes. Never queues.
    pub fn wal_bytes(&self) -> u64 {
        let path = self.shared.dir.join(migrate::FILE);
        fs::metadata(migrate::with_suffix(&path, "-wal")).map_or(0, |file| file.len())
    }

    /// Takes no more work, finishes what waits within `patience`, rolls back what is then not committed, and returns
    /// when the database is closed.
    pub async fn close(&self, patience: Duration) {
        self.shared.readers.close();
        self.shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut ended = self.shared.ended.clone();
        if tokio::time::timeout(patience, ended.changed())
            .await
            .is_err()
        {
            self.shared.stop.store(true, Ordering::Relaxed);
            let _ = ended.changed().await;
        }
    }

    /// Starts the threads on a database that is ready. The lock goes with the writer, which ends last.
    fn start(
        dir: &Path,
        path: &Path,
        mut db: Db,
        keys: MasterKeys,
        lock: DirLock,
        options: &StoreOptions,
    ) -> Result<Store, String> {
        let (queue, works) = channel();
        let (alive, ended) = watch::channel(());
        let (record, stop) = (
            Arc::new(Record::default()),
            Arc::new(AtomicBool::new(false)),
        );
        let sources_edition = Arc::new(AtomicU64::new(0));
        let meters = Meters::new().map_err(|e| e.to_string())?;
        let vault = db.vault().clone();
        let readers = Readers::start(path, options.readers, &vault)?;
        let checkpoints = Checkpoints::start(&mut db, path, options)?;
        let writer = Writer::new(
            db,
            works,
            Arc::clone(&stop),
            Arc::clone(&sources_edition),
            Arc::clone(&record),
            checkpoints,
            meters.clone(),
        )
        .map_err(|e| e.to_string())?;
        let ending = Arc::clone(&record);
        let write = move || {
            // Dropped in this order: who waits for the end can open the folder again.
            let _until_the_end = (lock, alive);
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                tracing::error!("the writer panicked: nothing will be written until a restart");
            }
            ending.set(false);
        };
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(write)
            .map_err(|e| e.to_string())?;
        let queue = Mutex::new(Some(queue));
        Ok(Store {
            shared: Arc::new(Shared {
                dir: dir.to_path_buf(),
                queue,
                readers,
                record,
                stop,
                sources_edition,
                meters,
                vault,
                key_file: keys.file,
                key_is_new: keys.made,
                ended,
            }),
        })
    }

    /// What a work is answered that is queued now.
    async fn answered<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Box<dyn Work>,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(work(answer));
        answered.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the store is closed".to_owned()).into())
        })
    }

    /// Queues a work; when the store is closed it is dropped, and its caller told so.
    fn enqueue(&self, work: Box<dyn Work>) {
        if let Some(queue) = &*self
            .shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
        {
            self.shared.meters.queued();
            if queue.send(work).is_err() {
                self.shared.meters.dropped();
            }
        }
    }
}

/// Makes the data folder for its owner alone; a folder that is there is taken as it is.
fn create_dir(dir: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| OpenError::from_io(dir, &e))
}

/// Reads one of the words that this program writes into a column; any other word means that the row was damaged.
fn word<T>(
    row: &Row<'_>,
    column: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let word = row.get_ref(column)?.as_str()?;
    let unknown = || rusqlite::Error::InvalidColumnType(0, column.to_owned(), Type::Text);
    read(word).ok_or_else(unknown)
}

/// What this program writes into a column as JSON text.
fn written(told: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(told).map_err(|error| StoreError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests;
