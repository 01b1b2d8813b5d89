//! Carries a plan out while it is made: reading the pool, deciding and writing, in the writer's transaction.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread;

use rusqlite::{Connection, OptionalExtension, params};
use tributary_core::{
    Arrival, Batch, Brought, Change, Counts, Decider, EntryReader, ImportError, ImportOptions,
    Item, Owner, Reason, Salt, SourceId,
};

use super::accounts::Stored;
use super::change::{Changes, Importer};
use super::error::StoreError;
use crate::body::Body;

/// Items of fewer are read by the writer itself.
const ALONE: usize = 1_000;
/// Items read together, and parts read ahead of the writer.
const PART: usize = 256;
const PARTS_AHEAD: usize = 4;

/// A batch and the bytes it was read from.
pub struct Received {
    /// The bytes.
    pub body: Body,
    /// What they offer.
    pub batch: Batch,
}

/// Why an import was not applied. Nothing of it was written.
#[derive(Debug)]
pub enum ApplyError {
    /// The core refuses it.
    Refused(ImportError),
    /// The store, or the spooled body, cannot be used.
    Store(StoreError),
}

impl From<ImportError> for ApplyError {
    fn from(error: ImportError) -> ApplyError {
        ApplyError::Refused(error)
    }
}

impl From<StoreError> for ApplyError {
    fn from(error: StoreError) -> ApplyError {
        ApplyError::Store(error)
    }
}

impl From<rusqlite::Error> for ApplyError {
    fn from(error: rusqlite::Error) -> ApplyError {
        ApplyError::Store(error.into())
    }
}

impl From<io::Error> for ApplyError {
    fn from(error: io::Error) -> ApplyError {
        let why = format!("a spooled body cannot be read: {}", error.kind());
        ApplyError::Store(StoreError::Unavailable(why))
    }
}

/// Decides what was received and writes it, under the importer's `name`; `at` is in seconds since the epoch.
pub fn apply(
    db: &Connection,
    received: &Received,
    options: &ImportOptions,
    name: &str,
    salt: &Salt,
    at: i64,
) -> Result<Counts, ApplyError> {
    let decider = Decider::new(&received.batch, options)?;
    let source = options.source_id.as_ref();
    let changes = Changes::begin(db, Some(Importer { source, name, at }))?;
    let mut applying = Applying {
        was_empty: changes.accounts.is_empty()?,
        changes,
        counts: Counts::default(),
    };
    applying.departures(&decider, &received.batch, &options.owner())?;
    if received.batch.items.len() < ALONE {
        for part in received.brought(salt) {
            applying.arrivals(&decider, part?)?;
        }
    } else {
        received.brought_ahead(salt, |part| applying.arrivals(&decider, part))?;
    }
    applying.changes.finish()?;
    Ok(applying.counts)
}

/// Items with what their entries bring.
type Part<'r> = Vec<(&'r Item, Brought)>;

impl Received {
    /// Entries that were not taken; blanks are passed over without ado.
    pub fn not_taken(&self) -> usize {
        let skips = self.batch.skips.iter();
        skips.filter(|skip| skip.reason != Reason::Blank).count()
    }

    /// Reads what items bring, part by part.
    fn brought<'r>(&'r self, salt: &'r Salt) -> impl Iterator<Item = io::Result<Part<'r>>> {
        let (mut reader, mut scratch) = (EntryReader::new(salt), Vec::new());
        self.batch.items.chunks(PART).map(move |part| {
            let mut read = |item: &'r Item| {
                let len = usize::try_from(item.span.len).map_err(io::Error::other)?;
                let raw = self.body.slice(item.span.offset, len, &mut scratch)?;
                Ok((item, reader.read(raw)))
            };
            part.iter().map(&mut read).collect()
        })
    }

    /// The same for all items, read by another thread while `take` works on the part before.
    fn brought_ahead(
        &self,
        salt: &Salt,
        mut take: impl FnMut(Part<'_>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        thread::scope(|scope| {
            let (send, receive) = sync_channel(PARTS_AHEAD);
            scope.spawn(move || {
                for part in self.brought(salt) {
                    // When nobody takes any more, the import has failed.
                    if send.send(part).is_err() {
                        return;
                    }
                }
            });
            receive.into_iter().try_for_each(|part| take(part?))
        })
    }
}

/// An import under way.
struct Applying<'c> {
    changes: Changes<'c>,
    /// No account was there before: none need be looked for.
    was_empty: bool,
    counts: Counts,
}

impl Applying<'_> {
    /// The accounts that leave the source, by fingerprint.
    fn departures(
        &mut self,
        decider: &Decider<'_>,
        batch: &Batch,
        importer: &Owner,
    ) -> Result<(), ApplyError> {
        if !decider.replaces() {
            return Ok(());
        }
        let mut leaving = self.changes.accounts.owned_by(importer)?;
        leaving.retain(|fingerprint| decider.departs(batch, fingerprint));
        for fingerprint in leaving {
            if let Some(stored) = self.changes.accounts.find(&fingerprint)? {
                self.carry_out(&decider.depart(&stored.account), Some(&stored))?;
            }
        }
        Ok(())
    }

    fn arrivals(&mut self, decider: &Decider<'_>, part: Part<'_>) -> Result<(), ApplyError> {
        for (item, brought) in part {
            let stored = match self.was_empty {
                true => None,
                false => self.changes.accounts.find(&item.fingerprint)?,
            };
            let before = stored.as_ref().map(|stored| &stored.account);
            match decider.arrive(item, brought, before) {
                Arrival::Change(change) => self.carry_out(&change, stored.as_ref())?,
                Arrival::Unchanged { .. } => self.counts.add_unchanged(),
            }
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        change: &Change<'_>,
        stored: Option<&Stored>,
    ) -> Result<(), StoreError> {
        self.changes.carry_out(change, stored)?;
        self.counts.add(change.kind);
        Ok(())
    }
}

/// The name that goes with an importer: the one given, else the one kept for its id, else the stored source's. An
/// importer that has imported before is called so from now on.
///
/// Ask before [`apply`]: SQLite sums up again all that a transaction has written to the WAL since the first page that
/// it writes a second time.
pub fn settle_name(
    db: &Connection,
    source: &SourceId,
    given: Option<&str>,
) -> Result<String, StoreError> {
    let kept: Option<String> = db
        .prepare_cached("SELECT name FROM owner WHERE source_id = ?1")?
        .query_row([source.as_str()], |row| row.get(0))
        .optional()?;
    let given = given.map(str::to_owned).filter(|name| !name.is_empty());
    let name = match given.or_else(|| kept.clone().filter(|name| !name.is_empty())) {
        Some(name) => name,
        None => name_of_source(db, source)?.unwrap_or_default(),
    };
    if kept.is_some_and(|kept| kept != name) {
        db.prepare_cached("UPDATE owner SET name = ?2 WHERE source_id = ?1")?
            .execute(params![source.as_str(), name])?;
    }
    Ok(name)
}

fn name_of_source(db: &Connection, source: &SourceId) -> Result<Option<String>, StoreError> {
    let mut name = db.prepare_cached("SELECT name FROM source WHERE id = ?1")?;
    Ok(name
        .query_row([source.as_str()], |row| row.get(0))
        .optional()?)
}
