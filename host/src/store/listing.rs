//! Accounts as lists show them: everything but their secrets, in the order of insertion, page by page.

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use tributary_core::{Fingerprint, Owner, Owners, Provider, push_revealed, string_of};

use super::accounts::{OwnerIds, damaged, owners_of, provider_id, provider_of};
use super::db::Db;
use super::error::StoreError;
use super::filter::{
    Columns, EARLIER_STATUS, FINGERPRINT, Filter, INJECTED_AT, MASKED, OwnedBy, PROVIDER, ROW,
    SHOWN,
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
    let mut begun = Vec::with_capacity(most.min(1_000));
    let next = filter.walk(db, Columns::Shown, after, most, |_, row| {
        begun.push(Begun::of(row)?);
        Ok(true)
    })?;
    Ok(Part {
        items: with_owners(db, begun)?,
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
    let mut row = db.prepare_cached(&sql)?;
    let begun = row.query_row([fingerprint.as_bytes()], |row| Ok(Begun::of(row)));
    let begun = begun.optional()?.transpose()?;
    let items = with_owners(db, begun.into_iter().collect())?;
    Ok(items.into_iter().next().map(|(_, text)| text))
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
    let next = filter.walk(db, Columns::Few, after, usize::MAX, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok((count, next))
}

/// An account as JSON text but for its owners: `{"id", "token", "provider", fields…, "earlier_status"`, secrets as `"…"`.
struct Begun {
    id: i64,
    fingerprint: Fingerprint,
    injected_at: i64,
    text: Vec<u8>,
}

impl Begun {
    /// The account in a row of `Columns::Shown`.
    fn of(row: &Row<'_>) -> Result<Begun, StoreError> {
        let shown = row.get_ref(SHOWN)?.as_str().unwrap_or_default();
        let mut out = Vec::with_capacity(shown.len() + 320);
        out.extend_from_slice(b"{\"id\":\"");
        let fingerprint = Fingerprint::from_bytes(row.get(FINGERPRINT)?);
        out.extend_from_slice(fingerprint.to_string().as_bytes());
        out.extend_from_slice(b"\",\"token\":");
        push_json(&mut out, &row.get_ref(MASKED)?.as_str().unwrap_or_default())?;
        let provider = provider_of(row.get(PROVIDER)?);
        let provider = provider.ok_or_else(|| damaged("an account has no provider"))?;
        push_fields(&mut out, provider, shown, []);
        push_earlier(
            &mut out,
            row.get_ref(EARLIER_STATUS)?
                .as_str_or_null()
                .unwrap_or_default(),
        )?;
        Ok(Begun {
            id: row.get(ROW)?,
            fingerprint,
            injected_at: row.get(INJECTED_AT)?,
            text: out,
        })
    }
}

/// The rows with their texts, which end with `"remote_…"` and `"owners"`.
fn with_owners(db: &Db, begun: Vec<Begun>) -> Result<Vec<(i64, String)>, StoreError> {
    let keys: Vec<_> = begun.iter().map(|one| (one.id, one.fingerprint)).collect();
    let mut text = OwnersText::new(OwnerIds::new(db));
    let all = owners_of(db, &keys)?;
    let ended = begun.into_iter().zip(all).map(|(mut one, owners)| {
        text.push(&mut one.text, &owners, one.injected_at)?;
        one.text.push(b'}');
        let text = String::from_utf8(one.text);
        Ok((one.id, text.map_err(|_| damaged("an account is not text"))?))
    });
    ended.collect()
}

/// `,"earlier_status":…` where there is one.
pub(super) fn push_earlier(out: &mut Vec<u8>, status: Option<&str>) -> Result<(), StoreError> {
    let Some(status) = status else {
        return Ok(());
    };
    out.extend_from_slice(b",\"earlier_status\":");
    push_json(out, &string_of(status))
}

/// `,"provider":…` and the fields of a document, these secrets in their places.
pub(super) fn push_fields<'a>(
    out: &mut Vec<u8>,
    provider: Provider,
    document: &str,
    secrets: impl IntoIterator<Item = &'a str>,
) {
    out.extend_from_slice(b",\"provider\":\"");
    out.extend_from_slice(provider.as_str().as_bytes());
    out.push(b'"');
    let fields = document
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    if !fields.is_empty() {
        out.push(b',');
        push_revealed(out, fields, secrets);
    }
}

/// Tells who owns accounts. What it told last it tells again without putting it together: accounts that follow each other
/// mostly came together.
pub(super) struct OwnersText<'c> {
    ids: OwnerIds<'c>,
    all_names: bool,
    told: Option<(Vec<u8>, i64)>,
    text: Vec<u8>,
}

impl<'c> OwnersText<'c> {
    /// Tells the name of the last owner.
    pub(super) fn new(ids: OwnerIds<'c>) -> OwnersText<'c> {
        OwnersText {
            ids,
            all_names: false,
            told: None,
            text: Vec::new(),
        }
    }

    /// Tells the names of the others too.
    pub(super) fn with_all_names(ids: OwnerIds<'c>) -> OwnersText<'c> {
        OwnersText {
            all_names: true,
            ..OwnersText::new(ids)
        }
    }

    /// `,"remote_source_id":…,"remote_source_name":…,"remote_injected_at":…,"owners":…`, the first two only where there are
    /// any, and `,"owner_names":…` where all names are told.
    pub(super) fn push(
        &mut self,
        out: &mut Vec<u8>,
        owners: &[u8],
        injected_at: i64,
    ) -> Result<(), StoreError> {
        let told = self.told.as_ref();
        if told.is_none_or(|(blob, at)| blob != owners || *at != injected_at) {
            self.tell(owners, injected_at)?;
            self.told = Some((owners.to_vec(), injected_at));
        }
        out.extend_from_slice(&self.text);
        Ok(())
    }

    fn tell(&mut self, owners: &[u8], injected_at: i64) -> Result<(), StoreError> {
        let (out, ids) = (&mut self.text, &mut self.ids);
        out.clear();
        let owners = ids.decode(owners)?;
        if let Some(source) = owners.sources().last() {
            out.extend_from_slice(b",\"remote_source_id\":");
            push_json(out, &source.as_str())?;
            out.extend_from_slice(b",\"remote_source_name\":");
            push_json(out, &ids.name_of(source)?)?;
        }
        out.extend_from_slice(b",\"remote_injected_at\":");
        push_json(out, &rfc3339(injected_at))?;
        out.extend_from_slice(b",\"owners\":");
        out.extend_from_slice(owners.to_json().as_bytes());
        if self.all_names {
            push_names(out, &owners, ids)?;
        }
        Ok(())
    }
}

/// `,"owner_names":{id: name, …}` for the owners before the last, where they have names; the last has its own member.
fn push_names(
    out: &mut Vec<u8>,
    owners: &Owners,
    ids: &mut OwnerIds<'_>,
) -> Result<(), StoreError> {
    let Some((_last, others)) = owners.sources().split_last() else {
        return Ok(());
    };
    let mut any = false;
    for source in others {
        let name = ids.name_of(source)?;
        if name.is_empty() {
            continue;
        }
        let before: &[u8] = match std::mem::replace(&mut any, true) {
            false => b",\"owner_names\":{",
            true => b",",
        };
        out.extend_from_slice(before);
        push_json(out, &source.as_str())?;
        out.push(b':');
        push_json(out, &name)?;
    }
    if any {
        out.push(b'}');
    }
    Ok(())
}

pub(super) fn push_json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(out, value).map_err(|error| StoreError::Internal(error.to_string()))
}
