//! Sources, in the order in which they were made.

use rusqlite::{OptionalExtension, Row, params};
use tributary_core::{Provider, Secret, Strategy};

use super::accounts::{Secrets, damaged, parts_of};
use super::db::Db;
use super::error::StoreError;
use super::vault::{Identity, Vault};
use super::{jobs, policies, standing};
use crate::job::ImportJob;
use crate::source::{Method, Source};

/// All sources, each with its latest sync.
pub fn list(db: &Db) -> Result<Vec<(Source, Option<ImportJob>)>, StoreError> {
    let mut rows = db.prepare_cached("SELECT * FROM source ORDER BY number")?;
    let sources = rows
        .query_map([], |row| Ok(read(row, db.vault())))?
        .collect::<Result<Result<Vec<Source>, StoreError>, _>>()??;
    sources
        .into_iter()
        .map(|source| {
            let job = jobs::latest_sync(db, &source.id)?;
            Ok((source, job))
        })
        .collect()
}

/// The source with this id.
pub fn get(db: &Db, id: &str) -> Result<Option<Source>, StoreError> {
    let mut row = db.prepare_cached("SELECT * FROM source WHERE id = ?1")?;
    let source = row.query_row([id], |row| Ok(read(row, db.vault())));
    source.optional()?.transpose()
}

/// Whether an id belongs to a source, or to an importer that owns or owned accounts: a new source gets neither.
pub fn is_taken(db: &Db, id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS(SELECT 1 FROM source WHERE id = ?1) OR EXISTS(SELECT 1 FROM owner WHERE source_id = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([id], |r| r.get(0))?)
}

/// Adds a source as it is.
pub fn insert(db: &Db, source: &Source) -> Result<(), StoreError> {
    let sql = "INSERT INTO source(id, name, enabled, secret, method, auth_header, provider, strategy, \
               interval_seconds, revision, last_sync_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    db.sources_change();
    db.prepare_cached(sql)?.execute(params![
        source.id,
        source.name,
        source.enabled,
        sealed(db, source)?,
        source.method.as_str(),
        source.auth_header,
        source.provider.map_or("", Provider::as_str),
        source.strategy.as_str(),
        source.interval_seconds,
        source.revision,
        source.last_sync_at,
    ])?;
    Ok(())
}

/// Writes an edit: everything but id and last sync, and one revision more, from which the schedule begins anew. `false`
/// when the source is gone.
pub fn update(db: &Db, source: &Source) -> Result<bool, StoreError> {
    let sql = "UPDATE source SET name = ?2, enabled = ?3, secret = ?4, method = ?5, auth_header = ?6, provider = ?7, \
               strategy = ?8, interval_seconds = ?9, revision = revision + 1 WHERE id = ?1";
    db.sources_change();
    let changed = db.prepare_cached(sql)?.execute(params![
        source.id,
        source.name,
        source.enabled,
        sealed(db, source)?,
        source.method.as_str(),
        source.auth_header,
        source.provider.map_or("", Provider::as_str),
        source.strategy.as_str(),
        source.interval_seconds,
    ])?;
    standing::forget(db, &source.id)?;
    Ok(changed > 0)
}

/// Counts an edit of what is kept beside a source: a sync under way no longer applies.
pub fn touch(db: &Db, id: &str) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE source SET revision = revision + 1 WHERE id = ?1")?
        .execute([id])?;
    standing::forget(db, id)
}

/// Notes a successful sync at `at` (seconds since the epoch), which is no edit. `false` when the source is gone.
pub fn mark_synced(db: &Db, id: &str, at: i64) -> Result<bool, StoreError> {
    db.sources_change();
    let mut change = db.prepare_cached("UPDATE source SET last_sync_at = ?2 WHERE id = ?1")?;
    Ok(change.execute(params![id, at])? > 0)
}

/// Forgets a source; its accounts and jobs stay. `false` when there is none with this id.
pub fn delete(db: &Db, id: &str) -> Result<bool, StoreError> {
    db.sources_change();
    let mut source = db.prepare_cached("DELETE FROM source WHERE id = ?1")?;
    let deleted = source.execute([id])? > 0;
    if deleted {
        db.prepare_cached("UPDATE owner SET source_deleted = 1 WHERE source_id = ?1")?
            .execute([id])?;
        policies::forget(db, id)?;
        standing::forget(db, id)?;
    }
    Ok(deleted)
}

