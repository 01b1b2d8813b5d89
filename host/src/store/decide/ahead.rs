//! What is made of entries without the pool, ahead of whoever has it.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use tributary_core::{Arrival, Brought, Decider, EntryReader, Fingerprint, Item, Salt};

use super::Received;
use crate::store::accounts::NewRows;
use crate::store::apply::ApplyError;
use crate::store::change::seal;
use crate::store::error::StoreError;
use crate::store::vault::Vault;

/// Items read together: at most so many, and no further one when their entries have so many bytes.
const PART: usize = 256;
const PART_BYTES: u64 = 1 << 20;
/// Parts read ahead.
const PARTS_AHEAD: usize = 4;

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

fn parts_of(mut items: &[Item]) -> impl Iterator<Item = &[Item]> {
    iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |item: &&Item| {
            let fits = bytes < PART_BYTES;
            bytes += item.span.len;
            fits
        };
        let len = items.iter().take(PART).take_while(fits).count();
        let (part, rest) = items.split_at(len);
        items = rest;
        (!part.is_empty()).then_some(part)
    })
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
    pub(super) expected: Expected,
}

impl Ahead<'_> {
    /// Makes of the entries what can be made, part by part, and has each part taken.
    pub(super) fn look_at<'r>(
        &self,
        received: &'r Received,
        mut take: impl FnMut(&mut Part<'r>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let (mut looking, mut part) = (Looking::new(self.salt), Part::default());
        parts_of(&received.batch.items).try_for_each(|items| {
            self.fill(&mut part, items, received, &mut looking)?;
            take(&mut part)
        })
    }

    /// Makes a part of items.
    fn fill<'r>(
        &self,
        part: &mut Part<'r>,
        items: &'r [Item],
        received: &Received,
        looking: &mut Looking<'_>,
    ) -> Result<(), ApplyError> {
        part.came.clear();
        part.rows.clear();
        for item in items {
            let raw = received.raw(item, &mut looking.scratch)?;
            part.came.push(Came {
                item,
                entry: self.salt.of_entry(raw),
                made: self.make(item, raw, &mut looking.reader, &mut part.rows)?,
            });
        }
        Ok(())
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
            Arrival::Change(change) => seal(&change, vault, rows).map(|_| Made::Row),
            Arrival::Unchanged { .. } => Ok(Made::Nothing),
        }
    }

    /// The same on another thread while `take` works on the part before.
    pub(super) fn run<'r>(
        &self,
        received: &'r Received,
        mut take: impl FnMut(&mut Part<'r>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        thread::scope(|scope| {
            let (send, receive) = sync_channel(PARTS_AHEAD);
            // A part that was taken is filled again: its memory is already there.
            let (send_back, taken) = sync_channel(PARTS_AHEAD);
            let look = move || {
                let mut looking = Looking::new(self.salt);
                for items in parts_of(&received.batch.items) {
                    let mut part = taken.try_recv().unwrap_or_default();
                    let filled = self.fill(&mut part, items, received, &mut looking);
                    // When nobody takes any more, the import has failed.
                    if send.send(filled.map(|()| part)).is_err() {
                        return;
                    }
                }
            };
            let named = thread::Builder::new().name("ahead".to_owned());
            let spawned = named.spawn_scoped(scope, look).map_err(|error| {
                StoreError::Unavailable(format!("there is no thread to read ahead: {error}"))
            });
            spawned?;
            receive.into_iter().try_for_each(|part| {
                let mut part = part?;
                take(&mut part)?;
                send_back.try_send(part).ok();
                Ok(())
            })
        })
    }
}

/// What it takes to look at entries.
struct Looking<'s> {
    reader: EntryReader<'s>,
    scratch: Vec<u8>,
}

impl<'s> Looking<'s> {
    fn new(salt: &'s Salt) -> Looking<'s> {
        Looking {
            reader: EntryReader::new(salt),
            scratch: Vec::new(),
        }
    }
}
