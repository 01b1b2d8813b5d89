//! What administrators did: a chain of rows, each written in the transaction of its act, that cannot be altered without
//! the key.
//!
//! The key of the chain is random and sealed in the pool with the master key: only who has that can make a row, and rows of
//! before stay true when the master key is changed and the old one thrown away. Its end is sealed, too, and the pool's salt
//! names it, so that nobody can let another chain begin. Whoever can write the files can still put an older copy of all in
//! place of them; this shows when a head that was noted in the log is looked for.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use zeroize::Zeroizing;

use super::accounts::damaged;
use super::db::Db;
use super::error::StoreError;
use super::meta;
use super::vault::Identity;
use super::written;
use crate::clock;
use crate::job::{Asker, ImportJob};

/// After how many rows the head of the chain goes to the log.
const NOTED_EVERY: i64 = 1_000;
/// Who acts at a command line beside the server.
pub const COMMAND_LINE: &str = "command line";
/// Who goes on with what a restart cut short.
pub const SERVER: &str = "server";

/// Bytes of a chained hash.
pub type Mac = [u8; 32];

/// Something that was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Act {
    /// Who did it, and from where.
    pub by: Asker,
    /// What was done, in a word such as `inject` or `source.update`.
    pub act: &'static str,
    /// What it was done to: an id, or a name. No secret.
    pub target: String,
    /// JSON with the numbers of accounts, or `{}`.
    pub counts: String,
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Rows.
    pub rows: i64,
    /// The hash of the last.
    pub mac: Mac,
}

/// A row as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: i64,
    /// Seconds since the epoch.
    pub at: i64,
    /// Who did it.
    pub actor: String,
    /// From where; empty when not over HTTP.
    pub address: String,
    /// What was done.
    pub act: String,
    /// What it was done to.
    pub target: String,
    /// JSON.
    pub counts: String,
    mac: Vec<u8>,
}

impl Entry {
    /// Whether it is a command's that nobody has chained yet.
    fn waits(&self) -> bool {
        self.mac.is_empty() && self.actor == COMMAND_LINE
    }
}

impl Act {
    /// An act without numbers.
    pub fn new(by: Asker, act: &'static str, target: &str) -> Act {
        Act {
            by,
            act,
            target: target.to_owned(),
            counts: "{}".to_owned(),
        }
    }

    /// What a command beside the server does.
    pub fn of_command(act: &'static str, target: &str) -> Act {
        Act::new(Asker::beside_http(COMMAND_LINE), act, target)
    }

    /// The act with how many accounts it concerns, which `counted` names.
    #[must_use]
    pub fn counting(self, counted: &str, accounts: impl Into<serde_json::Number>) -> Act {
        let counts = serde_json::json!({counted: accounts.into()}).to_string();
        Act { counts, ..self }
    }

    /// What a job did.
    fn of_job(job: &ImportJob) -> Result<Act, StoreError> {
        let by = Asker {
            actor: job.actor.clone(),
            address: job.address.clone(),
        };
        let counts = JobCounts {
            added: job.added,
            disabled: job.disabled,
            released: job.released,
            removed: job.removed,
            status: job.status.as_str(),
            total: job.total,
            updated: job.updated,
        };
        let target = match job.source_id.as_str() {
            "" => format!("job {}", job.id),
            source => format!("job {} of {source}", job.id),
        };
        Ok(Act {
            by,
            act: job.kind.as_str(),
            target,
            counts: written(&counts)?,
        })
    }
}

/// What is told of a job: members in the order of their names, as rows of before have them.
#[derive(Serialize)]
struct JobCounts {
    added: u64,
    disabled: u64,
    released: u64,
    removed: u64,
    status: &'static str,
    total: u64,
    updated: u64,
}

/// Begins the record of a sealed pool that has none yet: rows of commands that are there already wait in it.
pub(super) fn begin(db: &Db) -> Result<(), StoreError> {
    if meta::audit_key(db)?.is_some() {
        return Ok(());
    }
    let key = sealed_key(db)?.map_or_else(|| new_key(db), Ok)?;
    if sealed_end(db)?.is_none() {
        seal_end(db, &START)?;
    }
    meta::name_audit_key(db, &name_of(&key))
}

/// The chain, opened to add rows to it.
pub(super) struct Chain {
    key: Key,
    end: Head,
    /// The place of the last row, chained or not.
    last: i64,
    /// Up to which row the log was thought of.
    noted: i64,
}

