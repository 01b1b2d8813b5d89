//! What a preview may know of the pool: accounts by fingerprint, never a token or another secret.

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;
use tributary_core::{Account, Fingerprint, Removal, SourceId};

use super::{Answer, Request, ok};
use crate::app::App;
use crate::error::ApiError;
use crate::random::hex_of;
use crate::store::lookup::{self, MOST_ROWS};
use crate::store::policies::Policy;
use crate::store::{StoreError, meta, policies};

/// Fingerprints that one request may ask about.
const MOST_ASKED: usize = 10_000;
/// Largest body, in bytes: that many fingerprints with room for white space.
const MAX_BODY: u64 = 1 << 20;
/// How often a request is read anew when imports change the pool meanwhile.
const TRIES: usize = 5;

/// What is asked; a member that is absent asks nothing.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    source_id: Option<String>,
    #[serde(default)]
    fingerprints: Option<Vec<String>>,
    #[serde(default)]
    after: Option<i64>,
}

impl Asked {
    fn parse(body: &[u8]) -> Result<Asked, ApiError> {
        // A list would be read as the members in their order.
        let object = body.trim_ascii_start().starts_with(b"{");
        let asked = serde_json::from_slice(body).ok().filter(|_| object);
        asked.ok_or_else(|| {
            ApiError::unprocessable(
                "body must be {\"source_id\": text, \"fingerprints\": [hex digits], \"after\": number}",
            )
        })
    }
}

/// `POST /api/remote-account/pool/lookup`: which fingerprints exist, and a page of what a source owns.
pub async fn lookup(mut request: Request) -> Answer {
    let body = request.body.read_all(MAX_BODY).await?;
    let asked = Asked::parse(&body)?;
    let fingerprints = read_fingerprints(&asked.fingerprints.unwrap_or_default())?;
    let source = asked.source_id.as_deref().and_then(SourceId::new);
    let after = asked.after.unwrap_or(0);
    for _ in 0..TRIES {
        if let Some(found) = look(&request.app, &fingerprints, source.as_ref(), after).await? {
            return ok(&found);
        }
    }
    Err(ApiError::new(
        hyper::StatusCode::CONFLICT,
        "the pool kept changing while it was read; ask again",
    ))
}

fn read_fingerprints(asked: &[String]) -> Result<Vec<Fingerprint>, ApiError> {
    if asked.len() > MOST_ASKED {
        return Err(ApiError::unprocessable(format!(
            "fingerprints must be at most {MOST_ASKED}; ask in parts"
        )));
    }
    let read = asked.iter().map(|hex| Fingerprint::from_hex(hex));
    read.collect::<Option<_>>()
        .ok_or_else(|| ApiError::unprocessable("fingerprints must be of 32 hex digits each"))
}

/// Everything asked at one revision; `None` when the pool changed between two reads.
async fn look(
    app: &App,
    fingerprints: &[Fingerprint],
    source: Option<&SourceId>,
    after: i64,
) -> Result<Option<Found>, ApiError> {
    let asked = source.cloned();
    let read = app.store.read(move |db| {
        let policy = asked.map(|source| policies::read(db, source.as_str()));
        let policy = policy.transpose()?.unwrap_or_default();
        Ok((meta::read(db)?, meta::salt(db)?, policy))
    });
    let (pool, salt, policy): (meta::Meta, _, Policy) = read
        .await
        .map_err(|error: StoreError| ApiError::from(error))?;
    let mut found = Found::at(&pool, &salt, policy.removal);
    for some in fingerprints.chunks(MOST_ROWS.into()) {
        let some = some.to_vec();
        let part = app
            .store
            .read(move |db| lookup::existing(db, &some))
            .await?;
        if part.revision != found.pool_revision {
            return Ok(None);
        }
        found.accounts.extend(part.found);
    }
    if let Some(source) = source.cloned() {
        let part = app
            .store
            .read(move |db| lookup::owned_after(db, &source, after))
            .await?;
        if part.revision != found.pool_revision {
            return Ok(None);
        }
        let full = part.found.len() == usize::from(MOST_ROWS);
        found.next = part.found.last().filter(|_| full).map(|last| last.id);
        found.owned = part.found.into_iter().map(|row| row.account).collect();
    }
    Ok(Some(found))
}

/// The answer: all of it true at `pool_revision`.
#[derive(serde::Serialize)]
struct Found {
    pool_revision: i64,
    /// Keys the fingerprints of this pool; 64 hex digits.
    salt: String,
    /// What becomes of accounts that lose the source as their last owner: `remove` or `disable`.
    removal: &'static str,
    /// Those of the fingerprints that exist.
    #[serde(serialize_with = "shapes")]
    accounts: Vec<Account>,
    /// What the source owns after `after`.
    #[serde(serialize_with = "shapes")]
    owned: Vec<Account>,
    /// The `after` of the next page; null at the end.
    next: Option<i64>,
}

impl Found {
    fn at(pool: &meta::Meta, salt: &[u8; 32], removal: Removal) -> Found {
        Found {
            pool_revision: pool.revision,
            salt: hex_of(salt),
            removal: removal.as_str(),
            accounts: Vec::new(),
            owned: Vec::new(),
            next: None,
        }
    }
}

fn shapes<S: Serializer>(accounts: &[Account], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(accounts.len()))?;
    for account in accounts {
        list.serialize_element(&Shape(account))?;
    }
    list.end()
}

/// An account as the core's `plan_json` reads those of its pool.
struct Shape<'a>(&'a Account);

impl Serialize for Shape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = self.0;
        let marks = account.document.marks().iter().map(Fingerprint::to_string);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("fingerprint", &account.fingerprint.to_string())?;
        map.serialize_entry("token", &account.masked)?;
        map.serialize_entry("provider", account.provider.as_str())?;
        map.serialize_entry("owners", &raw(account.owners.to_json())?)?;
        map.serialize_entry("fields", &raw(account.document.as_json().to_owned())?)?;
        map.serialize_entry("secrets", &marks.collect::<Vec<_>>())?;
        if let Some(status) = &account.earlier_status {
            map.serialize_entry("earlier_status", &raw(status.clone())?)?;
        }
        map.end()
    }
}

/// JSON text that stays as it is: numbers are kept as their text.
fn raw<E: serde::ser::Error>(text: String) -> Result<Box<RawValue>, E> {
    RawValue::from_string(text).map_err(E::custom)
}
