//! Room ahead in the WAL's file: a commit that makes the file longer takes up to twice as long as one that writes over what is there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::PATIENCE;
use crate::store::{connect, health};

/// Bytes that are added at once, while nobody can write.
const STEP: u64 = 128 << 10;
/// The file is lengthened where the disk has so many times as much left.
const SPARE: u64 = 64;

/// Lengthens the WAL's file to `room` bytes with zeros, which to SQLite are no frames; `false` when writers left no moment for it.
/// Where the disk has little left the file stays as it is.
pub(super) fn make(db: &Connection, wal: &Path, room: u64) -> io::Result<bool> {
    let free = health::free_bytes(wal).unwrap_or(0);
    if free < room.saturating_mul(SPARE) {
        return Ok(true);
    }
    let file = OpenOptions::new().write(true).open(wal)?;
    let zeros = vec![0; usize::try_from(STEP).unwrap_or(0)];
    while file.metadata()?.len() < room {
        if !add_alone(db, &file, room, &zeros)? {
            return Ok(false);
        }
        // Else the next commit would have to.
        file.sync_all()?;
    }
    Ok(true)
}

/// Adds as many zeros as the file lacks, at most these, while no connection of any process writes; `false` when there was no such
/// moment.
fn add_alone(db: &Connection, file: &File, room: u64, zeros: &[u8]) -> io::Result<bool> {
    let alone = connect::waiting(db, PATIENCE, Duration::ZERO, || {
        Transaction::new_unchecked(db, TransactionBehavior::Immediate)
    });
    // Dropping it ends it.
    let _alone = match alone {
        Ok(alone) => alone,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            return Ok(false);
        }
        Err(error) => return Err(io::Error::other(error)),
    };
    let length = file.metadata()?.len();
    let missing = usize::try_from(room.saturating_sub(length)).unwrap_or(usize::MAX);
    let zeros = &zeros[..zeros.len().min(missing)];
    file.write_all_at(zeros, length).inspect_err(|_| {
        // A disk on which they do not fit is not to be full of them.
        let _ = file.set_len(length);
    })?;
    Ok(true)
}
