//! What exists: the accounts that a decision meets.

use crate::account::Account;
use crate::fingerprint::{Fingerprint, FingerprintHasher, Salt};
use crate::owner::Owner;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// The accounts of a pool, or those of them that an import can touch. Order of insertion does not matter.
pub struct Pool {
    salt: Salt,
    accounts: HashMap<Fingerprint, Account, BuildHasherDefault<FingerprintHasher>>,
}

impl Pool {
    /// An empty pool with this salt.
    pub fn new(salt: Salt) -> Pool {
        Pool {
            salt,
            accounts: HashMap::default(),
        }
    }

    /// The salt of its fingerprints.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Puts an account in, in place of one with the same fingerprint.
    pub fn put(&mut self, account: Account) {
        self.accounts.insert(account.fingerprint, account);
    }

    /// Takes an account out.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Account> {
        self.accounts.remove(fingerprint)
    }

    /// The account with this fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Account> {
        self.accounts.get(fingerprint)
    }

    /// All accounts, by fingerprint.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        in_order(self.accounts.values())
    }

    /// The accounts that `owner` owns, by fingerprint.
    pub fn owned_by(&self, owner: &Owner) -> impl Iterator<Item = &Account> {
        let all = self.accounts.values();
        in_order(all.filter(|account| account.owners.contains(owner)))
    }
}

/// By fingerprint: nothing that is told depends on how the map holds them.
fn in_order<'a>(accounts: impl Iterator<Item = &'a Account>) -> std::vec::IntoIter<&'a Account> {
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort_unstable_by_key(|account| account.fingerprint);
    accounts.into_iter()
}
