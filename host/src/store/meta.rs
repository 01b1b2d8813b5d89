//! The pool's own row: its salt, its revision and the last account id it gave.

use rusqlite::Connection;

use super::error::StoreError;

/// The pool as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Keys every fingerprint of this pool; random, made once.
    pub salt: [u8; 32],
    /// Counts the transactions that changed the pool.
    pub revision: i64,
    /// The highest account id ever given; ids above it are free.
    pub last_account: i64,
    /// How many accounts the pool has.
    pub accounts: i64,
}

/// Reads the row.
pub fn read(db: &Connection) -> Result<Meta, StoreError> {
    let mut row = db.prepare_cached("SELECT salt, revision, last_account, accounts FROM meta")?;
    Ok(row.query_row([], |r| {
        Ok(Meta {
            salt: r.get(0)?,
            revision: r.get(1)?,
            last_account: r.get(2)?,
            accounts: r.get(3)?,
        })
    })?)
}

/// Counts the revision up, keeps `last_account` and adds to the number of accounts, in the transaction that changed the
/// pool.
pub fn advance(db: &Connection, last_account: i64, added: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE meta SET revision = revision + 1, last_account = ?1, accounts = accounts + ?2";
    db.prepare_cached(sql)?.execute([last_account, added])?;
    Ok(())
}
