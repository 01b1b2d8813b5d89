//! How an account is found by its token's fingerprint, and who owns it: a large table of keys that have settled, and a
//! small one of those that came, went or changed lately, which counts where both have a key.
//!
//! A few keys among many would each touch a page of the large table; in the small one they share pages. There they stay
//! until they settle together with all others that begin with the same byte, whose pages lie side by side.

use rusqlite::{OptionalExtension, Row, params};
use tributary_core::Fingerprint;

use super::{Held, damaged};
use crate::priority::Steps;
use crate::store::db::Db;
use crate::store::error::StoreError;

/// Keys that are written together, in the order of their fingerprints.
pub const KEYS_TOGETHER: usize = 100_000;

/// Fewer keys than one for so many accounts around them are few among many.
const ACCOUNTS_A_KEY: u128 = 16;
/// Fewer keys than these do not tell how close they lie.
const TELLING: usize = 1_024;

/// Each time so many keys were written to the small table, those of the next first byte settle: between transactions it
/// holds less than 256 times as many, half of that on the average.
const KEYS_A_STEP: i64 = 1_024;

/// How an account is found by its token.
pub struct Key {
    /// The row that holds it.
    pub id: i64,
    /// Its owners, encoded.
    pub(super) owners: Vec<u8>,
    /// What stands for the entry that it is as it came in, where that is known and nothing has changed it since.
    pub(super) entry: Option<Fingerprint>,
}

/// How an account is found from now on.
pub struct NewKey<O> {
    /// The account.
    pub fingerprint: Fingerprint,
    /// Its row.
    pub id: i64,
    /// Its owners, encoded.
    pub owners: O,
    /// What stands for the entry that it is as it came in, where that is known.
    pub entry: Option<Fingerprint>,
}

/// A key that is yet to be written.
pub enum KeyChange {
    /// Of an account that comes, of one owner: the importer.
    Come(NewKey<[u8; 4]>),
    /// Of one that stays, and from now on is told so. In a box: many that come wait in memory, and would each be as large.
    Stay(Box<NewKey<Vec<u8>>>),
    /// Of one that goes.
    Go(Fingerprint),
}

impl KeyChange {
    fn fingerprint(&self) -> Fingerprint {
        match self {
            KeyChange::Come(key) => key.fingerprint,
            KeyChange::Stay(key) => key.fingerprint,
            KeyChange::Go(fingerprint) => *fingerprint,
        }
    }
}

/// Both tables through one connection.
///
/// INVARIANT: nobody else writes to them through this connection meanwhile, and the connection stays in one transaction:
/// `any_fresh` is asked once.
pub struct Index<'c> {
    db: &'c Db,
    find_fresh: Held<'c>,
    find_settled: Held<'c>,
    put_fresh: Held<'c>,
    revive_fresh: Held<'c>,
    replace_fresh: Held<'c>,
    set_fresh: Held<'c>,
    set_settled: Held<'c>,
    add_settled: Held<'c>,
    remove_fresh: Held<'c>,
    remove_settled: Held<'c>,
    /// Whether any key was looked for in the small table.
    has_looked: bool,
    /// Whether it has any key, once somebody asked.
    any_fresh: Option<bool>,
    /// How many keys were written to the small table.
    written: i64,
}

