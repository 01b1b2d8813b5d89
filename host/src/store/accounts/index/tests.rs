use std::collections::BTreeMap;

use super::*;
use crate::store::tests::{database, only_searches, plan_of};

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

/// What the index tells of an account: row, owners and entry.
type Told = (i64, Vec<u8>, Vec<u8>);

fn stay(number: u64, (id, owners, entry): &Told) -> KeyChange {
    KeyChange::Stay(Box::new(NewKey {
        fingerprint: fingerprint(number),
        id: *id,
        owners: owners.clone(),
        entry: entry_of(entry),
    }))
}

/// Of about a quarter of 1,500 numbers, lets each come that is not held; of the others some go, and the rest stay, with an
/// owner and an entry of this round.
fn some_changes(round: u64, held: &mut BTreeMap<u64, Told>, id: &mut i64) -> Vec<KeyChange> {
    let chance = |number: u64| fingerprint(round << 32 | number).as_bytes()[0];
    let chosen = (0..1_500).filter(|number| chance(*number) < 64);
    let change = |number| match held.remove(&number) {
        Some(_) if chance(number) < 40 => KeyChange::Go(fingerprint(number)),
        Some((id, _, _)) => {
            let entry = fingerprint(round << 32 | number).as_bytes().to_vec();
            let told = (id, [round.to_le_bytes()].concat(), entry);
            let change = stay(number, &told);
            held.insert(number, told);
            change
        }
        None => {
            *id += 1;
            held.insert(number, (*id, vec![1, 0, 0, 0], vec![]));
            come(number, *id)
        }
    };
    chosen.map(change).collect()
}

/// The keys of all accounts: row, owners and entry by fingerprint.
fn all_keys(db: &Db) -> BTreeMap<Vec<u8>, Told> {
    let sql = "SELECT fingerprint, account, owners, entry FROM account_key";
    let mut view = db.prepare(sql).unwrap();
    let rows = view.query_map([], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    });
    let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    let (count, keys) = (rows.len(), BTreeMap::from_iter(rows));
    assert_eq!(keys.len(), count, "none is told twice");
    keys
}

#[test]
fn both_tables_are_one_index_whatever_comes_goes_and_settles() {
    let (_dir, db) = database();
    db.execute_batch("BEGIN").unwrap();
    let mut held = BTreeMap::new();
    let (mut id, mut fresh_keys) = (0, 0);
    for round in 1..=60 {
        let mut index = Index::new(&db);
        let keys = some_changes(round, &mut held, &mut id);
        // As if the pool had few or many others.
        let accounts = [0, 1_000_000][usize::from(fingerprint(round).as_bytes()[0] < 128)];
        index.write(keys, accounts).unwrap();
        fresh_keys += index.settle(fresh_keys).unwrap();
        for number in 0..1_500 {
            let key = index.find(&fingerprint(number)).unwrap();
            let entry = |key: &Key| bytes_of(key.entry.as_ref()).to_vec();
            let found = key.map(|key| (key.id, key.owners.clone(), entry(&key)));
            assert_eq!(found, held.get(&number).cloned(), "{number}");
        }
        let keys = held.iter().map(|(number, told)| {
            let fingerprint = fingerprint(*number).as_bytes().to_vec();
            (fingerprint, told.clone())
        });
        assert_eq!(all_keys(&db), keys.collect());
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
        let plan = plan_of(&db, sql, [1]);
        assert!(only_searches(&plan), "{sql}: {plan:?}");
    }
}

#[test]
fn a_token_does_not_come_twice() {
    let (_dir, db) = database();
    let (few, many) = (1_000_000, 0);
    let mut cases = vec![[few, few], [few, many], [many, many]];
    if cfg!(debug_assertions) {
        // Other builds rely on its having been looked for.
        cases.push([many, few]);
    }
    for (token, [first, second]) in (0..).zip(cases) {
        let mut index = Index::new(&db);
        index.write(vec![come(token, 1)], first).unwrap();
        assert!(index.write(vec![come(token, 2)], second).is_err());
        assert_eq!(index.find(&fingerprint(token)).unwrap().unwrap().id, 1);
    }
}

#[test]
fn what_is_nowhere_is_not_told_anew() {
    let (_dir, db) = database();
    let mut index = Index::new(&db);
    let keys = vec![stay(0, &(1, vec![1, 0, 0, 0], vec![]))];
    assert!(matches!(
        index.write(keys, 0),
        Err(StoreError::Unavailable(_))
    ));
    assert!(index.find(&fingerprint(0)).unwrap().is_none());
}

#[test]
fn a_token_that_went_comes_once() {
    let (_dir, db) = database();
    let few = 1_000_000;
    // What the large table has of the second is out of date until it settles.
    for (token, first) in [(0, few), (1, 0)] {
        let mut index = Index::new(&db);
        index.write(vec![come(token, 1)], first).unwrap();
        let gone = KeyChange::Go(fingerprint(token));
        index.write(vec![gone], few).unwrap();
        assert!(index.find(&fingerprint(token)).unwrap().is_none());
        index.write(vec![come(token, 2)], few).unwrap();
        assert!(index.write(vec![come(token, 3)], few).is_err());
        assert_eq!(index.find(&fingerprint(token)).unwrap().unwrap().id, 2);
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
