//! The pool with its secrets, part by part: as lines that restore it, or as the payload that a source answers.

use rusqlite::Row;
use tributary_core::{Fingerprint, Owners, revealed};

use super::accounts::{OwnerIds, Secrets, damaged};
use super::db::Db;
use super::error::StoreError;
use super::filter::{Columns, FINGERPRINT, Filter, SECRET, SHOWN};
use super::listing::{push_fields, push_json, push_owners};
use super::vault::{Identity, Vault};

/// Accounts read in one transaction.
const PAGE: usize = 500;

/// How accounts are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"access_token", "provider", fields…, "remote_…", "owners"}` and a line feed for each: all there is to know.
    Lines,
    /// `{"accounts": [{"access_token", "provider", fields…}, …]}`: what an import reads.
    Payload,
}

/// Gives the accounts that are meant in parts of at most 500, in the order of insertion. Each part is a snapshot of its
/// own. No part is empty.
pub struct Exporter {
    db: Db,
    filter: Filter,
    format: Format,
    /// The row after which to go on; `None` at the end.
    after: Option<i64>,
    /// Accounts written so far.
    written: u64,
}

impl Exporter {
    /// An exporter that reads from `db`.
    pub fn new(db: Db, filter: Filter, format: Format) -> Exporter {
        Exporter {
            db,
            filter,
            format,
            after: Some(0),
            written: 0,
        }
    }

    /// The part after a row, and the row after which to go on.
    fn part(&mut self, after: i64) -> Result<(Vec<u8>, Option<i64>), StoreError> {
        let (format, filter, written) = (self.format, &self.filter, &mut self.written);
        let mut part = Vec::new();
        if after == 0 {
            part.extend_from_slice(format.opening());
        }
        let next = self.db.on_one_snapshot(|db| {
            let mut owners = OwnerIds::new(db);
            filter.walk(db, Columns::All, after, PAGE, |row| {
                *written += 1;
                let vault = db.vault();
                match format {
                    Format::Lines => push_line(&mut part, row, &mut owners, vault),
                    Format::Payload => push_element(&mut part, row, *written > 1, vault),
                }
            })
        })??;
        if next.is_none() {
            part.extend_from_slice(format.closing());
        }
        Ok((part, next))
    }
}

impl Format {
    fn opening(self) -> &'static [u8] {
        match self {
            Format::Lines => b"",
            Format::Payload => b"{\"accounts\":[",
        }
    }

    fn closing(self) -> &'static [u8] {
        match self {
            Format::Lines => b"",
            Format::Payload => b"]}",
        }
    }
}

impl Iterator for Exporter {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let after = self.after?;
            let part = self.part(after);
            self.after = part.as_ref().map_or(None, |(_, next)| *next);
            match part {
                // A filter may leave nothing of what was looked at.
                Ok((part, _)) if part.is_empty() => {}
                part => return Some(part.map(|(part, _)| part)),
            }
        }
    }
}

fn push_line(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    ids: &mut OwnerIds<'_>,
    vault: &Vault,
) -> Result<(), StoreError> {
    push_account(out, row, vault)?;
    let owners = push_owners(out, row, ids)?;
    push_names(out, &owners, ids)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

fn push_element(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    follows: bool,
    vault: &Vault,
) -> Result<(), StoreError> {
    if follows {
        out.push(b',');
    }
    push_account(out, row, vault)?;
    out.push(b'}');
    Ok(())
}

/// `{"access_token", "provider", fields…`, secrets as they are.
fn push_account(out: &mut Vec<u8>, row: &Row<'_>, vault: &Vault) -> Result<(), StoreError> {
    let fingerprint = Fingerprint::from_bytes(row.get(FINGERPRINT)?);
    let sealed = row.get_ref(SECRET)?.as_blob().unwrap_or_default();
    let opened = vault.open(Identity::Account(&fingerprint), sealed)?;
    let mut secrets = Secrets::of(&opened);
    let token = secrets
        .next()
        .ok_or_else(|| damaged("an account has no token"))?;
    out.extend_from_slice(b"{\"access_token\":");
    push_json(out, &token)?;
    let shown = row.get_ref(SHOWN)?.as_str().unwrap_or_default();
    push_fields(out, row, &revealed(shown, secrets))
}

/// `,"owner_names":{id: name, …}` for the owners before the last, where they have names; the last has its own member.
fn push_names(
    out: &mut Vec<u8>,
    owners: &Owners,
    ids: &mut OwnerIds<'_>,
) -> Result<(), StoreError> {
    let Some((_last, others)) = owners.sources().split_last() else {
        return Ok(());
    };
    let mut any = false;
    for source in others {
        let name = ids.name_of(source)?;
        if name.is_empty() {
            continue;
        }
        let before: &[u8] = match std::mem::replace(&mut any, true) {
            false => b",\"owner_names\":{",
            true => b",",
        };
        out.extend_from_slice(before);
        push_json(out, &source.as_str())?;
        out.push(b':');
        push_json(out, &name)?;
    }
    if any {
        out.push(b'}');
    }
    Ok(())
}
