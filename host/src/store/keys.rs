//! Keys to the API: kept as hashes only.

use std::io;

use rusqlite::{OptionalExtension, Row, params};

use super::db::Db;
use super::error::StoreError;
use crate::{clock, random};

/// What every key begins with.
pub const PREFIX: &str = "sk-";

/// What the name of a key must be, as the end of a sentence that begins with where the name stands.
pub const NAME_RULE: &str =
    "must have 1 to 200 characters and no control characters; choose another name";
/// Most characters in a name.
const LONGEST_NAME: usize = 200;

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
    /// The day it was last let in, like `2026-05-23` (UTC); empty before the first.
    pub last_used_on: String,
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

impl ApiKey {
    /// A new key and its stored form. The key itself is to be shown once; the error is that of the system's randomness.
    pub fn make(name: String, role: Role) -> io::Result<(String, ApiKey)> {
        let key = format!("{PREFIX}{}", random::hex::<24>()?);
        let stored = ApiKey {
            id: random::hex::<6>()?,
            name,
            role,
            hash: hash(key.as_bytes()),
            enabled: true,
            created_at: clock::now(),
            last_used_on: String::new(),
        };
        Ok((key, stored))
    }
}

/// The name that a key is given, without the spaces around it; `None` when it breaks the [`NAME_RULE`].
pub fn name(given: &str) -> Option<String> {
    let name = given.trim();
    let short = (1..=LONGEST_NAME).contains(&name.chars().count());
    (short && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

/// The hash a key is stored and found by. Keys are long and random: a plain hash cannot be guessed back.
pub fn hash(key: &[u8]) -> [u8; 32] {
    *blake3::hash(key).as_bytes()
}

/// The key with this hash, enabled or not.
pub fn find(db: &Db, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM api_key WHERE hash = ?1")?;
    Ok(rows.query_row([hash], read).optional()?)
}

/// The key with this id, enabled or not.
pub fn get(db: &Db, id: &str) -> Result<Option<ApiKey>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM api_key WHERE id = ?1")?;
    Ok(rows.query_row([id], read).optional()?)
}

/// All keys, the oldest first.
pub fn list(db: &Db) -> Result<Vec<ApiKey>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM api_key ORDER BY created_at, id")?;
    let keys = rows.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(keys)
}

/// Adds a key.
pub fn create(db: &Db, key: &ApiKey) -> Result<(), StoreError> {
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
pub fn set_enabled(db: &Db, id: &str, enabled: bool) -> Result<bool, StoreError> {
    let mut change = db.prepare_cached("UPDATE api_key SET enabled = ?2 WHERE id = ?1")?;
    Ok(change.execute(params![id, enabled])? > 0)
}

/// Gives a key another name; `false` when there is none with this id.
pub fn rename(db: &Db, id: &str, name: &str) -> Result<bool, StoreError> {
    let mut change = db.prepare_cached("UPDATE api_key SET name = ?2 WHERE id = ?1")?;
    Ok(change.execute(params![id, name])? > 0)
}

/// Notes the day a key was let in; an earlier day than the one noted changes nothing.
pub fn note_use(db: &Db, id: &str, day: &str) -> Result<(), StoreError> {
    let sql = "UPDATE api_key SET last_used_on = ?2 WHERE id = ?1 AND last_used_on < ?2";
    db.prepare_cached(sql)?.execute([id, day])?;
    Ok(())
}

/// Forgets a key; `false` when there is none with this id.
pub fn delete(db: &Db, id: &str) -> Result<bool, StoreError> {
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
        last_used_on: row.get("last_used_on")?,
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

    #[test]
    fn the_day_of_the_last_use_only_moves_on() {
        let (_dir, db) = database();
        create(&db, &key("k1")).unwrap();
        let noted = |day| {
            note_use(&db, "k1", day).unwrap();
            get(&db, "k1").unwrap().unwrap().last_used_on
        };
        assert_eq!(noted("2026-05-23"), "2026-05-23");
        assert_eq!(noted("2026-05-22"), "2026-05-23");
        assert_eq!(noted("2026-06-01"), "2026-06-01");
    }

    #[test]
    fn a_name_is_trimmed_and_readable() {
        assert_eq!(name(" Ops 组 ").as_deref(), Some("Ops 组"));
        assert_eq!(name(&"é".repeat(200)), Some("é".repeat(200)));
        for refused in ["", " \t ", "a\nb", "a\u{7f}", &"é".repeat(201)] {
            assert_eq!(name(refused), None, "{refused:?}");
        }
    }
}
