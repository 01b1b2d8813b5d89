//! What is known of accounts while the entries that they meet are read.

use crate::decider::is_settled;
use crate::fingerprint::{Fingerprint, Salt};
use crate::item::{EntryNames, Reading};
use crate::owner::Owner;
use crate::pool::{Held, Pool};
use crate::provider::Provider;

/// What is known while entries are read.
pub(super) struct Known<'p> {
    pub(super) salt: Salt,
    /// The pool that they are meant for, where it is looked at.
    pub(super) beside: Option<Beside<'p>>,
}

/// A pool that entries meet while they are read.
pub(super) struct Beside<'p> {
    pool: &'p Pool,
    /// Who imports them.
    owner: Owner,
    /// Whether an entry that comes again is told by its text. What lies in its members need not be read.
    by_text: bool,
    /// Where the account of the next entry is, if they come in the pool's order.
    next: u32,
}

impl<'p> Beside<'p> {
    pub(super) fn new(pool: &'p Pool, owner: Owner) -> Beside<'p> {
        Beside {
            pool,
            owner,
            by_text: pool.knows_most_entries(),
            next: 0,
        }
    }
}

impl<'p> Known<'p> {
    /// Whether entries must be read with all that lies in their members.
    pub(super) fn needs_insides(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| !beside.by_text)
    }

    /// The account that an entry meets.
    pub(super) fn before(&mut self, fingerprint: &Fingerprint) -> Option<&'p Held> {
        let Beside { pool, next, .. } = self.beside.as_mut()?;
        let (place, held) = pool.held_near(fingerprint, *next)?;
        *next = place.saturating_add(1);
        Some(held)
    }

    /// Whether it stays as it is under an entry that names this provider; `None` where the entry must be read again.
    pub(super) fn stays(
        &self,
        before: &Held,
        provider: Option<Provider>,
        reading: &Reading<'_>,
        fields: &mut EntryNames,
    ) -> Option<bool> {
        let beside = self.beside.as_ref()?;
        let Held { account, .. } = before;
        if !is_settled(account, &beside.owner, provider.unwrap_or(account.provider)) {
            return Some(false);
        }
        let stays = match beside.by_text {
            true => beside.pool.knows(before, reading.raw().as_bytes()),
            false => reading.begins(&account.document, &self.salt, fields),
        };
        (stays || reading.alters(&account.document, fields)).then_some(stays)
    }
}
