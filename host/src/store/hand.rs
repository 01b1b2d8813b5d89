//! Accounts that a person edits or removes, one by one, in the writer's transaction.

use std::collections::{BTreeMap, BTreeSet};

use tributary_core::{Edit, Fingerprint, Salt, SourceId, remove as removal};

use super::change::Changes;
use super::db::Db;
use super::error::StoreError;
use crate::job::Trace;

/// Carries an edit out: what it takes to undo it, if it changed anything; `None` when its account is not there.
pub fn edit(db: &Db, edit: &Edit, salt: &Salt) -> Result<Option<Option<Trace>>, StoreError> {
    let mut changes = Changes::begin(db, None)?;
    let Some(stored) = changes.accounts.find(&edit.account)? else {
        return Ok(None);
    };
    if let Some(change) = edit.change(&stored.account, salt) {
        changes.carry_out(&change, Some(&stored), None)?;
    }
    changes.finish().map(Some)
}

/// What a removal did.
#[derive(Default)]
pub struct Removed {
    /// Accounts that left the pool.
    pub removed: u64,
    /// Those that were not there.
    pub unknown: BTreeSet<Fingerprint>,
    /// How many of the removed ones each source owned.
    pub owned: BTreeMap<SourceId, u64>,
    /// What it takes to undo it; `None` when nothing was removed.
    pub trace: Option<Trace>,
}

/// Removes accounts, whoever owns them.
pub fn remove(db: &Db, accounts: BTreeSet<Fingerprint>) -> Result<Removed, StoreError> {
    let mut changes = Changes::begin(db, None)?;
    let mut removed = Removed::default();
    for fingerprint in accounts {
        let Some(stored) = changes.accounts.find(&fingerprint)? else {
            removed.unknown.insert(fingerprint);
            continue;
        };
        changes.carry_out(&removal(&stored.account), Some(&stored), None)?;
        removed.removed += 1;
        for source in stored.account.owners.sources() {
            *removed.owned.entry(source.clone()).or_default() += 1;
        }
    }
    removed.trace = changes.finish()?;
    Ok(removed)
}
