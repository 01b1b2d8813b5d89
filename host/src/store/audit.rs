//! What administrators did: a chain of rows, each written in the transaction of its act, that cannot be altered without
//! the key.
//!
//! The key of the chain is random and sealed in the pool with the master key: only who has that can make a row, and rows of
//! before stay true when the master key is changed and the old one thrown away. Its end is sealed, too, and the pool's salt
//! names it, so that nobody can let another chain begin. Whoever can write the files can still put an older copy of all in
//! place of them; this shows when a head that was noted in the log is looked for.

mod chain;

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::db::Db;
use super::error::StoreError;
use super::meta;
use super::written;
use crate::clock;
use crate::job::{Asker, ImportJob};
pub(super) use chain::Chain;
use chain::{
    NOTED_EVERY, START, last_place, mac, mac_of, name_of, new_key, seal_end, sealed_end, sealed_key,
};

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

/// Adds a row in the transaction of its act.
pub fn append(db: &Db, act: &Act) -> Result<Head, StoreError> {
    let open = db.left(|left| left.chain.take()).flatten();
    let mut chain = open.map_or_else(|| Chain::open(db), Ok)?;
    let added = chain.add(db, act);
    let mut chain = Some(chain);
    db.left(|left| left.chain = chain.take());
    let end = added?;
    chain.map_or(Ok(()), |chain| chain.seal(db))?;
    Ok(end)
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
