//! An account as the pool keeps it.

use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{members, push_quoted, text};
use crate::owner::Owners;
use crate::provider::Provider;
use crate::secret::PLACEHOLDER;
use crate::value::{Secret, Shown, push_canonical};
use std::collections::BTreeMap;

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

/// The fields of an account: one JSON object in canonical form with `"…"` at the place of every secret value, and the
/// fingerprints of those values in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The members without the braces, each followed by a comma.
    body: String,
    fields: Vec<Place>,
    marks: Vec<Fingerprint>,
}

/// Where a field ends in a document. It begins where the one before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    name_end: usize,
    end: usize,
    marks_end: usize,
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

impl Document {
    /// The document of this JSON object (`"…"` at secret places) and of as many fingerprints as it has such places.
    /// `None` when the numbers differ.
    pub fn new(shown: &str, marks: impl IntoIterator<Item = Fingerprint>) -> Option<Document> {
        let mut document = Document::default();
        let mut marks = marks.into_iter();
        for (name, value) in members(
            shown
                .trim_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
                .as_bytes(),
        ) {
            let mut canonical = Shown::default();
            canonical.push(value, None);
            let hidden = places_in(&canonical.text);
            let field_marks: Vec<_> = marks.by_ref().take(hidden).collect();
            if field_marks.len() < hidden {
                return None;
            }
            let mut quoted = String::new();
            push_canonical(&mut quoted, name);
            document.push(&quoted, &canonical.text, &field_marks);
        }
        marks.next().is_none().then_some(document)
    }

    /// The JSON object, canonical.
    pub fn to_json(&self) -> String {
        let members = self.body.strip_suffix(',').unwrap_or_default();
        ["{", members, "}"].concat()
    }

    /// The fingerprints of its secret values in the order of their places.
    pub fn marks(&self) -> &[Fingerprint] {
        &self.marks
    }

    /// Its fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let mut from = (0, 0);
        self.fields.iter().map(move |place| {
            let (at, marks_at) = std::mem::replace(&mut from, (place.end, place.marks_end));
            let value_at = place.name_end.saturating_add(1);
            Field {
                name: self.body.get(at..place.name_end).unwrap_or_default(),
                value: self
                    .body
                    .get(value_at..place.end.saturating_sub(1))
                    .unwrap_or_default(),
                marks: self
                    .marks
                    .get(marks_at..place.marks_end)
                    .unwrap_or_default(),
            }
        })
    }

    /// The value of the field with this name.
    pub fn get(&self, name: &str) -> Option<Field<'_>> {
        let mut quoted = String::new();
        push_quoted(&mut quoted, name);
        self.fields().find(|field| field.name == quoted)
    }

    /// Appends a field: its name as JSON text, its canonical value, the fingerprints of its secrets.
    fn push(&mut self, name: &str, value: &str, marks: &[Fingerprint]) {
        self.body.push_str(name);
        let name_end = self.body.len();
        self.body.push(':');
        self.body.push_str(value);
        self.body.push(',');
        self.marks.extend_from_slice(marks);
        self.fields.push(Place {
            name_end,
            end: self.body.len(),
            marks_end: self.marks.len(),
        });
    }

    fn push_field(&mut self, field: Field<'_>) {
        self.push(field.name, field.value, field.marks);
    }
}

/// How many secret places a canonical text has. A quote inside a string is escaped, so nothing else looks like one.
fn places_in(canonical: &str) -> usize {
    let mut place = String::new();
    push_quoted(&mut place, PLACEHOLDER);
    canonical.matches(place.as_str()).count()
}

/// One secret value of an account after a change.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// It comes with the payload.
    New(Secret),
    /// It is the one that the account already holds at this place of its document, counted from 0.
    Kept(usize),
}

/// Fields that an import brings, with the secrets taken out of them.
#[derive(Default)]
pub(crate) struct Draft {
    document: Document,
    secrets: Vec<Secret>,
}

