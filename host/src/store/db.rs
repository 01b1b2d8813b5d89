//! A connection to the database, and what opens the secrets in it.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};

use rusqlite::Connection;

use super::error::StoreError;
use super::together::Together;
use super::vault::Vault;

/// A connection to the database, and what opens the secrets in it.
pub struct Db {
    connection: Connection,
    vault: Vault,
    /// Whether what a list of sources tells was changed through this connection.
    sources_changed: Cell<bool>,
    /// Whether the head of the audit's chain is to go to the log.
    audit_to_note: Cell<bool>,
    /// What is left to the end of a transaction; `None` while nothing is.
    left: RefCell<Option<Together>>,
}

impl Db {
    /// A connection whose secrets this vault opens.
    pub fn new(connection: Connection, vault: Vault) -> Db {
        Db {
            connection,
            vault,
            sources_changed: Cell::new(false),
            audit_to_note: Cell::new(false),
            left: RefCell::new(None),
        }
    }

    /// What opens its secrets.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Has the head of the audit's chain put into the log after the next commit.
    pub(super) fn audit_is_to_be_noted(&self) {
        self.audit_to_note.set(true);
    }

    /// Whether it is, since this was last asked.
    pub(super) fn is_audit_to_be_noted(&self) -> bool {
        self.audit_to_note.take()
    }

    /// Notes that a source or its latest sync is changed.
    pub(super) fn sources_change(&self) {
        self.sources_changed.set(true);
    }

    /// Whether any was since this was last asked.
    pub(super) fn have_sources_changed(&self) -> bool {
        self.sources_changed.take()
    }

    /// Runs works in a transaction that takes all of them back or none, and writes once what each of them would write again;
    /// whether all of it is to be kept.
    pub(super) fn together(
        &self,
        works: impl FnOnce() -> Result<bool, String>,
    ) -> Result<bool, String> {
        self.left.replace(Some(Together::default()));
        let kept = works();
        // Whatever they did, nothing is left to those who come after them.
        let left = self.left.take().unwrap_or_default();
        if !kept? {
            return Ok(false);
        }
        match left.write(self) {
            Ok(()) => Ok(true),
            Err(error) if self.is_autocommit() => Err(error.to_string()),
            // By itself, each says what is wrong.
            Err(_) => Ok(false),
        }
    }

    /// What is left to the end of the transaction, while works run together.
    pub(super) fn left<T>(&self, of: impl FnOnce(&mut Together) -> T) -> Option<T> {
        self.left.borrow_mut().as_mut().map(of)
    }

    /// Runs `work`, to which everything is as it was at one moment.
    pub fn on_one_snapshot<T>(&self, work: impl FnOnce(&Db) -> T) -> Result<T, StoreError> {
        // What was sealed at that moment opens until the end.
        let _keys = self.vault.hold();
        // Dropping it, by a panic too, ends the transaction.
        let _snapshot = self.connection.unchecked_transaction()?;
        Ok(work(self))
    }

    /// Runs `work` in a writing transaction of its own, which an error takes back.
    pub fn at_once<T>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(self);
        self.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }

    /// The connection alone.
    pub fn into_connection(self) -> Connection {
        self.connection
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Db {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