impl Chain {
    fn open(db: &Db) -> Result<Chain, StoreError> {
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
            last,
            noted: before.unwrap_or(START).rows,
        })
    }

    fn add(&mut self, db: &Db, act: &Act) -> Result<Head, StoreError> {
        // Rows behind the end that nobody has chained keep their places: they show.
        let place = self.last.max(self.end.rows) + 1;
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
}

/// Adds a row in the transaction of its act.
pub fn append(db: &Db, act: &Act) -> Result<Head, StoreError> {
    let open = db.left(|left| left.chain.take()).flatten();
    let mut chain = open.map_or_else(|| Chain::open(db), Ok)?;
    let added = chain.add(db, act);
    let mut chain = Some(chain);
    db.left(|left| left.chain = chain.take());
    let end = added?;
    chain.map_or(Ok(()), |chain| seal(db, &chain))?;
    Ok(end)
}

/// Seals where the chain ends, in the transaction that added to it.
pub(super) fn seal(db: &Db, chain: &Chain) -> Result<(), StoreError> {
    seal_end(db, &chain.end)
}

/// Adds the row of a job that has ended, in the transaction that tells so.
pub(super) fn append_job(db: &Db, job: &ImportJob) -> Result<(), StoreError> {
    append(db, &Act::of_job(job)?).map(drop)
}

/// Adds a row of a command beside the server. Without the master key the server chains it with its own next one.
pub fn append_of_command(db: &Db, act: &Act) -> Result<(), StoreError> {
    let place = last_place(db)? + 1;
    // The server has a log, in which every thousandth row is told.
    if db.vault().has_keys() && meta::audit_key(db)?.is_some() && place % NOTED_EVERY != 0 {
        return append(db, act).map(drop);
    }
    insert(db, &entry_of(act, place))
}

/// Where the chain ends; `None` while there is none, or while rows wait to be chained.
pub fn head(db: &Db) -> Result<Option<Head>, StoreError> {
    let last = last(db)?.filter(|last| !last.mac.is_empty());
    let head = last.map(|last| {
        Ok(Head {
            rows: last.seq,
            mac: mac(&last.mac)?,
        })
    });
    head.transpose()
}

/// Tells the log where the chain ends.
pub fn log(head: &Head) {
    let hex = blake3::Hash::from(head.mac).to_hex();
    tracing::info!(rows = head.rows, head = hex.as_str(), "audit");
}

