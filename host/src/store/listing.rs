//! Accounts as lists show them: everything but their secrets, in the order of insertion, page by page.

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use tributary_core::{Fingerprint, Owner, Owners, string_of};

use super::accounts::{OwnerIds, damaged, provider_id, provider_of};
use super::db::Db;
use super::error::StoreError;
use super::filter::{
    Columns, EARLIER_STATUS, FINGERPRINT, Filter, INJECTED_AT, MASKED, OWNERS, OwnedBy, PROVIDER,
    ROW, SHOWN,
};
use super::meta;
use crate::clock::rfc3339;

/// Part of a list.
pub struct Part {
    /// Rows with their accounts as JSON text.
    pub items: Vec<(i64, String)>,
    /// The row after which to go on; `None` at the end of the pool.
    pub next: Option<i64>,
    /// How many accounts the pool has.
    pub total: i64,
}

/// At most `most` accounts that are meant, after row `after`. It may be fewer without being the end.
pub fn part(db: &Db, filter: &Filter, after: i64, most: usize) -> Result<Part, StoreError> {
    let mut owners = OwnerIds::new(db);
    let mut items = Vec::with_capacity(most.min(1_000));
    let next = filter.walk(db, Columns::Shown, after, most, |row| {
        items.push((row.get(ROW)?, item_of(row, &mut owners)?));
        Ok(())
    })?;
    Ok(Part {
        items,
        next,
        total: meta::read(db)?.accounts,
    })
}

/// The account with this fingerprint as JSON text.
pub fn item(db: &Db, fingerprint: &Fingerprint) -> Result<Option<String>, StoreError> {
    let sql = format!(
        "SELECT {} FROM account a WHERE id = (SELECT account FROM account_key WHERE fingerprint = ?1)",
        Columns::Shown.sql()
    );
    let mut owners = OwnerIds::new(db);
    let mut row = db.prepare_cached(&sql)?;
    let item = row.query_row([fingerprint.as_bytes()], |row| {
        Ok(item_of(row, &mut owners))
    });
    item.optional()?.transpose()
}

/// How many accounts are meant, where the pool keeps that number.
pub fn known_count(db: &Db, filter: &Filter) -> Result<Option<i64>, StoreError> {
    let Filter {
        provider,
        source_id,
        owner,
        status,
        kind,
        q,
    } = filter;
    if kind.is_some() || q.is_some() || *owner == Some(OwnedBy::Nobody) {
        return Ok(None);
    }
    let by_kind = provider.is_some() || status.is_some();
    let by_owner = source_id.is_some() || owner.is_some();
    match (by_kind, by_owner, filter.owners().as_slice()) {
        (false, false, _) => Ok(Some(meta::read(db)?.accounts)),
        (false, true, [owner]) => count_of_owner(db, owner).map(Some),
        (true, false, _) => {
            let sql = "SELECT coalesce(sum(accounts), 0) FROM tally \
                       WHERE provider = coalesce(?1, provider) AND status = coalesce(?2, status)";
            let mut sum = db.prepare_cached(sql)?;
            Ok(Some(
                sum.query_row((provider.map(provider_id), status), |row| row.get(0))?,
            ))
        }
        _ => Ok(None),
    }
}

fn count_of_owner(db: &Db, owner: &Owner) -> Result<i64, StoreError> {
    let Some(id) = OwnerIds::new(db).id_of_owner(owner)? else {
        return Ok(0);
    };
    let mut count = db.prepare_cached("SELECT accounts FROM owner_tally WHERE owner = ?1")?;
    let count = count.query_row([id], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or(0))
}

/// Counts on after row `after`: how many accounts are meant, and the row after which to go on.
pub fn count(db: &Db, filter: &Filter, after: i64) -> Result<(i64, Option<i64>), StoreError> {
    let mut count = 0;
    let next = filter.walk(db, Columns::Few, after, usize::MAX, |_| {
        count += 1;
        Ok(())
    })?;
    Ok((count, next))
}

/// `{"id", "token", "provider", fields…, "remote_…", "owners"}`, secrets as `"…"`.
fn item_of(row: &Row<'_>, owners: &mut OwnerIds<'_>) -> Result<String, StoreError> {
    let shown = row.get_ref(SHOWN)?.as_str().unwrap_or_default();
    let mut out = Vec::with_capacity(shown.len() + 320);
    out.extend_from_slice(b"{\"id\":\"");
    let id = Fingerprint::from_bytes(row.get(FINGERPRINT)?);
    out.extend_from_slice(id.to_string().as_bytes());
    out.extend_from_slice(b"\",\"token\":");
    push_json(&mut out, &row.get_ref(MASKED)?.as_str().unwrap_or_default())?;
    push_fields(&mut out, row, shown)?;
    push_owners(&mut out, row, owners)?;
    out.push(b'}');
    String::from_utf8(out).map_err(|_| damaged("an account is not text"))
}

/// `,"provider":…` and the fields of a document.
pub(super) fn push_fields(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    document: &str,
) -> Result<(), StoreError> {
    let provider =
        provider_of(row.get(PROVIDER)?).ok_or_else(|| damaged("an account has no provider"))?;
    out.extend_from_slice(b",\"provider\":");
    push_json(out, &provider.as_str())?;
    let fields = document
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    if !fields.is_empty() {
        out.push(b',');
        out.extend_from_slice(fields.as_bytes());
    }
    Ok(())
}

/// `,"earlier_status":…,"remote_source_id":…,"remote_source_name":…,"remote_injected_at":…,"owners":…`, the first three
/// only where there are any.
pub(super) fn push_owners(
    out: &mut Vec<u8>,
    row: &Row<'_>,
    ids: &mut OwnerIds<'_>,
) -> Result<Owners, StoreError> {
    if let Ok(status) = row.get_ref(EARLIER_STATUS)?.as_str() {
        out.extend_from_slice(b",\"earlier_status\":");
        push_json(out, &string_of(status))?;
    }
    let owners = row.get_ref(OWNERS)?.as_blob();
    let owners =
        ids.decode(owners.map_err(|_| damaged("an account is not found by its token"))?)?;
    if let Some(source) = owners.sources().last() {
        out.extend_from_slice(b",\"remote_source_id\":");
        push_json(out, &source.as_str())?;
        out.extend_from_slice(b",\"remote_source_name\":");
        push_json(out, &ids.name_of(source)?)?;
    }
    out.extend_from_slice(b",\"remote_injected_at\":");
    push_json(out, &rfc3339(row.get(INJECTED_AT)?))?;
    out.extend_from_slice(b",\"owners\":");
    out.extend_from_slice(owners.to_json().as_bytes());
    Ok(owners)
}

pub(super) fn push_json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(out, value).map_err(|error| StoreError::Internal(error.to_string()))
}
