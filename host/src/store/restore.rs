//! Restores the lines of an export into an empty pool.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};

use rusqlite::params;
use tributary_core::{LineReader, Restored, Salt, SourceId};

use super::accounts::{Accounts, KEYS_TOGETHER, NewKey, NewRows, ids_in};
use super::db::Db;
use super::error::StoreError;
use super::meta::{self, Meta};
use crate::clock;

/// Longest line, in bytes. An account is as long as a body at most.
const MAX_LINE: u64 = 256 << 20;

/// Why nothing was restored.
#[derive(Debug)]
pub enum RestoreError {
    /// The pool has accounts: how many.
    NotEmpty(i64),
    /// A line, counted from 1, and what is wrong with it.
    Line(u64, String),
    /// The lines cannot be read.
    Unreadable(io::Error),
    /// The store cannot be used.
    Store(StoreError),
}

/// Restores every line, in the caller's transaction and in constant memory, and returns how many accounts there were.
/// After an error the transaction must be taken back.
pub fn restore(db: &Db, mut lines: impl BufRead) -> Result<u64, RestoreError> {
    let pool = meta::read(db)?;
    if pool.accounts > 0 {
        return Err(RestoreError::NotEmpty(pool.accounts));
    }
    let salt = Salt::new(*meta::salt(db)?);
    let mut reader = LineReader::new(&salt);
    let mut restoring = Restoring::after(db, pool);
    restoring.accounts.index.clear()?;
    let mut line = Vec::new();
    while next_line(&mut lines, &mut line).map_err(RestoreError::Unreadable)? {
        let number = restoring.count + 1;
        let wrong = |why: String| RestoreError::Line(number, why);
        if line.len() as u64 > MAX_LINE {
            return Err(wrong("it is longer than 256 MiB".to_owned()));
        }
        let restored = reader
            .read(line.trim_ascii_end())
            .map_err(|error| wrong(error.to_string()))?;
        let at = clock::from_rfc3339(&restored.injected_at).ok_or_else(|| {
            wrong("`remote_injected_at` must be a time like `2026-05-23T10:15:30+00:00`".to_owned())
        })?;
        restoring.add(&restored, at)?;
    }
    restoring.finish()
}

/// Reads a line, or as much of it as tells that it is too long; `false` at the end.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    lines.take(MAX_LINE + 1).read_until(b'\n', line)?;
    Ok(!line.is_empty())
}

/// A restore under way.
struct Restoring<'c> {
    db: &'c Db,
    accounts: Accounts<'c>,
    /// The pool as it was.
    before: Meta,
    /// Lines, and so accounts, so far.
    count: u64,
    keys: Vec<NewKey<Vec<u8>>>,
    /// What owners are called; the last line that names one counts.
    names: BTreeMap<SourceId, String>,
}

impl<'c> Restoring<'c> {
    fn after(db: &'c Db, before: Meta) -> Restoring<'c> {
        Restoring {
            db,
            accounts: Accounts::new(db),
            before,
            count: 0,
            keys: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    fn add(&mut self, restored: &Restored, at: i64) -> Result<(), RestoreError> {
        let Restored {
            account,
            token,
            secrets,
            owner_names,
            ..
        } = restored;
        self.count += 1;
        let id = self.last_row();
        let mut rows = NewRows::default();
        let row = rows.seal(self.db.vault(), account, token, secrets)?;
        self.accounts.add(id, &row, at)?;
        for source in account.owners.sources() {
            self.accounts.owners.importer(Some(source), "")?;
        }
        let owners = self.accounts.owners.encode(&account.owners)?;
        for owner in ids_in(&owners) {
            self.accounts.own(owner, id)?;
        }
        for (source, name) in owner_names.iter().filter(|(_, name)| !name.is_empty()) {
            if self.names.get(source) != Some(name) {
                self.names.insert(source.clone(), name.clone());
            }
        }
        self.keys.push(NewKey {
            fingerprint: account.fingerprint,
            id,
            owners,
            entry: None,
        });
        match self.keys.len() < KEYS_TOGETHER {
            true => Ok(()),
            false => self.write_keys(),
        }
    }

    /// Makes the accounts found by their tokens, and tells of the first that an earlier line has.
    fn write_keys(&mut self) -> Result<(), RestoreError> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_unstable_by_key(|key| (key.fingerprint, key.id));
        let mut twice = None;
        for key in keys {
            if !self.accounts.index.add_if_new(&key)? {
                twice = Some(twice.map_or(key.id, |first: i64| first.min(key.id)));
            }
        }
        match twice {
            None => Ok(()),
            Some(id) => {
                let line = (id - self.before.last_account).unsigned_abs();
                let why = "an earlier line has the same token".to_owned();
                Err(RestoreError::Line(line, why))
            }
        }
    }

    fn finish(mut self) -> Result<u64, RestoreError> {
        self.write_keys()?;
        for (source, name) in &self.names {
            self.db
                .prepare_cached("UPDATE owner SET name = ?2 WHERE source_id = ?1")?
                .execute(params![source.as_str(), name])?;
        }
        if self.count > 0 {
            self.accounts.tally.write(self.db)?;
            let pool = Meta {
                last_account: self.last_row(),
                accounts: self.before.accounts + self.accounts.tally.accounts,
                ..self.before
            };
            meta::advance(self.db, pool)?;
        }
        Ok(self.count)
    }

    fn last_row(&self) -> i64 {
        self.before
            .last_account
            .saturating_add(i64::try_from(self.count).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::NotEmpty(accounts) => write!(
                f,
                "the pool is not empty ({accounts} of its own): restore into an empty one, in another folder chosen with --data"
            ),
            RestoreError::Line(number, why) => {
                write!(f, "line {number}: {why}; nothing was restored")
            }
            RestoreError::Unreadable(error) => {
                write!(f, "the lines cannot be read: {error}; nothing was restored")
            }
            RestoreError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> RestoreError {
        RestoreError::Store(error)
    }
}

impl From<rusqlite::Error> for RestoreError {
    fn from(error: rusqlite::Error) -> RestoreError {
        RestoreError::Store(error.into())
    }
}
