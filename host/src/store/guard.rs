//! How much a source owned in the last 24 hours, and what the guard says about a plan.

use rusqlite::{OptionalExtension, params};
use tributary_core::{Guard, Holding, ImportOptions, Owner};

use super::accounts::OwnerIds;
use super::db::Db;
use super::decide::Decided;
use super::error::StoreError;
use crate::job::GuardReport;

/// How far back the guard looks, in seconds.
const A_DAY: i64 = 24 * 60 * 60;

/// What the guard says of a plan of a replace, before anything of it is counted. `setting` says where its numbers are set.
pub fn report(
    db: &Db,
    options: &ImportOptions,
    decided: &Decided,
    guard: &Guard,
    setting: &str,
    at: i64,
) -> Result<GuardReport, StoreError> {
    let owner = OwnerIds::new(db).id_of_owner(&options.owner())?;
    let now = owner.map_or(Ok(0), |owner| owned_now(db, owner))?;
    let earlier = owner.map_or(Ok(0), |owner| most_until(db, owner, at))?;
    let after = (now + decided.gained).saturating_sub(decided.lost);
    let holding = Holding {
        most: now.max(earlier),
        now,
        after,
    };
    let verdict = guard.verdict(&holding);
    Ok(GuardReport {
        blocked: verdict.blocked,
        most_owned: holding.most,
        owned: now,
        would_own: after,
        loss: verdict.loss,
        percent: guard.percent,
        floor: guard.floor,
        setting: setting.to_owned(),
        approve: "sync with the plan's hash in the header `Tributary-Expect-Plan`".to_owned(),
    })
}

/// Notes what the importer owned until now, when a plan that is being written takes accounts from it. What a person has
/// `approved` is where the guard begins to count again.
pub fn note(
    db: &Db,
    options: &ImportOptions,
    decided: &Decided,
    at: i64,
    approved: bool,
) -> Result<(), StoreError> {
    if decided.lost == 0 || options.source_id.is_none() {
        return Ok(());
    }
    let owner = options.owner();
    if approved {
        return forget(db, &owner);
    }
    let Some(owner) = OwnerIds::new(db).id_of_owner(&owner)? else {
        return Ok(());
    };
    let owned = i64::try_from(owned_now(db, owner)?).unwrap_or(i64::MAX);
    db.prepare_cached("DELETE FROM owned_until WHERE owner = ?1 AND at <= ?2")?
        .execute(params![owner, at - A_DAY])?;
    let sql = "INSERT INTO owned_until(owner, at, accounts) VALUES(?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET accounts = max(accounts, excluded.accounts)";
    db.prepare_cached(sql)?.execute(params![owner, at, owned])?;
    Ok(())
}

/// Counts what a person took from an owner as what it never had.
pub fn take(db: &Db, owner: &Owner, accounts: u64) -> Result<(), StoreError> {
    let Some(owner) = OwnerIds::new(db).id_of_owner(owner)? else {
        return Ok(());
    };
    let accounts = i64::try_from(accounts).unwrap_or(i64::MAX);
    let sql = "UPDATE owned_until SET accounts = max(0, accounts - ?2) WHERE owner = ?1";
    db.prepare_cached(sql)?.execute(params![owner, accounts])?;
    Ok(())
}

/// Lets the guard begin to count again: a person has decided what this owner has.
pub fn forget(db: &Db, owner: &Owner) -> Result<(), StoreError> {
    if let Some(owner) = OwnerIds::new(db).id_of_owner(owner)? {
        db.prepare_cached("DELETE FROM owned_until WHERE owner = ?1")?
            .execute([owner])?;
    }
    Ok(())
}

/// What an owner has, as the writer counted it: changes under way are not counted yet.
pub(super) fn owned_now(db: &Db, owner: u32) -> Result<u64, StoreError> {
    let mut count = db.prepare_cached("SELECT accounts FROM owner_tally WHERE owner = ?1")?;
    let count: Option<i64> = count.query_row([owner], |row| row.get(0)).optional()?;
    let left = db.left(|left| left.tally.of_owner(owner));
    Ok((count.unwrap_or(0) + left.unwrap_or(0)).unsigned_abs())
}

/// The most that an owner had within a day. What a clock noted that was far ahead is not believed: it would count for years.
fn most_until(db: &Db, owner: u32, now: i64) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(accounts), 0) FROM owned_until WHERE owner = ?1 AND at > ?2 AND at <= ?3";
    let most: i64 = db
        .prepare_cached(sql)?
        .query_row(params![owner, now - A_DAY, now + A_DAY], |row| row.get(0))?;
    Ok(most.unsigned_abs())
}
