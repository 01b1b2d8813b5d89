//! Tells whom many entries meet in one sweep through the index: to step from key to key takes a fraction of what it takes to
//! look each up.

use tributary_core::{Fingerprint, Item, Owner};

use super::owners::has_owner;
use super::{Accounts, Met};
use crate::priority::Steps;
use crate::store::error::StoreError;

/// Fewer accounts are looked up sooner than a sweep begins.
const LEAST: usize = 1_000;
/// A sweep takes as long as looking up one key for each of so many accounts.
const ACCOUNTS_A_LOOK: u64 = 4;

/// Whether a sweep is sooner for so many items in a pool of so many accounts.
pub fn is_worth_a_sweep(items: usize, accounts: u64) -> bool {
    items >= LEAST && items as u64 * ACCOUNTS_A_LOOK >= accounts
}

impl Accounts<'_> {
    /// Whom the entries of items of `owner` meet, in their order, given what stands for each; who may change is yet to be looked up. It
    /// holds for an item until its account is written.
    pub fn sweep(
        &mut self,
        items: &[Item],
        entries: &[Fingerprint],
        owner: &Owner,
    ) -> Result<Vec<Met<()>>, StoreError> {
        let owner = self.owners.id_of_owner(owner)?;
        let (order, mut met) = (in_order(items), vec![Met::Nobody; items.len()]);
        // The small table comes later, since what it says counts.
        for sql in [
            "SELECT account IS NULL, owners, entry, fingerprint FROM settled_key ORDER BY fingerprint",
            "SELECT account IS NULL, owners, entry, fingerprint FROM fresh_key ORDER BY fingerprint",
        ] {
            let (mut sought, mut steps) = (order.iter().peekable(), Steps::default());
            let mut rows = self.db.prepare_cached(sql)?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                steps.begin();
                let there = u128::from_be_bytes(row.get(3)?);
                while sought.next_if(|(sought, _)| *sought < there).is_some() {}
                let Some((_, place)) = sought.next_if(|(sought, _)| *sought == there) else {
                    continue;
                };
                let (is_gone, owners) = (row.get(0)?, row.get_ref(1)?.as_blob());
                let entry = row.get_ref(2)?.as_blob().ok();
                let comes = entries.get(*place).map(|entry| &entry.as_bytes()[..]);
                let known = entry == comes && has_owner(owners.unwrap_or_default(), owner);
                if let Some(met) = met.get_mut(*place) {
                    *met = match known {
                        _ if is_gone => Met::Nobody,
                        true => Met::AsItCame,
                        false => Met::Account(()),
                    };
                }
            }
        }
        Ok(met)
    }
}

/// The fingerprints of items as numbers that ascend as they do, and the place of each.
fn in_order(items: &[Item]) -> Vec<(u128, usize)> {
    let number = |item: &Item| u128::from_be_bytes(*item.fingerprint.as_bytes());
    let mut order: Vec<_> = items.iter().map(number).zip(0..).collect();
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests;
