//! Decides what was received against the pool as one connection sees it, change by change.

mod ahead;
mod parts;

use std::{io, slice, vec};

use tributary_core::{
    Arrival, Batch, Brought, Change, ChangeKind, Counts, Decider, EntryReader, Fingerprint,
    ImportOptions, Item, Owner, PlanHash, PlanHasher, Reason, Salt,
};

use super::accounts::{Accounts, Key, Met, NewRow, Stored, is_worth_a_sweep};
use super::apply::ApplyError;
use super::error::StoreError;
use super::undo::Kept;
use super::vault::Vault;
use crate::body::Body;
use crate::priority::Steps;
use ahead::{Ahead, Came, Expected, Made, Part};

/// Items of fewer are read by the deciding thread itself.
const ALONE: usize = 1_000;
/// Bytes that are looked through for lines at once.
const LOOKED_THROUGH: u64 = 64 << 10;

/// A batch and the bytes it was read from.
pub struct Received {
    /// The bytes.
    pub body: Body,
    /// What they offer.
    pub batch: Batch,
}

/// What takes changes as they are decided: whoever applies them, or only looks.
pub trait Takes<'c> {
    /// The pool.
    fn accounts(&mut self) -> &mut Accounts<'c>;
    /// The next change; `stored` is the account that it changes, `entry` the fingerprint of the entry that it comes from.
    fn take(
        &mut self,
        change: &Change<'_>,
        stored: Option<&Stored>,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError>;
    /// What seals new accounts, where they come as rows.
    fn vault(&self) -> Option<&Vault> {
        None
    }
    /// An account that is new, as its row; none comes where there is nothing to seal it with.
    fn take_new(&mut self, _row: &NewRow<'_>, _entry: &Fingerprint) -> Result<(), StoreError> {
        Err(StoreError::Internal("a row for nobody".to_owned()))
    }
    /// A change of an undo: `times` are when an import had last changed the account before the undone job, and with it.
    fn take_back(
        &mut self,
        change: &Change<'_>,
        stored: &Stored,
        times: Option<(i64, i64)>,
    ) -> Result<(), StoreError>;
    /// An account that comes back as it was kept.
    fn put_back(&mut self, change: &Change<'_>, kept: &Kept) -> Result<(), StoreError>;
}

/// Whether the plan is hashed while it is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hashed {
    /// It is.
    Always,
    /// Only when accounts depart from their source: no other plan can be blocked.
    WhereAccountsDepart,
    /// It is not.
    Never,
}

/// A plan in short.
pub struct Decided {
    /// How many accounts it concerns.
    pub counts: Counts,
    /// Its hash, where it was wanted.
    pub hash: Option<PlanHash>,
    /// Accounts that the importer owns with it and not before.
    pub gained: u64,
    /// Accounts that the importer owned before and not with it.
    pub lost: u64,
}

/// Decides all of it: first what departs, by fingerprint, then the items in payload order.
pub fn decide<'c>(
    received: &Received,
    options: &ImportOptions,
    salt: &Salt,
    hashed: Hashed,
    takes: &mut impl Takes<'c>,
) -> Result<Decided, ApplyError> {
    let decider = Decider::new(&received.batch, options)?;
    if received.batch.entries().len() != received.batch.items().len() {
        let why = "a batch does not tell what stands for its entries";
        return Err(StoreError::Internal(why.to_owned()).into());
    }
    let accounts = takes.accounts().count()?;
    let mut deciding = Deciding {
        received,
        reader: EntryReader::new(salt),
        scratch: Vec::new(),
        meets: Meets::InTurn,
        takes,
        importer: options.owner(),
        hasher: (hashed != Hashed::Never).then(|| PlanHasher::new(options)),
        decided: Decided {
            counts: Counts::default(),
            hash: None,
            gained: 0,
            lost: 0,
        },
        steps: Steps::default(),
    };
    let departed = deciding.departures(&decider, &received.batch)?;
    if hashed == Hashed::WhereAccountsDepart && !departed {
        deciding.hasher = None;
    }
    deciding.sweep(accounts)?;
    let ahead = Ahead {
        salt,
        decider: &decider,
        vault: deciding.takes.vault().cloned(),
        is_hashed: deciding.hasher.is_some(),
        expected: Expected::of(accounts == 0),
    };
    let arrivals = |part: &mut Part<'_>| deciding.arrivals(&decider, part, &ahead.expected);
    match received.batch.items().len() < ALONE {
        true => ahead.look_at(received, arrivals)?,
        false => ahead.run(received, arrivals)?,
    }
    Ok(Decided {
        hash: deciding.hasher.map(PlanHasher::finish),
        ..deciding.decided
    })
}

