//! The pool in numbers, kept by the transactions that change it: nothing that only asks has to count.

use std::collections::BTreeMap;

use rusqlite::params;
use tributary_core::{Account, Provider, Typed, string_of};

use super::provider_id;
use crate::store::db::Db;
use crate::store::error::StoreError;

/// How a transaction changes the numbers of the pool.
#[derive(Default)]
pub struct Tally {
    /// Accounts in all.
    pub accounts: i64,
    /// By provider and status (as JSON text).
    kinds: BTreeMap<(i64, String), i64>,
    /// Of one provider and status, as most neighbours are; not yet in `kinds`.
    run: (i64, String, i64),
    owners: BTreeMap<u32, i64>,
}

impl Tally {
    /// An account that comes (1) or goes (-1).
    pub fn count_account(&mut self, account: &Account, by: i64) {
        let status = account.document.typed(Typed::Status).unwrap_or_default();
        self.count(account.provider, status, by);
    }

    /// The same by its provider and status (as JSON text).
    pub fn count(&mut self, provider: Provider, status: &str, by: i64) {
        let provider = provider_id(provider);
        if self.run.0 != provider || self.run.1 != status {
            self.end_run();
            self.run = (provider, status.to_owned(), 0);
        }
        self.run.2 += by;
        self.accounts += by;
    }

    /// Accounts that an owner gains, or loses when `by` is negative.
    pub fn count_owned(&mut self, owner: u32, by: i64) {
        *self.owners.entry(owner).or_default() += by;
    }

    fn end_run(&mut self) {
        let (provider, status, by) = std::mem::take(&mut self.run);
        if by != 0 {
            *self.kinds.entry((provider, status)).or_default() += by;
        }
    }

    /// By how much what an owner has changes.
    pub fn of_owner(&self, owner: u32) -> i64 {
        self.owners.get(&owner).copied().unwrap_or_default()
    }

    /// Adds these changes to others.
    fn add_to(&mut self, other: &mut Tally) {
        for (kind, by) in std::mem::take(&mut self.kinds) {
            *other.kinds.entry(kind).or_default() += by;
        }
        for (owner, by) in std::mem::take(&mut self.owners) {
            other.count_owned(owner, by);
        }
    }

    /// Writes the numbers, in the transaction that changed the accounts; those of the whole pool are for `meta::advance`.
    pub fn write(&mut self, db: &Db) -> Result<(), StoreError> {
        self.end_run();
        if db.left(|left| self.add_to(&mut left.tally)).is_some() {
            return Ok(());
        }
        let mut add = db.prepare_cached(
            "INSERT INTO number(kind, of, name, value) VALUES(?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET value = value + excluded.value",
        )?;
        // Whoever renames statuses for ever leaves no row behind for each.
        let none =
            "DELETE FROM number WHERE kind = 'status' AND of = ?1 AND name = ?2 AND value = 0";
        for ((provider, status), by) in std::mem::take(&mut self.kinds) {
            let status = string_of(&status);
            if by != 0 {
                add.execute(params!["status", provider, status, by])?;
            }
            if by < 0 {
                db.prepare_cached(none)?
                    .execute(params![provider, status])?;
            }
        }
        for (owner, by) in std::mem::take(&mut self.owners) {
            if by != 0 {
                add.execute(params!["owner", owner, "", by])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::database;

    #[test]
    fn a_status_that_no_account_has_any_more_is_not_kept() {
        let (_dir, db) = database();
        for (counted, left) in [
            (&[("\"a\"", 2), ("\"b\"", 1)][..], 2),
            (&[("\"a\"", -1), ("\"b\"", -1), ("\"c\"", 1)], 2),
            (&[("\"a\"", -1), ("\"c\"", -1), ("\"b\"", 0)], 0),
        ] {
            let mut tally = Tally::default();
            for (status, by) in counted {
                tally.count(Provider::Gpt, status, *by);
            }
            tally.write(&db).unwrap();
            let rows = "SELECT count(*) FROM tally";
            let rows: i64 = db.query_row(rows, [], |row| row.get(0)).unwrap();
            assert_eq!(rows, left, "{counted:?}");
        }
    }
}
