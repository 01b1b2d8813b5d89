//! The place of a job among those of its source that could ever be undone, in the order in which they were applied, from 1:
//! without counting others it tells which are the latest.

use rusqlite::{OptionalExtension, params};

use crate::job::ImportJob;
use crate::store::db::Db;
use crate::store::error::StoreError;

/// The place that is free for a job which is applied now; 0 where it cannot be undone.
pub(super) fn next(db: &Db, job: &ImportJob) -> Result<i64, StoreError> {
    match job.trace {
        Some(_) => Ok(latest(db, &job.source_id)? + 1),
        None => Ok(0),
    }
}

/// Notes that it is taken.
pub(super) fn take(db: &Db, job: &ImportJob, place: i64) -> Result<(), StoreError> {
    if place == 0 {
        return Ok(());
    }
    match db.left(|left| left.places.insert(job.source_id.clone(), place)) {
        Some(_) => Ok(()),
        None => write(db, &job.source_id, place),
    }
}

/// The place of a source's latest job that could be undone; 0 where none could.
pub(super) fn latest(db: &Db, source_id: &str) -> Result<i64, StoreError> {
    if let Some(place) = db
        .left(|left| left.places.get(source_id).copied())
        .flatten()
    {
        return Ok(place);
    }
    let sql = "SELECT value FROM number WHERE kind = 'undo' AND of = 0 AND name = ?1";
    let mut place = db.prepare_cached(sql)?;
    let place = place.query_row([source_id], |row| row.get(0)).optional()?;
    Ok(place.unwrap_or(0))
}

/// Writes the place of a source's latest job.
pub(in crate::store) fn write(db: &Db, source_id: &str, place: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO number(kind, of, name, value) VALUES('undo', 0, ?1, ?2) \
               ON CONFLICT DO UPDATE SET value = excluded.value";
    db.prepare_cached(sql)?.execute(params![source_id, place])?;
    Ok(())
}
