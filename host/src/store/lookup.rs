//! Accounts for a preview: what exists of some fingerprints, and what a source owns, in reads of limited size.

use rusqlite::params;
use tributary_core::{Account, Fingerprint, SourceId};

use super::accounts::{Accounts, Stored, damaged};
use super::db::Db;
use super::error::StoreError;
use super::meta;

/// Rows that one read transaction touches at most.
pub const MOST_ROWS: u16 = 1_000;

/// A part of what was asked, and the revision at which it was true.
pub struct Part<T> {
    /// The pool's revision.
    pub revision: i64,
    /// What was found.
    pub found: T,
}

/// Those of at most [`MOST_ROWS`] fingerprints that exist, in the order asked.
pub fn existing(db: &Db, fingerprints: &[Fingerprint]) -> Result<Part<Vec<Account>>, StoreError> {
    let mut accounts = Accounts::new(db);
    let mut found = Vec::new();
    for fingerprint in fingerprints.iter().take(MOST_ROWS.into()) {
        found.extend(accounts.find(fingerprint)?.map(|stored| stored.account));
    }
    let revision = meta::read(db)?.revision;
    Ok(Part { revision, found })
}

/// The next accounts that `source` owns after the row `after`, at most [`MOST_ROWS`], by row.
pub fn owned_after(
    db: &Db,
    source: &SourceId,
    after: i64,
) -> Result<Part<Vec<Stored>>, StoreError> {
    let sql = "SELECT account.fingerprint FROM owner JOIN owned ON owned.owner = owner.id \
               JOIN account ON account.id = owned.account \
               WHERE owner.source_id = ?1 AND owned.account > ?2 ORDER BY owned.account LIMIT ?3";
    let mut rows = db.prepare_cached(sql)?;
    let fingerprints = rows
        .query_map(params![source.as_str(), after, MOST_ROWS], |row| {
            row.get(0).map(Fingerprint::from_bytes)
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let mut accounts = Accounts::new(db);
    let mut found = Vec::with_capacity(fingerprints.len());
    for fingerprint in &fingerprints {
        let stored = accounts.find(fingerprint)?;
        found.push(stored.ok_or_else(|| damaged("an owned account cannot be looked up"))?);
    }
    let revision = meta::read(db)?.revision;
    Ok(Part { revision, found })
}
