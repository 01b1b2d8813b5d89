//! Who owns accounts that follow each other, without looking each of them up.

use std::ops::Deref;

use rusqlite::params;
use tributary_core::Fingerprint;

use super::{LOCAL, damaged};
use crate::store::db::Db;
use crate::store::error::StoreError;

/// With fewer rows than these for each owner of the pool, each account is looked up instead of asking each owner.
const ROWS_AN_OWNER: usize = 4;
/// Accounts that lie farther apart than this, on the average, are looked up: others of their owners may lie between them.
const APART: u64 = 16;

/// The `owners` blobs of these rows, which ascend.
///
/// Rows in a pool mostly have one owner each, and the accounts of an owner lie side by side in `owned`, where those between
/// the first row and the last are read in one go. Only where several own an account, its own blob tells their order.
pub fn owners_of(db: &Db, rows: &[(i64, Fingerprint)]) -> Result<Vec<OwnersBlob>, StoreError> {
    let few = rows.len() / ROWS_AN_OWNER;
    let mut all = vec![LOCAL];
    let mut sources = db.prepare_cached("SELECT id FROM owner LIMIT ?1")?;
    for id in sources.query_map([i64::try_from(few).unwrap_or(i64::MAX)], |row| row.get(0))? {
        all.push(id?);
    }
    if all.len() > few || are_apart(rows) {
        return rows
            .iter()
            .map(|(_, fingerprint)| blob_of(db, fingerprint).map(OwnersBlob::Kept))
            .collect();
    }
    let mut found = vec![OwnersBlob::Nobody; rows.len()];
    for owner in all {
        find_owned(db, owner, rows, &mut found)?;
    }
    for (found, (_, fingerprint)) in found.iter_mut().zip(rows) {
        if let OwnersBlob::Kept(blob) = found {
            *blob = blob_of(db, fingerprint)?;
        }
    }
    Ok(found)
}

/// What `owners` is in a row. That of one owner, as most are, takes no memory of its own.
#[derive(Clone, Debug)]
pub enum OwnersBlob {
    /// Of nobody.
    Nobody,
    /// Of one owner, by its id.
    One([u8; 4]),
    /// As the account's key keeps it, whoever that is.
    Kept(Vec<u8>),
}

impl Deref for OwnersBlob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            OwnersBlob::Nobody => &[],
            OwnersBlob::One(owner) => owner,
            OwnersBlob::Kept(blob) => blob,
        }
    }
}

fn are_apart(rows: &[(i64, Fingerprint)]) -> bool {
    let [(first, _), .., (last, _)] = rows else {
        return false;
    };
    let near = u64::try_from(rows.len()).map_or(u64::MAX, |rows| rows.saturating_mul(APART));
    first.abs_diff(*last) > near
}

/// Marks the rows that `owner` owns. Where several do, an empty blob stands for the one that is still to be looked up.
fn find_owned(
    db: &Db,
    owner: u32,
    rows: &[(i64, Fingerprint)],
    found: &mut [OwnersBlob],
) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
        return Ok(());
    };
    let sql =
        "SELECT account FROM owned WHERE owner = ?1 AND account BETWEEN ?2 AND ?3 ORDER BY account";
    let mut owned = db.prepare_cached(sql)?;
    let mut owned = owned.query(params![owner, first, last])?;
    let mut rows = rows.iter().zip(found).peekable();
    while let Some(row) = owned.next()? {
        let account: i64 = row.get(0)?;
        while rows.next_if(|((id, _), _)| *id < account).is_some() {}
        if let Some((_, found)) = rows.next_if(|((id, _), _)| *id == account) {
            *found = match found {
                OwnersBlob::Nobody => OwnersBlob::One(owner.to_le_bytes()),
                _ => OwnersBlob::Kept(Vec::new()),
            };
        }
    }
    Ok(())
}

fn blob_of(db: &Db, fingerprint: &Fingerprint) -> Result<Vec<u8>, StoreError> {
    let mut key = db.prepare_cached("SELECT owners FROM account_key WHERE fingerprint = ?1")?;
    let mut rows = key.query([fingerprint.as_bytes()])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| damaged("an account is not found by its token"))?;
    Ok(row.get(0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::{Accounts, NewKey};
    use crate::store::tests::database;
    use tributary_core::SourceId;

    /// A thousand accounts, in turns of Local, of two sources, of all three, and of nobody.
    fn pool(db: &Db, sources: usize) -> Vec<(i64, Fingerprint)> {
        let mut accounts = Accounts::new(db);
        for number in 0..sources {
            let source = SourceId::new(&format!("source-{number}")).unwrap();
            accounts.owners.importer(Some(&source), "").unwrap();
        }
        let whose: [&[u32]; 5] = [&[LOCAL], &[1], &[2], &[LOCAL, 2, 1], &[]];
        let rows = (1..=1_000_i64).zip(whose.into_iter().cycle());
        let rows = rows.map(|(id, owners)| {
            let fingerprint = Fingerprint::from_bytes(u128::try_from(id).unwrap().to_be_bytes());
            for owner in owners {
                accounts.own(*owner, id).unwrap();
            }
            let owners: Vec<_> = owners
                .iter()
                .flat_map(|owner| owner.to_le_bytes())
                .collect();
            let entry = None;
            accounts
                .index
                .add(&NewKey {
                    fingerprint,
                    id,
                    owners,
                    entry,
                })
                .unwrap();
            (id, fingerprint)
        });
        rows.collect()
    }

    #[test]
    fn owners_of_rows_are_those_that_each_is_looked_up_with() {
        for sources in [2, 1_000 / ROWS_AN_OWNER] {
            let (_dir, db) = database();
            let rows = pool(&db, sources);
            let of_each = |rows: &[(i64, Fingerprint)]| -> Vec<Vec<u8>> {
                let each = rows.iter().map(|(_, print)| blob_of(&db, print).unwrap());
                each.collect()
            };
            let apart: Vec<_> = rows.iter().copied().step_by(89).collect();
            assert!(are_apart(&apart) && !are_apart(&rows));
            for some in [
                &rows[..],
                &rows[3..150],
                &rows[..1],
                &rows[3..5],
                &apart,
                &[],
            ] {
                let owners = owners_of(&db, some).unwrap();
                let blobs: Vec<&[u8]> = owners.iter().map(|owners| &**owners).collect();
                assert_eq!(blobs, of_each(some), "{some:?}");
            }
        }
    }

    #[test]
    fn rows_that_lie_apart_are_not_reached_through_all_between_them() {
        let (_dir, db) = database();
        let rows = pool(&db, 2);
        let far: Vec<_> = rows.into_iter().step_by(89).collect();
        let owners = || {
            let owners = owners_of(&db, &far)?;
            Ok::<_, StoreError>(
                owners
                    .iter()
                    .map(|owners| owners.to_vec())
                    .collect::<Vec<_>>(),
            )
        };
        let before = owners().unwrap();
        db.execute("DELETE FROM owned", []).unwrap();
        assert_eq!(owners().unwrap(), before);
        db.execute("DELETE FROM settled_key", []).unwrap();
        assert!(owners().is_err());
    }
}
