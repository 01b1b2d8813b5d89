//! What is made of entries without the pool, ahead of whoever has it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use tributary_core::{Arrival, Brought, Decider, EntryReader, Fingerprint, Item, Salt, Span};

use super::Received;
use super::parts::{InTurn, PARTS_AHEAD, Parts};
use crate::priority::{self, Steps};
use crate::store::accounts::NewRows;
use crate::store::apply::ApplyError;
use crate::store::change::seal;
use crate::store::error::StoreError;
use crate::store::vault::Vault;

/// An item as it came.
pub(super) struct Came<'r> {
    pub(super) item: &'r Item,
    /// What stands for its entry.
    pub(super) entry: Fingerprint,
    /// What was made of the entry already.
    pub(super) made: Made,
}

/// What is made of an entry before its account is looked for.
pub(super) enum Made {
    /// Nothing: the account is expected to be as this entry left it.
    Nothing,
    /// What it brings.
    Brought(Box<Brought>),
    /// The next row of its part, for where there is no such account.
    Row,
}

/// Items that are read together.
#[derive(Default)]
pub(super) struct Part<'r> {
    pub(super) came: Vec<Came<'r>>,
    pub(super) rows: NewRows,
}

/// What most entries were so far, and those that follow are expected to be.
pub(super) struct Expected {
    /// As they had come before.
    known: AtomicBool,
    /// Of no account that the pool has, all but a few.
    new: AtomicBool,
}

impl Expected {
    pub(super) fn of(empty: bool) -> Expected {
        Expected {
            known: AtomicBool::new(!empty),
            new: AtomicBool::new(empty),
        }
    }

    /// A part of `len` items, of which so many were known and new, tells of the next.
    pub(super) fn note(&self, len: usize, known: usize, new: usize) {
        self.known.store(known > len / 2, Ordering::Relaxed);
        // Of others a row is in vain, and the entry is to be read again.
        self.new.store(new >= len - len / 8, Ordering::Relaxed);
    }
}

/// Makes of entries what can be made without the pool, ahead of whoever has it.
pub(super) struct Ahead<'a> {
    pub(super) salt: &'a Salt,
    pub(super) decider: &'a Decider<'a>,
    pub(super) vault: Option<Vault>,
    /// Whether the plan is hashed.
    pub(super) is_hashed: bool,
    pub(super) expected: Expected,
}

impl Ahead<'_> {
    /// Makes of the entries what can be made, part by part, and has each part taken.
    pub(super) fn look_at<'r>(
        &self,
        received: &'r Received,
        mut take: impl FnMut(&mut Part<'r>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let (parts, mut looking) = (Parts::of(received), Looking::new(self.salt));
        let mut part = Part::default();
        while let Some((_, items)) = parts.next() {
            part = self.make_part(part, items, received, &mut looking)?;
            take(&mut part)?;
        }
        Ok(())
    }

    /// Makes a part of these items in the memory of another.
    fn make_part<'r>(
        &self,
        mut part: Part<'r>,
        items: &'r [Item],
        received: &Received,
        looking: &mut Looking<'_>,
    ) -> Result<Part<'r>, ApplyError> {
        part.came.clear();
        part.rows.clear();
        let (from, text) = received.all_of(items, &mut looking.scratch)?;
        for item in items {
            looking.steps.begin();
            let Span { offset, len } = item.span;
            let offset = offset.saturating_sub(from);
            let raw = Span { offset, len }.of(text);
            if raw.is_empty() {
                let why = "an entry does not lie among its neighbours";
                return Err(StoreError::Internal(why.to_owned()).into());
            }
            part.came.push(Came {
                item,
                entry: self.salt.of_entry(raw),
                made: self.make(item, raw, &mut looking.reader, &mut part.rows)?,
            });
        }
        Ok(part)
    }

    fn make(
        &self,
        item: &Item,
        raw: &[u8],
        reader: &mut EntryReader<'_>,
        rows: &mut NewRows,
    ) -> Result<Made, StoreError> {
        if self.expected.known.load(Ordering::Relaxed) {
            return Ok(Made::Nothing);
        }
        let brought = reader.read(raw);
        let vault = self.vault.as_ref();
        let Some(vault) = vault.filter(|_| self.expected.new.load(Ordering::Relaxed)) else {
            return Ok(Made::Brought(Box::new(brought)));
        };
        match self.decider.arrive(item, brought, None) {
            Arrival::Change(change) => {
                seal(&change, vault, rows)?;
                if self.is_hashed {
                    rows.tell(&change);
                }
                Ok(Made::Row)
            }
            Arrival::Unchanged { .. } => Ok(Made::Nothing),
        }
    }

    /// The same on another thread while `take` works on the part before. Where that would have to wait for a part, it makes
    /// one that nobody makes yet.
    pub(super) fn run<'r>(
        &self,
        received: &'r Received,
        mut take: impl FnMut(&mut Part<'r>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let parts = &Parts::of(received);
        thread::scope(|scope| {
            let (send, come) = sync_channel(PARTS_AHEAD);
            // A part that was taken is filled again: its memory is already there.
            let (give_back, emptied) = sync_channel(PARTS_AHEAD);
            let look = move || {
                priority::lower();
                let mut looking = Looking::new(self.salt);
                while let Some((number, items)) = parts.next() {
                    let room = emptied.try_recv().unwrap_or_default();
                    let part = self.make_part(room, items, received, &mut looking);
                    // When nobody takes any more, the import has failed.
                    if send.send((number, part)).is_err() {
                        return;
                    }
                }
            };
            let named = thread::Builder::new().name("ahead".to_owned());
            let spawned = named.spawn_scoped(scope, look).map_err(|error| {
                StoreError::Unavailable(format!("there is no thread to read ahead: {error}"))
            });
            spawned?;
            let mut looking = Looking::new(self.salt);
            let make = |items| self.make_part(Part::default(), items, received, &mut looking);
            InTurn::new(parts, come, make).try_for_each(|part| {
                let mut part = part?;
                take(&mut part)?;
                give_back.try_send(part).ok();
                Ok::<_, ApplyError>(())
            })?;
            match parts.next() {
                None => Ok(()),
                Some(_) => Err(StoreError::Internal("entries were left out".to_owned()).into()),
            }
        })
    }
}

/// What it takes to look at entries.
struct Looking<'s> {
    reader: EntryReader<'s>,
    scratch: Vec<u8>,
    steps: Steps,
}

impl<'s> Looking<'s> {
    fn new(salt: &'s Salt) -> Looking<'s> {
        Looking {
            reader: EntryReader::new(salt),
            scratch: Vec::new(),
            steps: Steps::default(),
        }
    }
}
