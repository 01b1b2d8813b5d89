//! Brings every secret of a database under its current master key: those that an earlier version left unsealed, at the
//! start; those of an older key, while the server runs.

use rusqlite::params;
use tributary_core::Fingerprint;

use super::audit::{self, Act};
use super::db::Db;
use super::error::StoreError;
use super::vault::{Identity, is_sealed};
use crate::job::Asker;

/// Rows that one transaction seals at most.
const ROWS: i64 = 2_000;

/// Seals what is not sealed yet, step by step, and leaves nothing of it in the file. What a crash interrupts goes on at
/// the next start.
pub(super) fn seal_all(db: &Db) -> Result<(), StoreError> {
    let sealed: bool = db.query_row("SELECT sealed FROM meta", [], |row| row.get(0))?;
    if sealed {
        return db.at_once(audit::begin);
    }
    // The first of all: from then on nobody opens the pool without the key.
    db.at_once(|db| {
        salt(db)?;
        audit::begin(db)
    })?;
    let mut place = Some(Place::default());
    while let Some(here) = place {
        place = db.at_once(|db| step(db, here, &Asker::default()))?;
    }
    // Pages that nothing uses any more still hold what was there. Until they are gone the pool does not count as sealed.
    db.execute_batch("VACUUM")?;
    if leaves_no_wal(db)? {
        db.execute("UPDATE meta SET sealed = 1", [])?;
        leaves_no_wal(db)?;
    }
    Ok(())
}

/// Whether the WAL could be emptied: somebody who reads the pool at this moment needs it.
fn leaves_no_wal(db: &Db) -> Result<bool, StoreError> {
    let busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!busy)
}

/// Where sealing goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    table: usize,
    after: i64,
}

/// Tables with a `secret`, and what names a row's owner in them.
const TABLES: [(&str, &str); 2] = [("account", "id"), ("undo", "id")];

