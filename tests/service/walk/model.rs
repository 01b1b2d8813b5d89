//! The pool as the walk thinks it is: who owns what, and what was set last.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// `local`, or `source:` and an id.
    pub(super) owners: BTreeSet<String>,
    pub(super) provider: String,
    pub(super) status: String,
    pub(super) quota: u64,
}

/// An entry of a payload.
pub(super) struct Entry {
    pub(super) token: String,
    pub(super) provider: Option<&'static str>,
    pub(super) status: Option<&'static str>,
}

/// A stored source, there or deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Stored,
    /// Deleted after it had owned accounts; without that nothing remembers it.
    Deleted,
}

/// All of it. Tokens stand for accounts.
#[derive(Default)]
pub(super) struct Model {
    /// In the order of insertion.
    pub(super) order: Vec<String>,
    pub(super) accounts: BTreeMap<String, Known>,
    /// Sources by `source:` and id, in the order in which they were made.
    sources: Vec<(String, Source)>,
    /// Sources and labels that imported, in the order of their first import.
    importers: Vec<String>,
}

impl Model {
    /// An import by `owner`; how many accounts it added and how many left the pool.
    pub(super) fn import(&mut self, owner: &str, entries: &[Entry], replaces: bool) -> (u64, u64) {
        let mut removed = 0;
        if replaces {
            let stays: BTreeSet<_> = entries.iter().map(|entry| &entry.token).collect();
            for token in self.owned_by(owner) {
                if !stays.contains(&token) {
                    removed += u64::from(self.leave(&token, owner));
                }
            }
        }
        if owner != "local" && !self.importers.iter().any(|known| known == owner) {
            self.importers.push(owner.to_owned());
        }
        let before = self.accounts.len() as u64 + removed;
        entries.iter().for_each(|entry| self.take(owner, entry));
        (self.accounts.len() as u64 + removed - before, removed)
    }

    fn take(&mut self, owner: &str, entry: &Entry) {
        let order = &mut self.order;
        let known = self.accounts.entry(entry.token.clone());
        let known = known.or_insert_with(|| {
            order.push(entry.token.clone());
            Known {
                owners: BTreeSet::new(),
                provider: "gpt".to_owned(),
                status: "正常".to_owned(),
                quota: 0,
            }
        });
        known.owners.insert(owner.to_owned());
        if let Some(provider) = entry.provider {
            known.provider = provider.to_owned();
        }
        if let Some(status) = entry.status {
            known.status = status.to_owned();
        }
    }

    pub(super) fn owned_by(&self, owner: &str) -> Vec<String> {
        let owned = self
            .accounts
            .iter()
            .filter(|(_, known)| known.owners.contains(owner));
        owned.map(|(token, _)| token.clone()).collect()
    }

    /// An account loses an owner; whether it left the pool, because nobody else owns it.
    fn leave(&mut self, token: &str, owner: &str) -> bool {
        let owners = &mut self.accounts.get_mut(token).expect("it is there").owners;
        owners.remove(owner);
        owners.is_empty() && self.remove(token)
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, token: &str) -> bool {
        self.order.retain(|other| other != token);
        self.accounts.remove(token).is_some()
    }

    /// An owner is dropped: how many accounts others own, how many are Local's then, and how many left.
    pub(super) fn release(&mut self, owner: &str, removes: bool) -> (u64, u64, u64) {
        let (mut released, mut kept, mut removed) = (0, 0, 0);
        for token in self.owned_by(owner) {
            let owners = &mut self.accounts.get_mut(&token).expect("it is there").owners;
            if owners.len() > 1 {
                owners.remove(owner);
                released += 1;
            } else if removes {
                self.remove(&token);
                removed += 1;
            } else {
                *owners = BTreeSet::from(["local".to_owned()]);
                kept += 1;
            }
        }
        (released, kept, removed)
    }

    pub(super) fn add_source(&mut self, owner: String) {
        self.sources.push((owner, Source::Stored));
    }

    pub(super) fn delete_source(&mut self, owner: &str) {
        let remembered = self.importers.iter().any(|known| known == owner);
        self.sources
            .retain(|(known, _)| remembered || known != owner);
        let sources = self.sources.iter_mut();
        sources
            .filter(|(known, _)| known == owner)
            .for_each(|(_, source)| *source = Source::Deleted);
    }

    /// The sources that are stored.
    pub(super) fn stored(&self) -> Vec<String> {
        let stored = self
            .sources
            .iter()
            .filter(|(_, source)| *source == Source::Stored);
        stored.map(|(owner, _)| owner.clone()).collect()
    }

    /// Owners as a list of them shows them: owner, kind and accounts.
    pub(super) fn owners(&self) -> Vec<(String, &'static str, u64)> {
        let row = |owner: &String, kind| (owner.clone(), kind, self.owned_by(owner).len() as u64);
        let is = |owner: &String, wanted| {
            self.sources
                .iter()
                .any(|(known, source)| known == owner && *source == wanted)
        };
        let of = |kind, wanted: &dyn Fn(&String) -> bool| {
            let importers = self.importers.iter().filter(|owner| wanted(owner));
            let rows = importers.map(move |owner| row(owner, kind));
            rows.filter(|(_, _, accounts)| *accounts > 0)
                .collect::<Vec<_>>()
        };
        let mut owners = vec![row(&"local".to_owned(), "local")];
        owners.extend(self.stored().iter().map(|owner| row(owner, "source")));
        owners.extend(of("deleted_source", &|owner| is(owner, Source::Deleted)));
        owners.extend(of("inject_label", &|owner| {
            !is(owner, Source::Deleted) && !is(owner, Source::Stored)
        }));
        owners
    }
}
