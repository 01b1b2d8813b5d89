//! From a batch and a pool to a plan: what an import would change, in the order in which it is to be applied.

use crate::account::{Account, Field, SecretPlace};
use crate::batch::{Batch, Note, Skip};
use crate::decider::{Arrival, Decider, EntryReader};
use crate::error::ImportError;
use crate::item::Item;
use crate::options::ImportOptions;
use crate::payload::{Payload, Shape};
use crate::pool::Pool;
use crate::value::Secret;
use std::collections::BTreeMap;

/// What an import would change. It changes nothing itself.
pub struct Plan<'p> {
    /// How many accounts it concerns, by what happens to them.
    pub counts: Counts,
    /// Releases, disables and removes by fingerprint, then adds and updates in payload order.
    pub changes: Vec<Change<'p>>,
    /// The items whose accounts stay as they are, in payload order.
    pub unchanged: Vec<Unchanged>,
    /// The entries that are not taken, in payload order.
    pub skips: Vec<Skip>,
    /// What else is worth saying about the payload.
    pub notes: Vec<Note>,
    /// The form in which the payload came.
    pub shape: Shape,
}

/// One change of one account.
pub struct Change<'p> {
    /// What happens.
    pub kind: ChangeKind,
    /// The item that brings it about; `None` when an account goes because no item names it.
    pub item: Option<Item>,
    /// The account as it is; `None` for an add.
    pub before: Option<&'p Account>,
    /// The account as it will be; `None` for a remove.
    pub after: Option<Account>,
    /// The secret values of `after` in the order of their places.
    pub secrets: Vec<SecretPlace>,
    /// The token, when an item brings it.
    pub token: Option<Secret>,
}

/// What changes in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldChange<'a> {
    /// The field's name as JSON text.
    pub name: &'a str,
    /// Its value as JSON text, `"…"` at secret places; `None` when it is new.
    pub before: Option<&'a str>,
    /// Its value afterwards. No import takes a field away.
    pub after: &'a str,
}

impl Change<'_> {
    /// The fields that change, those that exist first. A removed account lists none: it goes as a whole.
    pub fn fields(&self) -> Vec<FieldChange<'_>> {
        let Some(after) = &self.after else {
            return Vec::new();
        };
        let old: BTreeMap<&str, Field<'_>> = self
            .before
            .iter()
            .flat_map(|before| before.document.fields())
            .map(|field| (field.name, field))
            .collect();
        after
            .document
            .fields()
            .filter(|new| old.get(new.name) != Some(new))
            .map(|new| FieldChange {
                name: new.name,
                before: old.get(new.name).map(|old| old.value),
                after: new.value,
            })
            .collect()
    }
}

/// What happens to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// Its fields, its provider or its owners change.
    Update,
    /// It loses an owner and keeps others.
    Release,
    /// It loses its last owner and stays, out of use.
    Disable,
    /// It loses its last owner and leaves the pool.
    Remove,
}

impl ChangeKind {
    /// The name used in answers: `add`, `update`, `release`, `disable` or `remove`.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Add => "add",
            ChangeKind::Update => "update",
            ChangeKind::Release => "release",
            ChangeKind::Disable => "disable",
            ChangeKind::Remove => "remove",
        }
    }
}

/// An item whose account is in the pool just so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The item.
    pub item: Item,
    /// Its token, masked.
    pub masked: String,
}

/// How many accounts an import concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accounts that are new.
    pub added: u64,
    /// Accounts that were in the pool and change.
    pub updated: u64,
    /// Accounts that were in the pool and stay as they are.
    pub unchanged: u64,
    /// Accounts that lose an owner and keep others.
    pub released: u64,
    /// Accounts that lose their last owner and stay, out of use.
    pub disabled: u64,
    /// Accounts that leave the pool.
    pub removed: u64,
}

impl Counts {
    /// Items accepted: `added` + `skipped`.
    pub fn total(&self) -> u64 {
        self.added.saturating_add(self.skipped())
    }

    /// Items whose account was in the pool already, changed or not.
    pub fn skipped(&self) -> u64 {
        self.updated.saturating_add(self.unchanged)
    }

    /// Counts one change.
    pub fn add(&mut self, kind: ChangeKind) {
        let count = match kind {
            ChangeKind::Add => &mut self.added,
            ChangeKind::Update => &mut self.updated,
            ChangeKind::Release => &mut self.released,
            ChangeKind::Disable => &mut self.disabled,
            ChangeKind::Remove => &mut self.removed,
        };
        *count = count.saturating_add(1);
    }

    /// Counts one item whose account stays as it is.
    pub fn add_unchanged(&mut self) {
        self.unchanged = self.unchanged.saturating_add(1);
    }
}

impl<'p> Plan<'p> {
    /// Decides what `batch`, normalized from `payload`, changes in `pool`.
    ///
    /// # Errors
    /// The replace refusals of [`ImportError`].
    pub fn decide(
        batch: Batch,
        payload: &Payload<'_>,
        options: &ImportOptions,
        pool: &'p Pool,
    ) -> Result<Plan<'p>, ImportError> {
        let decider = Decider::new(&batch, options)?;
        let mut reader = EntryReader::new(pool.salt());
        let mut counts = Counts::default();
        let mut changes: Vec<_> = pool
            .owned_by(&options.owner())
            .filter(|account| decider.departs(&batch, &account.fingerprint))
            .map(|account| decider.depart(account))
            .collect();
        let mut unchanged = Vec::new();
        for item in &batch.items {
            let brought = reader.read(item.span.of(payload.bytes));
            match decider.arrive(item, brought, pool.get(&item.fingerprint)) {
                Arrival::Change(change) => changes.push(*change),
                Arrival::Unchanged { masked } => unchanged.push(Unchanged {
                    item: *item,
                    masked,
                }),
            }
        }
        changes.iter().for_each(|change| counts.add(change.kind));
        unchanged.iter().for_each(|_| counts.add_unchanged());
        let Batch {
            shape,
            skips,
            notes,
            ..
        } = batch;
        Ok(Plan {
            counts,
            changes,
            unchanged,
            skips,
            notes,
            shape,
        })
    }
}
