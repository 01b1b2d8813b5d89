//! The pool with its secrets, part by part: as lines that restore it, or as the payload that a source answers.

mod rows;

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::accounts::{OwnerIds, Secrets, damaged};
use super::db::Db;
use super::error::StoreError;
use super::filter::{Columns, Filter};
use super::listing::{OwnersText, push_fields, push_json};
use super::meta;
use super::vault::{Held, Vault};
use rows::{Kept, Opening, Rows};

/// Accounts read in one transaction: so many, or fewer that have so many bytes.
const PAGE: usize = 1_000;
const PAGE_BYTES: usize = 1 << 20;
/// Parts that are read ahead of the one being written.
const PARTS_AHEAD: usize = 1;

/// How accounts are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"access_token", "provider", fields…, "remote_…", "owners"}` and a line feed for each: all there is to know.
    Lines,
    /// `{"accounts": [{"access_token", "provider", fields…}, …]}`: what an import reads.
    Payload,
}

/// Gives the accounts that are meant in parts of 1,000 accounts or of a MiB, in the order of insertion. Each part is
/// a snapshot of its own. Of what comes once it has begun, lines tell nothing, so that no account that leaves and is imported again
/// stands there twice, which could not be restored; a payload has all.
pub struct Exporter {
    db: Db,
    filter: Filter,
    format: Format,
}

impl Exporter {
    /// An exporter that reads from `db`.
    pub fn new(db: Db, filter: Filter, format: Format) -> Exporter {
        Exporter { db, filter, format }
    }

    /// Gives the text part by part, none of them empty, until the end, an error, or a `take` that wants no more. While a
    /// part is opened and written, another thread reads the next ones.
    pub fn each(self, mut take: impl FnMut(Result<Vec<u8>, StoreError>) -> bool) {
        let (vault, format) = (self.db.vault().clone(), self.format);
        let (send, read) = sync_channel(PARTS_AHEAD);
        thread::scope(|scope| {
            scope.spawn(move || {
                // When nobody takes any more, nothing more is read.
                self.read(|rows| send.send(rows).is_ok());
            });
            write(&read, format, &vault, &mut take);
            drop(read);
        });
    }

    /// Reads part after part.
    fn read(&self, mut give: impl FnMut(Result<(Rows, Held), StoreError>) -> bool) {
        let (mut after, mut last, mut room) = (Some(0), None, 0);
        while let Some(from) = after {
            let keys = self.db.vault().hold();
            let part = self.db.on_one_snapshot(|db| {
                let to = match (last, self.format) {
                    (Some(to), _) => to,
                    (None, Format::Payload) => i64::MAX,
                    (None, Format::Lines) => *last.insert(meta::read(db)?.last_account),
                };
                self.part(db, from, to, Rows::with_room(PAGE, room))
            });
            let part = part.unwrap_or_else(Err);
            // The next part is mostly about as long.
            room = part.as_ref().map_or(0, |(rows, _)| with_slack(rows.len()));
            after = part.as_ref().map_or(None, |(_, next)| *next);
            if !give(part.map(|(rows, _)| (rows, keys))) {
                return;
            }
        }
    }

    /// The rows after one, none beyond another, and the row after which to go on.
    fn part(
        &self,
        db: &Db,
        after: i64,
        to: i64,
        mut rows: Rows,
    ) -> Result<(Rows, Option<i64>), StoreError> {
        let next = self.filter.walk(db, Columns::All, after, PAGE, |id, row| {
            if id > to {
                return Ok(false);
            }
            rows.add(id, row)?;
            Ok(rows.len() < PAGE_BYTES)
        })?;
        let next = next.filter(|next| *next < to);
        if self.format == Format::Lines {
            let mut text = OwnersText::with_all_names(OwnerIds::new(db));
            rows.tell_owners(db, &mut text)?;
        }
        Ok((rows, next))
    }
}

/// Opens and writes the parts as they are read.
fn write(
    read: &Receiver<Result<(Rows, Held), StoreError>>,
    format: Format,
    vault: &Vault,
    take: &mut impl FnMut(Result<Vec<u8>, StoreError>) -> bool,
) {
    let (mut text, mut written) = (format.opening().to_vec(), false);
    let mut opening = Opening::default();
    for rows in read {
        let part = rows.and_then(|(rows, _keys)| {
            text.reserve(with_slack(rows.len()));
            for row in rows.each() {
                let secrets = Secrets::of(opening.open(vault, &row)?);
                push(&mut text, &row, secrets, format, written)?;
                written = true;
            }
            Ok(std::mem::take(&mut text))
        });
        let broken = part.is_err();
        // A filter may leave nothing of what was looked at.
        let empty = part.as_ref().is_ok_and(Vec::is_empty);
        if !empty && (!take(part) || broken) {
            return;
        }
    }
    let end = format.closing();
    if !end.is_empty() {
        take(Ok(end.to_vec()));
    }
}

fn push(
    out: &mut Vec<u8>,
    row: &Kept<'_>,
    mut secrets: Secrets<'_>,
    format: Format,
    follows: bool,
) -> Result<(), StoreError> {
    if format == Format::Payload && follows {
        out.push(b',');
    }
    let token = secrets
        .next()
        .ok_or_else(|| damaged("an account has no token"))?;
    out.extend_from_slice(b"{\"access_token\":");
    push_json(out, &token)?;
    push_fields(out, row.provider, row.shown, secrets);
    out.extend_from_slice(row.owners);
    out.extend_from_slice(match format {
        Format::Lines => b"}\n",
        Format::Payload => b"}",
    });
    Ok(())
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

/// Room for what is about so long.
fn with_slack(bytes: usize) -> usize {
    bytes.saturating_add(bytes / 16)
}
