//! The accounts of the pool, row by row: found by fingerprint, added, changed, removed.

mod index;
mod new_rows;
mod owned;
mod owners;
mod secrets;
mod sweep;
mod tally;

use rusqlite::{CachedStatement, Row, params};
use tributary_core::{Account, Document, Fingerprint, Owner, Owners, Provider, SecretPlace};

use zeroize::Zeroizing;

use super::db::Db;
use super::error::StoreError;
use super::meta;
use super::vault::Identity;

pub use index::{Index, KEYS_TOGETHER, Key, KeyChange, NewKey};
pub use new_rows::{NewRow, NewRows};
pub use owned::owners_of;
use owners::has_owner;
pub use owners::{LOCAL, OwnerIds, ids_in};
use secrets::push_part;
pub use secrets::{Secrets, parts_of};
pub use sweep::is_worth_a_sweep;
pub use tally::Tally;

/// An account and the row that holds it.
pub struct Stored {
    /// The row.
    pub id: i64,
    /// What decisions see of it.
    pub account: Account,
    /// What stands for the entry that it is as it came in, where that is known and nothing has changed it since.
    pub entry: Option<Fingerprint>,
    /// When it came and changed.
    pub times: Times,
}

/// What an account's row says of imports, in seconds since the epoch.
#[derive(Clone, Copy)]
pub struct Times {
    /// When one brought it into the pool.
    pub added_at: i64,
    /// When one last changed it.
    pub injected_at: i64,
}

/// Whom an entry meets that comes for an account, with as much of an account as is known: its [`Key`], where it was looked up.
#[derive(Clone, Copy)]
pub enum Met<A> {
    /// There is no such account.
    Nobody,
    /// The account is just as this entry of its owner has left it.
    AsItCame,
    /// One that the entry may change.
    Account(A),
}

/// The account tables through one connection, with the owners met so far, the statements that run for every account of
/// an import, and what was changed so far in numbers: who writes calls [`Tally::write`] at the end.
pub struct Accounts<'c> {
    db: &'c Db,
    find_account: Held<'c>,
    add_account: Held<'c>,
    add_owned: Held<'c>,
    /// How they are found.
    pub index: Index<'c>,
    /// Who owns accounts.
    pub owners: OwnerIds<'c>,
    /// What was changed so far.
    pub tally: Tally,
}

/// At most so many rows are written one by one: before its first row, the statement for many takes as long as a dozen.
const FEW_ROWS: i64 = 8;

/// A statement that is looked up once and then held.
struct Held<'c>(&'static str, Option<CachedStatement<'c>>);

