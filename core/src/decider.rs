//! Decides account by account, for those who apply a plan while it is made.

use crate::account::{Account, Draft, SecretPlace, in_the_open};
use crate::batch::Batch;
use crate::change::{Change, ChangeKind};
use crate::error::ImportError;
use crate::fingerprint::{Fingerprint, Salt};
use crate::item::{EntryNames, Item, Reading, Reason, read_entry};
use crate::json::Tape;
use crate::options::{ImportOptions, Removal, Strategy};
use crate::owner::{Owner, Owners};
use crate::pool::Pool;
use crate::provider::Provider;
use crate::secret::mask;
use crate::typed::Typed;
use crate::value::Secret;

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

/// What the entry of an item brings, read without looking at the pool.
#[derive(Default)]
pub struct Brought {
    token: Secret,
    masked: String,
    draft: Draft,
}

/// Reads what entries bring.
pub struct EntryReader<'s> {
    salt: &'s Salt,
    names: EntryNames,
    tape: Tape,
}

impl<'s> EntryReader<'s> {
    /// A reader for the pool with this salt.
    pub fn new(salt: &'s Salt) -> EntryReader<'s> {
        EntryReader {
            salt,
            names: EntryNames::default(),
            tape: Tape::default(),
        }
    }

    /// Reads the text of an entry that was accepted as an item.
    pub fn read(&mut self, raw: &[u8]) -> Brought {
        match again(&mut self.tape, &mut self.names, raw) {
            Ok(reading) => Brought::of(reading, self.salt, &mut self.names),
            Err(_) => Brought::default(),
        }
    }
}

/// In one place: it is much code.
#[inline(never)]
fn again<'t>(
    tape: &'t mut Tape,
    names: &mut EntryNames,
    raw: &'t [u8],
) -> Result<Reading<'t>, Reason> {
    // INVARIANT: `raw` is the text from which an item was read, so that its token can be read again.
    let raw = std::str::from_utf8(raw).unwrap_or_default();
    tape.read_whole(raw);
    read_entry(tape.root(raw), names)
}

impl Brought {
    /// What an entry that was read brings.
    pub(crate) fn of(reading: Reading<'_>, salt: &Salt, names: &mut EntryNames) -> Brought {
        let draft = reading.fields(salt, names);
        let token = reading.end(names);
        Brought {
            masked: mask(&token),
            token: Secret::new(token.into_owned()),
            draft,
        }
    }
}

/// Decides account by account, for those who apply a plan while it is made: first every one that departs, by
/// fingerprint, then every item in payload order.
pub struct Decider<'o> {
    options: &'o ImportOptions,
}

impl<'o> Decider<'o> {
    /// Admits a batch.
    ///
    /// # Errors
    /// The replace refusals of [`ImportError`]: without a source, without an item, with a token that cannot be read.
    pub fn new(batch: &Batch, options: &'o ImportOptions) -> Result<Decider<'o>, ImportError> {
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
        Ok(Decider::admitted(options))
    }

    /// Goes on with a batch that was admitted.
    pub(crate) fn admitted(options: &'o ImportOptions) -> Decider<'o> {
        Decider { options }
    }

    /// Whether any account can depart: only a replace takes accounts away from its source.
    pub fn replaces(&self) -> bool {
        self.options.strategy == Strategy::Replace
    }

    /// Whether an account that the importer owns departs because the batch lacks it.
    pub fn departs(&self, batch: &Batch, owned: &Fingerprint) -> bool {
        self.replaces() && !batch.names(owned)
    }

    /// The accounts of a pool that depart, by fingerprint.
    pub(crate) fn departing<'p>(&self, batch: &Batch, pool: &'p Pool) -> Vec<&'p Account> {
        if !self.replaces() {
            return Vec::new();
        }
        let owner = self.options.owner();
        pool.owned_by(&owner)
            .filter(|account| self.departs(batch, &account.fingerprint))
            .collect()
    }

