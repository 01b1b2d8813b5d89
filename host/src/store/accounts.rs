//! The accounts of the pool, row by row: found by fingerprint, added, changed, removed.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use tributary_core::{
    Account, Document, Fingerprint, Owners, Provider, Secret, SecretPlace, SourceId,
};

use super::error::StoreError;

/// The integer that stands for Local among owners.
const LOCAL: u32 = 0;

/// An account and the row that holds it.
pub struct Stored {
    /// The row.
    pub id: i64,
    /// What decisions see of it.
    pub account: Account,
}

/// The account tables through one connection, with the owners met so far and the statements that run for every account
/// of an import.
pub struct Accounts<'c> {
    db: &'c Connection,
    find_key: Held<'c>,
    find_account: Held<'c>,
    add_account: Held<'c>,
    add_key: Held<'c>,
    add_owned: Held<'c>,
    sources: BTreeMap<u32, SourceId>,
    ids: BTreeMap<SourceId, u32>,
    names: BTreeMap<SourceId, String>,
}

/// A statement that is looked up once and then held.
struct Held<'c>(&'static str, Option<CachedStatement<'c>>);

impl<'c> Held<'c> {
    fn on(&mut self, db: &'c Connection) -> Result<&mut CachedStatement<'c>, StoreError> {
        match &mut self.1 {
            Some(statement) => Ok(statement),
            empty => Ok(empty.insert(db.prepare_cached(self.0)?)),
        }
    }
}

impl<'c> Accounts<'c> {
    /// The tables behind `db`.
    pub fn new(db: &'c Connection) -> Accounts<'c> {
        Accounts {
            db,
            find_key: Held(
                "SELECT account, owners FROM account_key WHERE fingerprint = ?1",
                None,
            ),
            find_account: Held(
                "SELECT provider, masked, shown, marks, earlier_status FROM account WHERE id = ?1",
                None,
            ),
            add_account: Held(
                "INSERT INTO account(id, fingerprint, provider, masked, shown, marks, earlier_status, secret, \
                 added_at, injected_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
                None,
            ),
            add_key: Held(
                "INSERT INTO account_key(fingerprint, account, owners) VALUES(?1, ?2, ?3)",
                None,
            ),
            add_owned: Held("INSERT INTO owned(owner, account) VALUES(?1, ?2)", None),
            sources: BTreeMap::new(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The account with this fingerprint.
    pub fn find(&mut self, fingerprint: &Fingerprint) -> Result<Option<Stored>, StoreError> {
        let key = self.find_key.on(self.db)?;
        let found = key
            .query_row([fingerprint.as_bytes()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        let Some((id, owners)) = found else {
            return Ok(None);
        };
        let owners = self.owners(&owners)?;
        let account = self.find_account.on(self.db)?;
        let account = account.query_row([id], |row| read_account(row, *fingerprint, owners))??;
        Ok(Some(Stored { id, account }))
    }

    /// The fingerprints of the accounts that a source owns, ascending.
    pub fn owned_by(&mut self, source: &SourceId) -> Result<Vec<Fingerprint>, StoreError> {
        let Some(owner) = self.id_of(source)? else {
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

    /// Adds an account in row `id`; who can look it up is told by [`Accounts::add_key`].
    pub fn add(
        &mut self,
        id: i64,
        account: &Account,
        secret: &[u8],
        at: i64,
    ) -> Result<(), StoreError> {
        self.add_account.on(self.db)?.execute(params![
            id,
            account.fingerprint.as_bytes(),
            provider_id(account.provider),
            account.masked,
            account.document.as_json(),
            marks(&account.document),
            account.earlier_status,
            secret,
            at,
        ])?;
        Ok(())
    }

    /// Makes an added account found by its fingerprint. Ascending fingerprints cost the fewest pages.
    pub fn add_key(&mut self, key: &NewKey) -> Result<(), StoreError> {
        self.add_key.on(self.db)?.execute(params![
            key.fingerprint.as_bytes(),
            key.id,
            key.owners
        ])?;
        Ok(())
    }

    /// Writes everything but the owners of an account; `secret` only when it changes.
    pub fn update(
        &mut self,
        id: i64,
        account: &Account,
        secret: Option<&[u8]>,
        at: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE account SET provider = ?2, shown = ?3, marks = ?4, earlier_status = ?5, \
                   secret = coalesce(?6, secret), injected_at = ?7 WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute(params![
            id,
            provider_id(account.provider),
            account.document.as_json(),
            marks(&account.document),
            account.earlier_status,
            secret,
            at,
        ])?;
        Ok(())
    }

    /// Writes who owns an account, in place of `before`.
    pub fn set_owners(
        &mut self,
        id: i64,
        before: &Owners,
        account: &Account,
    ) -> Result<(), StoreError> {
        let owners = self.encoded(&account.owners)?;
        let sql = "UPDATE account_key SET owners = ?2 WHERE fingerprint = ?1";
        self.db
            .prepare_cached(sql)?
            .execute(params![account.fingerprint.as_bytes(), owners])?;
        let (old, new) = (decoded(&self.encoded(before)?), decoded(&owners));
        for gone in old.iter().filter(|owner| !new.contains(owner)) {
            self.db
                .prepare_cached("DELETE FROM owned WHERE owner = ?1 AND account = ?2")?
                .execute(params![gone, id])?;
        }
        for come in new.into_iter().filter(|owner| !old.contains(owner)) {
            self.add_owned(come, id)?;
        }
        Ok(())
    }

    /// Removes an account with everything that names it.
    pub fn remove(&mut self, stored: &Stored) -> Result<(), StoreError> {
        let owners = decoded(&self.encoded(&stored.account.owners)?);
        for owner in owners {
            self.db
                .prepare_cached("DELETE FROM owned WHERE owner = ?1 AND account = ?2")?
                .execute(params![owner, stored.id])?;
        }
        self.db
            .prepare_cached("DELETE FROM account_key WHERE fingerprint = ?1")?
            .execute([stored.account.fingerprint.as_bytes()])?;
        self.db
            .prepare_cached("DELETE FROM account WHERE id = ?1")?
            .execute([stored.id])?;
        Ok(())
    }

    /// Notes that an owner owns the accounts in the rows from `first` to `last`.
    pub fn add_all_owned(&mut self, owner: u32, first: i64, last: i64) -> Result<(), StoreError> {
        let sql = "WITH RECURSIVE row(id) AS (SELECT ?2 WHERE ?2 <= ?3 UNION ALL SELECT id + 1 FROM row WHERE id < ?3) \
                   INSERT INTO owned(owner, account) SELECT ?1, id FROM row";
        let mut rows = self.db.prepare_cached(sql)?;
        rows.execute(params![owner, first, last])?;
        Ok(())
    }

    /// Whether the pool has no account at all.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        let mut any = self
            .db
            .prepare_cached("SELECT NOT EXISTS(SELECT 1 FROM account_key)")?;
        Ok(any.query_row([], |row| row.get(0))?)
    }

    /// Notes that an owner owns an account.
    pub fn add_owned(&mut self, owner: u32, id: i64) -> Result<(), StoreError> {
        self.add_owned.on(self.db)?.execute(params![owner, id])?;
        Ok(())
    }

    /// The secrets of an account after a change, put together from those it holds and those that come.
    /// `None` when they are the ones it holds.
    pub fn secret_after(
        &self,
        stored: &Stored,
        places: &[SecretPlace],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let kept_in_place = |(at, place): (usize, &SecretPlace)| matches!(place, SecretPlace::Kept(from) if *from == at);
        let held = stored.account.document.marks().len();
        if places.len() == held && places.iter().enumerate().all(kept_in_place) {
            return Ok(None);
        }
        let blob = self.secret(stored.id)?;
        let mut parts = Secrets::of(&blob);
        let mut out = Vec::with_capacity(blob.len());
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

    fn secret(&self, id: i64) -> Result<Vec<u8>, StoreError> {
        let mut secret = self
            .db
            .prepare_cached("SELECT secret FROM account WHERE id = ?1")?;
        Ok(secret.query_row([id], |row| row.get(0))?)
    }

    /// The owners in an `owners` blob.
    pub fn owners(&mut self, blob: &[u8]) -> Result<Owners, StoreError> {
        let ids = decoded(blob);
        let mut sources = Vec::with_capacity(ids.len());
        for id in ids.iter().filter(|id| **id != LOCAL) {
            sources.push(self.source_of(*id)?);
        }
        Ok(Owners::new(ids.contains(&LOCAL), sources))
    }

    /// The name kept for a source that imported; empty when none.
    pub fn name_of(&mut self, source: &SourceId) -> Result<String, StoreError> {
        if let Some(name) = self.names.get(source) {
            return Ok(name.clone());
        }
        let name: Option<String> = self
            .db
            .prepare_cached("SELECT name FROM owner WHERE source_id = ?1")?
            .query_row([source.as_str()], |row| row.get(0))
            .optional()?;
        let name = name.unwrap_or_default();
        self.names.insert(source.clone(), name.clone());
        Ok(name)
    }

    /// The blob of these owners, all of which have ids.
    pub fn encoded(&mut self, owners: &Owners) -> Result<Vec<u8>, StoreError> {
        let mut blob = Vec::with_capacity(4 * (owners.sources().len() + 1));
        if owners.local() {
            blob.extend_from_slice(&LOCAL.to_le_bytes());
        }
        for source in owners.sources() {
            let missing = || StoreError::Internal("an owner without an id".to_owned());
            blob.extend_from_slice(&self.id_of(source)?.ok_or_else(missing)?.to_le_bytes());
        }
        Ok(blob)
    }

    fn source_of(&mut self, id: u32) -> Result<SourceId, StoreError> {
        if let Some(source) = self.sources.get(&id) {
            return Ok(source.clone());
        }
        let text: Option<String> = self
            .db
            .prepare_cached("SELECT source_id FROM owner WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let source = text.as_deref().and_then(SourceId::new);
        let source =
            source.ok_or_else(|| damaged("an account names an owner that is not there"))?;
        self.know(id, &source);
        Ok(source)
    }

    fn id_of(&mut self, source: &SourceId) -> Result<Option<u32>, StoreError> {
        if let Some(id) = self.ids.get(source) {
            return Ok(Some(*id));
        }
        let id = self
            .db
            .prepare_cached("SELECT id FROM owner WHERE source_id = ?1")?
            .query_row([source.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(id) = id {
            self.know(id, source);
        }
        Ok(id)
    }

    /// The id of an importer, made with this name when it is new; 0 for Local.
    pub fn importer(&mut self, source: Option<&SourceId>, name: &str) -> Result<u32, StoreError> {
        let Some(source) = source else {
            return Ok(LOCAL);
        };
        if let Some(id) = self.id_of(source)? {
            return Ok(id);
        }
        let sql = "INSERT INTO owner(source_id, name) VALUES(?1, ?2) RETURNING id";
        let mut row = self.db.prepare_cached(sql)?;
        let id = row.query_row(params![source.as_str(), name], |row| row.get(0))?;
        self.know(id, source);
        Ok(id)
    }

    fn know(&mut self, id: u32, source: &SourceId) {
        self.sources.insert(id, source.clone());
        self.ids.insert(source.clone(), id);
    }
}

/// What makes an added account found.
pub struct NewKey {
    /// The account.
    pub fingerprint: Fingerprint,
    /// Its row.
    pub id: i64,
    /// Its owners, encoded.
    pub owners: Vec<u8>,
}

/// The `secret` blob of an account that is new.
pub fn secret_of(token: &Secret, places: &[SecretPlace]) -> Vec<u8> {
    let mut out = Vec::with_capacity(token.reveal().len() + 8);
    push_part(&mut out, token.reveal());
    for place in places {
        // A new account keeps nothing: there is nothing to keep.
        if let SecretPlace::New(secret) = place {
            push_part(&mut out, secret.reveal());
        }
    }
    out
}

/// The parts of a `secret` blob: the token, then the secret values in the order of their places.
pub struct Secrets<'a> {
    rest: &'a [u8],
}

impl<'a> Secrets<'a> {
    /// Reads from the front of a blob.
    pub fn of(blob: &'a [u8]) -> Secrets<'a> {
        Secrets { rest: blob }
    }
}

impl<'a> Iterator for Secrets<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (len, rest) = self.rest.split_first_chunk()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (part, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(part).ok()
    }
}

fn push_part(out: &mut Vec<u8>, part: &str) {
    // A body has at most 2⁶⁴ bytes by its type, and far less by its limit: a part of one never reaches 4 GiB.
    let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(part.as_bytes());
}

fn read_account(
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

fn marks(document: &Document) -> Vec<u8> {
    let mut blob = Vec::with_capacity(16 * document.marks().len());
    document
        .marks()
        .iter()
        .for_each(|mark| blob.extend_from_slice(mark.as_bytes()));
    blob
}

fn decoded(blob: &[u8]) -> Vec<u32> {
    blob.as_chunks::<4>()
        .0
        .iter()
        .map(|id| u32::from_le_bytes(*id))
        .collect()
}

fn provider_id(provider: Provider) -> i64 {
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
