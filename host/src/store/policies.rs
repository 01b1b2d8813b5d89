//! What a source may do to the pool, where that is not the ordinary.

use rusqlite::{OptionalExtension, params};
use tributary_core::Removal;

use super::db::Db;
use super::error::StoreError;

/// What a source may do to the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of accounts that lose it as their last owner.
    pub removal: Removal,
    /// The guard's share in percent; `None` is the server's.
    pub guard_percent: Option<u64>,
    /// The guard's number of accounts; `None` is the server's.
    pub guard_floor: Option<u64>,
}

/// The policy of this source, stored or not.
pub fn read(db: &Db, source_id: &str) -> Result<Policy, StoreError> {
    let mut row = db.prepare_cached("SELECT * FROM policy WHERE source_id = ?1")?;
    let count = |value: Option<i64>| value.map(i64::unsigned_abs);
    let policy = row.query_row([source_id], |row| {
        Ok(Policy {
            removal: super::word(row, "removal", Removal::from_exact)?,
            guard_percent: count(row.get("guard_percent")?),
            guard_floor: count(row.get("guard_floor")?),
        })
    });
    Ok(policy.optional()?.unwrap_or_default())
}

/// Writes the policy of a source.
pub fn write(db: &Db, source_id: &str, policy: &Policy) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO policy(source_id, removal, guard_percent, guard_floor) VALUES(?1, ?2, ?3, ?4)";
    let count = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    db.prepare_cached(sql)?.execute(params![
        source_id,
        policy.removal.as_str(),
        count(policy.guard_percent),
        count(policy.guard_floor),
    ])?;
    Ok(())
}

/// Forgets the policy of a source that is gone.
pub fn forget(db: &Db, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM policy WHERE source_id = ?1")?
        .execute([source_id])?;
    Ok(())
}
