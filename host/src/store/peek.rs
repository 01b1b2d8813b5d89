//! Opens the database of a data folder for a command, which may run beside a server, and finds the master keys to it.

use std::path::Path;
use std::time::Duration;

use super::db::Db;
use super::error::OpenError;
use super::master_key::MasterKeys;
use super::vault::{self, Identity, Vault};
use super::{Store, connect, create_dir, migrate};
use crate::config::MasterKeyOptions;
use crate::lock::{DirLock, LockError};

/// How long a command waits for a server that is just creating the database.
const CREATE_PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// The master keys, which open the database if it is sealed.
    pub(super) fn unlock(
        dir: &Path,
        path: &Path,
        key: &MasterKeyOptions,
    ) -> Result<MasterKeys, OpenError> {
        let salt = match path.exists() {
            true => migrate::salt(path)?,
            false => None,
        };
        let found = salt.is_some();
        let salt = salt.filter(|salt| vault::is_sealed(salt));
        // The salt is sealed before any row.
        if found && salt.is_none() && migrate::has_sealed_rows(path)? {
            let why = "its secrets are sealed and its salt is not".to_owned();
            return Err(OpenError::Damaged(path.to_path_buf(), why));
        }
        let keys = MasterKeys::settle(key, dir, salt.is_some())?;
        if let Some(salt) = salt
            && Vault::new(&keys.keys).open(Identity::Salt, &salt).is_err()
        {
            let sealed_with = vault::key_id_of(&salt).unwrap_or_default();
            return Err(OpenError::OtherKey(path.to_path_buf(), sealed_with));
        }
        Ok(keys)
    }

    /// A writing connection for a command that runs beside a server or without one; the database is created or
    /// migrated when no server is running. Keep transactions short: the server's writer waits for them.
    pub fn peek(dir: &Path) -> Result<Db, OpenError> {
        create_dir(dir)?;
        let path = dir.join(migrate::FILE);
        if !path.exists() {
            match DirLock::acquire(dir, CREATE_PATIENCE) {
                Ok(_lock) => drop(migrate::prepare(dir)?),
                // A server was faster.
                Err(LockError::Held(_)) if path.exists() => {}
                Err(other) => return Err(other.into()),
            }
        }
        // Before SQLite opens it: it would roll back what another program left unfinished.
        migrate::check_header(&path)?;
        let db = connect::beside(&path).map_err(|e| OpenError::from_sqlite(&path, &e))?;
        if !migrate::is_current(migrate::check(&db, &path)?) {
            drop(db);
            let _lock = DirLock::acquire(dir, Duration::ZERO)
                .map_err(|_| OpenError::Older(path.clone()))?;
            drop(migrate::prepare(dir)?);
            let db = connect::beside(&path).map_err(|e| OpenError::from_sqlite(&path, &e))?;
            return Ok(Db::new(db, Vault::new(&[])));
        }
        Ok(Db::new(db, Vault::new(&[])))
    }

    /// The master keys of a sealed pool, where they are at hand; the error is of one that was named and does not open it.
    pub(super) fn keys_at_hand(
        dir: &Path,
        key: &MasterKeyOptions,
    ) -> Result<Option<MasterKeys>, OpenError> {
        let path = dir.join(migrate::FILE);
        // Beside a pool that is not sealed yet the first server makes the key.
        match path.exists() && is_sealed(&path)? {
            true if key.is_named() => Store::unlock(dir, &path, key).map(Some),
            true => Ok(Store::unlock(dir, &path, key).ok()),
            false => Ok(None),
        }
    }

    /// The same as [`Store::peek_with_key`], of a database that is there: none is made.
    pub fn peek_existing(dir: &Path, key: &MasterKeyOptions) -> Result<Db, OpenError> {
        let path = dir.join(migrate::FILE);
        match path.exists() {
            true => Store::peek_with_key(dir, key),
            false => Err(OpenError::Missing(path)),
        }
    }

    /// The same as [`Store::peek`], with the master key where it is at hand: a command that needs no secret does without, unless
    /// one was named.
    pub fn peek_with_key(dir: &Path, key: &MasterKeyOptions) -> Result<Db, OpenError> {
        let keys = Store::keys_at_hand(dir, key)?;
        // Opened last: whoever looks at the file otherwise and closes it drops SQLite's locks.
        let db = Store::peek(dir)?;
        Ok(match keys {
            Some(keys) => Db::new(db.into_connection(), Vault::new(&keys.keys)),
            None => db,
        })
    }

    /// A read-only connection to the database of `dir`, beside a server or without one, whose secrets the master key
    /// opens; nothing is created.
    pub fn peek_opened(dir: &Path, key: &MasterKeyOptions) -> Result<Db, OpenError> {
        drop(Store::peek_read_only(dir)?);
        let path = dir.join(migrate::FILE);
        // A look makes no key: the first server does.
        if !is_sealed(&path)? {
            return Err(OpenError::Older(path));
        }
        let keys = Store::unlock(dir, &path, key)?;
        // Opened last, as above.
        let db = Store::peek_read_only(dir)?;
        Ok(Db::new(db.into_connection(), Vault::new(&keys.keys)))
    }

    /// The same of a backup, with the master key that `dir` would be opened with.
    pub fn peek_backup(file: &Path, dir: &Path, key: &MasterKeyOptions) -> Result<Db, OpenError> {
        migrate::check_header(file)?;
        let keys = Store::unlock(dir, file, key)?;
        let db = connect::reader(file).map_err(|e| OpenError::from_sqlite(file, &e))?;
        match migrate::is_current(migrate::check(&db, file)?) {
            true => Ok(Db::new(db, Vault::new(&keys.keys))),
            false => Err(OpenError::Older(file.to_path_buf())),
        }
    }

    /// A read-only connection to the database of `dir`, beside a server or without one, that opens no secret; nothing is
    /// created.
    pub fn peek_read_only(dir: &Path) -> Result<Db, OpenError> {
        let path = dir.join(migrate::FILE);
        if !path.exists() {
            return Err(OpenError::Missing(path));
        }
        migrate::check_header(&path)?;
        let db = connect::reader(&path).map_err(|e| OpenError::from_sqlite(&path, &e))?;
        match migrate::is_current(migrate::check(&db, &path)?) {
            true => Ok(Db::new(db, Vault::new(&[]))),
            false => Err(OpenError::Older(path)),
        }
    }
}

/// Whether the secrets of the database at `path` are sealed.
fn is_sealed(path: &Path) -> Result<bool, OpenError> {
    let salt = migrate::salt(path)?;
    Ok(salt.is_some_and(|salt| vault::is_sealed(&salt)))
}
