//! Opens SQLite connections, each with the settings of its role.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

/// How long the server's writer waits for a command beside it; longer than any such command takes.
pub(super) const WRITER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a command waits for the server's writer: a large import is one transaction.
const BESIDE_PATIENCE: Duration = Duration::from_secs(60);
/// KiB of pages that the writer keeps in memory; what an import changes beyond that goes into the WAL before it ends. Few, since a
/// commit after a page was split looks at each of them, unless the database is larger than 1 GiB: SQLite put one aside, for a moment,
/// under the number of a page behind its end.
const WRITER_CACHE: i64 = 4_096;
/// Statements kept prepared per connection.
const STATEMENTS: usize = 64;

/// The server's only writing connection.
///
/// Closing it leaves the WAL alone, so that a database that is refused keeps every byte.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_PATIENCE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // FULL: the WAL is synced before COMMIT returns. Checkpoints have a thread of their own.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    Ok(db)
}

/// Runs `work` while a connection waits so long for others; then it waits as long as is `usual` of it.
pub(super) fn waiting<T>(
    db: &Connection,
    patience: Duration,
    usual: Duration,
    work: impl FnOnce() -> T,
) -> T {
    // Setting a time cannot fail while it fits into 31 bits of milliseconds.
    let _ = db.busy_timeout(patience);
    let done = work();
    let _ = db.busy_timeout(usual);
    done
}

/// A connection that copies the WAL into the database and makes room in its file. Unless it is told to, it never waits.
pub(super) fn checkpointer(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Duration::ZERO)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(db)
}

/// A connection that cannot write. In WAL mode it waits neither for writers nor for checkpoints.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, WRITER_PATIENCE)?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "cache_size", -8_192)?;
    Ok(db)
}

/// The same for who goes through the rows in their order: what it has passed takes little room.
pub(super) fn passing(path: &Path) -> Result<Connection> {
    let db = reader(path)?;
    db.pragma_update(None, "cache_size", -1_024)?;
    Ok(db)
}

/// The writing connection of a command that runs beside the server.
pub(super) fn beside(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, BESIDE_PATIENCE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(db)
}

/// What all have in common. The file must exist: `migrate` creates it, with the right mode.
fn open(path: &Path, access: OpenFlags, patience: Duration) -> Result<Connection> {
    // INVARIANT: a connection is used by one thread at a time (`Connection` is not `Sync`), so SQLite needs no mutex.
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(patience)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // A statement that was prepared stays so: else one with a bound LIMIT is prepared anew whenever another number is bound.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // What SQLite keeps aside holds rows, secrets among them: it stays in memory, never in a shared temporary folder.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "mmap_size", 0)?;
    // No table refers to another by a declared key: an import checks what it writes, and row checks would cost.
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn a_page_of_another_length_is_asked_for_by_the_same_prepared_statement() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("pool.db");
        let made = Connection::open(&path).expect("a database");
        made.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE number (id INTEGER PRIMARY KEY);
             INSERT INTO number (id) VALUES (1), (2), (3);",
        )
        .expect("a table");
        let db = reader(&path).expect("a reader");
        let mut page = db
            .prepare("SELECT id FROM number ORDER BY id LIMIT ?1")
            .expect("a statement");
        for limit in [1_u8, 3, 2] {
            let rows = page.query_map([limit], |_| Ok(())).expect("rows");
            assert_eq!(rows.count(), usize::from(limit));
        }
        assert_eq!(page.get_status(StatementStatus::RePrepare), 0);
    }
}
