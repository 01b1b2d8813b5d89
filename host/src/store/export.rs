//! Every account as a line of JSON, with its secrets and its owners, page by page.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use tributary_core::{Owners, revealed, string_of};

use super::accounts::{Accounts, Secrets, damaged, provider_of};
use super::error::StoreError;
use crate::clock::rfc3339;

/// Accounts read in one transaction.
const PAGE: i64 = 500;

/// Gives the pool in parts of at most 500 accounts, in the order of insertion. Each part is a snapshot of its own.
pub struct Exporter {
    db: Connection,
    after: i64,
    ended: bool,
}

impl Exporter {
    /// An exporter that reads from `db`.
    pub fn new(db: Connection) -> Exporter {
        Exporter {
            db,
            after: 0,
            ended: false,
        }
    }

    fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        let snapshot = self.db.unchecked_transaction()?;
        let mut accounts = Accounts::new(&snapshot);
        let sql = "SELECT a.id, a.provider, a.shown, a.earlier_status, a.secret, a.added_at, a.injected_at, k.owners \
                   FROM account a JOIN account_key k ON k.fingerprint = a.fingerprint WHERE a.id > ?1 \
                   ORDER BY a.id LIMIT ?2";
        let mut rows = snapshot.prepare_cached(sql)?;
        let mut rows = rows.query(params![self.after, PAGE])?;
        let mut part = Vec::new();
        while let Some(row) = rows.next()? {
            self.after = row.get(0)?;
            let owners = accounts
                .owners
                .decode(row.get_ref(7)?.as_blob().unwrap_or_default())?;
            let name = match owners.sources().last() {
                Some(source) => accounts.owners.name_of(source)?,
                None => String::new(),
            };
            push_line(&mut part, row, &owners, &name)?;
        }
        Ok(part)
    }
}

impl Iterator for Exporter {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let part = self.part();
        self.ended = part.as_ref().map_or(true, Vec::is_empty);
        match part {
            Ok(part) if part.is_empty() => None,
            part => Some(part),
        }
    }
}

/// `{"access_token", "provider", fields…, "remote_…", "owners"}` and a line feed.
fn push_line(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    owners: &Owners,
    remote_source_name: &str,
) -> Result<(), StoreError> {
    let secret = row.get_ref(4)?.as_blob().unwrap_or_default();
    let mut secrets = Secrets::of(secret);
    let token = secrets
        .next()
        .ok_or_else(|| damaged("an account has no token"))?;
    let provider = provider_of(row.get(1)?).ok_or_else(|| damaged("an account has no provider"))?;
    let shown = row.get_ref(2)?.as_str().unwrap_or_default();
    let fields = revealed(shown, secrets);
    let fields = fields
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    out.extend_from_slice(b"{\"access_token\":");
    push_json(out, &token)?;
    out.extend_from_slice(b",\"provider\":");
    push_json(out, &provider.as_str())?;
    if !fields.is_empty() {
        out.push(b',');
        out.extend_from_slice(fields.as_bytes());
    }
    let earlier_status: Option<String> = row.get(3)?;
    if let Some(status) = earlier_status {
        out.extend_from_slice(b",\"earlier_status\":");
        push_json(out, &string_of(&status))?;
    }
    if let Some(source) = owners.sources().last() {
        out.extend_from_slice(b",\"remote_source_id\":");
        push_json(out, &source.as_str())?;
        out.extend_from_slice(b",\"remote_source_name\":");
        push_json(out, &remote_source_name)?;
    }
    out.extend_from_slice(b",\"remote_injected_at\":");
    push_json(out, &rfc3339(row.get(6)?))?;
    out.extend_from_slice(b",\"owners\":");
    out.extend_from_slice(owners.to_json().as_bytes());
    out.extend_from_slice(b"}\n");
    Ok(())
}

fn push_json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(out, value).map_err(|error| StoreError::Internal(error.to_string()))
}