/// At most `most` rows below place `before`, the newest first.
pub fn list(db: &Db, before: i64, most: usize) -> Result<Vec<Entry>, StoreError> {
    let mut rows =
        db.prepare_cached("SELECT * FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = rows.query_map([before, most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What became of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row is as it was written: where it ends, and how many rows of commands wait to be chained.
    Whole(Head, i64),
    /// The first row that is not, and what is wrong with it.
    Broken(i64, &'static str),
    /// All rows are true, and rows after them are gone: those up to the sealed end, or the one whose head was looked for.
    Cut(Head),
}

/// Follows the chain from its first row, with the master key. `head` is a hash that was noted earlier.
pub fn verify(db: &Db, head: Option<&Mac>) -> Result<Verdict, StoreError> {
    let mut rows = db.prepare("SELECT * FROM audit ORDER BY seq")?;
    let mut rows = rows.query([])?;
    let mut end = START;
    let (mut waiting, mut found) = (0, head.is_none_or(|head| *head == end.mac));
    let (named, key) = (meta::audit_key(db)?, sealed_key(db)?);
    if named != key.as_ref().map(name_of) {
        return Ok(Verdict::Broken(
            1,
            "the key of the chain was taken away or exchanged",
        ));
    }
    while let Some(row) = rows.next()? {
        let entry = read(row)?;
        if entry.seq != end.rows + waiting + 1 {
            return Ok(Verdict::Broken(end.rows + waiting + 1, "it is missing"));
        }
        if entry.waits() {
            waiting += 1;
            continue;
        }
        // Rows without a key to them were never written here.
        let true_mac = key.as_ref().map(|key| mac_of(key, &end.mac, &entry));
        if waiting > 0 || true_mac.is_none_or(|mac| entry.mac != mac) {
            return Ok(Verdict::Broken(end.rows + 1, "it is not as it was written"));
        }
        end = Head {
            rows: entry.seq,
            mac: mac(&entry.mac)?,
        };
        found |= head == Some(&end.mac);
    }
    let Ok(sealed) = sealed_end(db) else {
        return Ok(Verdict::Broken(
            end.rows,
            "what seals it is not as it was written",
        ));
    };
    Ok(match sealed {
        None if named.is_some() => {
            Verdict::Broken(1, "what seals the end of the chain was taken away")
        }
        sealed if sealed.unwrap_or(START) == end && found => Verdict::Whole(end, waiting),
        _ => Verdict::Cut(end),
    })
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
const START: Head = Head {
    rows: 0,
    mac: [0; 32],
};

/// Where the chain ends, as it was sealed; `None` before it begins.
fn sealed_end(db: &Db) -> Result<Option<Head>, StoreError> {
    let mut row = db.prepare_cached("SELECT audit_end FROM meta")?;
    let sealed: Vec<u8> = row.query_row([], |row| row.get(0))?;
    if sealed.is_empty() {
        return Ok(None);
    }
    let opened = db.vault().open(Identity::AuditEnd, &sealed)?;
    let (rows, last) = opened
        .split_first_chunk()
        .ok_or_else(|| damaged("the audit's end is cut"))?;
    Ok(Some(Head {
        rows: i64::from_le_bytes(*rows),
        mac: mac(last)?,
    }))
}

fn seal_end(db: &Db, end: &Head) -> Result<(), StoreError> {
    let text = [&end.rows.to_le_bytes()[..], &end.mac].concat();
    let sealed = db.vault().seal(Identity::AuditEnd, &text)?;
    // The row is named for the reason that [`meta::advance`] tells.
    db.prepare_cached("UPDATE meta SET audit_end = ?1 WHERE id = 1")?
        .execute([sealed])?;
    Ok(())
}

type Key = Zeroizing<[u8; 32]>;

/// Makes the key of the chain.
fn new_key(db: &Db) -> Result<Key, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    let failed = |_| StoreError::Internal("no random bytes".to_owned());
    getrandom::fill(&mut *key).map_err(failed)?;
    let sealed = db.vault().seal(Identity::AuditKey, &*key)?;
    db.execute("UPDATE meta SET audit_key = ?1", [sealed])?;
    Ok(key)
}

/// What the salt calls a key.
fn name_of(key: &Key) -> [u8; 32] {
    *blake3::hash(&**key).as_bytes()
}

fn sealed_key(db: &Db) -> Result<Option<Key>, StoreError> {
    let mut row = db.prepare_cached("SELECT audit_key FROM meta")?;
    let sealed: Vec<u8> = row.query_row([], |row| row.get(0))?;
    if sealed.is_empty() {
        return Ok(None);
    }
    let opened = db.vault().open(Identity::AuditKey, &sealed)?;
    let key = opened.as_slice().try_into().map(Zeroizing::new);
    key.map(Some)
        .map_err(|_| damaged("the audit's key has another length"))
}

/// Over the hash before, and every field after its length.
fn mac_of(key: &Key, before: &[u8], entry: &Entry) -> Mac {
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

fn mac(kept: &[u8]) -> Result<Mac, StoreError> {
    let mac = kept.try_into();
    mac.map_err(|_| damaged("a row of the audit has a hash of another length"))
}

fn entry_of(act: &Act, seq: i64) -> Entry {
    Entry {
        seq,
        at: clock::now(),
        actor: act.by.actor.clone(),
        address: act.by.address.clone(),
        act: act.act.to_owned(),
        target: act.target.clone(),
        counts: act.counts.clone(),
        mac: Vec::new(),
    }
}

fn insert(db: &Db, entry: &Entry) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit(seq, at, actor, address, act, target, counts, mac) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        entry.seq,
        entry.at,
        entry.actor,
        entry.address,
        entry.act,
        entry.target,
        entry.counts,
        entry.mac,
    ])?;
    Ok(())
}

/// The place of the last row; 0 where there is none.
fn last_place(db: &Db) -> Result<i64, StoreError> {
    let mut last = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM audit")?;
    Ok(last.query_row([], |row| row.get(0))?)
}

fn last(db: &Db) -> Result<Option<Entry>, StoreError> {
    let mut last = db.prepare_cached("SELECT * FROM audit ORDER BY seq DESC LIMIT 1")?;
    Ok(last.query_row([], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        address: row.get(3)?,
        act: row.get(4)?,
        target: row.get(5)?,
        counts: row.get(6)?,
        mac: row.get(7)?,
    })
}
