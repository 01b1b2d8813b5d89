//! The chain: what makes a row belong to the one before it, and what seals where they end.

use rusqlite::params;
use zeroize::Zeroizing;

use super::{Act, Entry, Head, Mac, entry_of, insert, read};
use crate::store::accounts::damaged;
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::vault::Identity;

/// After how many rows the head of the chain goes to the log.
pub(super) const NOTED_EVERY: i64 = 1_000;

/// The chain, opened to add rows to it.
pub(in crate::store) struct Chain {
    key: Key,
    end: Head,
    /// The last place that is taken. Rows behind the end that nobody has chained keep theirs: they show.
    last: i64,
    /// Up to which row the log was thought of.
    noted: i64,
}

impl Chain {
    /// Opens it as it is in the pool.
    pub(super) fn open(db: &Db) -> Result<Chain, StoreError> {
        let before = sealed_end(db)?;
        // What somebody has taken away is not put back: it shows. What is done from now on is told all the same.
        let key = sealed_key(db)?.map_or_else(|| new_key(db), Ok)?;
        let last = last_place(db)?;
        let end = match before {
            Some(end) if last > end.rows => chain_waiting(db, &key, end)?,
            end => end.unwrap_or(START),
        };
        Ok(Chain {
            key,
            end,
            last: last.max(end.rows),
            noted: before.unwrap_or(START).rows,
        })
    }

    /// Adds a row, behind which the end is yet to be sealed.
    pub(super) fn add(&mut self, db: &Db, act: &Act) -> Result<Head, StoreError> {
        let place = self.last + 1;
        let mut entry = entry_of(act, place);
        let mac = mac_of(&self.key, &self.end.mac, &entry);
        entry.mac = mac.to_vec();
        insert(db, &entry)?;
        self.last = place;
        self.end = Head { rows: place, mac };
        if place / NOTED_EVERY > self.noted / NOTED_EVERY {
            db.audit_is_to_be_noted();
        }
        self.noted = place;
        Ok(self.end)
    }

    /// Seals where it ends, in the transaction that added to it.
    pub(in crate::store) fn seal(&self, db: &Db) -> Result<(), StoreError> {
        seal_end(db, &self.end)
    }
}

/// Chains the rows of commands that were added behind the end, the oldest first; where the chain then ends. A row that was
/// chained once lies before the end, and never waits.
fn chain_waiting(db: &Db, key: &Key, mut end: Head) -> Result<Head, StoreError> {
    let mut waiting = db.prepare("SELECT * FROM audit WHERE seq > ?1 ORDER BY seq")?;
    let waiting = waiting
        .query_map([end.rows], read)?
        .collect::<Result<Vec<_>, _>>()?;
    for entry in waiting {
        if entry.seq != end.rows + 1 || !entry.waits() {
            break;
        }
        end = Head {
            rows: entry.seq,
            mac: mac_of(key, &end.mac, &entry),
        };
        db.execute(
            "UPDATE audit SET mac = ?2 WHERE seq = ?1",
            params![end.rows, end.mac],
        )?;
    }
    Ok(end)
}

/// Where a chain begins.
pub(super) const START: Head = Head {
    rows: 0,
    mac: [0; 32],
};

/// Where the chain ends, as it was sealed; `None` before it begins.
pub(super) fn sealed_end(db: &Db) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT audit_end FROM pool";
    let Some(opened) = opened(db, sql, Identity::AuditEnd)? else {
        return Ok(None);
    };
    let (rows, last) = opened
        .split_first_chunk()
        .ok_or_else(|| damaged("the audit's end is cut"))?;
    Ok(Some(Head {
        rows: i64::from_le_bytes(*rows),
        mac: mac(last)?,
    }))
}

pub(super) fn seal_end(db: &Db, end: &Head) -> Result<(), StoreError> {
    let text = [&end.rows.to_le_bytes()[..], &end.mac].concat();
    let sealed = db.vault().seal(Identity::AuditEnd, &text)?;
    let sql = "UPDATE number SET audit_end = ?1 WHERE kind = 'pool' AND of = 0 AND name = ''";
    db.prepare_cached(sql)?.execute([sealed])?;
    Ok(())
}

pub(super) type Key = Zeroizing<[u8; 32]>;

/// Makes the key of the chain.
pub(super) fn new_key(db: &Db) -> Result<Key, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    let failed = |_| StoreError::Internal("no random bytes".to_owned());
    getrandom::fill(&mut *key).map_err(failed)?;
    let sealed = db.vault().seal(Identity::AuditKey, &*key)?;
    db.execute("UPDATE meta SET audit_key = ?1", [sealed])?;
    Ok(key)
}

/// What the salt calls a key.
pub(super) fn name_of(key: &Key) -> [u8; 32] {
    *blake3::hash(&**key).as_bytes()
}

pub(super) fn sealed_key(db: &Db) -> Result<Option<Key>, StoreError> {
    let sql = "SELECT audit_key FROM meta";
    let Some(opened) = opened(db, sql, Identity::AuditKey)? else {
        return Ok(None);
    };
    let key = opened.as_slice().try_into().map(Zeroizing::new);
    key.map(Some)
        .map_err(|_| damaged("the audit's key has another length"))
}

/// What is sealed in the one value that `sql` finds; `None` while it is empty.
fn opened(
    db: &Db,
    sql: &str,
    whose: Identity<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let mut row = db.prepare_cached(sql)?;
    let sealed: Vec<u8> = row.query_row([], |row| row.get(0))?;
    match sealed.is_empty() {
        true => Ok(None),
        false => db.vault().open(whose, &sealed).map(Some),
    }
}

/// Over the hash before, and every field after its length.
pub(super) fn mac_of(key: &Key, before: &[u8], entry: &Entry) -> Mac {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(before);
    hasher.update(&entry.seq.to_le_bytes());
    hasher.update(&entry.at.to_le_bytes());
    for text in [
        &entry.actor,
        &entry.address,
        &entry.act,
        &entry.target,
        &entry.counts,
    ] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

pub(super) fn mac(kept: &[u8]) -> Result<Mac, StoreError> {
    let mac = kept.try_into();
    mac.map_err(|_| damaged("a row of the audit has a hash of another length"))
}

/// The place of the last row; 0 where there is none.
pub(super) fn last_place(db: &Db) -> Result<i64, StoreError> {
    let mut last = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM audit")?;
    Ok(last.query_row([], |row| row.get(0))?)
}
