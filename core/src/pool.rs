//! What exists: the accounts that a decision meets.

use crate::account::Account;
use crate::fingerprint::{Fingerprint, Salt};
use crate::owner::Owner;
use crate::places::{Places, place};

/// The accounts of a pool, or those of them that an import can touch. Order of insertion does not matter.
pub struct Pool {
    salt: Salt,
    held: Vec<Held>,
    places: Places,
    /// How many entries are known.
    entries: usize,
    /// What makes of an entry what stands for it, as soon as one is known: a program that tells none has no code for it.
    of_entry: Option<OfEntry>,
}

/// See [`Salt::of_entry`].
type OfEntry = fn(&Salt, &[u8]) -> Fingerprint;

/// An account of a pool.
pub(crate) struct Held {
    pub(crate) account: Account,
    /// The entry that has brought or updated it, where that is known.
    pub(crate) entry: Option<Fingerprint>,
}

impl Pool {
    /// An empty pool with this salt.
    pub fn new(salt: Salt) -> Pool {
        Pool {
            salt,
            held: Vec::new(),
            places: Places::default(),
            entries: 0,
            of_entry: None,
        }
    }

    /// The salt of its fingerprints.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether it has no account.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Puts an account in, in place of one with the same fingerprint.
    pub fn put(&mut self, account: Account) {
        self.hold(Held {
            account,
            entry: None,
        });
    }

    /// The same for an account just as an entry has brought or updated it, given what [stands for](Salt::of_entry) the entry:
    /// when that comes again it need not be compared to say that the account stays. Plans are made sooner where this is known
    /// of most accounts.
    pub fn put_brought(&mut self, account: Account, entry: Fingerprint) {
        self.of_entry = Some(Salt::of_entry);
        self.hold(Held {
            account,
            entry: Some(entry),
        });
    }

    fn hold(&mut self, held: Held) {
        let fingerprint = held.account.fingerprint;
        self.entries = self.entries.saturating_add(entries_of(&held));
        let new = place(self.held.len());
        let places = &mut self.places;
        let there = *places.find_or_put(&fingerprint, new, &fingerprints(&self.held));
        match self.held.get_mut(there as usize) {
            Some(there) => {
                let before = std::mem::replace(there, held);
                self.entries = self.entries.saturating_sub(entries_of(&before));
            }
            None => self.held.push(held),
        }
    }

    /// Takes an account out.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Account> {
        let at = self.places.take(fingerprint, &fingerprints(&self.held))?;
        if let Some(last) = self.held.last().map(|held| held.account.fingerprint)
            && last != *fingerprint
        {
            // It comes to stand where the other one was.
            let places = &mut self.places;
            *places.find_or_put(&last, at, &fingerprints(&self.held)) = at;
        }
        // INVARIANT: a place is that of an account.
        let gone = self.held.swap_remove(at as usize);
        self.entries = self.entries.saturating_sub(entries_of(&gone));
        Some(gone.account)
    }

    /// The account with this fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Account> {
        self.held(fingerprint).map(|held| &held.account)
    }

    /// The same, with what is known of its entry.
    pub(crate) fn held(&self, fingerprint: &Fingerprint) -> Option<&Held> {
        self.held_near(fingerprint, 0).map(|(_, held)| held)
    }

    /// The same with its place, given where that is likely.
    pub(crate) fn held_near(&self, fingerprint: &Fingerprint, likely: u32) -> Option<(u32, &Held)> {
        let of = &fingerprints(&self.held);
        let place = self.places.find(fingerprint, likely, of)?;
        Some((place, self.held.get(place as usize)?))
    }

    /// Whether the entries of most accounts are known.
    pub(crate) fn knows_most_entries(&self) -> bool {
        self.entries > self.held.len().saturating_sub(self.entries)
    }

    /// Whether this entry has brought or updated an account, and nothing has changed it since, as far as is known.
    pub(crate) fn knows(&self, held: &Held, entry: &[u8]) -> bool {
        let of_entry = self.of_entry.zip(held.entry);
        of_entry.is_some_and(|(of, known)| of(&self.salt, entry) == known)
    }

    /// All accounts, by fingerprint.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        in_order(self.held.iter().map(|held| &held.account))
    }

    /// The accounts that `owner` owns, by fingerprint.
    pub fn owned_by(&self, owner: &Owner) -> impl Iterator<Item = &Account> {
        let all = self.held.iter().map(|held| &held.account);
        in_order(all.filter(|account| account.owners.contains(owner)))
    }
}

/// Those of the accounts in each place.
fn fingerprints(held: &[Held]) -> impl Fn(u32) -> Option<Fingerprint> {
    |place| Some(held.get(place as usize)?.account.fingerprint)
}

/// How many entries are known of it.
fn entries_of(held: &Held) -> usize {
    usize::from(held.entry.is_some())
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
    use crate::change::Change;
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
    #[test]
    fn entries_are_counted_as_accounts_come_go_and_are_put_in_anew() {
        let mut pool = Pool::new(Salt::new([7; 32]));
        let empty = Pool::new(pool.salt().clone());
        let by = ImportOptions::default();
        let plan = crate::plan_import(br#"["a-1", "a-2", "a-3"]"#, &by, &empty).unwrap();
        let brought = |change: Change<'_>| Some((change.after?, plan.entry(&change.item?)));
        let all: Vec<_> = plan.changes().filter_map(brought).collect();
        for (account, entry) in &all {
            pool.put_brought(account.clone(), *entry);
            pool.put_brought(account.clone(), *entry);
        }
        assert_eq!((pool.entries, pool.knows_most_entries()), (3, true));
        pool.put(all[0].0.clone());
        assert_eq!((pool.entries, pool.knows_most_entries()), (2, true));
        pool.remove(&all[1].0.fingerprint);
        assert_eq!((pool.entries, pool.knows_most_entries()), (1, false));
        pool.remove(&all[0].0.fingerprint);
        assert_eq!((pool.entries, pool.knows_most_entries()), (1, true));
    }
}
