//! Room ahead in the WAL's file: a commit that makes the file longer takes up to twice as long as one that writes over what is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::PATIENCE;
use crate::store::health;

/// Bytes that are added at once, while nobody can write.
const STEP: u64 = 512 << 10;
/// The file is lengthened where the disk has so many times as much left.
const SPARE: u64 = 64;

/// Lengthens the WAL's file to `room` bytes with zeros, which to SQLite are no frames; `false` when writers left no moment for it.
/// Where the disk has little left the file stays as it is.
pub(super) fn make(db: &Connection, wal: &Path, room: u64) -> io::Result<bool> {
    let free = health::free_bytes(wal).unwrap_or(0);
    let file = OpenOptions::new().append(true).open(wal)?;
    if free < room.saturating_mul(SPARE) {
        return Ok(true);
    }
    while file.metadata()?.len() < room {
        if !add_alone(db, &file, room)? {
            return Ok(false);
        }
        // Else the next commit would have to.
        file.sync_all()?;
    }
    Ok(true)
}

/// Adds a step while no connection of any process writes; `false` when there was no such moment.
fn add_alone(db: &Connection, mut file: &File, room: u64) -> io::Result<bool> {
    // Setting a time cannot fail while it fits into 31 bits of milliseconds.
    let _ = db.busy_timeout(PATIENCE);
    let alone = Transaction::new_unchecked(db, TransactionBehavior::Immediate);
    let _ = db.busy_timeout(Duration::ZERO);
    // Dropping it ends it.
    let Ok(_alone) = alone else { return Ok(false) };
    let missing = room.saturating_sub(file.metadata()?.len());
    let zeros = vec![0; usize::try_from(missing.min(STEP)).unwrap_or(0)];
    file.write_all(&zeros)?;
    Ok(true)
}
