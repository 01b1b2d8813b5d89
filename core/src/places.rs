//! Where things are in lists, by the fingerprint that they have.

use crate::fingerprint::Fingerprint;
use hashbrown::HashTable;

/// Places in lists, counted from 0. It holds these alone, four bytes each: whoever looks one up tells what fingerprint is in
/// which place. There may be a million, and the fewer bytes they take, the less often one waits for memory.
#[derive(Default)]
pub(crate) struct Places(HashTable<u32>);

/// Tells what fingerprint is in a place. One type for all who tell: each would have code of its own.
type Of<'o> = &'o dyn Fn(u32) -> Option<Fingerprint>;

impl Places {
    /// The place with this fingerprint, given where that is likely.
    pub(crate) fn find(&self, fingerprint: &Fingerprint, likely: u32, of: Of<'_>) -> Option<u32> {
        if of(likely).as_ref() == Some(fingerprint) {
            return Some(likely);
        }
        let found = self.0.find(fingerprint.spread(), is(fingerprint, of));
        found.copied()
    }

    /// The place with this fingerprint, which is `new` where there was none.
    pub(crate) fn find_or_put(
        &mut self,
        fingerprint: &Fingerprint,
        new: u32,
        of: Of<'_>,
    ) -> &mut u32 {
        let spread = |place: &u32| of(*place).map_or(0, |there| there.spread());
        let entry = self
            .0
            .entry(fingerprint.spread(), is(fingerprint, of), spread);
        entry.or_insert(new).into_mut()
    }

    /// Takes the place with this fingerprint out.
    pub(crate) fn take(&mut self, fingerprint: &Fingerprint, of: Of<'_>) -> Option<u32> {
        let found = self.0.find_entry(fingerprint.spread(), is(fingerprint, of));
        Some(found.ok()?.remove().0)
    }
}

fn is(fingerprint: &Fingerprint, of: Of<'_>) -> impl Fn(&u32) -> bool {
    |place| of(*place).as_ref() == Some(fingerprint)
}

/// A place by the number of those before it: no list here has 2³² members.
pub(crate) fn place(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX)
}
