//! What exists: the accounts that a decision meets.

use crate::account::Account;
use crate::fingerprint::{Fingerprint, Salt};
use crate::owner::Owner;
use std::collections::BTreeMap;

/// The accounts of a pool, or those of them that an import can touch. Order of insertion does not matter.
pub struct Pool {
    salt: Salt,
    accounts: BTreeMap<Fingerprint, Account>,
}

impl Pool {
    /// An empty pool with this salt.
    pub fn new(salt: Salt) -> Pool {
        Pool {
            salt,
            accounts: BTreeMap::new(),
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
        self.accounts.values()
    }

    /// The accounts that `owner` owns, by fingerprint.
    pub fn owned_by(&self, owner: &Owner) -> impl Iterator<Item = &Account> {
        self.accounts
            .values()
            .filter(|account| account.owners.contains(owner))
    }
}