impl Draft {
    /// Appends a field: its name as JSON text and its raw value; `hidden` when its name makes it secret.
    pub(crate) fn push(&mut self, name: &str, raw: &[u8], hidden: bool, token: &str, salt: &Salt) {
        let secrets_at = self.secrets.len();
        let document = &mut self.document;
        document.body.push_str(name);
        let name_end = document.body.len();
        document.body.push(':');
        let mut shown = Shown {
            text: std::mem::take(&mut document.body),
            secrets: std::mem::take(&mut self.secrets),
        };
        if hidden {
            shown.hide(raw);
        } else {
            shown.push(raw, Some(token));
        }
        (document.body, self.secrets) = (shown.text, shown.secrets);
        document.body.push(',');
        document.marks.extend(
            self.secrets
                .iter()
                .skip(secrets_at)
                .map(|secret| salt.of_secret(secret.reveal())),
        );
        document.fields.push(Place {
            name_end,
            end: document.body.len(),
            marks_end: document.marks.len(),
        });
    }

    /// Whether it brings a field with this name, given as JSON text.
    pub(crate) fn brings(&self, name: &str) -> bool {
        self.document.fields().any(|field| field.name == name)
    }

    /// The document and secrets of an account that is new.
    pub(crate) fn into_new(self) -> (Document, Vec<SecretPlace>) {
        (
            self.document,
            self.secrets.into_iter().map(SecretPlace::New).collect(),
        )
    }

    /// The document and secrets after this draft came over `before`; `None` when it changes nothing.
    pub(crate) fn over(self, before: &Document) -> Option<(Document, Vec<SecretPlace>)> {
        let brought: BTreeMap<&str, (Field<'_>, usize)> = self.by_name();
        let unchanged =
            |field: &Field<'_>| brought.get(field.name).is_none_or(|(new, _)| new == field);
        let known = before
            .fields()
            .filter(|field| brought.contains_key(field.name))
            .count();
        if known == brought.len() && before.fields().all(|field| unchanged(&field)) {
            return None;
        }
        let mut after = Document::default();
        let mut places = Vec::new();
        let mut kept = 0usize;
        for field in before.fields() {
            match brought.get(field.name) {
                Some((new, secrets_at)) if *new != field => {
                    after.push_field(*new);
                    places.extend(self.taken(*secrets_at, new.marks.len()));
                }
                _ => {
                    after.push_field(field);
                    places.extend((kept..).take(field.marks.len()).map(SecretPlace::Kept));
                }
            }
            kept = kept.saturating_add(field.marks.len());
        }
        let existing: std::collections::BTreeSet<&str> =
            before.fields().map(|field| field.name).collect();
        for field in self
            .document
            .fields()
            .filter(|field| !existing.contains(field.name))
        {
            let secrets_at = brought.get(field.name).map_or(0, |(_, at)| *at);
            after.push_field(field);
            places.extend(self.taken(secrets_at, field.marks.len()));
        }
        Some((after, places))
    }

    /// Its fields, each with the place of its first secret.
    fn by_name(&self) -> BTreeMap<&str, (Field<'_>, usize)> {
        let mut next = 0usize;
        let mut by_name = BTreeMap::new();
        for field in self.document.fields() {
            by_name.insert(field.name, (field, next));
            next = next.saturating_add(field.marks.len());
        }
        by_name
    }

    fn taken(&self, at: usize, count: usize) -> impl Iterator<Item = SecretPlace> {
        self.secrets
            .iter()
            .skip(at)
            .take(count)
            .cloned()
            .map(SecretPlace::New)
    }
}

/// Puts the secret values back into a document: the account's fields as they came. `secrets` are the JSON texts of the
/// values in the order of their places.
pub fn revealed<'a>(shown: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut place = String::new();
    push_quoted(&mut place, PLACEHOLDER);
    let mut parts = shown.split(place.as_str());
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (part, secret) in parts.zip(secrets) {
        out.push_str(secret);
        out.push_str(part);
    }
    out
}

/// What a string field says, given its JSON text.
pub fn string_of(value: &str) -> String {
    text(value.as_bytes()).into_owned()
}
