//! Who owns how many accounts, from the numbers that the writer keeps; and how an owner is dropped.

use rusqlite::{OptionalExtension, params};
use tributary_core::{ChangeKind, Leftover, Owner, SourceId, release as leaving};

use super::accounts::{LOCAL, damaged};
use super::change::Changes;
use super::db::Db;
use super::error::StoreError;
use crate::job::Trace;

/// An owner as lists show it.
pub struct Owned {
    /// The owner.
    pub owner: Owner,
    /// What it is.
    pub kind: OwnerKind,
    /// What it is called; empty when it has no name.
    pub name: String,
    /// Accounts that it owns.
    pub accounts: u64,
}

/// What an owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A person.
    Local,
    /// A stored source, and whether it is enabled.
    Source {
        /// Whether it is synced when somebody asks.
        enabled: bool,
    },
    /// A source that was deleted.
    DeletedSource,
    /// What an inject gave as its source without one being stored.
    InjectLabel,
}

impl OwnerKind {
    /// The names of all kinds.
    pub const NAMES: [&str; 4] = ["local", "source", "deleted_source", "inject_label"];

    /// The name used in answers: `local`, `source`, `deleted_source` or `inject_label`.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerKind::Local => "local",
            OwnerKind::Source { .. } => "source",
            OwnerKind::DeletedSource => "deleted_source",
            OwnerKind::InjectLabel => "inject_label",
        }
    }
}

/// Local; the sources in the order in which they were made; then deleted sources and labels that still own accounts, in
/// the order of their first import.
pub fn list(db: &Db) -> Result<Vec<Owned>, StoreError> {
    let mut owners = vec![local(db)?];
    let stored = "SELECT s.id, s.name, coalesce(t.accounts, 0), s.enabled FROM source s \
                  LEFT JOIN owner o ON o.source_id = s.id LEFT JOIN owner_tally t ON t.owner = o.id ORDER BY s.number";
    let others = "SELECT o.source_id, o.name, t.accounts, o.source_deleted FROM owner o \
                  JOIN owner_tally t ON t.owner = o.id AND t.accounts > 0 \
                  WHERE o.source_id NOT IN (SELECT id FROM source) ORDER BY o.source_deleted DESC, o.id";
    push(db, stored, &mut owners, |enabled| OwnerKind::Source {
        enabled,
    })?;
    push(db, others, &mut owners, |deleted| match deleted {
        true => OwnerKind::DeletedSource,
        false => OwnerKind::InjectLabel,
    })?;
    Ok(owners)
}

/// The owner as [`list`] shows it; `None` when it does not.
pub fn find(db: &Db, owner: &Owner) -> Result<Option<Owned>, StoreError> {
    let owners = list(db)?;
    Ok(owners.into_iter().find(|owned| owned.owner == *owner))
}

fn local(db: &Db) -> Result<Owned, StoreError> {
    let mut count = db.prepare_cached("SELECT accounts FROM owner_tally WHERE owner = ?1")?;
    let count: Option<i64> = count.query_row([LOCAL], |row| row.get(0)).optional()?;
    Ok(Owned {
        owner: Owner::Local,
        kind: OwnerKind::Local,
        name: String::new(),
        accounts: count.unwrap_or(0).unsigned_abs(),
    })
}

/// Appends the sources that `sql` finds: id, name, accounts, and what `kind` tells their kind by.
fn push(
    db: &Db,
    sql: &str,
    owners: &mut Vec<Owned>,
    kind: impl Fn(bool) -> OwnerKind,
) -> Result<(), StoreError> {
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![])?;
    while let Some(row) = rows.next()? {
        let id = SourceId::new(row.get_ref(0)?.as_str().unwrap_or_default());
        owners.push(Owned {
            owner: Owner::Source(id.ok_or_else(|| damaged("an owner has no id"))?),
            kind: kind(row.get(3)?),
            name: row.get(1)?,
            accounts: row.get::<_, i64>(2)?.unsigned_abs(),
        });
    }
    Ok(())
}

/// What became of the accounts of an owner that was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Others own them.
    pub released: u64,
    /// They are Local now, or were Local's alone and stay so.
    pub kept: u64,
    /// They left the pool.
    pub removed: u64,
    /// Of those kept, the ones that are Local now and were not before.
    pub turned: u64,
    /// What it takes to undo it; `None` when nothing changed.
    pub trace: Option<Trace>,
}

/// Takes an owner off all its accounts. In memory are their fingerprints, and the keys that are yet to be written.
pub fn release(db: &Db, owner: &Owner, leftover: Leftover) -> Result<Released, StoreError> {
    let mut changes = Changes::begin(db, None)?;
    let mut released = Released::default();
    for fingerprint in changes.accounts.owned_by(owner)? {
        let stored = changes.accounts.find(&fingerprint)?;
        let stored = stored.ok_or_else(|| damaged("an owned account cannot be looked up"))?;
        let change = leaving(&stored.account, owner, leftover);
        match change.as_ref().map(|change| change.kind) {
            Some(ChangeKind::Release) => released.released += 1,
            Some(ChangeKind::Remove) => released.removed += 1,
            Some(_) => {
                released.kept += 1;
                released.turned += 1;
            }
            None => released.kept += 1,
        }
        if let Some(change) = change {
            changes.carry_out(&change, Some(&stored), None)?;
        }
    }
    released.trace = changes.finish()?;
    Ok(released)
}