/// Seals some rows with the current key, in the caller's transaction; where to go on, `None` when all are. The last of it
/// tells the audit that a rotation has ended, which somebody wanted.
pub(super) fn step(db: &Db, place: Place, by: &Asker) -> Result<Option<Place>, StoreError> {
    let Some((table, row)) = TABLES.get(place.table) else {
        sources_and_salt(db, by)?;
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
fn sources_and_salt(db: &Db, by: &Asker) -> Result<(), StoreError> {
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
    let turned = salt(db)?;
    // Never unsealed: what is not sealed here was put in by somebody else, and stays what it is.
    for (table, column, row, whose) in [
        ("meta", "audit_key", "id = 1", Identity::AuditKey),
        ("number", "audit_end", "kind = 'pool'", Identity::AuditEnd),
    ] {
        let sql = format!("SELECT {column} FROM {table} WHERE {row}");
        let sealed: Vec<u8> = db.query_row(&sql, [], |row| row.get(0))?;
        if is_sealed(&sealed) && !db.vault().is_current(&sealed) {
            let sealed = anew(db, whose, &sealed)?;
            let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {row}");
            db.execute(&sql, [sealed])?;
        }
    }
    if turned {
        let act = Act::new(by.clone(), "master-key.rotated", &db.vault().key_id());
        audit::append(db, &act)?;
    }
    Ok(())
}

/// Whether the salt had to be sealed.
fn salt(db: &Db) -> Result<bool, StoreError> {
    let salt: Vec<u8> = db.query_row("SELECT salt FROM meta", [], |row| row.get(0))?;
    if db.vault().is_current(&salt) {
        return Ok(false);
    }
    let salt = anew(db, Identity::Salt, &salt)?;
    db.execute("UPDATE meta SET salt = ?1", [salt])?;
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::super::master_key::{MasterKeyError, MasterKeys};
    use super::super::vault::Vault;
    use super::super::{OpenError, Store, StoreOptions, migrate, sources};
    use super::*;
    use crate::config::MasterKeyOptions;
    use crate::store::accounts::parts_of;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;
    use tempfile::tempdir;

    const CANARY: &str = "canary-of-an-earlier-version";

    fn canaries(dir: &Path) -> usize {
        let files = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let count = |bytes: Vec<u8>| {
            let canary = CANARY.as_bytes();
            bytes
                .windows(canary.len())
                .filter(|part| *part == canary)
                .count()
        };
        files.map(|file| count(fs::read(file).unwrap())).sum()
    }

    /// A pool of the version before anything was sealed.
    fn earlier(dir: &Path, accounts: i64) {
        let db = migrate::of_version(&dir.join("tributary.db"), 3);
        db.execute_batch("BEGIN").unwrap();
        for id in 1..=accounts {
            let fingerprint = u128::try_from(id).unwrap().to_le_bytes();
            let secret = parts_of([format!("{CANARY}-{id}").as_str(), "\"p\""]);
            let sql = "INSERT INTO account VALUES(?1, ?2, 0, 'c…', '{\"status\":\"s\",\"password\":\"…\"}', \
                       zeroblob(16), NULL, ?3, 0, 0)";
            db.execute(sql, params![id, fingerprint, *secret]).unwrap();
            let sql = "INSERT INTO account_key VALUES(?1, ?2, x'00000000')";
            db.execute(sql, params![fingerprint, id]).unwrap();
        }
        let sql = "INSERT INTO source VALUES(1, 's', 'S', 1, ?1, 'GET', 'X-Key', ?1, ?1, '', 'merge', NULL, 1, NULL)";
        db.execute(sql, [CANARY]).unwrap();
        db.execute_batch("UPDATE meta SET accounts = 1; COMMIT")
            .unwrap();
        db.close().unwrap();
    }

    fn open(dir: &Path) -> Store {
        Store::open(dir, StoreOptions::default(), &MasterKeyOptions::default()).unwrap()
    }

    #[tokio::test]
    async fn a_pool_of_before_is_sealed_at_the_start_and_nothing_of_it_is_left() {
        let dir = tempdir().unwrap();
        earlier(dir.path(), ROWS + 10);
        assert!(canaries(dir.path()) > 2_000);
        let store = open(dir.path());
        assert_eq!(canaries(dir.path()), 0);
        let source = store
            .read(|db| sources::get(db, "s"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (source.url.as_str(), source.auth_token.reveal()),
            (CANARY, CANARY)
        );
        let secret = |db: &Db| -> Result<Vec<u8>, StoreError> {
            let sealed: Vec<u8> =
                db.query_row("SELECT secret FROM account WHERE id = 7", [], |r| r.get(0))?;
            let whose = Fingerprint::from_bytes(7u128.to_le_bytes());
            Ok(db
                .vault()
                .open(Identity::Account(&whose), &sealed)?
                .to_vec())
        };
        let opened = store.read(secret).await.unwrap();
        assert_eq!(opened, *parts_of([format!("{CANARY}-7").as_str(), "\"p\""]));
        store.close(Duration::from_secs(5)).await;
        assert_eq!(canaries(dir.path()), 0);
    }

    /// A pool of before whose first sealing a crash has cut off after so many steps.
    fn cut_off_after(dir: &Path, steps: usize) {
        earlier(dir, ROWS + 10);
        let keys = MasterKeys::settle(&MasterKeyOptions::default(), dir, false).unwrap();
        let db = Db::new(migrate::prepare(dir).unwrap(), Vault::new(&keys.keys));
        db.at_once(salt).unwrap();
        let mut place = Some(Place::default());
        for _ in 0..steps {
            place =
                place.and_then(|here| db.at_once(|db| step(db, here, &Asker::default())).unwrap());
        }
    }

    #[tokio::test]
    async fn what_a_crash_cut_short_goes_on_at_the_next_start() {
        // In the middle of the accounts; when all is sealed, and pages that nothing uses hold what was there.
        for steps in [0, 1, 9] {
            let dir = tempdir().unwrap();
            cut_off_after(dir.path(), steps);
            assert!(canaries(dir.path()) > 0, "{steps}");
            let store = open(dir.path());
            assert_eq!(canaries(dir.path()), 0, "{steps}");
            let sealed = |db: &Db| -> Result<i64, StoreError> {
                let sql = "SELECT count(*) FROM account WHERE substr(secret, 1, 4) = CAST('TRS1' AS BLOB)";
                Ok(db.query_row(sql, [], |row| row.get(0))?)
            };
            assert_eq!(store.read(sealed).await.unwrap(), ROWS + 10);
        }
    }

    #[test]
    fn a_key_that_is_lost_amid_the_first_sealing_is_not_made_anew() {
        for steps in [0, 1] {
            let dir = tempdir().unwrap();
            cut_off_after(dir.path(), steps);
            let key = dir.path().join("master-key");
            fs::remove_file(&key).unwrap();
            let opened = Store::open(
                dir.path(),
                StoreOptions::default(),
                &MasterKeyOptions::default(),
            );
            assert!(
                matches!(opened, Err(OpenError::Key(MasterKeyError::Missing(_)))),
                "{steps}"
            );
            assert!(!key.exists());
        }
    }

    #[test]
    fn sealed_rows_beside_a_salt_that_is_not_are_refused() {
        let dir = tempdir().unwrap();
        cut_off_after(dir.path(), 1);
        let db = rusqlite::Connection::open(dir.path().join("tributary.db")).unwrap();
        db.execute("UPDATE meta SET salt = zeroblob(32)", [])
            .unwrap();
        db.close().unwrap();
        let before = fs::read(dir.path().join("tributary.db")).unwrap();
        let opened = Store::open(
            dir.path(),
            StoreOptions::default(),
            &MasterKeyOptions::default(),
        );
        assert!(matches!(opened, Err(OpenError::Damaged(..))));
        assert_eq!(fs::read(dir.path().join("tributary.db")).unwrap(), before);
    }
}
