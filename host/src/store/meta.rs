//! The pool as a whole: its salt, its revision, the last account id it gave, and how many accounts it has.

use zeroize::Zeroizing;

use super::accounts::damaged;
use super::db::Db;
use super::error::StoreError;
use super::vault::Identity;
use crate::random;

/// The pool as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Counts the transactions that changed the pool.
    pub revision: i64,
    /// The highest account id ever given; ids above it are free.
    pub last_account: i64,
    /// How many accounts the pool has.
    pub accounts: i64,
    /// How many keys were ever written as fresh ones.
    pub fresh_keys: i64,
}

/// Reads these numbers.
pub fn read(db: &Db) -> Result<Meta, StoreError> {
    if let Some(pool) = db.left(|left| left.pool).flatten() {
        return Ok(pool);
    }
    let mut row =
        db.prepare_cached("SELECT revision, last_account, accounts, fresh_keys FROM pool")?;
    let pool = row.query_row([], |r| {
        Ok(Meta {
            revision: r.get(0)?,
            last_account: r.get(1)?,
            accounts: r.get(2)?,
            fresh_keys: r.get(3)?,
        })
    })?;
    db.left(|left| left.pool = Some(pool));
    Ok(pool)
}

/// What keys every fingerprint of this pool: 32 random bytes, made once.
pub fn salt(db: &Db) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    Ok(salt_and_audit(db)?.0)
}

/// The key of the audit's chain by its hash, sealed as one with the salt: without a salt there is no pool, so that nobody
/// can take the record of what was done away and let another begin. `None` until the record begins.
pub(super) fn audit_key(db: &Db) -> Result<Option<[u8; 32]>, StoreError> {
    Ok(salt_and_audit(db)?.1)
}

/// Names the key of the audit's chain, once.
pub(super) fn name_audit_key(db: &Db, hash: &[u8; 32]) -> Result<(), StoreError> {
    let both = Zeroizing::new([*salt(db)?, *hash].concat());
    let sealed = db.vault().seal(Identity::Salt, &both)?;
    db.execute("UPDATE meta SET salt = ?1", [sealed])?;
    Ok(())
}

type SaltAndAudit = (Zeroizing<[u8; 32]>, Option<[u8; 32]>);

fn salt_and_audit(db: &Db) -> Result<SaltAndAudit, StoreError> {
    let mut salt = db.prepare_cached("SELECT salt FROM meta")?;
    let sealed: Vec<u8> = salt.query_row([], |row| row.get(0))?;
    let opened = db.vault().open(Identity::Salt, &sealed)?;
    match opened.as_chunks() {
        ([salt], []) => Ok((Zeroizing::new(*salt), None)),
        ([salt, audit], []) => Ok((Zeroizing::new(*salt), Some(*audit))),
        _ => Err(damaged("the pool's salt has another length")),
    }
}

/// Takes the revision where none of this pool's has been: what a backup brings back is not what had the next ones.
pub fn leap(db: &Db) -> Result<(), StoreError> {
    let random = random::bytes().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    // Thousands of leaps stay below what JSON's readers take for exact.
    let leap = 1 + (i64::from_le_bytes(random) & 0xff_ffff_ffff);
    let sql = "UPDATE number SET revision = revision + ?1 WHERE kind = 'pool'";
    db.execute(sql, [leap])?;
    Ok(())
}

/// Writes what a transaction has made of these numbers, with the next revision: the pool was changed.
pub fn advance(db: &Db, pool: Meta) -> Result<(), StoreError> {
    let pool = Meta {
        revision: pool.revision + 1,
        ..pool
    };
    match db.left(|left| left.pool = Some(pool)) {
        Some(()) => Ok(()),
        None => write(db, &pool),
    }
}

/// Writes these numbers.
pub(super) fn write(db: &Db, pool: &Meta) -> Result<(), StoreError> {
    // By its whole key SQLite knows that there is one row, and keeps no copy of its page for the case that a second one fails.
    let sql = "UPDATE number SET revision = ?1, last_account = ?2, value = ?3, fresh_keys = ?4 \
               WHERE kind = 'pool' AND of = 0 AND name = ''";
    db.prepare_cached(sql)?.execute([
        pool.revision,
        pool.last_account,
        pool.accounts,
        pool.fresh_keys,
    ])?;
    Ok(())
}
