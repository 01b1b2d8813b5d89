//! Rows of accounts as they were read, to be written elsewhere: one piece of memory for all their texts.

use std::ops::Range;

use rusqlite::Row;
use tributary_core::{Fingerprint, Provider};
use zeroize::{Zeroize, Zeroizing};

use crate::store::accounts::{damaged, owners_of, provider_of};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::filter::{EARLIER_STATUS, FINGERPRINT, INJECTED_AT, PROVIDER, SECRET, SHOWN};
use crate::store::listing::{OwnersText, push_earlier};
use crate::store::vault::{Identity, Vault};

/// Rows in the order in which they were read.
pub(super) struct Rows {
    rows: Vec<Place>,
    texts: Vec<u8>,
}

/// One of them: where its texts are.
struct Place {
    id: i64,
    fingerprint: Fingerprint,
    provider: Provider,
    injected_at: i64,
    earlier_status: Option<String>,
    shown: Range<usize>,
    sealed: Range<usize>,
    owners: Range<usize>,
}

/// One of them with its texts.
pub(super) struct Kept<'r> {
    fingerprint: &'r Fingerprint,
    pub(super) provider: Provider,
    /// Its document.
    pub(super) shown: &'r str,
    /// Its secrets.
    sealed: &'r [u8],
    /// What is told of its owners, as members that follow others.
    pub(super) owners: &'r [u8],
}

impl Rows {
    /// None yet, with room for so many and for so many bytes of texts.
    pub(super) fn with_room(rows: usize, bytes: usize) -> Rows {
        Rows {
            rows: Vec::with_capacity(rows),
            texts: Vec::with_capacity(bytes),
        }
    }

    /// Copies a row of `Columns::All`.
    pub(super) fn add(&mut self, id: i64, row: &Row<'_>) -> Result<(), StoreError> {
        let provider = provider_of(row.get(PROVIDER)?);
        let shown = self.keep(row.get_ref(SHOWN)?.as_bytes().unwrap_or_default());
        let sealed = self.keep(row.get_ref(SECRET)?.as_blob().unwrap_or_default());
        self.rows.push(Place {
            id,
            fingerprint: Fingerprint::from_bytes(row.get(FINGERPRINT)?),
            provider: provider.ok_or_else(|| damaged("an account has no provider"))?,
            injected_at: row.get(INJECTED_AT)?,
            earlier_status: row.get(EARLIER_STATUS)?,
            shown,
            sealed,
            owners: 0..0,
        });
        Ok(())
    }

    /// Adds what is to be told of their owners, on the snapshot on which they were read.
    pub(super) fn tell_owners(
        &mut self,
        db: &Db,
        text: &mut OwnersText<'_>,
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = self
            .rows
            .iter()
            .map(|row| (row.id, row.fingerprint))
            .collect();
        for (row, owners) in self.rows.iter_mut().zip(owners_of(db, &keys)?) {
            let from = self.texts.len();
            push_earlier(&mut self.texts, row.earlier_status.as_deref())?;
            text.push(&mut self.texts, &owners, row.injected_at)?;
            row.owners = from..self.texts.len();
        }
        Ok(())
    }

    /// Bytes of all their texts.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Each with its texts.
    pub(super) fn each(&self) -> impl Iterator<Item = Kept<'_>> {
        let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
        self.rows.iter().map(move |row| Kept {
            fingerprint: &row.fingerprint,
            provider: row.provider,
            shown: std::str::from_utf8(text(&row.shown)).unwrap_or_default(),
            sealed: text(&row.sealed),
            owners: text(&row.owners),
        })
    }

    fn keep(&mut self, text: &[u8]) -> Range<usize> {
        let from = self.texts.len();
        self.texts.extend_from_slice(text);
        from..self.texts.len()
    }
}

/// Where secrets are opened, one after the other: each takes the place of the one before.
#[derive(Default)]
pub(super) struct Opening(Zeroizing<Vec<u8>>);

impl Opening {
    /// Opens the secrets of a row.
    pub(super) fn open(&mut self, vault: &Vault, row: &Kept<'_>) -> Result<&[u8], StoreError> {
        let room = &mut *self.0;
        room.clear();
        if room.capacity() < row.sealed.len() {
            // Nothing is left behind where it was before it grew.
            room.zeroize();
            room.reserve(row.sealed.len());
        }
        room.extend_from_slice(row.sealed);
        let opened = vault.open_in_place(Identity::Account(row.fingerprint), room)?;
        Ok(room.get(opened).unwrap_or_default())
    }
}
