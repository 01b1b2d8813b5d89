//! An account as the pool keeps it.

mod draft;
mod field_index;
mod shown;

use crate::fingerprint::Fingerprint;
use crate::json::{Cursor, Tape, quoted};
use crate::names::Names;
use crate::owner::Owners;
use crate::provider::Provider;
use crate::secret::PLACE;
use crate::typed::Typed;
use crate::value::{Secret, Shown};
pub(crate) use draft::{Belonging, Draft, FieldName};
pub(crate) use field_index::FieldIndex;
use shown::places;
pub use shown::{mentions, push_revealed, string_of};

/// An account as decisions see it: no token and no secret value, only their fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Its token, masked.
    pub masked: String,
    /// Whose it is.
    pub provider: Provider,
    /// Who owns it.
    pub owners: Owners,
    /// Its fields.
    pub document: Document,
    /// The JSON text of the status it had before it was disabled for want of an owner.
    pub earlier_status: Option<String>,
}

impl Account {
    /// The status that it has, or had before it went out of use.
    pub(crate) fn status_in_use(&self) -> Option<Field<'_>> {
        let status = self.document.typed_field(Typed::Status)?;
        Some(match &self.earlier_status {
            Some(earlier) => Field {
                value: in_the_open(earlier),
                marks: &[],
                ..status
            },
            None => status,
        })
    }
}

/// A status as it may stand beside a document: a secret one is kept nowhere in the open, and what a new account starts with
/// stands for it.
pub(crate) fn in_the_open(status: &str) -> &str {
    let told = Some(status).filter(|status| *status != PLACE);
    told.or(Typed::Status.start()).unwrap_or_default()
}

/// The fields of an account: one JSON object in canonical form with `"…"` at the place of every secret value, and the
/// fingerprints of those values in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    json: String,
    fields: Vec<Place>,
    marks: Vec<Fingerprint>,
}

/// Where a field lies in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: u32,
    name_end: u32,
    end: u32,
    marks_end: u32,
}

impl Place {
    fn new(at: usize, name_end: usize, end: usize, marks_end: usize) -> Place {
        // INVARIANT: a document is smaller than 4 GiB, being made of entries of at most 1 MiB.
        let [at, name_end, end, marks_end] =
            [at, name_end, end, marks_end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        Place {
            at,
            name_end,
            end,
            marks_end,
        }
    }

    fn name<'d>(&self, document: &'d Document) -> Option<&'d str> {
        document.json.get(self.at as usize..self.name_end as usize)
    }

    fn value<'d>(&self, document: &'d Document) -> Option<&'d str> {
        let at = self.name_end.wrapping_add(1);
        document.json.get(at as usize..self.end as usize)
    }
}

/// One field, borrowed from its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as JSON text, quotes included.
    pub name: &'a str,
    /// Its value as canonical JSON text, `"…"` at secret places.
    pub value: &'a str,
    /// What stands for the secret values in it.
    pub marks: &'a [Fingerprint],
}

impl Default for Document {
    fn default() -> Document {
        Document::with_capacity(0, 0)
    }
}

impl Document {
    /// An empty one with room for so many bytes and fields.
    fn with_capacity(bytes: usize, fields: usize) -> Document {
        let mut json = String::with_capacity(bytes);
        json.push_str("{}");
        Document {
            json,
            fields: Vec::with_capacity(fields),
            marks: Vec::new(),
        }
    }

    /// The document of this JSON object (`"…"` at secret places) and of as many fingerprints as it has such places.
    /// `None` when the numbers differ.
    pub fn new(shown: &str, marks: impl IntoIterator<Item = Fingerprint>) -> Option<Document> {
        let (mut document, mut names, mut no_secrets) =
            (Document::default(), Names::default(), Vec::new());
        let mut marks = marks.into_iter();
        let shown = shown.trim();
        let tape = Tape::of(shown);
        let whole = tape.root(shown);
        for member in names.members(whole) {
            let name = names.get(member.name).map_or("", |name| &name.quoted);
            let (at, name_end) = document.begin_field(name);
            let text = &mut document.json;
            Shown {
                text,
                secrets: &mut no_secrets,
                names: &mut names,
                token: None,
            }
            .push(whole.part(member.value));
            let hidden = places(document.json.get(name_end..).unwrap_or_default()).count();
            let held = document.marks.len();
            document.marks.extend(marks.by_ref().take(hidden));
            if document.marks.len() < held.saturating_add(hidden) {
                return None;
            }
            document.end_field(at, name_end);
        }
        marks.next().is_none().then_some(document)
    }

