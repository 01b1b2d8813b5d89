//! From a batch and a pool to a plan: what an import would change, in the order in which it is to be applied.

use crate::batch::{Batch, Note, Payload, Skip};
use crate::change::{Change, ChangeKind};
use crate::decider::{Arrival, Decider};
use crate::error::ImportError;
use crate::item::Item;
use crate::options::ImportOptions;
use crate::payload::Shape;
use crate::pool::Pool;

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
    /// Decides what `payload` changes in `pool`.
    ///
    /// # Errors
    /// The replace refusals of [`ImportError`].
    pub fn decide(
        payload: Payload,
        options: &ImportOptions,
        pool: &'p Pool,
    ) -> Result<Plan<'p>, ImportError> {
        let Payload { batch, brought } = payload;
        let decider = Decider::new(&batch, options)?;
        let mut counts = Counts::default();
        let mut changes: Vec<_> = pool
            .owned_by(&options.owner())
            .filter(|account| decider.departs(&batch, &account.fingerprint))
            .map(|account| decider.depart(account))
            .collect();
        let mut unchanged = Vec::new();
        for (item, brought) in batch.items.iter().zip(brought) {
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
