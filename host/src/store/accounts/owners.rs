//! Who owns accounts, by the small integers that stand for owners in the tables.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use tributary_core::{Owner, Owners, SourceId};

use super::damaged;
use crate::store::db::Db;
use crate::store::error::StoreError;

/// The integer that stands for Local among owners.
pub const LOCAL: u32 = 0;

/// The owners met so far through one connection.
pub struct OwnerIds<'c> {
    db: &'c Db,
    sources: BTreeMap<u32, SourceId>,
    ids: BTreeMap<SourceId, u32>,
    names: BTreeMap<SourceId, String>,
}

impl<'c> OwnerIds<'c> {
    /// Those in the tables behind `db`.
    pub fn new(db: &'c Db) -> OwnerIds<'c> {
        OwnerIds {
            db,
            sources: BTreeMap::new(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The owners in an `owners` blob.
    pub fn decode(&mut self, blob: &[u8]) -> Result<Owners, StoreError> {
        let ids = ids_in(blob);
        let mut sources = Vec::with_capacity(ids.len());
        for id in ids.iter().filter(|id| **id != LOCAL) {
            sources.push(self.source_of(*id)?);
        }
        Ok(Owners::new(ids.contains(&LOCAL), sources))
    }

    /// The blob of these owners, all of which have ids.
    pub fn encode(&mut self, owners: &Owners) -> Result<Vec<u8>, StoreError> {
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

    /// The id of an owner; `None` for a source that never owned anything.
    pub fn id_of_owner(&mut self, owner: &Owner) -> Result<Option<u32>, StoreError> {
        match owner {
            Owner::Local => Ok(Some(LOCAL)),
            Owner::Source(source) => self.id_of(source),
        }
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

    /// The id of a source that imported.
    pub fn id_of(&mut self, source: &SourceId) -> Result<Option<u32>, StoreError> {
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

    fn know(&mut self, id: u32, source: &SourceId) {
        self.sources.insert(id, source.clone());
        self.ids.insert(source.clone(), id);
    }
}

/// The ids in an `owners` blob.
pub fn ids_in(blob: &[u8]) -> Vec<u32> {
    blob.as_chunks::<4>()
        .0
        .iter()
        .map(|id| u32::from_le_bytes(*id))
        .collect()
}

/// Whether an owner is in an `owners` blob, given its id.
pub(super) fn has_owner(blob: &[u8], owner: Option<u32>) -> bool {
    owner.is_some_and(|owner| blob.as_chunks().0.contains(&owner.to_le_bytes()))
}
