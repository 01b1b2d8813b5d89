//! What can go wrong with the store: while it opens, and afterwards.

use std::fmt;
use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::master_key::MasterKeyError;
use crate::lock::LockError;

/// Why a read or write was not done. The sentence is for the log and repeats no stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The disk, the file or the moment does not allow it; nothing was written. Answers 503.
    Unavailable(String),
    /// The work itself is wrong or panicked; nothing was written. Answers 500.
    Internal(String),
}

/// Why a store could not be opened. Nothing in the folder was changed; the sentence says what to do.
#[derive(Debug)]
pub enum OpenError {
    /// Another server holds the folder, or the lock file cannot be made.
    Lock(LockError),
    /// The file is not a database, or another program's.
    Foreign(PathBuf),
    /// A newer version of this program wrote it: what it has, what this program knows.
    Newer(PathBuf, i64, i64),
    /// An older version wrote it, and it is the server that migrates.
    Older(PathBuf),
    /// The file is ours, but cannot be trusted: what is wrong.
    Damaged(PathBuf, String),
    /// No database is there, and none is made for a look.
    Missing(PathBuf),
    /// A file or folder could not be made, read or written.
    Io(PathBuf, String),
    /// There is no master key.
    Key(MasterKeyError),
    /// It is sealed with another master key: the id of that.
    OtherKey(PathBuf, String),
}

impl OpenError {
    /// What a failure of SQLite at `path` means while opening.
    pub(super) fn from_sqlite(path: &std::path::Path, error: &rusqlite::Error) -> OpenError {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.to_path_buf()),
            Some(ErrorCode::DatabaseCorrupt) => {
                OpenError::Damaged(path.to_path_buf(), error.to_string())
            }
            _ => OpenError::Io(path.to_path_buf(), error.to_string()),
        }
    }

    /// The same of `file`, of which the one at hand is a copy.
    pub(super) fn of(self, file: &std::path::Path) -> OpenError {
        let file = file.to_path_buf();
        match self {
            OpenError::Lock(_) | OpenError::Key(_) | OpenError::Io(..) => self,
            OpenError::Foreign(_) => OpenError::Foreign(file),
            OpenError::Newer(_, found, known) => OpenError::Newer(file, found, known),
            OpenError::Older(_) => OpenError::Older(file),
            OpenError::Damaged(_, why) => OpenError::Damaged(file, why),
            OpenError::Missing(_) => OpenError::Missing(file),
            OpenError::OtherKey(_, id) => OpenError::OtherKey(file, id),
        }
    }

    /// What a failure of the file system at `path` means while opening.
    pub(super) fn from_io(path: &std::path::Path, error: &io::Error) -> OpenError {
        OpenError::Io(path.to_path_buf(), error.to_string())
    }
}

/// Whether an error comes from the disk or the file rather than from what was asked.
fn is_outage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    // A value that is not what this program writes: the file was damaged or edited.
    let damaged = matches!(
        error,
        InvalidColumnType(..)
            | FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | Utf8Error(..)
    );
    let failed = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::OperationAborted
                | ErrorCode::SchemaChanged
        )
    );
    damaged || failed
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        if is_outage(&error) {
            StoreError::Unavailable(error.to_string())
        } else {
            StoreError::Internal(error.to_string())
        }
    }
}

impl From<MasterKeyError> for OpenError {
    fn from(error: MasterKeyError) -> OpenError {
        OpenError::Key(error)
    }
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> OpenError {
        OpenError::Lock(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Unavailable(why) => write!(f, "the store is unavailable: {why}"),
            StoreError::Internal(why) => write!(f, "the store was used wrongly: {why}"),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Lock(cause) => cause.fmt(f),
            OpenError::Key(cause) => cause.fmt(f),
            OpenError::OtherKey(path, id) => write!(
                f,
                "`{}` is sealed with another master key (id {id}) and was left as it is: give that key with --master-key-file or \
                 TRIBUTARY_MASTER_KEY",
                path.display()
            ),
            OpenError::Foreign(path) => write!(
                f,
                "`{}` is not a Tributary database and was left as it is: move it away, or choose another folder with --data",
                path.display()
            ),
            OpenError::Newer(path, found, known) => write!(
                f,
                "`{}` was written by a newer Tributary (schema {found}, this one knows {known}) and was left as it is: \
                 install the newer version",
                path.display()
            ),
            OpenError::Older(path) => write!(
                f,
                "`{}` was written by an older Tributary: start the server once with this version, in place of one that runs",
                path.display()
            ),
            OpenError::Damaged(path, why) => write!(
                f,
                "`{}` is damaged ({why}) and was left as it is: restore a backup of before",
                path.display()
            ),
            OpenError::Missing(path) => {
                write!(
                    f,
                    "there is no database at `{}`: start the server once, or check --data",
                    path.display()
                )
            }
            OpenError::Io(path, why) => write!(f, "cannot use `{}`: {why}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}

impl std::error::Error for OpenError {}
