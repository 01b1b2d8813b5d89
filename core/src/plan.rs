//! From a batch and a pool to a plan: what an import would change, in the order in which it is to be applied.

use crate::account::{Account, Document, Draft, Field, SecretPlace};
use crate::batch::{Batch, Note, Skip};
use crate::error::ImportError;
use crate::fingerprint::{Fingerprint, Salt};
use crate::item::{Item, Names, Typed, read_entry, read_fields};
use crate::options::{ImportOptions, Removal, Strategy};
use crate::owner::Owners;
use crate::payload::{Payload, Shape};
use crate::pool::Pool;
use crate::secret::mask;
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
        let mut decider = Decider::new(&batch, options, pool.salt())?;
        let mut counts = Counts::default();
        let mut changes: Vec<_> = pool
            .owned_by(&options.owner())
            .filter(|account| decider.departs(&batch, &account.fingerprint))
            .map(|account| decider.depart(account))
            .collect();
        let mut unchanged = Vec::new();
        for item in &batch.items {
            match decider.arrive(
                item,
                item.span.of(payload.bytes),
                pool.get(&item.fingerprint),
            ) {
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

/// What an item does to its account.
pub enum Arrival<'p> {
    /// The account changes.
    Change(Box<Change<'p>>),
    /// It stays as it is.
    Unchanged {
        /// Its token, masked.
        masked: String,
    },
}

/// Decides account by account, for those who apply a plan while it is made: first every one that departs, by
/// fingerprint, then every item in payload order.
pub struct Decider<'o> {
    options: &'o ImportOptions,
    salt: &'o Salt,
    names: Names,
}

impl<'o> Decider<'o> {
    /// Admits a batch.
    ///
    /// # Errors
    /// The replace refusals of [`ImportError`]: without a source, without an item, with a token that cannot be read.
    pub fn new(
        batch: &Batch,
        options: &'o ImportOptions,
        salt: &'o Salt,
    ) -> Result<Decider<'o>, ImportError> {
        if options.strategy == Strategy::Replace {
            if options.source_id.is_none() {
                return Err(ImportError::ReplaceNeedsSource);
            }
            if batch.items.is_empty() {
                return Err(ImportError::ReplaceNeedsAccounts);
            }
            if let Some(skip) = batch.unreadable() {
                return Err(ImportError::ReplaceNeedsTokens {
                    index: skip.index,
                    span: skip.span,
                });
            }
        }
        Ok(Decider {
            options,
            salt,
            names: Names::default(),
        })
    }

    /// Whether an account that the importer owns departs because the batch lacks it.
    pub fn departs(&self, batch: &Batch, owned: &Fingerprint) -> bool {
        self.options.strategy == Strategy::Replace && !batch.names(owned)
    }

    /// What happens to an account that departs.
    pub fn depart<'p>(&self, before: &'p Account) -> Change<'p> {
        let owners = before.owners.clone().without(&self.options.owner());
        let (kind, after, secrets) = match (owners.is_empty(), self.options.removal) {
            (false, _) => (
                ChangeKind::Release,
                Some(Account {
                    owners,
                    ..before.clone()
                }),
                unchanged_fields(before).1,
            ),
            (true, Removal::Remove) => (ChangeKind::Remove, None, Vec::new()),
            (true, Removal::Disable) => {
                let (document, secrets) = self
                    .disabled(before)
                    .unwrap_or_else(|| unchanged_fields(before));
                let earlier_status = before
                    .document
                    .get("status")
                    .map(|field| field.value.to_owned());
                (
                    ChangeKind::Disable,
                    Some(Account {
                        owners,
                        document,
                        earlier_status,
                        ..before.clone()
                    }),
                    secrets,
                )
            }
        };
        Change {
            kind,
            item: None,
            before: Some(before),
            after,
            secrets,
            token: None,
        }
    }

    /// What an item, with the text of its entry, does to its account.
    pub fn arrive<'p>(
        &mut self,
        item: &Item,
        raw: &[u8],
        before: Option<&'p Account>,
    ) -> Arrival<'p> {
        // INVARIANT: `raw` is the text from which the item was read, so that its token can be read again.
        let token = read_entry(raw, &mut self.names)
            .map(|reading| reading.token.into_owned())
            .unwrap_or_default();
        let draft = read_fields(raw, &token, self.salt, &mut self.names);
        let masked = mask(&token);
        let decided = match before {
            None => Some((ChangeKind::Add, self.added(item, masked.clone(), draft))),
            Some(before) => self
                .updated(item, before, draft)
                .map(|after| (ChangeKind::Update, after)),
        };
        let Some((kind, (after, secrets))) = decided else {
            return Arrival::Unchanged { masked };
        };
        let token = Some(Secret::new(token));
        Arrival::Change(Box::new(Change {
            kind,
            item: Some(*item),
            before,
            after: Some(after),
            secrets,
            token,
        }))
    }

    fn added(&self, item: &Item, masked: String, mut draft: Draft) -> (Account, Vec<SecretPlace>) {
        for (typed, start) in Typed::starts() {
            if !draft.brings(typed.quoted()) {
                draft.push(typed.quoted(), start.as_bytes(), false, "", self.salt);
            }
        }
        let (document, secrets) = draft.into_new();
        let account = Account {
            fingerprint: item.fingerprint,
            masked,
            provider: item.provider.or(self.options.provider).unwrap_or_default(),
            owners: Owners::default().with(&self.options.owner()),
            document,
            earlier_status: None,
        };
        (account, secrets)
    }

    /// `None` when the account is just so already.
    fn updated(
        &self,
        item: &Item,
        before: &Account,
        mut draft: Draft,
    ) -> Option<(Account, Vec<SecretPlace>)> {
        let owner = self.options.owner();
        let provider = item.provider.unwrap_or(before.provider);
        let restored = before.earlier_status.as_deref();
        if let Some(status) = restored.filter(|_| !draft.brings(Typed::Status.quoted())) {
            draft.push(
                Typed::Status.quoted(),
                status.as_bytes(),
                false,
                "",
                self.salt,
            );
        }
        let fields = draft.over(&before.document);
        let same =
            before.owners.contains(&owner) && provider == before.provider && restored.is_none();
        if fields.is_none() && same {
            return None;
        }
        let (document, secrets) = fields.unwrap_or_else(|| unchanged_fields(before));
        let owners = before.owners.clone().with(&owner);
        Some((
            Account {
                provider,
                owners,
                document,
                earlier_status: None,
                ..before.clone()
            },
            secrets,
        ))
    }

    fn disabled(&self, before: &Account) -> Option<(Document, Vec<SecretPlace>)> {
        let mut draft = Draft::default();
        draft.push(
            Typed::Status.quoted(),
            DISABLED.as_bytes(),
            false,
            "",
            self.salt,
        );
        draft.over(&before.document)
    }
}

/// The status, as JSON text, of an account that lost its last owner and stays.
const DISABLED: &str = "\"禁用\"";

fn unchanged_fields(account: &Account) -> (Document, Vec<SecretPlace>) {
    let kept = (0..account.document.marks().len()).map(SecretPlace::Kept);
    (account.document.clone(), kept.collect())
}
