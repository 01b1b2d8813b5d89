//! Accounts as a job finds and leaves them: what it takes to undo it.

use rusqlite::{CachedStatement, params};
use tributary_core::Account;

use super::accounts::{Times, marks, provider_id};
use super::db::Db;
use super::error::StoreError;

/// When an account is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the job changes it, with its secrets.
    Before,
    /// After that. Its secrets are where it is.
    After,
}

impl Side {
    /// How it is written in the table.
    pub fn number(self) -> i64 {
        match self {
            Side::Before => 0,
            Side::After => 1,
        }
    }
}

/// Keeps accounts for the job of one transaction.
pub struct Recorder<'c> {
    db: &'c Db,
    keep: Option<CachedStatement<'c>>,
    /// Rows of the table: the first that is this job's, and the last.
    rows: Option<(i64, i64)>,
}

impl<'c> Recorder<'c> {
    /// One that has kept nothing yet.
    pub fn new(db: &'c Db) -> Recorder<'c> {
        Recorder {
            db,
            keep: None,
            rows: None,
        }
    }

    /// Keeps an account as it is at this moment in the row `id`; `owners` are its own, encoded.
    pub fn keep(
        &mut self,
        side: Side,
        id: i64,
        account: &Account,
        owners: &[u8],
        times: Times,
    ) -> Result<(), StoreError> {
        // What is not at hand is copied alone: to select whole rows makes SQLite ready to take this one statement back.
        let sql = "INSERT INTO undo(id, side, account, fingerprint, owners, provider, masked, shown, marks, \
                   earlier_status, secret, added_at, injected_at) \
                   VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
                   iif(?2 = 0, (SELECT secret FROM account WHERE id = ?3), x''), ?11, ?12)";
        let (first, last) = match self.rows {
            Some(rows) => rows,
            None => self.none_yet()?,
        };
        let keep = match &mut self.keep {
            Some(keep) => keep,
            none => none.insert(self.db.prepare_cached(sql)?),
        };
        keep.execute(params![
            last + 1,
            side.number(),
            id,
            account.fingerprint.as_bytes(),
            owners,
            provider_id(account.provider),
            account.masked,
            account.document.as_json(),
            marks(&account.document),
            account.earlier_status,
            times.added_at,
            times.injected_at,
        ])?;
        self.rows = Some((first, last + 1));
        Ok(())
    }

    /// The rows of the table that are this job's, first to last; none when the last is before the first.
    pub fn rows(&self) -> (i64, i64) {
        self.rows.unwrap_or((0, -1))
    }

    /// Numbers go on above every job that still has some, even where its rows are being dropped.
    fn none_yet(&self) -> Result<(i64, i64), StoreError> {
        let mut last = self
            .db
            .prepare_cached("SELECT coalesce(max(id), 0) FROM undo")?;
        let last: i64 = last.query_row([], |row| row.get(0))?;
        Ok((last + 1, last))
    }
}
