//! Keys to the API: kept as hashes only.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;

/// What every key begins with.
pub const PREFIX: &str = "sk-";

/// A stored key. The key itself was shown once, when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key in commands.
    pub id: String,
    /// The operator's name for it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// [`hash`] of the key.
    pub hash: [u8; 32],
    /// Whether it is let in.
    pub enabled: bool,
    /// Seconds since the epoch.
    pub created_at: i64,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Nothing that administers.
    User,
    /// Read the pool as a payload, and the metrics.
    Reader,
}

/// The hash a key is stored and found by. Keys are long and random: a plain hash cannot be guessed back.
pub fn hash(key: &[u8]) -> [u8; 32] {
    *blake3::hash(key).as_bytes()
}

/// The key with this hash, enabled or not.
pub fn find(db: &Connection, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM api_key WHERE hash = ?1")?;
    Ok(rows.query_row([hash], read).optional()?)
}

/// All keys, the oldest first.
pub fn list(db: &Connection) -> Result<Vec<ApiKey>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM api_key ORDER BY created_at, id")?;
    let keys = rows.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(keys)
}

/// Adds a key.
pub fn create(db: &Connection, key: &ApiKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_key(id, name, role, hash, enabled, created_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    let row = params![
        key.id,
        key.name,
        key.role.as_str(),
        key.hash,
        key.enabled,
        key.created_at
    ];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Lets a key in or keeps it out; `false` when there is none with this id.
pub fn set_enabled(db: &Connection, id: &str, enabled: bool) -> Result<bool, StoreError> {
    let mut change = db.prepare_cached("UPDATE api_key SET enabled = ?2 WHERE id = ?1")?;
    Ok(change.execute(params![id, enabled])? > 0)
}

/// Forgets a key; `false` when there is none with this id.
pub fn delete(db: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("DELETE FROM api_key WHERE id = ?1")?
        .execute([id])?
        > 0)
}

impl Role {
    /// The name used in commands and tables: `admin`, `user` or `reader`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::User => "user",
            Role::Reader => "reader",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<Role> {
        match name {
            "admin" => Some(Role::Admin),
            "user" => Some(Role::User),
            "reader" => Some(Role::Reader),
            _ => None,
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: row.get("id")?,
        name: row.get("name")?,
        role: super::word(row, "role", Role::from_exact)?,
        hash: row.get("hash")?,
        enabled: row.get("enabled")?,
        created_at: row.get("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{database, key};

    #[test]
    fn a_key_is_kept_disabled_and_forgotten() {
        let (_dir, db) = database();
        create(&db, &key("k1")).unwrap();
        assert!(create(&db, &key("k1")).is_err());
        assert_eq!(find(&db, &hash(b"k1")).unwrap(), Some(key("k1")));
        assert!(set_enabled(&db, "k1", false).unwrap());
        assert!(!find(&db, &hash(b"k1")).unwrap().unwrap().enabled);
        assert!(delete(&db, "k1").unwrap() && !set_enabled(&db, "k1", true).unwrap());
        assert_eq!(
            (list(&db).unwrap(), find(&db, &hash(b"k2")).unwrap()),
            (vec![], None)
        );
    }
}
