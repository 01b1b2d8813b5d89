//! From a batch and a pool to a plan: what an import would change, in the order in which it is to be applied.

use crate::account::Account;
use crate::batch::{Note, Payload, Skip};
use crate::change::{Change, ChangeKind};
use crate::decider::{Arrival, Decider, EntryReader};
use crate::error::ImportError;
use crate::fingerprint::Fingerprint;
use crate::item::{Item, masked};
use crate::options::ImportOptions;
use crate::payload::Shape;
use crate::pool::Pool;

/// What an import would change. It changes nothing itself, and holds no account: each change is made again from the
/// payload and the pool whenever it is looked at.
pub struct Plan<'p> {
    /// How many accounts it concerns, by what happens to them.
    pub counts: Counts,
    /// The entries that are not taken, in payload order.
    pub skips: Vec<Skip>,
    /// What else is worth saying about the payload.
    pub notes: Vec<Note>,
    /// The form in which the payload came.
    pub shape: Shape,
    grounds: Grounds<'p>,
    /// The accounts that depart from their source, by fingerprint.
    departing: Vec<&'p Account>,
    /// The items that change their accounts, in payload order.
    arriving: Vec<Item>,
    /// The items whose accounts stay as they are, in payload order.
    staying: Vec<Item>,
}

/// Items whose tokens are looked up together.
const LOT: usize = 32;

/// What decisions are made of.
struct Grounds<'p> {
    bytes: &'p [u8],
    options: ImportOptions,
    pool: &'p Pool,
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
    /// Decides what `payload` changes in `pool`.
    ///
    /// # Errors
    /// The replace refusals of [`ImportError`].
    pub fn decide(
        payload: Payload<'p>,
        options: &ImportOptions,
        pool: &'p Pool,
    ) -> Result<Plan<'p>, ImportError> {
        let Payload { batch, bytes } = payload;
        let decider = Decider::new(&batch, options)?;
        let departing = decider.departing(&batch, pool);
        let grounds = Grounds {
            bytes,
            options: options.clone(),
            pool,
        };
        let mut counts = Counts::default();
        for account in &departing {
            counts.add(decider.depart(account).kind);
        }
        let (arriving, staying) = grounds.part(batch.items, batch.staying, &mut counts);
        Ok(Plan {
            counts,
            skips: batch.skips,
            notes: batch.notes,
            shape: batch.shape,
            grounds,
            departing,
            arriving,
            staying,
        })
    }

    /// Releases, disables and removes by fingerprint, then adds and updates in payload order.
    pub fn changes(&self) -> impl Iterator<Item = Change<'p>> {
        let mut arrive = self.grounds.arrivals();
        let arrivals = self
            .arriving
            .iter()
            .filter_map(move |item| match arrive(item) {
                Arrival::Change(change) => Some(*change),
                // INVARIANT: the same item was decided on in the same pool before, and changed its account.
                Arrival::Unchanged { .. } => None,
            });
        self.departures().chain(arrivals)
    }

    /// Releases, disables and removes by fingerprint.
    pub(crate) fn departures(&self) -> impl Iterator<Item = Change<'p>> {
        let decider = Decider::admitted(&self.grounds.options);
        let departing = self.departing.iter().copied();
        departing.map(move |account| decider.depart(account))
    }

    /// What [stands for](crate::Salt::of_entry) the entry of an item of this plan, in the pool that holds its account from now on.
    pub fn entry(&self, item: &Item) -> Fingerprint {
        let Grounds { bytes, pool, .. } = self.grounds;
        pool.salt().of_entry(item.span.of(bytes))
    }

    /// Bytes of the entries that change their accounts.
    pub(crate) fn arriving_bytes(&self) -> usize {
        let bytes: u64 = self.arriving.iter().map(|item| item.span.len).sum();
        usize::try_from(bytes).unwrap_or_default()
    }

    /// The same for those who need not hold them. In one place: it is much code.
    #[inline(never)]
    pub(crate) fn each_change(&self, take: &mut dyn FnMut(&Change<'_>)) {
        self.changes().for_each(|change| take(&change));
    }

    /// The items whose accounts stay as they are, in payload order.
    pub fn unchanged(&self) -> &[Item] {
        &self.staying
    }

    /// The items that change their accounts, each with what it does, or those that do not; with their tokens, masked. All that
    /// can be said without reading what their entries bring. In one place: it is much code.
    #[inline(never)]
    pub(crate) fn each_item(
        &self,
        changes: bool,
        take: &mut dyn FnMut(Option<ChangeKind>, &Item, &str),
    ) {
        let Grounds { bytes, pool, .. } = self.grounds;
        let items = if changes {
            &self.arriving
        } else {
            &self.staying
        };
        let mut tokens = Vec::with_capacity(LOT);
        for lot in items.chunks(LOT) {
            // Looked at one after the other, tokens wait for memory together.
            tokens.clear();
            tokens.extend(lot.iter().map(|item| item.since_token(bytes)));
            for (item, token) in lot.iter().zip(&tokens) {
                match changes.then(|| pool.get(&item.fingerprint)) {
                    Some(Some(before)) => take(Some(ChangeKind::Update), item, &before.masked),
                    Some(None) => take(Some(ChangeKind::Add), item, &masked(token)),
                    None => take(None, item, &masked(token)),
                }
            }
        }
    }
}