impl Received {
    /// Entries that were not taken; blanks are passed over without ado.
    pub fn not_taken(&self) -> usize {
        let skips = self.batch.skips.iter();
        skips.filter(|skip| skip.reason != Reason::Blank).count()
    }

    /// Tells lines of the text, in ascending order of place.
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            body: &self.body,
            offset: 0,
            line: 1,
        }
    }

    /// The bytes in which the entries of these items lie, which follow each other, and where those begin.
    fn all_of<'s>(
        &'s self,
        items: &[Item],
        scratch: &'s mut Vec<u8>,
    ) -> io::Result<(u64, &'s [u8])> {
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return Ok((0, &[]));
        };
        let from = first.span.offset;
        let end = last.span.offset.saturating_add(last.span.len);
        let len = usize::try_from(end.saturating_sub(from)).map_err(io::Error::other)?;
        Ok((from, self.body.slice(from, len, scratch)?))
    }

    /// The text of an item's entry.
    fn raw<'s>(&'s self, item: &Item, scratch: &'s mut Vec<u8>) -> io::Result<&'s [u8]> {
        Ok(self.all_of(slice::from_ref(item), scratch)?.1)
    }
}

/// Counts lines as it goes through a body once.
pub struct Lines<'r> {
    body: &'r Body,
    offset: u64,
    line: u64,
}

impl Lines<'_> {
    /// The line, from 1, in which the byte at `offset` lies; no smaller than that asked for before.
    pub fn of(&mut self, offset: u64) -> io::Result<u64> {
        let mut scratch = Vec::new();
        while self.offset < offset {
            let len = (offset - self.offset).min(LOOKED_THROUGH);
            let len = usize::try_from(len).map_err(io::Error::other)?;
            let part = self.body.slice(self.offset, len, &mut scratch)?;
            self.line += part.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.offset += len as u64;
        }
        Ok(self.line)
    }
}

/// A plan that is being made.
struct Deciding<'t, T> {
    received: &'t Received,
    reader: EntryReader<'t>,
    scratch: Vec<u8>,
    takes: &'t mut T,
    meets: Meets,
    importer: Owner,
    hasher: Option<PlanHasher>,
    decided: Decided,
    steps: Steps,
}

/// How the accounts of items are found.
enum Meets {
    /// No account was there before: none need be looked for.
    Nobody,
    /// Each is looked for in its turn.
    InTurn,
    /// A sweep has told of all: this is of the items to come.
    Swept(vec::IntoIter<Met<()>>),
}

