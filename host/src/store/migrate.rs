//! Brings a database to the schema of this program, or refuses it and leaves it as it is.
//!
//! A new database is built under another name and renamed when it is whole. So a file under the real name always has
//! our application id in its first page, and a crash never leaves half a database.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::accounts::parts_of;
use super::connect;
use super::error::OpenError;
use super::files::{new_file, remove, settle};
use super::vault;

/// The name of the database in the data folder.
pub(super) const FILE: &str = "tributary.db";
/// `TRIB`: how a database says that it is ours.
const APPLICATION_ID: i32 = 0x5452_4942;
/// Forward only: step n brings schema n to n+1 and is never edited after a release.
const STEPS: &[fn(&Connection) -> rusqlite::Result<()>] =
    &[first, second, third, fourth, fifth, sixth, seventh, eighth];

/// Opens the database of `dir` for writing, created or migrated as needed. The caller holds the folder's lock.
pub(super) fn prepare(dir: &Path) -> Result<Connection, OpenError> {
    let path = dir.join(FILE);
    if !path
        .try_exists()
        .map_err(|e| OpenError::from_io(&path, &e))?
    {
        create(&path)?;
    }
    check_header(&path)?;
    let mut db = connect::writer(&path).map_err(|e| OpenError::from_sqlite(&path, &e))?;
    let version = check(&db, &path)?;
    keep_private(&path).map_err(|e| OpenError::from_io(&path, &e))?;
    let ready = migrate(&mut db, version).and_then(|()| {
        // A backup made by SQLite may have come without its WAL mode.
        db.pragma_update(None, "journal_mode", "WAL")
    });
    ready.map_err(|e| OpenError::from_sqlite(&path, &e))?;
    Ok(db)
}

/// Reads what tells whether this program can use the database, and returns its version. Writes nothing.
pub(super) fn check(db: &Connection, path: &Path) -> Result<usize, OpenError> {
    let sqlite = |e| OpenError::from_sqlite(path, &e);
    let application: i32 = db
        .pragma_query_value(None, "application_id", |r| r.get(0))
        .map_err(sqlite)?;
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_path_buf()));
    }
    let version = known(
        path,
        db.pragma_query_value(None, "user_version", |r| r.get(0))
            .map_err(sqlite)?,
    )?;
    let tables = compare(db, version)
        .map_err(sqlite)?
        .map_err(|why| OpenError::Damaged(path.to_path_buf(), why))?;
    for table in tables {
        // Damage in a table's first pages shows now; deeper damage is met by whoever reads it.
        let mut rows = db
            .prepare(&format!("SELECT * FROM \"{table}\" LIMIT 1"))
            .map_err(sqlite)?;
        rows.query([])
            .and_then(|mut r| r.next().map(|_| ()))
            .map_err(sqlite)?;
    }
    Ok(version)
}

/// The salt of a database as it lies there, sealed or not; `None` in one that is no pool of ours, which is told later.
pub(super) fn salt(path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    check_header(path)?;
    let db = connect::reader(path).map_err(|e| OpenError::from_sqlite(path, &e))?;
    let salt = db.query_row("SELECT salt FROM meta", [], |row| row.get(0));
    Ok(salt.ok())
}

/// Whether any row of a database is sealed. Of an earlier version, which sealed nothing, it has not the tables for it.
pub(super) fn has_sealed_rows(path: &Path) -> Result<bool, OpenError> {
    let db = connect::reader(path).map_err(|e| OpenError::from_sqlite(path, &e))?;
    let sql = "SELECT 1 FROM (SELECT secret FROM account UNION ALL SELECT secret FROM undo UNION ALL SELECT secret FROM source) \
               WHERE substr(secret, 1, 4) = ?1 LIMIT 1";
    let found = db
        .prepare(sql)
        .and_then(|mut rows| rows.exists([vault::MARK]));
    Ok(found.unwrap_or(false))
}

/// Whether the database is at the schema of this program.
pub(super) fn is_current(version: usize) -> bool {
    version == STEPS.len()
}

/// Migration 1: the tables, and the salt that keys this pool's fingerprints.
fn first(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema.sql"))?;
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    db.execute("INSERT INTO meta VALUES(1, ?1, 0, 0)", [salt])
        .map(drop)
}

/// Migration 2: numbers that nobody has to count, sources that are gone, and when keys were last used.
fn second(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-2.sql"))
}

/// Migration 3: the history, undo, and what a source may do to the pool.
fn third(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-3.sql"))
}

/// Migration 4: secrets in one place for each row, where they are sealed at the next start.
fn fourth(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-4.sql"))?;
    let mut sources = db.prepare("SELECT id, url, auth_token, bearer_token FROM source")?;
    let mut rows = sources.query([])?;
    while let Some(row) = rows.next()? {
        let parts: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        let secret = parts_of(parts.iter().map(String::as_str));
        let id: String = row.get(0)?;
        let change = "UPDATE source SET secret = ?2 WHERE id = ?1";
        db.execute(change, rusqlite::params![id, *secret])?;
    }
    db.execute_batch(
        "ALTER TABLE source DROP COLUMN url; ALTER TABLE source DROP COLUMN auth_token; \
         ALTER TABLE source DROP COLUMN bearer_token;",
    )
}

