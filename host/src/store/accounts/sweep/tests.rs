use rusqlite::params;
use tributary_core::{Batch, BatchReader, Form, Salt, SourceId};

use super::super::OwnerIds;
use super::*;
use crate::store::db::Db;
use crate::store::tests::database;

fn batch(tokens: usize) -> Batch {
    let tokens: Vec<_> = (0..tokens).map(|n| format!("\"t-{n}\"")).collect();
    let mut reader = BatchReader::new(Form::Payload, Salt::new([7; 32]));
    let text = format!("[{}]", tokens.join(","));
    reader.feed(text.as_bytes()).unwrap();
    reader.finish().unwrap().1.unwrap()
}

fn told<A>(met: &Met<A>) -> &'static str {
    match met {
        Met::Nobody => "nobody",
        Met::AsItCame => "as it came",
        Met::Account(_) => "account",
    }
}

/// Writes keys of this owner's accounts, of others, and some of both tables; which of them an item has, its place tells.
fn fill(db: &Db, batch: &Batch, mine: [u8; 4]) {
    let both = [[9, 0, 0, 0], mine].concat();
    let add = |table: &str, at: usize, id: Option<i64>, owners: &[u8], entry: &[u8]| {
        let sql = format!("INSERT INTO {table} VALUES(?1, ?2, ?3, ?4)");
        let fingerprint = batch.items()[at].fingerprint;
        let row = params![fingerprint.as_bytes(), id, owners, entry];
        db.execute(&sql, row).unwrap();
    };
    let [settled, fresh] = ["settled_key", "fresh_key"];
    for (at, entry) in batch.entries().iter().enumerate() {
        let (id, entry) = (i64::try_from(at).unwrap(), entry.as_bytes());
        match at % 10 {
            0 => {}
            1 => add(settled, at, Some(id), &mine, entry),
            2 => add(settled, at, Some(id), &both, entry),
            3 => add(settled, at, Some(id), &mine, b""),
            4 => add(settled, at, Some(id), &[0; 4], entry),
            5 => add(fresh, at, Some(id), &mine, entry),
            6 => add(fresh, at, Some(id), &mine, &[0; 16]),
            7 => {
                add(settled, at, Some(id), &mine, entry);
                add(fresh, at, None, b"", b"");
            }
            8 => {
                add(settled, at, Some(id), &mine, entry);
                add(fresh, at, Some(-id), &mine, b"");
            }
            _ => {
                add(settled, at, Some(id), &[9, 0, 0, 0], b"");
                add(fresh, at, Some(id), &mine, entry);
            }
        }
    }
    // Before, between and behind those that are looked for.
    for other in 0..=255u8 {
        let row = params![[other; 16], other, mine, b""];
        let sql = "INSERT INTO settled_key VALUES(?1, ?2, ?3, ?4)";
        db.execute(sql, row).unwrap();
    }
}

#[test]
fn a_sweep_finds_whom_one_look_after_the_other_finds() {
    let (_dir, db) = database();
    let batch = batch(1_000);
    let source = SourceId::new("near").unwrap();
    let id = OwnerIds::new(&db).importer(Some(&source), "").unwrap();
    fill(&db, &batch, id.to_le_bytes());
    let mut accounts = Accounts::new(&db);
    let (items, entries) = (batch.items(), batch.entries());
    for (owner, as_it_came) in [
        (Owner::Source(source), &[1, 2, 5, 9][..]),
        (Owner::Local, &[4]),
    ] {
        let swept = accounts.sweep(items, entries, &owner).unwrap();
        for (at, seen) in swept.into_iter().enumerate() {
            let met = accounts.meet(&items[at].fingerprint, &entries[at], &owner);
            let expected = match at % 10 {
                0 | 7 => "nobody",
                rest if as_it_came.contains(&rest) => "as it came",
                _ => "account",
            };
            let met = (told(&seen), told(&met.unwrap()));
            assert_eq!(met, (expected, expected), "{at}");
        }
    }
}

#[test]
fn few_accounts_and_few_among_many_are_looked_up_one_by_one() {
    for (items, accounts, expected) in [
        (999, 10, false),
        (1_000, 10, true),
        (1_000, 4_000, true),
        (1_000, 4_001, false),
        (1_000_000, 4_000_000, true),
    ] {
        assert_eq!(is_worth_a_sweep(items, accounts), expected, "{items}");
    }
}