/// Address and tokens, sealed.
fn sealed(db: &Db, source: &Source) -> Result<Vec<u8>, StoreError> {
    let (auth, bearer) = (source.auth_token.reveal(), source.bearer_token.reveal());
    let text = parts_of([&source.url, auth, bearer]);
    db.vault().seal(Identity::Source(&source.id), &text)
}

fn read(row: &Row<'_>, vault: &Vault) -> Result<Source, StoreError> {
    let id: String = row.get("id")?;
    let sealed = row.get_ref("secret")?.as_blob().unwrap_or_default();
    let opened = vault
        .open(Identity::Source(&id), sealed)
        .map_err(|why| damaged(&format!("source {id}: {why}")))?;
    let mut parts = Secrets::of(&opened);
    let mut part = || {
        parts
            .next()
            .map(str::to_owned)
            .ok_or_else(|| damaged("a source has no address"))
    };
    let (url, auth_token, bearer_token) = (part()?, part()?, part()?);
    Ok(Source {
        id,
        name: row.get("name")?,
        enabled: row.get("enabled")?,
        url,
        method: super::word(row, "method", Method::from_exact)?,
        auth_header: row.get("auth_header")?,
        auth_token: Secret::new(auth_token),
        bearer_token: Secret::new(bearer_token),
        provider: super::word(row, "provider", optional_provider)?,
        strategy: super::word(row, "strategy", Strategy::from_exact)?,
        interval_seconds: row.get("interval_seconds")?,
        revision: row.get("revision")?,
        last_sync_at: row.get("last_sync_at")?,
    })
}

/// Reads a provider where the empty string means none.
fn optional_provider(name: &str) -> Option<Option<Provider>> {
    if name.is_empty() {
        Some(None)
    } else {
        Provider::from_exact(name).map(Some)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::tests::database;

    /// A source with every field set.
    pub(in crate::store) fn source(id: &str) -> Source {
        Source {
            id: id.to_owned(),
            name: "Team".to_owned(),
            enabled: true,
            url: "https://accounts.example.test/a.json".to_owned(),
            method: Method::Post,
            auth_header: "X-Key".to_owned(),
            auth_token: Secret::new("t1".to_owned()),
            bearer_token: Secret::default(),
            provider: Some(Provider::Grok),
            strategy: Strategy::Replace,
            interval_seconds: Some(60),
            revision: 0,
            last_sync_at: None,
        }
    }

    #[test]
    fn a_source_is_kept_edited_synced_and_forgotten() {
        let (_dir, db) = database();
        insert(&db, &source("s1")).unwrap();
        insert(
            &db,
            &Source {
                provider: None,
                ..source("s0")
            },
        )
        .unwrap();
        let edited = Source {
            name: "Other".to_owned(),
            enabled: false,
            last_sync_at: Some(1),
            ..source("s1")
        };
        assert!(update(&db, &edited).unwrap());
        assert!(mark_synced(&db, "s1", 20).unwrap());
        let kept = get(&db, "s1").unwrap().unwrap();
        assert_eq!(
            (
                kept.name.as_str(),
                kept.enabled,
                kept.revision,
                kept.last_sync_at
            ),
            ("Other", false, 1, Some(20))
        );
        assert_eq!(
            (kept.method, kept.provider, kept.strategy),
            (Method::Post, Some(Provider::Grok), Strategy::Replace)
        );
        assert_eq!(
            (
                kept.auth_header.as_str(),
                kept.auth_token.reveal(),
                kept.interval_seconds
            ),
            ("X-Key", "t1", Some(60))
        );
        let ids: Vec<_> = list(&db)
            .unwrap()
            .into_iter()
            .map(|(s, _)| (s.id, s.provider))
            .collect();
        assert_eq!(
            ids,
            [
                ("s1".to_owned(), Some(Provider::Grok)),
                ("s0".to_owned(), None)
            ]
        );
        assert!(delete(&db, "s1").unwrap() && !delete(&db, "s1").unwrap());
        assert!(!update(&db, &edited).unwrap() && get(&db, "s1").unwrap().is_none());
    }

    #[test]
    fn an_id_of_a_source_or_an_owner_is_taken() {
        let (_dir, db) = database();
        insert(&db, &source("s1")).unwrap();
        db.execute("INSERT INTO owner(source_id) VALUES('s2')", [])
            .unwrap();
        let taken = ["s1", "s2", "s3"].map(|id| is_taken(&db, id).unwrap());
        assert_eq!(taken, [true, true, false]);
    }
}
