//! One server a data folder: an exclusive lock on a file in it, which the system lets go when the program ends.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The file in the data folder that is locked.
pub const FILE: &str = "lock";

/// Holds a data folder for one server until it is dropped.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Why a folder could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Another server holds it.
    Held(PathBuf),
    /// The lock file could not be made or locked.
    Io(PathBuf, io::Error),
}

impl DirLock {
    /// Locks `dir/lock`, made 0600 when missing. A command beside the server may hold it for a moment to create the
    /// database, so a held lock is asked again until `patience` has passed.
    pub fn acquire(dir: &Path, patience: Duration) -> Result<DirLock, LockError> {
        let path = dir.join(FILE);
        let refused = |e| LockError::Io(path.clone(), e);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(DirLock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    sleep(Duration::from_millis(10))
                }
                Err(TryLockError::WouldBlock) => return Err(LockError::Held(dir.to_path_buf())),
                Err(TryLockError::Error(e)) => return Err(refused(e)),
            }
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held(dir) => {
                write!(
                    f,
                    "another server uses `{}`: stop it, or choose another folder with --data",
                    dir.display()
                )
            }
            LockError::Io(path, cause) => write!(f, "cannot lock `{}`: {cause}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_is_held_once_and_free_again_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::acquire(dir.path(), Duration::ZERO).unwrap();
        let said = DirLock::acquire(dir.path(), Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("another server uses") && said.contains("stop it"),
            "{said}"
        );
        drop(first);
        DirLock::acquire(dir.path(), Duration::ZERO).unwrap();
        let mode = std::fs::metadata(dir.path().join("lock"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_lock_held_for_a_moment_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::acquire(dir.path(), Duration::ZERO).unwrap();
        let soon = std::thread::spawn(move || {
            sleep(Duration::from_millis(20));
            drop(first);
        });
        DirLock::acquire(dir.path(), Duration::from_secs(10)).unwrap();
        soon.join().unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let said = DirLock::acquire(Path::new("/nowhere/pool"), Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(said.contains("`/nowhere/pool/lock`"), "{said}");
    }
}
