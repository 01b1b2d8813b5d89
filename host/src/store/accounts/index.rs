//! How an account is found by its token's fingerprint, and who owns it: a large table of keys that have settled, and a
//! small one of those that came or went lately, which counts where both have a key.
//!
//! A few keys among many would each touch a page of the large table; in the small one they share pages. There they stay
//! until they settle together with all others that begin with the same byte, whose pages lie side by side.

use rusqlite::{OptionalExtension, Row, params};
use tributary_core::Fingerprint;

use super::Held;
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
    /// The entry that it is as it came in; empty when something has changed it since.
    pub(super) entry: Vec<u8>,
}

/// What makes an added account found.
pub struct NewKey<O> {
    /// The account.
    pub fingerprint: Fingerprint,
    /// Its row.
    pub id: i64,
    /// Its owners, encoded.
    pub owners: O,
    /// The entry that brought it.
    pub entry: Option<Fingerprint>,
}

/// A key that is yet to be written.
pub enum KeyChange {
    /// Of an account that comes, of one owner: the importer.
    Come(NewKey<[u8; 4]>),
    /// Of one that goes.
    Go(Fingerprint),
}

impl KeyChange {
    fn fingerprint(&self) -> Fingerprint {
        match self {
            KeyChange::Come(key) => key.fingerprint,
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
    add_settled: Held<'c>,
    remove_fresh: Held<'c>,
    remove_settled: Held<'c>,
    /// Whether the small table has any key, once somebody asked.
    any_fresh: Option<bool>,
    /// How many keys were written to the small table.
    written: i64,
}

impl<'c> Index<'c> {
    /// The tables behind `db`.
    pub fn new(db: &'c Db) -> Index<'c> {
        let held = |sql| Held(sql, None);
        Index {
            db,
            find_fresh: held("SELECT account, owners, entry FROM fresh_key WHERE fingerprint = ?1"),
            find_settled: held(
                "SELECT account, owners, entry FROM settled_key WHERE fingerprint = ?1",
            ),
            put_fresh: held(
                "INSERT OR REPLACE INTO fresh_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4)",
            ),
            add_settled: held(
                "INSERT INTO settled_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4)",
            ),
            remove_fresh: held("DELETE FROM fresh_key WHERE fingerprint = ?1"),
            remove_settled: held("DELETE FROM settled_key WHERE fingerprint = ?1"),
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
        if !self.has_fresh()? {
            return Ok(None);
        }
        let find = self.find_fresh.on(self.db)?;
        let found = find.query_row([fingerprint.as_bytes()], |row| {
            let id: Option<i64> = row.get(0)?;
            id.map(|id| key_of(row, id)).transpose()
        });
        Ok(found.optional()?)
    }

    /// Writes keys that come and keys that go, of a pool with so many `accounts`, in one sweep: SQLite sums up again all that
    /// a transaction has written to the WAL since the first page that it writes a second time.
    pub fn write(&mut self, mut keys: Vec<KeyChange>, accounts: i64) -> Result<(), StoreError> {
        keys.sort_unstable_by_key(KeyChange::fingerprint);
        let few = are_few(&keys, accounts);
        keys.iter().try_for_each(|key| match (key, few) {
            (KeyChange::Come(key), true) => self.add_fresh(key),
            (KeyChange::Come(key), false) => self.add(key),
            (KeyChange::Go(fingerprint), true) => self.put_fresh(fingerprint, None, &[], &[]),
            (KeyChange::Go(fingerprint), false) => self.remove(fingerprint),
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
        self.add_settled.on(self.db)?.execute(params![
            key.fingerprint.as_bytes(),
            key.id,
            key.owners.as_ref(),
            bytes_of(key.entry.as_ref())
        ])?;
        Ok(())
    }

    fn add_fresh(&mut self, key: &NewKey<[u8; 4]>) -> Result<(), StoreError> {
        if self.find(&key.fingerprint)?.is_some() {
            return Err(comes_twice());
        }
        let entry = bytes_of(key.entry.as_ref());
        self.put_fresh(&key.fingerprint, Some(key.id), &key.owners, entry)
    }

    /// Writes to the small table where an account is; nowhere when it is gone.
    fn put_fresh(
        &mut self,
        fingerprint: &Fingerprint,
        id: Option<i64>,
        owners: &[u8],
        entry: &[u8],
    ) -> Result<(), StoreError> {
        let row = params![fingerprint.as_bytes(), id, owners, entry];
        self.put_fresh.on(self.db)?.execute(row)?;
        self.any_fresh = Some(true);
        self.written += 1;
        Ok(())
    }

    /// Takes a key out of both tables.
    fn remove(&mut self, fingerprint: &Fingerprint) -> Result<(), StoreError> {
        let row = [fingerprint.as_bytes()];
        if self.has_fresh()? {
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

    /// Makes an account found in a pool that was cleared, unless an account of its token came since. Whether it is found.
    pub fn add_if_new(&mut self, key: &NewKey<Vec<u8>>) -> Result<bool, StoreError> {
        let sql = "INSERT INTO settled_key(fingerprint, account, owners, entry) VALUES(?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
        let entry = bytes_of(key.entry.as_ref());
        let row = params![key.fingerprint.as_bytes(), key.id, key.owners, entry];
        Ok(self.db.prepare_cached(sql)?.execute(row)? > 0)
    }

    /// Writes which entry an account now is as it came in; `None` after any other change.
    pub fn set_entry(
        &mut self,
        fingerprint: &Fingerprint,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        let sql = match self.fresh(fingerprint)? {
            Some(_) => "UPDATE fresh_key SET entry = ?2 WHERE fingerprint = ?1 AND entry IS NOT ?2",
            None => "UPDATE settled_key SET entry = ?2 WHERE fingerprint = ?1 AND entry IS NOT ?2",
        };
        let row = params![fingerprint.as_bytes(), bytes_of(entry)];
        self.db.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// Writes who owns an account from now on, encoded.
    pub fn set_owners(
        &mut self,
        fingerprint: &Fingerprint,
        owners: &[u8],
    ) -> Result<(), StoreError> {
        let sql = match self.fresh(fingerprint)? {
            Some(_) => "UPDATE fresh_key SET owners = ?2 WHERE fingerprint = ?1",
            None => "UPDATE settled_key SET owners = ?2 WHERE fingerprint = ?1",
        };
        let row = params![fingerprint.as_bytes(), owners];
        self.db.prepare_cached(sql)?.execute(row)?;
        Ok(())
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

    fn has_fresh(&mut self) -> Result<bool, StoreError> {
        if let Some(any) = self.any_fresh {
            return Ok(any);
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
        entry: row.get(2)?,
    })
}

fn bytes_of(entry: Option<&Fingerprint>) -> &[u8] {
    entry.map_or(&[], |entry| entry.as_bytes())
}

fn comes_twice() -> StoreError {
    StoreError::Internal("the account of a token comes twice".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::tests::database;

    fn fingerprint(number: u64) -> Fingerprint {
        let bytes = blake3::hash(&number.to_le_bytes());
        Fingerprint::from_bytes(*bytes.as_bytes().first_chunk().unwrap())
    }

    fn come(number: u64, id: i64) -> KeyChange {
        KeyChange::Come(NewKey {
            fingerprint: fingerprint(number),
            id,
            owners: [1, 0, 0, 0],
            entry: None,
        })
    }

    fn number(db: &Db, sql: &str) -> i64 {
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// A small generator of numbers, the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) % end
        }
    }

    #[test]
    fn both_tables_are_one_index_whatever_comes_goes_and_settles() {
        let (_dir, db) = database();
        db.execute_batch("BEGIN").unwrap();
        let mut numbers = Numbers(7);
        let mut held: BTreeMap<u64, i64> = BTreeMap::new();
        let (mut id, mut fresh_keys) = (0, 0);
        for _round in 0..60 {
            let mut index = Index::new(&db);
            let mut keys = Vec::new();
            for number in 0..1_500 {
                if numbers.below(4) > 0 {
                    continue;
                }
                id += 1;
                keys.push(match held.remove(&number) {
                    Some(_) => KeyChange::Go(fingerprint(number)),
                    None => {
                        held.insert(number, id);
                        come(number, id)
                    }
                });
            }
            // As if the pool had few or many others.
            index
                .write(keys, [0, 1_000_000][usize::from(numbers.below(2) == 1)])
                .unwrap();
            for number in held.keys().filter(|number| *number % 9 == 0) {
                let entry = fingerprint(number + 1);
                index
                    .set_entry(&fingerprint(*number), Some(&entry))
                    .unwrap();
                index
                    .set_owners(&fingerprint(*number), &[2, 0, 0, 0])
                    .unwrap();
            }
            fresh_keys += index.settle(fresh_keys).unwrap();
            for number in 0..1_500 {
                let key = index.find(&fingerprint(number)).unwrap();
                assert_eq!(
                    key.map(|key| key.id),
                    held.get(&number).copied(),
                    "{number}"
                );
            }
            let mut view = db
                .prepare("SELECT fingerprint, account, owners, entry FROM account_key")
                .unwrap();
            let rows = view.query_map([], |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    (
                        row.get::<_, i64>(1)?,
                        row.get::<_, Vec<u8>>(2)?,
                        row.get::<_, Vec<u8>>(3)?,
                    ),
                ))
            });
            let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
            assert_eq!(rows.len(), held.len());
            let rows: BTreeMap<_, _> = rows.into_iter().collect();
            for (number, id) in &held {
                let (found, owners, entry) = &rows[&fingerprint(*number).as_bytes()[..]];
                assert_eq!(found, id);
                if number % 9 == 0 {
                    assert_eq!(owners, &[2, 0, 0, 0]);
                    assert_eq!(entry, &fingerprint(number + 1).as_bytes()[..]);
                }
            }
        }
        assert!(fresh_keys > 5 * KEYS_A_STEP, "some settled: {fresh_keys}");
        assert!(number(&db, "SELECT count(*) FROM fresh_key WHERE account IS NULL") > 0);
    }

    #[test]
    fn few_keys_among_many_touch_the_small_table_and_settle_in_their_turn() {
        let (_dir, db) = database();
        db.execute_batch("BEGIN").unwrap();
        let mut index = Index::new(&db);
        index
            .write((0..10_000).map(|n| come(n, 1)).collect(), 0)
            .unwrap();
        assert_eq!(index.settle(0).unwrap(), 0);
        assert_eq!(number(&db, "SELECT count(*) FROM settled_key"), 10_000);
        let mut fresh_keys = 0;
        // Three steps at once.
        for change in 0..100 {
            let first = 10_000 + change * 3 * 1_024;
            let keys = (first..first + 3 * 1_024).map(|n| come(n, 1)).collect();
            index.write(keys, i64::MAX).unwrap();
            fresh_keys += index.settle(fresh_keys).unwrap();
            let fresh = number(&db, "SELECT count(*) FROM fresh_key");
            assert!(fresh < 256 * KEYS_A_STEP, "{fresh}");
        }
        assert_eq!(fresh_keys, 300 * KEYS_A_STEP);
        let fresh = number(&db, "SELECT count(*) FROM fresh_key");
        assert!((100_000..160_000).contains(&fresh), "{fresh}");
        let all = number(&db, "SELECT count(*) FROM account_key");
        assert_eq!(all, 10_000 + 300 * 1_024);
    }

    #[test]
    fn what_reads_the_keys_of_all_accounts_scans_neither_table() {
        let (_dir, db) = database();
        for sql in [
            "SELECT owners FROM account_key WHERE fingerprint = ?1",
            "SELECT 1 FROM account a WHERE id = ?1 AND (SELECT owners FROM account_key WHERE fingerprint = a.fingerprint) = x''",
            "SELECT a.id FROM account a WHERE id = (SELECT account FROM account_key WHERE fingerprint = ?1)",
            "SELECT k.owners FROM account a JOIN account_key k ON k.fingerprint = a.fingerprint WHERE a.id = ?1",
        ] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.query_map([1], |row| row.get::<_, String>("detail"));
            let steps: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
            assert!(
                !steps
                    .iter()
                    .any(|step| step.contains("SCAN") || step.contains("B-TREE")),
                "{sql}: {steps:?}"
            );
        }
    }

    #[test]
    fn a_token_does_not_come_twice() {
        let (_dir, db) = database();
        let (few, many) = (1_000_000, 0);
        for (token, [first, second]) in
            (0..).zip([[few, few], [few, many], [many, few], [many, many]])
        {
            let mut index = Index::new(&db);
            index.write(vec![come(token, 1)], first).unwrap();
            assert!(index.write(vec![come(token, 2)], second).is_err());
            assert_eq!(index.find(&fingerprint(token)).unwrap().unwrap().id, 1);
        }
    }

    #[test]
    fn keys_that_lie_close_together_are_not_few() {
        let mut keys: Vec<_> = (0..200_000).map(|n| come(n, 1)).collect();
        keys.sort_unstable_by_key(KeyChange::fingerprint);
        let among = 4_000_000;
        assert!(are_few(&keys, among), "one for twenty");
        assert!(!are_few(&keys, among / 2), "one for ten");
        assert!(are_few(&keys[..100], among / 2), "a handful");
        let close = keys.split_off(150_000);
        assert!(
            are_few(&close, among),
            "a quarter that is spread over a quarter"
        );
        let (first, ..) = close.split_at(20_000);
        assert!(
            !are_few(first, among / 2),
            "a tenth that is spread over a tenth, one for ten"
        );
        assert!(!are_few(&[], 0));
    }
}
