//! What is made of entries without the pool, ahead of whoever has it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use tributary_core::{Arrival, Brought, Decider, EntryReader, Fingerprint, Item, Salt, Span};

use super::Received;
use super::parts::{InTurn, Lot, PARTS_AHEAD, Parts};
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

/// Items that are made together.
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
        while let Some((_, lot)) = parts.next() {
            part = self.make_part(part, lot, received, &mut looking)?;
            take(&mut part)?;
        }
        Ok(())
    }

    /// Makes a part of these items in the memory of another.
    fn make_part<'r>(
        &self,
        mut part: Part<'r>,
        lot: Lot<'r>,
        received: &Received,
        looking: &mut Looking<'_>,
    ) -> Result<Part<'r>, ApplyError> {
        part.came.clear();
        part.rows.clear();
        // What stands for an entry tells that it comes again: then it need not be read.
        let texts = match self.expected.known.load(Ordering::Relaxed) {
            true => None,
            false => Some(received.all_of(lot.items, &mut looking.scratch)?),
        };
        for (item, entry) in lot.items.iter().zip(lot.entries) {
            looking.steps.begin();
            let made = match texts {
                None => Made::Nothing,
                Some(texts) => {
                    let raw = raw_of(item, texts)?;
                    self.make(item, raw, &mut looking.reader, &mut part.rows)?
                }
            };
            part.came.push(Came {
                item,
                entry: *entry,
                made,
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
                while let Some((number, lot)) = parts.next() {
                    let room = emptied.try_recv().unwrap_or_default();
                    let part = self.make_part(room, lot, received, &mut looking);
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
            let make = |lot| self.make_part(Part::default(), lot, received, &mut looking);
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

/// The text of an item's entry, given texts that follow each other and where they begin.
fn raw_of<'t>(item: &Item, (from, texts): (u64, &'t [u8])) -> Result<&'t [u8], StoreError> {
    let Span { offset, len } = item.span;
    let offset = offset.saturating_sub(from);
    match (Span { offset, len }).of(texts) {
        [] => Err(StoreError::Internal(
            "an entry does not lie among its neighbours".to_owned(),
        )),
        raw => Ok(raw),
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
