//! Who owns accounts that follow each other, without looking each of them up.

use rusqlite::params;
use tributary_core::Fingerprint;

use crate::store::accounts::{LOCAL, damaged};
use crate::store::db::Db;
use crate::store::error::StoreError;

/// Owners of more than this many are not gone through one by one: each account is then looked up.
const FEW: usize = 16;

/// The `owners` blobs of these rows, which ascend.
///
/// Rows in a pool mostly have one owner each, and the accounts of an owner lie side by side in `owned`, where those between
/// the first row and the last are read in one go. Only where several own an account, its own blob tells their order.
pub(super) fn owners_of(db: &Db, rows: &[(i64, Fingerprint)]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut all = vec![LOCAL];
    let mut sources = db.prepare_cached("SELECT id FROM owner LIMIT ?1")?;
    for id in sources.query_map([i64::try_from(FEW).unwrap_or(i64::MAX)], |row| row.get(0))? {
        all.push(id?);
    }
    if all.len() > FEW {
        return rows
            .iter()
            .map(|(_, fingerprint)| blob_of(db, fingerprint))
            .collect();
    }
    let mut found = vec![Found::Nobody; rows.len()];
    for owner in all {
        find_owned(db, owner, rows, &mut found)?;
    }
    let blobs = found
        .iter()
        .zip(rows)
        .map(|(found, (_, fingerprint))| match found {
            Found::Nobody => Ok(Vec::new()),
            Found::One(owner) => Ok(owner.to_le_bytes().to_vec()),
            Found::Several => blob_of(db, fingerprint),
        });
    blobs.collect()
}

#[derive(Clone, Copy)]
enum Found {
    Nobody,
    One(u32),
    Several,
}

/// Marks the rows that `owner` owns.
fn find_owned(
    db: &Db,
    owner: u32,
    rows: &[(i64, Fingerprint)],
    found: &mut [Found],
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
                Found::Nobody => Found::One(owner),
                _ => Found::Several,
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
