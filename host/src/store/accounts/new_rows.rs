//! Accounts that are new, as they go into their rows.

use std::ops::Range;

use tributary_core::{
    Account, Change, Fingerprint, PlanHasher, Provider, Secret, SecretPlace, Typed,
};

use super::push_marks;
use super::secrets::secret_of;
use crate::store::error::StoreError;
use crate::store::vault::{Identity, Vault};

/// An account that is new, as it goes into its row.
pub struct NewRow<'a> {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Whose it is.
    pub provider: Provider,
    /// Its token, masked.
    pub masked: &'a str,
    /// Its fields.
    pub shown: &'a str,
    /// The fingerprints of its secret values, 16 bytes each.
    pub marks: &'a [u8],
    /// The JSON text of its status.
    pub status: &'a str,
    /// The same of before it was disabled for want of an owner.
    pub earlier_status: Option<&'a str>,
    /// Its secrets, sealed.
    pub secret: &'a [u8],
    /// What a plan's hash takes of the change that brings it; `None` where no plan is hashed.
    pub told: Option<&'a [u8]>,
}

/// Such rows one behind the other in few pieces of memory. So they are handed from thread to thread: for each piece that one
/// of them frees of another's memory, both may have to wait.
#[derive(Default)]
pub struct NewRows {
    text: String,
    blobs: Vec<u8>,
    places: Vec<Place>,
}

/// Where the parts of a row are.
#[derive(Clone)]
struct Place {
    fingerprint: Fingerprint,
    provider: Provider,
    masked: Range<usize>,
    shown: Range<usize>,
    marks: Range<usize>,
    status: Range<usize>,
    earlier_status: Option<Range<usize>>,
    secret: Range<usize>,
    told: Option<Range<usize>>,
}

impl NewRows {
    /// Appends the row of an account with what is secret of it, which is sealed.
    pub fn seal(
        &mut self,
        vault: &Vault,
        account: &Account,
        token: &Secret,
        places: &[SecretPlace],
    ) -> Result<NewRow<'_>, StoreError> {
        let whose = Identity::Account(&account.fingerprint);
        let document = &account.document;
        let marks = self.blobs.len();
        push_marks(&mut self.blobs, document);
        let secret = self.blobs.len();
        vault.seal_onto(&mut self.blobs, whose, &secret_of(token, places))?;
        let earlier_status = account.earlier_status.as_deref();
        let place = Place {
            fingerprint: account.fingerprint,
            provider: account.provider,
            masked: self.push(&account.masked),
            shown: self.push(document.as_json()),
            marks: marks..secret,
            status: self.push(document.typed(Typed::Status).unwrap_or_default()),
            earlier_status: earlier_status.map(|status| self.push(status)),
            secret: secret..self.blobs.len(),
            told: None,
        };
        self.places.push(place.clone());
        Ok(self.row(&place))
    }

    /// Keeps beside the last row what a plan's hash takes of `change`, which brings it.
    pub fn tell(&mut self, change: &Change<'_>) {
        let from = self.blobs.len();
        PlanHasher::tell(change, &mut self.blobs);
        if let Some(place) = self.places.last_mut() {
            place.told = Some(from..self.blobs.len());
        }
    }

    /// Takes them all out; their memory serves others.
    pub fn clear(&mut self) {
        self.text.clear();
        self.blobs.clear();
        self.places.clear();
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = NewRow<'_>> {
        self.places.iter().map(|place| self.row(place))
    }

    fn push(&mut self, text: &str) -> Range<usize> {
        let at = self.text.len();
        self.text.push_str(text);
        at..self.text.len()
    }

    fn row(&self, place: &Place) -> NewRow<'_> {
        let text = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let blob = |range: &Range<usize>| self.blobs.get(range.clone()).unwrap_or_default();
        NewRow {
            fingerprint: place.fingerprint,
            provider: place.provider,
            masked: text(&place.masked),
            shown: text(&place.shown),
            marks: blob(&place.marks),
            status: text(&place.status),
            earlier_status: place.earlier_status.as_ref().map(text),
            secret: blob(&place.secret),
            told: place.told.as_ref().map(blob),
        }
    }
}
