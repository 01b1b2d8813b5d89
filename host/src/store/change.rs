//! Carries changes of accounts out, in the writer's transaction: those of an import as they are decided, and those by hand.

use std::collections::BTreeMap;

use tributary_core::{Account, Change, ChangeKind, Fingerprint, Owner, SourceId};

use super::accounts::{Accounts, KEYS_TOGETHER, KeyChange, NewKey, NewRow, NewRows, Stored, Times};
use super::db::Db;
use super::error::StoreError;
use super::meta::{self, Meta};
use super::record::{Recorder, Side};
use super::undo::Kept;
use super::vault::Vault;
use super::{guard, standing};
use crate::job::Trace;

/// On whose behalf accounts change.
pub struct Importer<'c> {
    /// The source; `None` for Local.
    pub source: Option<&'c SourceId>,
    /// What the source is called.
    pub name: &'c str,
    /// When, in seconds since the epoch.
    pub at: i64,
}

/// Makes the row of the account that a change brings into the pool.
pub fn seal<'r>(
    change: &Change<'_>,
    vault: &Vault,
    rows: &'r mut NewRows,
) -> Result<NewRow<'r>, StoreError> {
    match (&change.after, &change.token) {
        (Some(account), Some(token)) => rows.seal(vault, account, token, &change.secrets),
        _ => Err(StoreError::Internal(
            "nothing comes into the pool".to_owned(),
        )),
    }
}

/// Changes under way in one transaction. Nothing is complete before [`Changes::finish`].
pub struct Changes<'c> {
    /// The tables.
    pub accounts: Accounts<'c>,
    /// The connection.
    pub db: &'c Db,
    /// `None` when a person changes accounts: that is no import of theirs.
    importer: Option<Importer<'c>>,
    /// The pool as it was.
    before: Meta,
    last_account: i64,
    keys: Vec<KeyChange>,
    record: Recorder<'c>,
    /// How many accounts each source lost, or gained where that is no import of its own.
    moved: BTreeMap<SourceId, (u64, u64)>,
    any: bool,
}

