//! The `secret` blob of an account: its token, then every secret value in the order of its place.

use std::iter;

use tributary_core::{Secret, SecretPlace};
use zeroize::Zeroizing;

/// The `secret` blob of an account that is new.
pub(super) fn secret_of(token: &Secret, places: &[SecretPlace]) -> Zeroizing<Vec<u8>> {
    // A new account keeps nothing: there is nothing to keep.
    let new = places.iter().filter_map(|place| match place {
        SecretPlace::New(secret) => Some(secret.reveal()),
        SecretPlace::Kept(_) => None,
    });
    parts_of(iter::once(token.reveal()).chain(new))
}

/// The parts of a `secret` blob: the token, then the secret values in the order of their places.
pub struct Secrets<'a> {
    rest: &'a [u8],
}

impl<'a> Secrets<'a> {
    /// Reads from the front of a blob.
    pub fn of(blob: &'a [u8]) -> Secrets<'a> {
        Secrets { rest: blob }
    }
}

impl<'a> Iterator for Secrets<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (len, rest) = self.rest.split_first_chunk()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (part, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(part).ok()
    }
}

/// The blob of these parts.
pub fn parts_of<'a>(
    parts: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Zeroizing<Vec<u8>> {
    let parts = parts.into_iter();
    // With room for all, so that nothing of it is left behind where it was before it grew.
    let room = parts.clone().map(|part| part.len() + 4).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    parts.for_each(|part| push_part(&mut out, part));
    out
}

/// Appends a part after its length.
pub(super) fn push_part(out: &mut Vec<u8>, part: &str) {
    // A body has at most 2⁶⁴ bytes by its type, and far less by its limit: a part of one never reaches 4 GiB.
    let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(part.as_bytes());
}