impl<'c> Held<'c> {
    fn new(sql: &'static str) -> Held<'c> {
        Held(sql, None)
    }

    fn on(&mut self, db: &'c Db) -> Result<&mut CachedStatement<'c>, StoreError> {
        match &mut self.1 {
            Some(statement) => Ok(statement),
            empty => Ok(empty.insert(db.prepare_cached(self.0)?)),
        }
    }
}

impl<'c> Accounts<'c> {
    /// The tables behind `db`.
    pub fn new(db: &'c Db) -> Accounts<'c> {
        Accounts {
            db,
            find_account: Held::new(
                "SELECT provider, masked, shown, marks, earlier_status, added_at, injected_at FROM account WHERE id = ?1",
            ),
            add_account: Held::new(
                "INSERT INTO account(id, fingerprint, provider, masked, shown, marks, earlier_status, secret, \
                 added_at, injected_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            ),
            add_owned: Held::new("INSERT INTO owned(owner, account) VALUES(?1, ?2)"),
            index: Index::new(db),
            owners: OwnerIds::new(db),
            tally: Tally::default(),
        }
    }

    /// The account with this fingerprint.
    pub fn find(&mut self, fingerprint: &Fingerprint) -> Result<Option<Stored>, StoreError> {
        let key = self.index.find(fingerprint)?;
        key.map(|key| self.read(fingerprint, &key)).transpose()
    }

    /// The account that was found so.
    pub fn read(&mut self, fingerprint: &Fingerprint, key: &Key) -> Result<Stored, StoreError> {
        let owners = self.owners.decode(&key.owners)?;
        let account = self.find_account.on(self.db)?;
        let (account, times) = account.query_row([key.id], |row| {
            Ok((read_account(row, *fingerprint, owners)?, read_times(row)?))
        })?;
        Ok(Stored {
            id: key.id,
            account: account?,
            entry: key.entry,
            times,
        })
    }

    /// What the index tells of the account with this fingerprint, given what stands for the entry of `owner` that comes for it.
    pub fn meet(
        &mut self,
        fingerprint: &Fingerprint,
        entry: &Fingerprint,
        owner: &Owner,
    ) -> Result<Met<Key>, StoreError> {
        let Some(key) = self.index.find(fingerprint)? else {
            return Ok(Met::Nobody);
        };
        let knows = key.entry.as_ref() == Some(entry);
        Ok(
            match knows && has_owner(&key.owners, self.owners.id_of_owner(owner)?) {
                true => Met::AsItCame,
                false => Met::Account(key),
            },
        )
    }

    /// The fingerprints of the accounts that an owner has, ascending.
    pub fn owned_by(&mut self, owner: &Owner) -> Result<Vec<Fingerprint>, StoreError> {
        let Some(owner) = self.owners.id_of_owner(owner)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT fingerprint FROM owned JOIN account ON account.id = owned.account WHERE owner = ?1";
        let mut rows = self.db.prepare_cached(sql)?;
        let mut owned = rows
            .query_map([owner], |row| row.get(0).map(Fingerprint::from_bytes))?
            .collect::<Result<Vec<_>, _>>()?;
        owned.sort_unstable();
        Ok(owned)
    }

    /// Adds an account in row `id`; who can look it up is told by [`Index::write`].
    pub fn add(&mut self, id: i64, row: &NewRow<'_>, at: i64) -> Result<(), StoreError> {
        self.add_account.on(self.db)?.execute(params![
            id,
            row.fingerprint.as_bytes(),
            provider_id(row.provider),
            row.masked,
            row.shown,
            row.marks,
            row.earlier_status,
            row.secret,
            at,
        ])?;
        self.tally.count(row.provider, row.status, 1);
        Ok(())
    }

    /// Writes when an import last changed the account in this row, in seconds since the epoch.
    pub fn set_injected_at(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE account SET injected_at = ?2 WHERE id = ?1")?
            .execute([id, at])?;
        Ok(())
    }

    /// Makes an account that was put back into row `id` found, and its `owners`, encoded, own it.
    pub fn put_key(
        &mut self,
        id: i64,
        fingerprint: Fingerprint,
        owners: &[u8],
    ) -> Result<(), StoreError> {
        for owner in ids_in(owners) {
            self.own(owner, id)?;
        }
        self.index.add(&NewKey {
            fingerprint,
            id,
            owners,
            entry: None,
        })
    }

    /// Writes everything but the owners of an account; `secret` only when it changes, `at` only when an import changes it.
    pub fn update(
        &mut self,
        stored: &Stored,
        account: &Account,
        secret: Option<&[u8]>,
        at: Option<i64>,
    ) -> Result<(), StoreError> {
        let whose = Identity::Account(&account.fingerprint);
        let sealed = secret.map(|secret| self.db.vault().seal(whose, secret));
        let sealed = sealed.transpose()?;
        let sql = "UPDATE account SET provider = ?2, shown = ?3, marks = ?4, earlier_status = ?5, \
                   secret = coalesce(?6, secret), injected_at = coalesce(?7, injected_at) WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute(params![
            stored.id,
            provider_id(account.provider),
            account.document.as_json(),
            marks(&account.document),
            account.earlier_status,
            sealed,
            at,
        ])?;
        self.tally.count_account(&stored.account, -1);
        self.tally.count_account(account, 1);
        Ok(())
    }

    /// Writes who owns the account in row `id` from now on, and who did, both encoded; its key is told by [`Index::write`].
    pub fn set_owners(&mut self, id: i64, before: &[u8], after: &[u8]) -> Result<(), StoreError> {
        let (old, new) = (ids_in(before), ids_in(after));
        for gone in old.iter().filter(|owner| !new.contains(owner)) {
            self.drop_owned(*gone, id)?;
        }
        for come in new.into_iter().filter(|owner| !old.contains(owner)) {
            self.own(come, id)?;
        }
        Ok(())
    }

    /// Notes that an owner owns the account in row `id`.
    pub fn own(&mut self, owner: u32, id: i64) -> Result<(), StoreError> {
        let row = params![owner, id];
        self.add_owned.on(self.db)?.execute(row)?;
        self.tally.count_owned(owner, 1);
        Ok(())
    }

    /// Removes an account of these `owners`, encoded. Until [`Index::write`] its key is still found, and leads nowhere.
    pub fn remove(&mut self, stored: &Stored, owners: &[u8]) -> Result<(), StoreError> {
        for owner in ids_in(owners) {
            self.drop_owned(owner, stored.id)?;
        }
        self.db
            .prepare_cached("DELETE FROM account WHERE id = ?1")?
            .execute([stored.id])?;
        self.tally.count_account(&stored.account, -1);
        Ok(())
    }

    fn drop_owned(&mut self, owner: u32, id: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM owned WHERE owner = ?1 AND account = ?2";
        self.db.prepare_cached(sql)?.execute(params![owner, id])?;
        self.tally.count_owned(owner, -1);
        Ok(())
    }

    /// Notes that an owner owns the accounts in the rows from `first` to `last`.
    pub fn add_all_owned(&mut self, owner: u32, first: i64, last: i64) -> Result<(), StoreError> {
        if last.saturating_sub(first) < FEW_ROWS {
            return (first..=last).try_for_each(|id| self.own(owner, id));
        }
        // By sixteens: a recursion costs more for each row than to step on from one to the next.
        let sql = "WITH RECURSIVE row(id) AS (SELECT ?2 WHERE ?2 <= ?3 UNION ALL SELECT id + 16 FROM row WHERE id + 16 <= ?3), \
                   step(n) AS (VALUES(0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15)) \
                   INSERT INTO owned(owner, account) SELECT ?1, id + n FROM row CROSS JOIN step WHERE id + n <= ?3";
        let mut rows = self.db.prepare_cached(sql)?;
        let noted = rows.execute(params![owner, first, last])?;
        self.tally
            .count_owned(owner, i64::try_from(noted).unwrap_or(i64::MAX));
        Ok(())
    }

    /// How many accounts the pool has, but for what a change under way adds and removes.
    pub fn count(&self) -> Result<u64, StoreError> {
        Ok(meta::read(self.db)?.accounts.unsigned_abs())
    }

    /// The secrets of an account after a change, put together from those it holds and those that come.
    /// `None` when they are the ones it holds.
    pub fn secret_after(
        &self,
        stored: &Stored,
        places: &[SecretPlace],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let kept_in_place = |(at, place): (usize, &SecretPlace)| matches!(place, SecretPlace::Kept(from) if *from == at);
        let held = stored.account.document.marks().len();
        if places.len() == held && places.iter().enumerate().all(kept_in_place) {
            return Ok(None);
        }
        let blob = self.secret(stored)?;
        let mut parts = Secrets::of(&blob);
        // With room for all, so that nothing of it is left behind where it was before it grew.
        let new = places.iter().map(|place| match place {
            SecretPlace::New(secret) => secret.reveal().len() + 4,
            SecretPlace::Kept(_) => 0,
        });
        let mut out = Zeroizing::new(Vec::with_capacity(blob.len() + new.sum::<usize>()));
        push_part(&mut out, parts.next().unwrap_or_default());
        let held: Vec<&str> = parts.collect();
        for place in places {
            push_part(
                &mut out,
                match place {
                    SecretPlace::New(secret) => secret.reveal(),
                    SecretPlace::Kept(from) => held.get(*from).copied().unwrap_or_default(),
                },
            );
        }
        Ok(Some(out))
    }

    fn secret(&self, stored: &Stored) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let sql = "SELECT secret FROM account WHERE id = ?1";
        let mut secret = self.db.prepare_cached(sql)?;
        let sealed: Vec<u8> = secret.query_row([stored.id], |row| row.get(0))?;
        let whose = Identity::Account(&stored.account.fingerprint);
        self.db.vault().open(whose, &sealed)
    }
}

/// Reads an account from a row that has the columns of `account`.
pub(super) fn read_account(
    row: &Row<'_>,
    fingerprint: Fingerprint,
    owners: Owners,
) -> rusqlite::Result<Result<Account, StoreError>> {
    let marks = row.get_ref("marks")?.as_blob().unwrap_or_default();
    let marks = marks.as_chunks::<16>().0.iter();
    let marks = marks.map(|mark| Fingerprint::from_bytes(*mark)).collect();
    let document = Document::from_canonical(row.get("shown")?, marks);
    let (Some(document), Some(provider)) = (document, provider_of(row.get("provider")?)) else {
        return Ok(Err(damaged("an account's row does not hold together")));
    };
    Ok(Ok(Account {
        fingerprint,
        masked: row.get("masked")?,
        provider,
        owners,
        document,
        earlier_status: row.get("earlier_status")?,
    }))
}

/// Reads the times from such a row.
pub(super) fn read_times(row: &Row<'_>) -> rusqlite::Result<Times> {
    Ok(Times {
        added_at: row.get("added_at")?,
        injected_at: row.get("injected_at")?,
    })
}

/// The marks of a document's secrets, one after the other.
pub(super) fn marks(document: &Document) -> Vec<u8> {
    let mut blob = Vec::with_capacity(16 * document.marks().len());
    push_marks(&mut blob, document);
    blob
}

fn push_marks(blob: &mut Vec<u8>, document: &Document) {
    for mark in document.marks() {
        blob.extend_from_slice(mark.as_bytes());
    }
}

/// The number of a provider in the tables.
pub fn provider_id(provider: Provider) -> i64 {
    match provider {
        Provider::Gpt => 0,
        Provider::Grok => 1,
    }
}

/// The provider with this number in the table.
pub fn provider_of(id: i64) -> Option<Provider> {
    [Provider::Gpt, Provider::Grok]
        .into_iter()
        .find(|provider| provider_id(*provider) == id)
}

/// What is on disk is not what this program writes.
pub fn damaged(what: &str) -> StoreError {
    StoreError::Unavailable(format!("the database is damaged: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate;
    use crate::store::vault::Vault;

    #[test]
    fn an_owner_of_many_rows_owns_each_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::new(migrate::prepare(folder.path()).unwrap(), Vault::new(&[]));
        let mut accounts = Accounts::new(&db);
        for (owner, count) in (1..).zip([0, 1, 8, 9, 15, 16, 17, 32]) {
            let first = 100;
            let last = first + count - 1;
            accounts.add_all_owned(owner, first, last).unwrap();
            let sql = "SELECT account FROM owned WHERE owner = ?1";
            let mut rows = db.prepare_cached(sql).unwrap();
            let rows = rows.query_map([owner], |row| row.get::<_, i64>(0)).unwrap();
            let owned: Vec<_> = rows.map(Result::unwrap).collect();
            assert_eq!(owned, (first..=last).collect::<Vec<_>>());
            accounts.tally.write(&db).unwrap();
            let sql = "SELECT coalesce(sum(accounts), 0) FROM owner_tally WHERE owner = ?1";
            let tally: i64 = db.query_row(sql, [owner], |row| row.get(0)).unwrap();
            assert_eq!(tally, count);
        }
    }
}
