//! One change of one account.

use crate::account::{Account, Field, FieldIndex, SecretPlace};
use crate::item::Item;
use crate::value::Secret;

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
    /// Its value afterwards; `None` when an undo takes it away. No import does.
    pub after: Option<&'a str>,
}

impl Change<'_> {
    /// The fields that change, those that stay or come first. A removed account lists none: it goes as a whole.
    pub fn fields(&self) -> impl Iterator<Item = FieldChange<'_>> {
        let changed = self.changed().map(|(old, new)| FieldChange {
            name: new.name,
            before: old.map(|old| old.value),
            after: Some(new.value),
        });
        changed.chain(self.taken())
    }

    /// The fields that go although the account stays.
    fn taken(&self) -> impl Iterator<Item = FieldChange<'_>> {
        let after = self.after.as_ref().map(|after| &after.document);
        let mut new = after.map(FieldIndex::new);
        let old = self
            .before
            .iter()
            .flat_map(|before| before.document.fields());
        old.filter_map(move |old| match new.as_mut()?.find(old.name) {
            Some(_) => None,
            None => Some(FieldChange {
                name: old.name,
                before: Some(old.value),
                after: None,
            }),
        })
    }

    /// The same with what stands for their secrets: each field as it is, if it is, and as it will be.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (Option<Field<'_>>, Field<'_>)> {
        let before = self.before.map(|before| &before.document);
        let mut old = before.map(FieldIndex::new);
        let new = self.after.iter().flat_map(|after| after.document.fields());
        new.filter_map(move |new| {
            let old = old.as_mut().and_then(|old| old.find(new.name));
            (old != Some(new)).then_some((old, new))
        })
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
