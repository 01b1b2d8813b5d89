//! A name for a plan: whoever approved one can tell it from every other.

use crate::account::{Account, Field};
use crate::change::Change;
use crate::fingerprint::from_hex;
use crate::json::push_hex;
use crate::options::ImportOptions;
use crate::plan::Plan;
use std::fmt;

/// 256 bits of BLAKE3, without a key, over what a plan changes. Secrets are in it by their fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanHash([u8; 32]);

impl PlanHash {
    /// Reads 64 hex digits; `None` for anything else.
    pub fn from_hex(hex: &str) -> Option<PlanHash> {
        from_hex(hex).map(PlanHash)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PlanHash {
    /// 64 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = String::with_capacity(64);
        push_hex(&mut hex, &self.0);
        f.write_str(&hex)
    }
}

impl Plan<'_> {
    /// Its hash: over the options it was made with and its changes in their order. Times, notes, skips and what stays as
    /// it is are not in it.
    pub fn hash(&self, options: &ImportOptions) -> PlanHash {
        let mut hasher = PlanHasher::new(options);
        self.changes.iter().for_each(|change| hasher.add(change));
        hasher.finish()
    }
}

/// Hashes a plan change by change, for those who carry it out while it is made.
///
/// Every part stands after its length, so that no two plans are the same bytes.
pub struct PlanHasher(Box<blake3::Hasher>);

impl PlanHasher {
    /// A hasher of a plan made with these options.
    pub fn new(options: &ImportOptions) -> PlanHasher {
        let mut hasher = PlanHasher(Box::new(blake3::Hasher::new()));
        hasher.text("tributary plan v1");
        hasher.text(options.strategy.as_str());
        hasher.optional(options.source_id.as_ref().map(|id| id.as_str()));
        hasher.text(options.provider.unwrap_or_default().as_str());
        hasher
    }

    /// The next change.
    pub fn add(&mut self, change: &Change<'_>) {
        let (before, after) = (change.before, change.after.as_ref());
        let Some(account) = after.or(before) else {
            return;
        };
        self.text(change.kind.as_str());
        self.bytes(account.fingerprint.as_bytes());
        self.standing(before);
        self.standing(after);
        for (before, after) in change.changed() {
            self.text(after.name);
            self.value(before);
            self.value(Some(after));
        }
        // No field has an empty name as JSON text.
        self.text("");
    }

    /// The hash of all of it.
    pub fn finish(self) -> PlanHash {
        PlanHash(*self.0.finalize().as_bytes())
    }

    /// All of an account but its fields.
    fn standing(&mut self, account: Option<&Account>) {
        self.optional(account.map(|account| account.provider.as_str()));
        let Some(account) = account else { return };
        self.number(u64::from(account.owners.local()));
        self.count(account.owners.sources().len());
        for source in account.owners.sources() {
            self.text(source.as_str());
        }
        self.optional(account.earlier_status.as_deref());
    }

    fn value(&mut self, field: Option<Field<'_>>) {
        self.optional(field.map(|field| field.value));
        for mark in field.map_or(&[][..], |field| field.marks) {
            self.bytes(mark.as_bytes());
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(u64::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }
}