    /// What happens to an account that departs.
    pub fn depart<'p>(&self, before: &'p Account) -> Change<'p> {
        let owners = before.owners.clone().without(&self.options.owner());
        let kind = match (owners.is_empty(), self.options.removal) {
            (false, _) => ChangeKind::Release,
            (true, Removal::Disable) => ChangeKind::Disable,
            (true, Removal::Remove) => ChangeKind::Remove,
        };
        let (after, secrets) = match kind {
            ChangeKind::Remove => (None, Vec::new()),
            _ => departed(before, owners),
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

    /// What an item, with what its entry brings, does to its account.
    pub fn arrive<'p>(
        &self,
        item: &Item,
        brought: Brought,
        before: Option<&'p Account>,
    ) -> Arrival<'p> {
        let Brought {
            token,
            masked,
            draft,
        } = brought;
        let (kind, (after, secrets)) = match before {
            None => (ChangeKind::Add, self.added(item, masked, draft)),
            Some(before) => match self.updated(item, before, draft) {
                Some(updated) => (ChangeKind::Update, updated),
                None => return Arrival::Unchanged { masked },
            },
        };
        Arrival::Change(Box::new(Change {
            kind,
            item: Some(*item),
            before,
            after: Some(after),
            secrets,
            token: Some(token),
        }))
    }

    fn added(&self, item: &Item, masked: String, mut draft: Draft) -> (Account, Vec<SecretPlace>) {
        draft.fill_in();
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

    /// Whether an item, with what its entry brings, changes its account.
    pub(crate) fn updates(&self, item: &Item, brought: Brought, before: &Account) -> bool {
        self.is_news(item, before, &restoring(before, brought.draft))
    }

    /// `None` when the account is just so already.
    fn updated(
        &self,
        item: &Item,
        before: &Account,
        draft: Draft,
    ) -> Option<(Account, Vec<SecretPlace>)> {
        let draft = restoring(before, draft);
        if !self.is_news(item, before, &draft) {
            return None;
        }
        let (document, secrets) = draft.over(&before.document);
        let account = Account {
            fingerprint: before.fingerprint,
            masked: before.masked.clone(),
            provider: item.provider.unwrap_or(before.provider),
            owners: before.owners.clone().with(&self.options.owner()),
            document,
            earlier_status: None,
        };
        Some((account, secrets))
    }

    fn is_news(&self, item: &Item, before: &Account, draft: &Draft) -> bool {
        !(draft.is_in(&before.document) && self.leaves(item, before))
    }

    /// Whether an item leaves its account as it is, but for its fields.
    pub(crate) fn leaves(&self, item: &Item, before: &Account) -> bool {
        let provider = item.provider.unwrap_or(before.provider);
        is_settled(before, &self.options.owner(), provider)
    }
}

/// An account that departs and stays with these owners, out of use when there is none.
fn departed(before: &Account, owners: Owners) -> (Option<Account>, Vec<SecretPlace>) {
    let (mut draft, mut earlier_status) = (Draft::default(), before.earlier_status.clone());
    if owners.is_empty() {
        draft.push_typed(Typed::Status, DISABLED);
        let status = before.status_in_use().map(|status| status.value);
        earlier_status = status.map(|status| in_the_open(status).to_owned());
    }
    let (document, secrets) = draft.over(&before.document);
    let after = Account {
        fingerprint: before.fingerprint,
        masked: before.masked.clone(),
        provider: before.provider,
        owners,
        document,
        earlier_status,
    };
    (Some(after), secrets)
}

/// What comes over an account: the status that it had before it was disabled, too, unless another is brought.
fn restoring(before: &Account, mut draft: Draft) -> Draft {
    let restored = before.earlier_status.as_deref().map(in_the_open);
    if let Some(status) = restored.filter(|_| !draft.brings(Typed::Status)) {
        draft.push_typed(Typed::Status, status);
    }
    draft
}

/// Whether an account that this owner imports for this provider changes in nothing but its fields.
pub(crate) fn is_settled(before: &Account, owner: &Owner, provider: Provider) -> bool {
    before.owners.contains(owner) && before.provider == provider && before.earlier_status.is_none()
}

/// The status, as JSON text, of an account that lost its last owner and stays.
const DISABLED: &str = "\"禁用\"";
