//! A pool as one file, taken while imports go on, and put back. It holds no master key and names the one that opens it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::audit::{self, Act};
use super::db::Db;
use super::error::OpenError;
use super::files::{folder_of, new_file, remove, settle, sync_folder};
use super::vault::{self, Vault};
use super::verify::{Check, verify};
use super::{Store, connect, create_dir, master_key, meta, migrate, sealing};
use crate::config::{ADMIN_SECRET, MasterKeyOptions};
use crate::lock::{self, DirLock};

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Accounts.
    pub accounts: i64,
    /// Sources.
    pub sources: i64,
    /// Ids of the master keys that open it: two while the pool is sealed anew with another.
    pub key_ids: Vec<String>,
    /// Bytes.
    pub bytes: u64,
    /// Why the audit could not be told, of a pool that cannot be written.
    pub untold: Option<String>,
}

/// Why there is no backup, or none was restored. Nothing was changed.
#[derive(Debug)]
pub enum BackupError {
    /// The file, or the pool, is there already.
    Exists(PathBuf),
    /// The file is the pool's own.
    OfPool(PathBuf),
    /// The pool holds what no server has sealed yet.
    NotSealed,
    /// The pool or the backup cannot be used.
    Open(OpenError),
    /// What is to be restored does not hold together.
    Broken(PathBuf, Vec<Check>),
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> BackupError {
        BackupError::Open(error)
    }
}

/// Copies the pool in `dir` to `file` (0600) as it is at one moment, beside a running server or without one. The file
/// appears when it is whole. One that is there is replaced only by `force`. The audit is told first, with the master key
/// where that is at hand; a pool that cannot be written is copied all the same.
pub fn take(
    dir: &Path,
    file: &Path,
    key: &MasterKeyOptions,
    force: bool,
) -> Result<Backup, BackupError> {
    let sqlite = |e: rusqlite::Error| OpenError::from_sqlite(file, &e);
    let sealed: bool = Store::peek_read_only(dir)?
        .query_row("SELECT sealed FROM meta", [], |row| row.get(0))
        .map_err(sqlite)?;
    // Before anything is made: a key that was mistyped is told.
    drop(Store::keys_at_hand(dir, key)?);
    if is_of_pool(file, dir, key) {
        return Err(BackupError::OfPool(file.to_path_buf()));
    }
    if file.exists() && !force {
        return Err(BackupError::Exists(file.to_path_buf()));
    }
    if !sealed {
        return Err(BackupError::NotSealed);
    }
    let io = |e: io::Error| OpenError::from_io(file, &e);
    let folder = folder_of(file);
    let draft = tempfile::Builder::new()
        .prefix(".backup-")
        .tempfile_in(folder)
        .map_err(|e| {
            let why = match e.kind() {
                io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                kind => kind.to_string(),
            };
            OpenError::Io(file.to_path_buf(), why)
        })?;
    let untold = tell(dir, file, key).err().map(|error| error.to_string());
    // Opened last: whoever looks at the file otherwise and closes it drops SQLite's locks.
    let db = Store::peek_read_only(dir)?;
    // Into an empty file, whose mode is already right. It leaves out what nothing uses any more. To SQLite that is a write,
    // though the pool itself stays read-only.
    db.pragma_update(None, "query_only", false)
        .and_then(|()| db.execute("VACUUM INTO ?1", [draft.path().to_string_lossy()]))
        .map_err(sqlite)?;
    let taken = describe(draft.path())?;
    draft.as_file().sync_all().map_err(io)?;
    let placed = match force {
        true => draft.persist(file),
        false => draft.persist_noclobber(file),
    };
    placed.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(file.to_path_buf()),
        _ => io(failed.error).into(),
    })?;
    sync_folder(folder).map_err(io)?;
    Ok(Backup { untold, ..taken })
}

/// Whether a file is one that the pool and its server keep, or the master key's: a backup in its place would be the last that is seen of it.
fn is_of_pool(file: &Path, dir: &Path, key: &MasterKeyOptions) -> bool {
    // Where it stands, and where it leads when it is a link.
    let places = |file: &Path| {
        let folder = folder_of(file).canonicalize().ok();
        let named = folder.zip(file.file_name());
        let named = named.map(|(folder, name)| folder.join(name));
        [named, file.canonicalize().ok()]
    };
    let pool = dir.join(migrate::FILE);
    let beside = ["-wal", "-shm"].map(|suffix| migrate::with_suffix(&pool, suffix));
    let others = [master_key::FILE, ADMIN_SECRET, lock::FILE].map(|name| dir.join(name));
    let own = [pool].into_iter().chain(beside).chain(others);
    let mut own = own.chain(key.key_file.clone());
    let [asked, _] = places(file);
    asked.is_some() && own.any(|own| places(&own).contains(&asked))
}

/// Tells the audit of a backup.
fn tell(dir: &Path, file: &Path, key: &MasterKeyOptions) -> Result<(), OpenError> {
    let path = dir.join(migrate::FILE);
    let db = Store::peek_existing(dir, key)?;
    let told = db.at_once(|db| {
        let act = Act::of_command("backup", &file.to_string_lossy());
        audit::append_of_command(db, &act.counting("accounts", meta::read(db)?.accounts))
    });
    told.map_err(|error| OpenError::Io(path, error.to_string()))
}