    /// The document whose [`Document::as_json`] and [`Document::marks`] these are; they are not checked again.
    /// `None` when they do not belong together.
    pub fn from_canonical(json: String, marks: Vec<Fingerprint>) -> Option<Document> {
        let mut document = Document {
            json,
            fields: Vec::with_capacity(16),
            marks,
        };
        let mut cursor = Cursor::new(&document.json);
        cursor.step();
        let place_of =
            |cursor: &Cursor<'_>| document.json.len().saturating_sub(cursor.rest().len());
        let mut marks_end = 0usize;
        while cursor.peek().is_some_and(|byte| byte != b'}') {
            let at = place_of(&cursor);
            cursor.value();
            let name_end = place_of(&cursor);
            let value = cursor.value();
            if marks_end < document.marks.len() {
                marks_end = marks_end.saturating_add(places(value).count());
            }
            let place = Place::new(at, name_end, place_of(&cursor), marks_end);
            document.fields.push(place);
        }
        (marks_end == document.marks.len()).then_some(document)
    }

    /// The JSON object, canonical.
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// The fingerprints of its secret values in the order of their places.
    pub fn marks(&self) -> &[Fingerprint] {
        &self.marks
    }

    /// Its fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        (0..self.fields.len()).filter_map(|number| self.field(number))
    }

    /// The field in this place.
    fn field(&self, number: usize) -> Option<Field<'_>> {
        let before = number
            .checked_sub(1)
            .and_then(|before| self.fields.get(before));
        let marks_at = before.map_or(0, |before| before.marks_end) as usize;
        let place = self.fields.get(number)?;
        Some(Field {
            name: place.name(self)?,
            value: place.value(self)?,
            marks: self.marks.get(marks_at..place.marks_end as usize)?,
        })
    }

    /// Whether its first fields are those of `other` in the same order: so it mostly is when an entry comes again.
    fn begins_with(&self, other: &Document) -> bool {
        let fields = other.json.strip_suffix('}').unwrap_or_default();
        let rest = self.json.strip_prefix(fields);
        rest.is_some_and(|rest| rest.starts_with([',', '}']))
            && self.marks.starts_with(&other.marks)
    }

    /// Its fields in their order, each with the number of secrets before it.
    pub(crate) fn places(&self) -> Vec<(Field<'_>, usize)> {
        let mut before = 0usize;
        let placed = self.fields().map(|field| {
            let at = before;
            before = before.saturating_add(field.marks.len());
            (field, at)
        });
        placed.collect()
    }

    /// The document of these fields in this order, each with another name.
    pub(crate) fn of_fields<'f>(fields: impl IntoIterator<Item = Field<'f>>) -> Document {
        let mut document = Document::default();
        fields
            .into_iter()
            .for_each(|field| document.push_field(field));
        document
    }

    /// The field with this name.
    pub fn get(&self, name: &str) -> Option<Field<'_>> {
        let quoted = quoted(name);
        self.fields().find(|field| field.name == quoted)
    }

    /// The JSON text of a typed field.
    pub fn typed(&self, field: Typed) -> Option<&str> {
        self.typed_field(field).map(|field| field.value)
    }

    pub(crate) fn typed_field(&self, field: Typed) -> Option<Field<'_>> {
        self.fields().find(|known| known.name == field.quoted())
    }

    /// Writes a field's name (as JSON text) and the colon: where it begins and ends.
    fn begin_field(&mut self, name: &str) -> (usize, usize) {
        // The brace: to pop a character looks for where it begins.
        self.json.truncate(self.json.len().saturating_sub(1));
        if !self.fields.is_empty() {
            self.json.push(',');
        }
        let at = self.json.len();
        self.json.push_str(name);
        let name_end = self.json.len();
        self.json.push(':');
        (at, name_end)
    }

    /// Ends a field whose value and marks were written.
    fn end_field(&mut self, at: usize, name_end: usize) {
        let place = Place::new(at, name_end, self.json.len(), self.marks.len());
        self.fields.push(place);
        self.json.push('}');
    }

    fn push_field(&mut self, field: Field<'_>) {
        let (at, name_end) = self.begin_field(field.name);
        self.json.push_str(field.value);
        self.marks.extend_from_slice(field.marks);
        self.end_field(at, name_end);
    }
}

impl Account {
    /// Its fields and secrets where a change leaves them as they are.
    pub(crate) fn unchanged_fields(&self) -> (Document, Vec<SecretPlace>) {
        let kept = (0..self.document.marks.len()).map(SecretPlace::Kept);
        (self.document.clone(), kept.collect())
    }
}

/// One secret value of an account after a change.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// It comes with the payload.
    New(Secret),
    /// It is the one that the account already holds at this place of its document, counted from 0.
    Kept(usize),
}
