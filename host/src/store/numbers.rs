//! The pool in numbers, as the metrics tell them: nothing is counted here that the writer has not counted already.

use tributary_core::Provider;

use super::accounts::{damaged, provider_of};
use super::db::Db;
use super::error::StoreError;
use super::owners::{self, OwnerKind};

/// Statuses come from payloads, so anything may stand there: at most this many are told apart.
const STATUSES: i64 = 20;
/// The longest status that is told apart, in characters.
const LONGEST_STATUS: i64 = 64;
/// What the other statuses are counted as.
const OTHER: &str = "other";

/// The pool and its sources at one moment.
pub struct Numbers {
    /// Accounts by provider and status.
    pub accounts: Vec<Kind>,
    /// Accounts by the kind of their owners; all kinds are there.
    pub owned: Vec<(&'static str, u64)>,
    /// The stored sources, in order of creation.
    pub sources: Vec<SourceState>,
}

/// Accounts of one provider and status.
pub struct Kind {
    /// Their provider.
    pub provider: Provider,
    /// Their status, or `other`.
    pub status: String,
    /// How many there are.
    pub accounts: u64,
}

/// What is told of a source: neither its address nor its secrets.
pub struct SourceState {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whether it may be synced.
    pub enabled: bool,
    /// Its last sync with success, in seconds since the epoch.
    pub last_sync_at: Option<i64>,
}

/// Reads all of it.
pub fn read(db: &Db) -> Result<Numbers, StoreError> {
    Ok(Numbers {
        accounts: accounts(db)?,
        owned: owned(db)?,
        sources: sources(db)?,
    })
}

fn accounts(db: &Db) -> Result<Vec<Kind>, StoreError> {
    let sql = "WITH told AS (SELECT status FROM tally WHERE accounts > 0 AND length(status) <= ?1 AND status <> ?3 \
               GROUP BY status ORDER BY sum(accounts) DESC, status LIMIT ?2) \
               SELECT provider, iif(status IN told, status, ?3), sum(accounts) FROM tally WHERE accounts > 0 GROUP BY 1, 2";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query((LONGEST_STATUS, STATUSES, OTHER))?;
    let mut kinds = Vec::new();
    while let Some(row) = rows.next()? {
        let provider = provider_of(row.get(0)?);
        kinds.push(Kind {
            provider: provider.ok_or_else(|| damaged("a number is of no provider"))?,
            status: row.get(1)?,
            accounts: row.get::<_, i64>(2)?.unsigned_abs(),
        });
    }
    Ok(kinds)
}

fn sources(db: &Db) -> Result<Vec<SourceState>, StoreError> {
    let sql = "SELECT id, name, enabled, last_sync_at FROM source ORDER BY number";
    let mut rows = db.prepare_cached(sql)?;
    let rows = rows.query_map([], |row| {
        Ok(SourceState {
            id: row.get(0)?,
            name: row.get(1)?,
            enabled: row.get(2)?,
            last_sync_at: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn owned(db: &Db) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let mut owned: Vec<_> = OwnerKind::NAMES.map(|kind| (kind, 0)).into();
    for owner in owners::list(db)? {
        let kind = owned
            .iter_mut()
            .find(|(kind, _)| *kind == owner.kind.as_str());
        if let Some((_, accounts)) = kind {
            *accounts += owner.accounts;
        }
    }
    Ok(owned)
}
