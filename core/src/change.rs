//! One change of one account.

use crate::account::{Account, Field, SecretPlace};
use crate::item::Item;
use crate::value::Secret;
use std::collections::BTreeMap;

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
