//! What exists: the accounts that a decision meets.

use crate::account::Account;
use crate::fingerprint::{Fingerprint, Salt};
use crate::owner::Owner;
use crate::places::{Place, Places};

/// The accounts of a pool, or those of them that an import can touch. Order of insertion does not matter.
pub struct Pool {
    salt: Salt,
    accounts: Vec<Account>,
    places: Places,
}

impl Pool {
    /// An empty pool with this salt.
    pub fn new(salt: Salt) -> Pool {
        Pool {
            salt,
            accounts: Vec::new(),
            places: Places::default(),
        }
    }

    /// The salt of its fingerprints.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether it has no account.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Puts an account in, in place of one with the same fingerprint.
    pub fn put(&mut self, account: Account) {
        let known = self.index(&account.fingerprint);
        match known.and_then(|known| self.accounts.get_mut(known)) {
            Some(known) => *known = account,
            None => {
                let place = Place::at(self.accounts.len());
                self.places.insert(account.fingerprint, place);
                self.accounts.push(account);
            }
        }
    }

    /// Takes an account out.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Account> {
        // INVARIANT: a place is that of an account.
        let index = self.places.remove(fingerprint)??.index();
        let account = self.accounts.swap_remove(index);
        if let Some(moved) = self.accounts.get(index) {
            self.places.insert(moved.fingerprint, Place::at(index));
        }
        Some(account)
    }

    /// The account with this fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Account> {
        self.accounts.get(self.index(fingerprint)?)
    }

    fn index(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.places.get(fingerprint)?.map(Place::index)
    }

    /// All accounts, by fingerprint.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        in_order(self.accounts.iter())
    }

    /// The accounts that `owner` owns, by fingerprint.
    pub fn owned_by(&self, owner: &Owner) -> impl Iterator<Item = &Account> {
        let all = self.accounts.iter();
        in_order(all.filter(|account| account.owners.contains(owner)))
    }
}

/// By fingerprint: nothing that is told depends on how the map holds them.
fn in_order<'a>(accounts: impl Iterator<Item = &'a Account>) -> std::vec::IntoIter<&'a Account> {
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort_unstable_by_key(|account| account.fingerprint);
    accounts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ImportOptions;

    #[test]
    fn those_that_stay_are_found_when_one_is_taken_out() {
        let tokens = br#"["a-1", "a-2", "a-3"]"#;
        let mut pool = Pool::new(Salt::new([7; 32]));
        let empty = Pool::new(pool.salt().clone());
        let plan = crate::plan_import(tokens, &ImportOptions::default(), &empty).unwrap();
        let accounts: Vec<_> = plan.changes().filter_map(|change| change.after).collect();
        accounts
            .iter()
            .for_each(|account| pool.put(account.clone()));
        let [first, second, third] = &accounts[..] else {
            panic!("{} accounts", accounts.len());
        };
        assert_eq!(pool.remove(&first.fingerprint).as_ref(), Some(first));
        assert_eq!(pool.remove(&first.fingerprint), None);
        let renamed = Account {
            masked: "b".to_owned(),
            ..third.clone()
        };
        pool.put(renamed.clone());
        assert_eq!(pool.get(&first.fingerprint), None);
        assert_eq!(pool.get(&second.fingerprint), Some(second));
        assert_eq!(pool.get(&third.fingerprint), Some(&renamed));
        assert_eq!(pool.accounts().count(), 2);
    }
}
