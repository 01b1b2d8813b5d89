//! Carries a plan out while it is made: reading the pool, deciding and writing, in the writer's transaction.

use std::io;

use rusqlite::{OptionalExtension, params};
use tributary_core::{
    Change, Counts, Fingerprint, Guard, ImportError, ImportOptions, PlanHash, Salt, SourceId,
};

use super::accounts::{Accounts, NewRow, Stored};
use super::change::{Changes, Importer};
use super::db::Db;
use super::decide::{self, Received, Takes};
use super::error::StoreError;
use super::guard;
use super::undo::Kept;
use super::vault::Vault;
use crate::job::{GuardReport, Trace};

/// What must hold of an import besides that the core takes it.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The plan that was approved: another one is not applied.
    pub expected: Option<PlanHash>,
    /// The guard, where it may block, and the words for where it is set.
    pub guard: Option<(Guard, String)>,
}

/// What an import did.
pub struct Applied {
    /// In numbers.
    pub counts: Counts,
    /// What it takes to undo it; `None` when nothing changed.
    pub trace: Option<Trace>,
}

/// Why an import was not applied. Nothing of it was written.
#[derive(Debug)]
pub enum ApplyError {
    /// The core refuses it.
    Refused(ImportError),
    /// The plan is another one than was approved.
    PlanDiffers,
    /// The source would lose too much; with the hash of the plan.
    Blocked(Box<GuardReport>, PlanHash),
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

/// Decides what was received and writes it, under the importer's `name`; `at` is in seconds since the epoch. When it
/// fails, what it wrote is to be rolled back.
pub fn apply(
    db: &Db,
    received: &Received,
    options: &ImportOptions,
    name: &str,
    salt: &Salt,
    at: i64,
    demands: &Demands,
) -> Result<Applied, ApplyError> {
    let source = options.source_id.as_ref();
    let mut changes = Changes::begin(db, Some(Importer { source, name, at }))?;
    let hashed = match (demands.expected, &demands.guard) {
        (Some(_), _) => decide::Hashed::Always,
        (None, Some(_)) => decide::Hashed::WhereAccountsDepart,
        (None, None) => decide::Hashed::Never,
    };
    let decided = decide::decide(received, options, salt, hashed, &mut changes)?;
    if demands.expected.is_some() && decided.hash != demands.expected {
        return Err(ApplyError::PlanDiffers);
    }
    if let (None, Some((guard, setting)), Some(hash)) =
        (demands.expected, &demands.guard, decided.hash)
    {
        let report = guard::report(db, options, &decided, guard, setting, at)?;
        if report.blocked {
            return Err(ApplyError::Blocked(Box::new(report), hash));
        }
    }
    let approved = demands.expected.is_some();
    guard::note(db, options, &decided, at, approved)?;
    Ok(Applied {
        counts: decided.counts,
        trace: changes.finish()?,
    })
}

impl<'c> Takes<'c> for Changes<'c> {
    fn accounts(&mut self) -> &mut Accounts<'c> {
        &mut self.accounts
    }

    fn take(
        &mut self,
        change: &Change<'_>,
        stored: Option<&Stored>,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        self.carry_out(change, stored, entry)
    }

    fn vault(&self) -> Option<&Vault> {
        Some(self.db.vault())
    }

    fn take_new(&mut self, row: &NewRow<'_>, entry: &Fingerprint) -> Result<(), StoreError> {
        self.add(row, Some(entry))
    }

    fn take_back(
        &mut self,
        change: &Change<'_>,
        stored: &Stored,
        times: Option<(i64, i64)>,
    ) -> Result<(), StoreError> {
        self.carry_out_at(change, stored, times)
    }

    fn put_back(&mut self, change: &Change<'_>, kept: &Kept) -> Result<(), StoreError> {
        self.bring_back(change, kept)
    }
}

/// The name that goes with an importer: the one given, else the one kept for its id, else the stored source's. An
/// importer that has imported before is called so from now on.
///
/// Ask before [`apply`]: SQLite sums up again all that a transaction has written to the WAL since the first page that
/// it writes a second time.
pub fn settle_name(db: &Db, source: &SourceId, given: Option<&str>) -> Result<String, StoreError> {
    let kept = kept_name(db, source)?;
    let name = name_beside(db, source, given, kept.as_deref())?;
    if kept.is_some_and(|kept| kept != name) {
        db.prepare_cached("UPDATE owner SET name = ?2 WHERE source_id = ?1")?
            .execute(params![source.as_str(), name])?;
    }
    Ok(name)
}

/// The same name without anything being written.
pub fn name_of(db: &Db, source: &SourceId, given: Option<&str>) -> Result<String, StoreError> {
    let kept = kept_name(db, source)?;
    name_beside(db, source, given, kept.as_deref())
}

fn kept_name(db: &Db, source: &SourceId) -> Result<Option<String>, StoreError> {
    let mut name = db.prepare_cached("SELECT name FROM owner WHERE source_id = ?1")?;
    let name = name.query_row([source.as_str()], |row| row.get(0));
    Ok(name.optional()?)
}

fn name_beside(
    db: &Db,
    source: &SourceId,
    given: Option<&str>,
    kept: Option<&str>,
) -> Result<String, StoreError> {
    let present = |name: &&str| !name.is_empty();
    if let Some(name) = given.filter(present).or(kept.filter(present)) {
        return Ok(name.to_owned());
    }
    let mut name = db.prepare_cached("SELECT name FROM source WHERE id = ?1")?;
    let name = name.query_row([source.as_str()], |row| row.get(0));
    Ok(name.optional()?.unwrap_or_default())
}
