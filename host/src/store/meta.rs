//! The pool's own row: its salt, its revision and the last account id it gave.

use zeroize::Zeroizing;

use super::accounts::damaged;
use super::db::Db;
use super::error::StoreError;
use super::vault::Identity;

/// The pool as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Counts the transactions that changed the pool.
    pub revision: i64,
    /// The highest account id ever given; ids above it are free.
    pub last_account: i64,
    /// How many accounts the pool has.
    pub accounts: i64,
}

/// Reads the row.
pub fn read(db: &Db) -> Result<Meta, StoreError> {
    let mut row = db.prepare_cached("SELECT revision, last_account, accounts FROM meta")?;
    Ok(row.query_row([], |r| {
        Ok(Meta {
            revision: r.get(0)?,
            last_account: r.get(1)?,
            accounts: r.get(2)?,
        })
    })?)
}

/// What keys every fingerprint of this pool: 32 random bytes, made once.
pub fn salt(db: &Db) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let mut salt = db.prepare_cached("SELECT salt FROM meta")?;
    let sealed: Vec<u8> = salt.query_row([], |row| row.get(0))?;
    let opened = db.vault().open(Identity::Salt, &sealed)?;
    let salt = opened.as_slice().try_into().map(Zeroizing::new);
    salt.map_err(|_| damaged("the pool's salt has another length"))
}

/// Counts the revision up, keeps `last_account` and adds to the number of accounts, in the transaction that changed the
/// pool.
pub fn advance(db: &Db, last_account: i64, added: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE meta SET revision = revision + 1, last_account = ?1, accounts = accounts + ?2";
    db.prepare_cached(sql)?.execute([last_account, added])?;
    Ok(())
}
