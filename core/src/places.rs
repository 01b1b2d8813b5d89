//! Where things are in a list, by the fingerprint that they have.

use crate::fingerprint::{Fingerprint, FingerprintHasher};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::num::NonZeroU32;

/// Places by fingerprint; `None` stands for no place. Few bytes, because there may be a million. One type for all that is found
/// by a fingerprint: in wasm each would have code of its own.
pub(crate) type Places = HashMap<Fingerprint, Option<Place>, BuildHasherDefault<FingerprintHasher>>;

/// A place in a list, kept from 1: no list here has 2³² members.
#[derive(Clone, Copy)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    /// The place with so many before it; `None` beyond all lists.
    pub(crate) fn at(index: usize) -> Option<Place> {
        let place = u32::try_from(index).ok()?.checked_add(1)?;
        NonZeroU32::new(place).map(Place)
    }

    /// How many are before it.
    pub(crate) fn index(self) -> usize {
        (self.0.get() as usize).saturating_sub(1)
    }
}