/// Migration 5: entries that need not be read again.
fn fifth(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-5.sql"))
}

/// Migration 6: what administrators did.
fn sixth(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-6.sql"))
}

/// Migration 7: keys that came or went lately.
fn seventh(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-7.sql"))
}

/// Migration 8: numbers of the pool in one tree.
fn eighth(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(include_str!("schema-8.sql"))
}

/// A database of an earlier version at `path`.
#[cfg(test)]
pub(super) fn of_version(path: &Path, version: usize) -> Connection {
    let db = Connection::open(path).unwrap();
    for step in STEPS.iter().take(version) {
        step(&db).unwrap();
    }
    db.pragma_update(None, "application_id", APPLICATION_ID)
        .unwrap();
    db.pragma_update(None, "user_version", i64::try_from(version).unwrap())
        .unwrap();
    db
}

/// Runs the steps that are missing, each in a transaction of its own that also counts the version up.
fn migrate(db: &mut Connection, version: usize) -> rusqlite::Result<()> {
    for (step, version) in STEPS.iter().zip(1..).skip(version) {
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step(&change)?;
        change.pragma_update(None, "application_id", APPLICATION_ID)?;
        change.pragma_update(None, "user_version", version)?;
        change.commit()?;
    }
    Ok(())
}

/// Builds a new database beside `path` and gives it that name once it is whole and on disk.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |e: io::Error| OpenError::from_io(path, &e);
    if fs::metadata(with_suffix(path, "-wal")).is_ok_and(|m| m.len() > 0) {
        // SQLite would replay it into the new, empty database.
        return Err(OpenError::Damaged(
            path.to_path_buf(),
            "it is gone, but its `-wal` is there".to_owned(),
        ));
    }
    let new = with_suffix(path, ".new");
    start_over(&new).map_err(io)?;
    fill(&new).map_err(|e| OpenError::from_sqlite(&new, &e))?;
    settle(&new, path).map_err(io)
}

/// Makes an empty private file, and removes what a crash left of an earlier one.
fn start_over(new: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        remove(&with_suffix(new, suffix))?;
    }
    new_file(new)?;
    keep_private(new)
}

/// Fills a new file. Nothing needs to survive a crash before the rename, hence no journal and no syncs.
fn fill(new: &Path) -> rusqlite::Result<()> {
    let mut db = Connection::open_with_flags(new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;",
    )?;
    migrate(&mut db, 0)?;
    db.execute_batch("PRAGMA journal_mode = WAL;")?;
    db.close().map_err(|(_, e)| e)
}

/// Refuses what is not ours by its first bytes, before SQLite touches it or makes files beside it.
///
/// INVARIANT: no connection of this program has the file open: closing a plain file drops SQLite's locks on it.
pub(super) fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; 100];
    let mut file = File::open(path).map_err(|e| OpenError::from_io(path, &e))?;
    match file.read_exact(&mut header) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::Foreign(path.to_path_buf()));
        }
        other => other.map_err(|e| OpenError::from_io(path, &e))?,
    }
    let ours =
        header.starts_with(b"SQLite format 3\0") && header[68..72] == APPLICATION_ID.to_be_bytes();
    if !ours {
        return Err(OpenError::Foreign(path.to_path_buf()));
    }
    let version = i32::from_be_bytes([header[60], header[61], header[62], header[63]]);
    known(path, version.into()).map(drop)
}

/// Takes a version that this program knows.
fn known(path: &Path, version: i64) -> Result<usize, OpenError> {
    let newest = STEPS.len();
    match usize::try_from(version) {
        Ok(version) if (1..=newest).contains(&version) => Ok(version),
        Ok(version) if version > newest => Err(OpenError::Newer(
            path.to_path_buf(),
            i64::try_from(version).unwrap_or(i64::MAX),
            i64::try_from(newest).unwrap_or(i64::MAX),
        )),
        _ => Err(OpenError::Damaged(
            path.to_path_buf(),
            format!("its schema says version {version}"),
        )),
    }
}

/// The tables of `db` when its schema is exactly the one of `version`, else what differs.
fn compare(db: &Connection, version: usize) -> rusqlite::Result<Result<Vec<String>, String>> {
    let model = Connection::open_in_memory()?;
    for step in STEPS.iter().take(version) {
        step(&model)?;
    }
    let (found, wanted) = (schema(db)?, schema(&model)?);
    if let Some((_, name, _)) = wanted.iter().find(|w| !found.contains(w)) {
        return Ok(Err(format!("`{name}` is missing or altered")));
    }
    if let Some((_, name, _)) = found.iter().find(|f| !wanted.contains(f)) {
        return Ok(Err(format!("`{name}` does not belong in it")));
    }
    Ok(Ok(wanted
        .into_iter()
        .filter(|(kind, ..)| kind == "table")
        .map(|(_, name, _)| name)
        .collect()))
}

/// Kind, name and text of everything in a schema but what SQLite keeps for itself.
fn schema(db: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut rows = db.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
        .collect()
}

/// Takes the file away from everyone but its owner, whatever the umask or a restored backup made of it.
fn keep_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

/// `path` with something appended to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