impl<'c, T: Takes<'c>> Deciding<'_, T> {
    /// The accounts that leave the source, by fingerprint; whether there are any.
    fn departures(&mut self, decider: &Decider<'_>, batch: &Batch) -> Result<bool, ApplyError> {
        if !decider.replaces() {
            return Ok(false);
        }
        let mut leaving = self.takes.accounts().owned_by(&self.importer)?;
        leaving.retain(|fingerprint| decider.departs(batch, fingerprint));
        for fingerprint in &leaving {
            self.steps.begin();
            if let Some(stored) = self.takes.accounts().find(fingerprint)? {
                self.take(&decider.depart(&stored.account), Some(&stored), None)?;
            }
        }
        Ok(!leaving.is_empty())
    }

    fn arrivals(
        &mut self,
        decider: &Decider<'_>,
        part: &mut Part<'_>,
        expected: &Expected,
    ) -> Result<(), ApplyError> {
        let (len, mut known, mut new) = (part.came.len(), 0, 0);
        let mut rows = part.rows.iter();
        for Came { item, entry, made } in part.came.drain(..) {
            self.steps.begin();
            let row = match made {
                Made::Row => rows.next(),
                Made::Nothing | Made::Brought(_) => None,
            };
            let stored = match self.meet(item, &entry)? {
                Met::AsItCame => {
                    known += 1;
                    self.decided.counts.add_unchanged();
                    continue;
                }
                Met::Account(key) => Some(self.takes.accounts().read(&item.fingerprint, &key)?),
                Met::Nobody => None,
            };
            new += usize::from(stored.is_none());
            if let (None, Some(row)) = (&stored, row) {
                self.take_new(&row, &entry)?;
                continue;
            }
            let brought = match made {
                Made::Brought(brought) => *brought,
                Made::Nothing | Made::Row => self.bring(item)?,
            };
            let before = stored.as_ref().map(|stored| &stored.account);
            match decider.arrive(item, brought, before) {
                Arrival::Change(change) => self.take(&change, stored.as_ref(), Some(&entry))?,
                Arrival::Unchanged { .. } => self.decided.counts.add_unchanged(),
            }
        }
        expected.note(len, known, new);
        Ok(())
    }

    /// Looks for the accounts of all items at once, where that is sooner in a pool of so many.
    fn sweep(&mut self, accounts: u64) -> Result<(), StoreError> {
        let batch = &self.received.batch;
        let (items, entries) = (batch.items(), batch.entries());
        let pool = self.takes.accounts();
        self.meets = match accounts {
            0 => Meets::Nobody,
            _ if is_worth_a_sweep(items.len(), accounts) => {
                let met = pool.sweep(items, entries, &self.importer)?;
                Meets::Swept(met.into_iter())
            }
            _ => Meets::InTurn,
        };
        Ok(())
    }

    /// Whom the entry of the next item meets.
    fn meet(&mut self, item: &Item, entry: &Fingerprint) -> Result<Met<Key>, StoreError> {
        let pool = self.takes.accounts();
        let met = match &mut self.meets {
            Meets::Nobody => Some(Met::Nobody),
            Meets::InTurn => Some(Met::Account(())),
            Meets::Swept(met) => met.next(),
        };
        match met {
            Some(Met::Nobody) => Ok(Met::Nobody),
            Some(Met::AsItCame) => Ok(Met::AsItCame),
            Some(Met::Account(())) => pool.meet(&item.fingerprint, entry, &self.importer),
            None => Err(StoreError::Internal(
                "an item was not looked for".to_owned(),
            )),
        }
    }

    fn bring(&mut self, item: &Item) -> io::Result<Brought> {
        let raw = self.received.raw(item, &mut self.scratch)?;
        Ok(self.reader.read(raw))
    }

    fn take(
        &mut self,
        change: &Change<'_>,
        stored: Option<&Stored>,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        self.takes.take(change, stored, entry)?;
        self.decided.counts.add(change.kind);
        let owns = |account: &tributary_core::Account| account.owners.contains(&self.importer);
        match (
            change.before.is_some_and(owns),
            change.after.as_ref().is_some_and(owns),
        ) {
            (false, true) => self.decided.gained += 1,
            (true, false) => self.decided.lost += 1,
            _ => {}
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.add(change);
        }
        Ok(())
    }

    fn take_new(&mut self, row: &NewRow<'_>, entry: &Fingerprint) -> Result<(), StoreError> {
        self.takes.take_new(row, entry)?;
        self.decided.counts.add(ChangeKind::Add);
        self.decided.gained += 1;
        if let Some(hasher) = &mut self.hasher {
            let none = || StoreError::Internal("a new account is not in the hash".to_owned());
            hasher.add_told(row.told.ok_or_else(none)?);
        }
        Ok(())
    }
}
