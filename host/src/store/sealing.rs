//! Brings every secret of a database under its current master key: those that an earlier version left unsealed, at the
//! start; those of an older key, while the server runs.

use rusqlite::params;

use super::db::Db;
use super::error::StoreError;
use super::vault::{Identity, is_sealed};
use tributary_core::Fingerprint;

/// Rows that one transaction seals at most.
const ROWS: i64 = 2_000;

/// Seals what is not sealed yet, step by step, and leaves nothing of it in the file. What a crash interrupts goes on at
/// the next start.
pub(super) fn seal_all(db: &Db) -> Result<(), StoreError> {
    let sealed: bool = db.query_row("SELECT sealed FROM meta", [], |row| row.get(0))?;
    if sealed {
        return Ok(());
    }
    let mut place = Place::default();
    loop {
        db.execute_batch("BEGIN IMMEDIATE")?;
        let step = step(db, place).and_then(|next| {
            if next.is_none() {
                db.execute("UPDATE meta SET sealed = 1", [])?;
            }
            Ok(next)
        });
        db.execute_batch(if step.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        match step? {
            Some(next) => place = next,
            None => break,
        }
    }
    // Pages that nothing uses any more still hold what was there.
    db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// Where sealing goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    table: usize,
    after: i64,
}

/// Tables with a `secret`, and what names a row's owner in them.
const TABLES: [(&str, &str); 2] = [("account", "id"), ("undo", "id")];

/// Seals some rows with the current key, in the caller's transaction; where to go on, `None` when all are.
pub(super) fn step(db: &Db, place: Place) -> Result<Option<Place>, StoreError> {
    let Some((table, row)) = TABLES.get(place.table) else {
        sources_and_salt(db)?;
        return Ok(None);
    };
    let sql = format!(
        "SELECT {row}, fingerprint, secret FROM {table} WHERE {row} > ?1 AND length(secret) > 0 \
         AND substr(secret, 1, ?3) <> ?4 ORDER BY {row} LIMIT ?2"
    );
    let beginning = db.vault().beginning();
    let len = i64::try_from(beginning.len()).unwrap_or(0);
    let mut rows = db.prepare_cached(&sql)?;
    let mut rows = rows.query(params![place.after, ROWS, len, beginning])?;
    let (mut last, mut count) = (place.after, 0);
    let sql = format!("UPDATE {table} SET secret = ?2 WHERE {row} = ?1");
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        count += 1;
        let fingerprint = Fingerprint::from_bytes(row.get(1)?);
        let anew = anew(
            db,
            Identity::Account(&fingerprint),
            row.get_ref(2)?.as_blob().unwrap_or_default(),
        )?;
        db.prepare_cached(&sql)?.execute(params![last, anew])?;
    }
    Ok(Some(match count < ROWS {
        true => Place {
            table: place.table + 1,
            after: 0,
        },
        false => Place {
            after: last,
            ..place
        },
    }))
}

/// Few enough for one step.
fn sources_and_salt(db: &Db) -> Result<(), StoreError> {
    let mut sources = db.prepare("SELECT id, secret FROM source")?;
    let sources = sources.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    for source in sources.collect::<Result<Vec<_>, _>>()? {
        let (id, secret) = source;
        if !db.vault().is_current(&secret) {
            let secret = anew(db, Identity::Source(&id), &secret)?;
            db.execute(
                "UPDATE source SET secret = ?2 WHERE id = ?1",
                params![id, secret],
            )?;
        }
    }
    let salt: Vec<u8> = db.query_row("SELECT salt FROM meta", [], |row| row.get(0))?;
    if !db.vault().is_current(&salt) {
        let salt = anew(db, Identity::Salt, &salt)?;
        db.execute("UPDATE meta SET salt = ?1", [salt])?;
    }
    Ok(())
}

fn anew(db: &Db, whose: Identity<'_>, secret: &[u8]) -> Result<Vec<u8>, StoreError> {
    match is_sealed(secret) {
        true => {
            let text = db.vault().open(whose, secret)?;
            db.vault().seal(whose, &text)
        }
        // Of an earlier version.
        false => db.vault().seal(whose, secret),
    }
}