/// Puts a backup in place of the pool in `dir`, which no server may use; a pool that is there is replaced only by `force`.
/// The backup is looked through first, with the master key. A crash leaves the one pool or the other.
pub fn restore(
    dir: &Path,
    file: &Path,
    key: &MasterKeyOptions,
    force: bool,
) -> Result<Backup, BackupError> {
    migrate::check_header(file)?;
    create_dir(dir)?;
    let _lock = DirLock::acquire(dir, Duration::ZERO).map_err(OpenError::from)?;
    let place = dir.join(migrate::FILE);
    if place.exists() && !force {
        return Err(BackupError::Exists(place));
    }
    let folder = dir.join("restoring");
    let _ = fs::remove_dir_all(&folder);
    let restored = restore_by_way_of(&folder, dir, file, key);
    let _ = fs::remove_dir_all(&folder);
    restored
}

/// The backup is copied into a folder of its own, where it is brought to this program's schema and looked through.
fn restore_by_way_of(
    folder: &Path,
    dir: &Path,
    file: &Path,
    key: &MasterKeyOptions,
) -> Result<Backup, BackupError> {
    create_dir(folder)?;
    let copy = folder.join(migrate::FILE);
    let io = |e: io::Error| OpenError::from_io(&copy, &e);
    new_file(&copy).map_err(io)?;
    fs::copy(file, &copy).map_err(|e| OpenError::from_io(file, &e))?;
    let keys = Store::unlock(dir, &copy, key).map_err(|e| e.of(file))?;
    let prepared = migrate::prepare(folder).map_err(|e| e.of(file))?;
    let db = Db::new(prepared, Vault::new(&keys.keys));
    let stored = |e: super::StoreError| OpenError::Io(file.to_path_buf(), e.to_string());
    sealing::seal_all(&db).map_err(stored)?;
    let checks = verify(&db).map_err(stored)?;
    if checks.iter().any(|check| !check.broken.is_empty()) {
        return Err(BackupError::Broken(file.to_path_buf(), checks));
    }
    let told = db.at_once(|db| {
        meta::leap(db)?;
        let act = Act::of_command("restore", &file.to_string_lossy());
        audit::append_of_command(db, &act.counting("accounts", meta::read(db)?.accounts))
    });
    told.map_err(stored)?;
    close(db.into_connection()).map_err(|e| OpenError::from_sqlite(&copy, &e))?;
    let restored = describe(&copy)?;
    let place = dir.join(migrate::FILE);
    leave_no_wal(&place).map_err(|e| OpenError::from_io(&place, &e))?;
    settle(&copy, &place).map_err(|e| OpenError::from_io(&place, &e))?;
    Ok(restored)
}

/// Counts what a database holds, and finds which master keys its secrets name.
fn describe(path: &Path) -> Result<Backup, OpenError> {
    let sqlite = |e: rusqlite::Error| OpenError::from_sqlite(path, &e);
    let db = connect::reader(path).map_err(sqlite)?;
    let count = |table: &str| {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
    };
    let (accounts, sources) = (
        count("account").map_err(sqlite)?,
        count("source").map_err(sqlite)?,
    );
    // A sealed text begins with a mark and the id of its key, four bytes each.
    let sql = "SELECT DISTINCT substr(secret, 1, 8) FROM (SELECT secret FROM account UNION ALL SELECT secret FROM undo \
               UNION ALL SELECT secret FROM source UNION ALL SELECT salt FROM meta UNION ALL SELECT audit_key FROM meta \
               UNION ALL SELECT audit_end FROM pool) WHERE length(secret) > 0";
    let mut heads = db.prepare(sql).map_err(sqlite)?;
    let heads = heads
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .map_err(sqlite)?;
    let heads = heads.collect::<Result<Vec<_>, _>>().map_err(sqlite)?;
    let mut key_ids: Vec<String> = heads
        .iter()
        .filter_map(|head| vault::key_id_in(head))
        .collect();
    key_ids.sort_unstable();
    let bytes = fs::metadata(path)
        .map_err(|e| OpenError::from_io(path, &e))?
        .len();
    Ok(Backup {
        accounts,
        sources,
        key_ids,
        bytes,
        untold: None,
    })
}

/// Writes everything into the file itself, whose WAL then goes.
fn close(db: Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    db.close().map_err(|(_, error)| error)
}

/// What the pool that is replaced still has in its WAL goes into it, so that it is whole until the other is in its place;
/// the other must not find a WAL that is not its own.
fn leave_no_wal(place: &Path) -> io::Result<()> {
    if place.exists()
        && let Ok(old) = connect::writer(place)
    {
        let checkpoint = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = checkpoint.and_then(|()| old.close().map_err(|(_, error)| error)) {
            tracing::warn!(%error, "what the replaced pool had in its WAL is lost");
        }
    }
    for suffix in ["-wal", "-shm"] {
        remove(&migrate::with_suffix(place, suffix))?;
    }
    Ok(())
}

impl std::fmt::Display for BackupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BackupError::Exists(path) => write!(
                f,
                "`{}` is there already and was left as it is: choose another place, or replace it with --force",
                path.display()
            ),
            BackupError::OfPool(path) => write!(
                f,
                "`{}` is a file of the pool itself and was left as it is: choose another place",
                path.display()
            ),
            BackupError::NotSealed => f.write_str(
                "the pool is not sealed yet, and a backup would hold its secrets as they are: start the server once, which seals it",
            ),
            BackupError::Open(error) => error.fmt(f),
            BackupError::Broken(path, checks) => {
                let first = checks.iter().flat_map(|check| &check.broken).next();
                write!(
                    f,
                    "`{}` does not hold together ({}) and was not restored: `tributary verify` says more",
                    path.display(),
                    first.map_or("", String::as_str)
                )
            }
        }
    }
}

impl std::error::Error for BackupError {}
