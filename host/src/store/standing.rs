//! Where a source stands in the schedule: what its last body was called, and how the last attempts went.

use rusqlite::{OptionalExtension, params};
use tributary_core::SourceId;

use super::db::Db;
use super::error::StoreError;

/// Where a source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The `ETag` of the body that was applied last; empty when none, or when the pool has more or less of it since.
    pub etag: String,
    /// Its `Last-Modified`, likewise.
    pub last_modified: String,
    /// When the last attempt ended, in seconds since the epoch.
    pub attempted_at: Option<i64>,
    /// Attempts in a row that the source failed.
    pub failures: u32,
    /// Whether the last attempt failed, by whosever fault, in a way that may pass by itself.
    pub transient: bool,
    /// Until when the source asked not to be asked, in seconds since the epoch.
    pub not_before: Option<i64>,
}

/// Where this source stands; a new or edited one stands at the beginning.
pub fn read(db: &Db, source_id: &str) -> Result<Standing, StoreError> {
    let mut row = db.prepare_cached("SELECT * FROM standing WHERE source_id = ?1")?;
    let standing = row.query_row([source_id], |row| {
        Ok(Standing {
            etag: row.get("etag")?,
            last_modified: row.get("last_modified")?,
            attempted_at: row.get("attempted_at")?,
            failures: row.get("failures")?,
            transient: row.get("transient")?,
            not_before: row.get("not_before")?,
        })
    });
    Ok(standing.optional()?.unwrap_or_default())
}

/// A stored source, and where it stands.
pub struct SourceStanding {
    /// Its id.
    pub id: String,
    /// Whether it may be synced.
    pub enabled: bool,
    /// The time between two syncs.
    pub interval_seconds: Option<i64>,
    /// Where it stands, without what its last body was called.
    pub standing: Standing,
}

/// The stored sources, in order of creation.
pub fn all(db: &Db) -> Result<Vec<SourceStanding>, StoreError> {
    let sql = "SELECT s.id, s.enabled, s.interval_seconds, t.attempted_at, coalesce(t.failures, 0) failures, \
               coalesce(t.transient, 0) transient, t.not_before FROM source s LEFT JOIN standing t ON t.source_id = s.id \
               ORDER BY s.number";
    let mut rows = db.prepare_cached(sql)?;
    let rows = rows.query_map([], |row| {
        let standing = Standing {
            attempted_at: row.get("attempted_at")?,
            failures: row.get("failures")?,
            transient: row.get("transient")?,
            not_before: row.get("not_before")?,
            ..Standing::default()
        };
        Ok(SourceStanding {
            id: row.get("id")?,
            enabled: row.get("enabled")?,
            interval_seconds: row.get("interval_seconds")?,
            standing,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes where a source stands.
pub fn write(db: &Db, source_id: &str, standing: &Standing) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO standing(source_id, etag, last_modified, attempted_at, failures, transient, not_before) \
               VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        source_id,
        standing.etag,
        standing.last_modified,
        standing.attempted_at,
        standing.failures,
        standing.transient,
        standing.not_before,
    ])?;
    Ok(())
}

/// Lets a source begin anew: it was edited, or is gone.
pub fn forget(db: &Db, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM standing WHERE source_id = ?1")?
        .execute([source_id])?;
    Ok(())
}

/// Forgets what the last body was called: what this source has in the pool is no longer what that body gave.
pub fn forget_body(db: &Db, source: &SourceId) -> Result<(), StoreError> {
    let sql = "UPDATE standing SET etag = '', last_modified = '' \
               WHERE source_id = ?1 AND (etag <> '' OR last_modified <> '')";
    db.prepare_cached(sql)?.execute([source.as_str()])?;
    Ok(())
}
