//! Every account as a line of JSON, with its secrets and its owners, page by page.

use rusqlite::{Connection, Row};
use tributary_core::revealed;

use super::accounts::{OwnerIds, Secrets, damaged};
use super::error::StoreError;
use super::filter::{Columns, Filter, SECRET, SHOWN};
use super::listing::{push_fields, push_json, push_owners};

/// Accounts read in one transaction.
const PAGE: usize = 500;

/// Gives the accounts that are meant in parts of at most 500, in the order of insertion. Each part is a snapshot of its
/// own.
pub struct Exporter {
    db: Connection,
    filter: Filter,
    /// The row after which to go on; `None` at the end.
    after: Option<i64>,
}

impl Exporter {
    /// An exporter that reads from `db`.
    pub fn new(db: Connection, filter: Filter) -> Exporter {
        Exporter {
            db,
            filter,
            after: Some(0),
        }
    }

    fn part(&self, after: i64) -> Result<(Vec<u8>, Option<i64>), StoreError> {
        let snapshot = self.db.unchecked_transaction()?;
        let mut owners = OwnerIds::new(&snapshot);
        let mut part = Vec::new();
        let next = self
            .filter
            .walk(&snapshot, Columns::All, after, PAGE, |row| {
                push_line(&mut part, row, &mut owners)
            })?;
        Ok((part, next))
    }
}

impl Iterator for Exporter {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let part = self.part(self.after?);
            self.after = part.as_ref().map_or(None, |(_, next)| *next);
            match part {
                // A filter may leave nothing of what was looked at.
                Ok((part, _)) if part.is_empty() => {}
                part => return Some(part.map(|(part, _)| part)),
            }
        }
    }
}

/// `{"access_token", "provider", fields…, "remote_…", "owners"}` and a line feed.
fn push_line(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    owners: &mut OwnerIds<'_>,
) -> Result<(), StoreError> {
    push_account(out, row)?;
    push_owners(out, row, owners)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// `{"access_token", "provider", fields…`, secrets as they are.
fn push_account(out: &mut Vec<u8>, row: &Row<'_>) -> Result<(), StoreError> {
    let mut secrets = Secrets::of(row.get_ref(SECRET)?.as_blob().unwrap_or_default());
    let token = secrets
        .next()
        .ok_or_else(|| damaged("an account has no token"))?;
    out.extend_from_slice(b"{\"access_token\":");
    push_json(out, &token)?;
    let shown = row.get_ref(SHOWN)?.as_str().unwrap_or_default();
    push_fields(out, row, &revealed(shown, secrets))
}
