//! The pool's own row: its salt, its revision and the last account id it gave.

use rusqlite::Connection;

use super::error::StoreError;

/// The pool as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Keys every fingerprint of this pool; random, made once.
    pub salt: [u8; 32],
    /// Counts the imports that changed the pool.
    pub revision: i64,
    /// The highest account id ever given; ids above it are free.
    pub last_account: i64,
}

/// Reads the row.
pub fn read(db: &Connection) -> Result<Meta, StoreError> {
    let mut row = db.prepare_cached("SELECT salt, revision, last_account FROM meta")?;
    Ok(row.query_row([], |r| {
        Ok(Meta {
            salt: r.get(0)?,
            revision: r.get(1)?,
            last_account: r.get(2)?,
        })
    })?)
}

/// Counts the revision up and keeps `last_account`, in the transaction that changed the pool.
pub fn advance(db: &Connection, last_account: i64) -> Result<(), StoreError> {
    let mut row =
        db.prepare_cached("UPDATE meta SET revision = revision + 1, last_account = ?1")?;
    row.execute([last_account])?;
    Ok(())
}