impl<'c> Index<'c> {
    /// The tables behind `db`.
    pub fn new(db: &'c Db) -> Index<'c> {
        Index {
            db,
            find_fresh: Held::new(
                "SELECT account, owners, entry FROM fresh_key WHERE fingerprint = ?1",
            ),
            find_settled: Held::new(
                "SELECT account, owners, entry FROM settled_key WHERE fingerprint = ?1",
            ),
            put_fresh: Held::new(
                "INSERT INTO fresh_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            ),
            revive_fresh: Held::new(
                "UPDATE fresh_key SET account = ?2, owners = ?3, entry = ?4 WHERE fingerprint = ?1 AND account IS NULL",
            ),
            replace_fresh: Held::new(
                "INSERT OR REPLACE INTO fresh_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4)",
            ),
            set_fresh: Held::new(
                "UPDATE fresh_key SET owners = ?2, entry = ?3 WHERE fingerprint = ?1 AND account IS NOT NULL",
            ),
            set_settled: Held::new(
                "UPDATE settled_key SET owners = ?2, entry = ?3 WHERE fingerprint = ?1",
            ),
            add_settled: Held::new(
                "INSERT INTO settled_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            ),
            remove_fresh: Held::new("DELETE FROM fresh_key WHERE fingerprint = ?1"),
            remove_settled: Held::new("DELETE FROM settled_key WHERE fingerprint = ?1"),
            has_looked: false,
            any_fresh: None,
            written: 0,
        }
    }

    /// Where the account with this fingerprint is, without reading it.
    pub fn find(&mut self, fingerprint: &Fingerprint) -> Result<Option<Key>, StoreError> {
        if let Some(fresh) = self.fresh(fingerprint)? {
            return Ok(fresh);
        }
        let find = self.find_settled.on(self.db)?;
        let found = find.query_row([fingerprint.as_bytes()], |row| key_of(row, row.get(0)?));
        Ok(found.optional()?)
    }

    /// What the small table says of a fingerprint, if anything: where its account is, or that it is gone.
    fn fresh(&mut self, fingerprint: &Fingerprint) -> Result<Option<Option<Key>>, StoreError> {
        if !self.may_have_fresh()? {
            return Ok(None);
        }
        let find = self.find_fresh.on(self.db)?;
        let found = find.query_row([fingerprint.as_bytes()], |row| {
            let id: Option<i64> = row.get(0)?;
            id.map(|id| key_of(row, id)).transpose()
        });
        Ok(found.optional()?)
    }

    /// Writes keys that come, stay and go, of a pool with so many `accounts`, in one sweep: SQLite sums up again all that
    /// a transaction has written to the WAL since the first page that it writes a second time.
    pub fn write(&mut self, mut keys: Vec<KeyChange>, accounts: i64) -> Result<(), StoreError> {
        keys.sort_unstable_by_key(KeyChange::fingerprint);
        debug_assert!(
            keys.is_sorted_by(|one, next| one.fingerprint() < next.fingerprint()),
            "no account is changed twice"
        );
        let few = are_few(&keys, accounts);
        let mut steps = Steps::default();
        keys.iter().try_for_each(|key| {
            steps.begin();
            match (key, few) {
                (KeyChange::Come(key), true) => self.add_fresh(key),
                (KeyChange::Come(key), false) => self.add(key),
                (KeyChange::Stay(key), true) => {
                    self.replace_fresh(&key.fingerprint, Some(key.id), &key.owners, key.entry)
                }
                (KeyChange::Stay(key), false) => self.set(key),
                (KeyChange::Go(fingerprint), true) => {
                    self.replace_fresh(fingerprint, None, &[], None)
                }
                (KeyChange::Go(fingerprint), false) => self.remove(fingerprint),
            }
        })
    }

    /// Makes an account found by its fingerprint, in the large table.
    pub fn add(&mut self, key: &NewKey<impl AsRef<[u8]>>) -> Result<(), StoreError> {
        match self.fresh(&key.fingerprint)? {
            None => {}
            // Neither what the small table says of it holds any more, nor what the large one may still say.
            Some(None) => self.remove(&key.fingerprint)?,
            Some(Some(_)) => return Err(comes_twice()),
        }
        match self.add_if_new(key)? {
            true => Ok(()),
            false => Err(comes_twice()),
        }
    }

    /// The same in the small table, of an account that was looked for in this transaction and is not there.
    fn add_fresh(&mut self, key: &NewKey<[u8; 4]>) -> Result<(), StoreError> {
        // To look into the large table again would be an eighth of a replace among a million accounts.
        if cfg!(debug_assertions) && self.find(&key.fingerprint)?.is_some() {
            return Err(comes_twice());
        }
        let entry = bytes_of(key.entry.as_ref());
        let row = params![key.fingerprint.as_bytes(), key.id, key.owners, entry];
        // Else the small table has the key, or says that it is gone.
        let added = self.put_fresh.on(self.db)?.execute(row)? > 0
            || self.revive_fresh.on(self.db)?.execute(row)? > 0;
        if !added {
            return Err(comes_twice());
        }
        self.note_fresh();
        Ok(())
    }

    /// Writes to the small table what holds from now on of a fingerprint: where its account is, or that it is gone.
    fn replace_fresh(
        &mut self,
        fingerprint: &Fingerprint,
        id: Option<i64>,
        owners: &[u8],
        entry: Option<Fingerprint>,
    ) -> Result<(), StoreError> {
        let row = params![fingerprint.as_bytes(), id, owners, bytes_of(entry.as_ref())];
        self.replace_fresh.on(self.db)?.execute(row)?;
        self.note_fresh();
        Ok(())
    }

    /// Writes what holds from now on of an account that is there, in the table that tells of it.
    fn set(&mut self, key: &NewKey<Vec<u8>>) -> Result<(), StoreError> {
        let entry = bytes_of(key.entry.as_ref());
        let row = params![key.fingerprint.as_bytes(), key.owners, entry];
        let is_told = self.may_have_fresh()? && self.set_fresh.on(self.db)?.execute(row)? > 0
            || self.set_settled.on(self.db)?.execute(row)? > 0;
        match is_told {
            true => Ok(()),
            false => Err(damaged("an account cannot be looked up")),
        }
    }

    fn note_fresh(&mut self) {
        self.any_fresh = Some(true);
        self.written += 1;
    }

    /// Takes a key out of both tables.
    fn remove(&mut self, fingerprint: &Fingerprint) -> Result<(), StoreError> {
        let row = [fingerprint.as_bytes()];
        if self.may_have_fresh()? {
            self.remove_fresh.on(self.db)?.execute(row)?;
        }
        self.remove_settled.on(self.db)?.execute(row)?;
        Ok(())
    }

    /// Forgets all keys, of a pool that has no account: of those that it had, some may still be there.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM settled_key", [])?;
        self.db.execute("DELETE FROM fresh_key", [])?;
        self.any_fresh = Some(false);
        Ok(())
    }

    /// Makes an account found of whose token the small table says nothing, unless the large one has it. Whether it is found.
    pub fn add_if_new(&mut self, key: &NewKey<impl AsRef<[u8]>>) -> Result<bool, StoreError> {
        let added = self.add_settled.on(self.db)?.execute(params![
            key.fingerprint.as_bytes(),
            key.id,
            key.owners.as_ref(),
            bytes_of(key.entry.as_ref())
        ])?;
        Ok(added > 0)
    }

    /// Lets as many steps of keys settle as are due, and tells how many keys this change wrote to the small table; before
    /// it there were `before`, ever.
    pub fn settle(&mut self, before: i64) -> Result<i64, StoreError> {
        let due = before / KEYS_A_STEP..(before + self.written) / KEYS_A_STEP;
        for step in due.take(256) {
            let [first, ..] = step.to_le_bytes();
            self.settle_those(first)?;
        }
        Ok(std::mem::take(&mut self.written))
    }

    /// Moves the keys with this first byte to the large table, and takes those that are gone out of it.
    fn settle_those(&self, first: u8) -> Result<(), StoreError> {
        let mut last = [0xff; 16];
        last[0] = first;
        for sql in [
            "DELETE FROM settled_key WHERE fingerprint IN \
             (SELECT fingerprint FROM fresh_key WHERE fingerprint BETWEEN ?1 AND ?2 AND account IS NULL)",
            "INSERT OR REPLACE INTO settled_key(fingerprint, account, owners, entry) \
             SELECT fingerprint, account, owners, entry FROM fresh_key \
             WHERE fingerprint BETWEEN ?1 AND ?2 AND account IS NOT NULL",
            "DELETE FROM fresh_key WHERE fingerprint BETWEEN ?1 AND ?2",
        ] {
            let those = params![[first], last];
            self.db.prepare_cached(sql)?.execute(those)?;
        }
        Ok(())
    }

    /// Whether the small table may have a key.
    fn may_have_fresh(&mut self) -> Result<bool, StoreError> {
        if let Some(any) = self.any_fresh {
            return Ok(any);
        }
        // A small import looks for one key: to ask first takes as long as to look.
        if !std::mem::replace(&mut self.has_looked, true) {
            return Ok(true);
        }
        let sql = "SELECT EXISTS(SELECT 1 FROM fresh_key)";
        let mut any = self.db.prepare_cached(sql)?;
        let any = any.query_row([], |row| row.get(0))?;
        Ok(*self.any_fresh.insert(any))
    }
}

/// Whether these keys, which ascend, are few among so many accounts, whose fingerprints are spread evenly. What departs
/// mostly comes in lots that lie close together, where only the accounts between them count.
fn are_few(keys: &[KeyChange], accounts: i64) -> bool {
    let around = match keys {
        [first, .., last] if keys.len() >= TELLING => {
            let apart = u128::from(place(last) - place(first));
            (u128::from(accounts.unsigned_abs()) * apart) >> 64
        }
        _ => u128::from(accounts.unsigned_abs()),
    };
    keys.len() as u128 * ACCOUNTS_A_KEY < around
}

/// Where a key lies among all, below 2^64.
fn place(key: &KeyChange) -> u64 {
    let first = key.fingerprint().as_bytes().first_chunk().copied();
    first.map_or(0, u64::from_be_bytes)
}

fn key_of(row: &Row<'_>, id: i64) -> rusqlite::Result<Key> {
    Ok(Key {
        id,
        owners: row.get(1)?,
        entry: entry_of(row.get_ref(2)?.as_blob()?),
    })
}

/// The entry that [`bytes_of`] has written.
fn entry_of(bytes: &[u8]) -> Option<Fingerprint> {
    bytes.try_into().ok().map(Fingerprint::from_bytes)
}

fn bytes_of(entry: Option<&Fingerprint>) -> &[u8] {
    entry.map_or(&[], |entry| entry.as_bytes())
}

fn comes_twice() -> StoreError {
    StoreError::Internal("the account of a token comes twice".to_owned())
}

#[cfg(test)]
mod tests;