impl<'c> Changes<'c> {
    /// Begins; accounts can be added only by an importer.
    pub fn begin(db: &'c Db, importer: Option<Importer<'c>>) -> Result<Changes<'c>, StoreError> {
        let before = meta::read(db)?;
        Ok(Changes {
            accounts: Accounts::new(db),
            db,
            importer,
            before,
            last_account: before.last_account,
            keys: Vec::new(),
            record: Recorder::new(db),
            moved: BTreeMap::new(),
            any: false,
        })
    }

    /// Carries out one change; `stored` is the account that it changes, `entry` the entry that it comes from.
    pub fn carry_out(
        &mut self,
        change: &Change<'_>,
        stored: Option<&Stored>,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        let at = self.importer.as_ref().map(|importer| importer.at);
        match stored {
            Some(stored) => self.change(change, stored, at, entry),
            None if change.kind == ChangeKind::Add => {
                let mut rows = NewRows::default();
                self.add(&seal(change, self.db.vault(), &mut rows)?, entry)
            }
            None => Err(StoreError::Internal("a change of nothing".to_owned())),
        }
    }

    /// Carries out a change that takes another back. `times` are when an import had last changed the account before that,
    /// and with it: where it still is the latter, it becomes the former.
    pub fn carry_out_at(
        &mut self,
        change: &Change<'_>,
        stored: &Stored,
        times: Option<(i64, i64)>,
    ) -> Result<(), StoreError> {
        let at = match times {
            Some((before, after)) if stored.times.injected_at == after => Some(before),
            _ => None,
        };
        self.change(change, stored, at, None)
    }

    /// Puts an account back into the row that it had, with the times that it had.
    pub fn bring_back(&mut self, change: &Change<'_>, kept: &Kept) -> Result<(), StoreError> {
        let account = account_after(change)?;
        let mut rows = NewRows::default();
        let row = seal(change, self.db.vault(), &mut rows)?;
        self.accounts.add(kept.row, &row, kept.times.added_at)?;
        self.any = true;
        self.note_moves(None, Some(account));
        self.accounts
            .set_injected_at(kept.row, kept.times.injected_at)?;
        let owners = self.accounts.owners.encode(&account.owners)?;
        self.accounts
            .put_key(kept.row, account.fingerprint, &owners)?;
        self.record
            .keep(Side::After, kept.row, account, &owners, kept.times)
    }

    /// Makes accounts found as they are now and removed ones found no more, and writes the pool's numbers and revision. What it
    /// takes to undo it; `None` when nothing changed.
    pub fn finish(mut self) -> Result<Option<Trace>, StoreError> {
        let first_new = self.before.last_account + 1;
        if self.last_account >= first_new {
            let owner = self.importer_id()?;
            self.accounts
                .add_all_owned(owner, first_new, self.last_account)?;
        }
        // After the other large tables: what these sweeps drive out of the cache is not written a second time.
        self.write_keys()?;
        if !self.any {
            return Ok(None);
        }
        self.accounts.tally.write(self.db)?;
        let fresh_keys = self.accounts.index.settle(self.before.fresh_keys)?;
        let pool = Meta {
            last_account: self.last_account,
            accounts: self.before.accounts + self.accounts.tally.accounts,
            fresh_keys: self.before.fresh_keys + fresh_keys,
            ..self.before
        };
        meta::advance(self.db, pool)?;
        self.tell_sources()?;
        Ok(Some(Trace {
            added: (first_new, self.last_account),
            changed: self.record.rows(),
        }))
    }

    fn note_moves(&mut self, before: Option<&Account>, after: Option<&Account>) {
        let sources = |account: Option<&Account>| {
            account
                .map_or(&[][..], |account| account.owners.sources())
                .to_vec()
        };
        let (before, after) = (sources(before), sources(after));
        for lost in before.iter().filter(|id| !after.contains(id)) {
            self.moved.entry(lost.clone()).or_default().0 += 1;
        }
        for gained in after.iter().filter(|id| !before.contains(id)) {
            self.moved.entry(gained.clone()).or_default().1 += 1;
        }
    }

    /// What a source's server would not send again is no longer what the source has; and what a person took from it is
    /// no loss of its own.
    fn tell_sources(&self) -> Result<(), StoreError> {
        let importer = self
            .importer
            .as_ref()
            .and_then(|importer| importer.source.cloned());
        for source in self.moved.keys().chain(&importer) {
            standing::forget_body(self.db, source)?;
        }
        if self.importer.is_none() {
            for (source, (lost, _)) in &self.moved {
                guard::take(self.db, &Owner::Source(source.clone()), *lost)?;
            }
        }
        Ok(())
    }

    /// Changes or removes an account; `at` is when an import last changed it, where that is told anew.
    fn change(
        &mut self,
        change: &Change<'_>,
        stored: &Stored,
        at: Option<i64>,
        entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        self.any = true;
        self.note_moves(change.before, change.after.as_ref());
        let before = self.accounts.owners.encode(&stored.account.owners)?;
        self.record.keep(
            Side::Before,
            stored.id,
            &stored.account,
            &before,
            stored.times,
        )?;
        if change.kind == ChangeKind::Remove {
            self.accounts.remove(stored, &before)?;
            return self.write_later(KeyChange::Go(stored.account.fingerprint));
        }
        let account = account_after(change)?;
        self.update(change, account, stored, at)?;
        // Whoever owns an account has an id: the importer too, from now on.
        if self.importer.is_some() {
            self.importer_id()?;
        }
        let owners = self.accounts.owners.encode(&account.owners)?;
        let injected_at = at.unwrap_or(stored.times.injected_at);
        let times = Times {
            injected_at,
            ..stored.times
        };
        self.record
            .keep(Side::After, stored.id, account, &owners, times)?;
        if owners != before {
            self.accounts.set_owners(stored.id, &before, &owners)?;
        }
        if owners == before && stored.entry.as_ref() == entry {
            return Ok(());
        }
        self.write_later(KeyChange::Stay(Box::new(NewKey {
            fingerprint: account.fingerprint,
            id: stored.id,
            owners,
            entry: entry.copied(),
        })))
    }

    /// Adds an account that the importer brings; `entry` is the entry that it comes from.
    pub fn add(&mut self, row: &NewRow<'_>, entry: Option<&Fingerprint>) -> Result<(), StoreError> {
        self.any = true;
        let owner = self.importer_id()?;
        let at = self.importer.as_ref().map_or(0, |importer| importer.at);
        self.last_account += 1;
        let id = self.last_account;
        self.accounts.add(id, row, at)?;
        self.write_later(KeyChange::Come(NewKey {
            fingerprint: row.fingerprint,
            id,
            owners: owner.to_le_bytes(),
            entry: entry.copied(),
        }))
    }

    /// Writes the row of an account that stays.
    fn update(
        &mut self,
        change: &Change<'_>,
        account: &Account,
        stored: &Stored,
        at: Option<i64>,
    ) -> Result<(), StoreError> {
        let secret = self.accounts.secret_after(stored, &change.secrets)?;
        if at.is_none() && secret.is_none() && same_row(&stored.account, account) {
            return Ok(());
        }
        let secret = secret.as_ref().map(|secret| secret.as_slice());
        self.accounts.update(stored, account, secret, at)
    }

    fn importer_id(&mut self) -> Result<u32, StoreError> {
        match &self.importer {
            Some(importer) => self
                .accounts
                .owners
                .importer(importer.source, importer.name),
            None => Err(StoreError::Internal("an add without importer".to_owned())),
        }
    }

    /// No account is changed twice, so a key may be written after later changes.
    fn write_later(&mut self, key: KeyChange) -> Result<(), StoreError> {
        self.keys.push(key);
        match self.keys.len() < KEYS_TOGETHER {
            true => Ok(()),
            false => self.write_keys(),
        }
    }

    fn write_keys(&mut self) -> Result<(), StoreError> {
        let keys = std::mem::take(&mut self.keys);
        self.accounts.index.write(keys, self.before.accounts)
    }
}

/// The account that a change leaves.
fn account_after<'a>(change: &'a Change<'_>) -> Result<&'a Account, StoreError> {
    let nothing = || StoreError::Internal("a change leaves nothing".to_owned());
    change.after.as_ref().ok_or_else(nothing)
}

/// Whether the row that holds an account stays as it is: its owners are kept elsewhere.
fn same_row(before: &Account, after: &Account) -> bool {
    before.provider == after.provider
        && before.document == after.document
        && before.earlier_status == after.earlier_status
}