impl<'p> Grounds<'p> {
    fn reader(&self) -> EntryReader<'p> {
        EntryReader::new(self.pool.salt())
    }

    /// The items that change their accounts, and those that do not, counted.
    fn part(
        &self,
        items: Vec<Item>,
        staying: Vec<Option<bool>>,
        counts: &mut Counts,
    ) -> (Vec<Item>, Vec<Item>) {
        let (mut reader, mut staying) = (self.reader(), staying.into_iter());
        let is_change = |item: &Item| {
            let seen = staying.next();
            let kind = match seen.unwrap_or_else(|| self.comes_again(item)) {
                Some(true) => None,
                Some(false) => Some(ChangeKind::Update),
                None => self.kind(item, &mut reader),
            };
            match kind {
                Some(kind) => counts.add(kind),
                None => counts.add_unchanged(),
            }
            kind.is_some()
        };
        items.into_iter().partition(is_change)
    }

    /// `Some(true)` for an item whose account is known to stay as it is by the entry's text alone.
    fn comes_again(&self, item: &Item) -> Option<bool> {
        let before = self.pool.held(&item.fingerprint)?;
        let settled = Decider::admitted(&self.options).leaves(item, &before.account);
        let stays = settled && self.pool.knows(before, item.span.of(self.bytes));
        stays.then_some(true)
    }

    /// What happens to the account of an item; `None` when it stays as it is.
    fn kind(&self, item: &Item, reader: &mut EntryReader<'_>) -> Option<ChangeKind> {
        // What is new is counted without a look at what it brings.
        let Some(before) = self.pool.get(&item.fingerprint) else {
            return Some(ChangeKind::Add);
        };
        let brought = reader.read(item.span.of(self.bytes));
        let decider = Decider::admitted(&self.options);
        let is_news = decider.updates(item, brought, before);
        is_news.then_some(ChangeKind::Update)
    }

    /// Decides item by item.
    fn arrivals(&self) -> impl FnMut(&Item) -> Arrival<'p> {
        let mut reader = self.reader();
        move |item| self.arrive(item, &mut reader)
    }

    /// In one place: it is much code.
    #[inline(never)]
    fn arrive(&self, item: &Item, reader: &mut EntryReader<'_>) -> Arrival<'p> {
        let brought = reader.read(item.span.of(self.bytes));
        let before = self.pool.get(&item.fingerprint);
        Decider::admitted(&self.options).arrive(item, brought, before)
    }
}
