//! An account as the pool keeps it.

mod field_index;

use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Cursor, Kind, kind, members, push_quoted, text};
use crate::names::Names;
use crate::owner::Owners;
use crate::provider::Provider;
use crate::secret::{OwnToken, PLACEHOLDER, PLACEHOLDER_CHAR};
use crate::typed::Typed;
use crate::value::{Secret, Shown};
pub(crate) use field_index::FieldIndex;
use std::borrow::Cow;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    json: String,
    fields: Vec<Place>,
    marks: Vec<Fingerprint>,
}

/// Where a field lies in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: usize,
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
        for (number, value) in names.members(shown.trim()) {
            let name = names
                .get(number)
                .map(|name| name.quoted.clone())
                .unwrap_or_default();
            let (at, name_end) = document.begin_field(&name);
            let text = &mut document.json;
            Shown {
                text,
                secrets: &mut no_secrets,
                names: &mut names,
                token: None,
            }
            .push(value);
            let hidden = places_in(document.json.get(name_end..).unwrap_or_default());
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
                marks_end = marks_end.saturating_add(places_in(value));
            }
            document.fields.push(Place {
                at,
                name_end,
                end: place_of(&cursor),
                marks_end,
            });
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
        let place = self.fields.get(number)?;
        let before = number
            .checked_sub(1)
            .and_then(|before| self.fields.get(before));
        let marks_at = before.map_or(0, |before| before.marks_end);
        Some(Field {
            name: self.json.get(place.at..place.name_end)?,
            value: self.json.get(place.name_end.saturating_add(1)..place.end)?,
            marks: self.marks.get(marks_at..place.marks_end)?,
        })
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
        let mut quoted = String::new();
        push_quoted(&mut quoted, name);
        self.fields().find(|field| field.name == quoted)
    }

    /// The JSON text of a typed field.
    pub fn typed(&self, field: Typed) -> Option<&str> {
        let found = self.fields().find(|known| known.name == field.quoted());
        found.map(|field| field.value)
    }

    /// Writes a field's name (as JSON text) and the colon: where it begins and ends.
    fn begin_field(&mut self, name: &str) -> (usize, usize) {
        self.json.pop();
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
        let (end, marks_end) = (self.json.len(), self.marks.len());
        self.fields.push(Place {
            at,
            name_end,
            end,
            marks_end,
        });
        self.json.push('}');
    }

    fn push_field(&mut self, field: Field<'_>) {
        let (at, name_end) = self.begin_field(field.name);
        self.json.push_str(field.value);
        self.marks.extend_from_slice(field.marks);
        self.end_field(at, name_end);
    }
}

/// How many secret places a canonical text has. A quote inside a string is escaped, so nothing else looks like one.
fn places_in(canonical: &str) -> usize {
    let mut place = String::new();
    push_quoted(&mut place, PLACEHOLDER);
    canonical.matches(place.as_str()).count()
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

/// Whose fields are read: what tells secrets apart.
pub(crate) struct Belonging<'a> {
    /// The account's token.
    pub(crate) token: OwnToken<'a>,
    /// The salt of the pool.
    pub(crate) salt: &'a Salt,
    /// The names of nested members.
    pub(crate) names: &'a mut Names,
}

/// Fields that an import brings, with the secrets taken out of them.
#[derive(Default)]
pub(crate) struct Draft {
    document: Document,
    secrets: Vec<Secret>,
}

impl Draft {
    /// An empty one with room for what an entry of so many bytes and members brings.
    pub(crate) fn with_capacity(bytes: usize, fields: usize) -> Draft {
        // Room for the fields that a new account starts with.
        let document = Document::with_capacity(bytes.saturating_add(64), fields.saturating_add(5));
        Draft {
            document,
            secrets: Vec::new(),
        }
    }

    /// Appends a field: its name as JSON text and its raw value; `hidden` when its name makes it secret.
    pub(crate) fn push(&mut self, name: &str, raw: &str, hidden: bool, owner: &mut Belonging<'_>) {
        let secrets_at = self.secrets.len();
        let (at, name_end) = self.document.begin_field(name);
        let mut shown = Shown {
            text: &mut self.document.json,
            secrets: &mut self.secrets,
            names: owner.names,
            token: Some(owner.token),
        };
        if hidden {
            shown.hide(raw);
        } else {
            shown.push(raw);
        }
        let secrets = self.secrets.iter().skip(secrets_at);
        self.document
            .marks
            .extend(secrets.map(|secret| owner.salt.of_secret(secret.reveal())));
        self.document.end_field(at, name_end);
    }

    /// Appends a field that is no secret, both as JSON text.
    pub(crate) fn push_plain(&mut self, name: &str, value: &str) {
        self.document.push_field(Field {
            name,
            value,
            marks: &[],
        });
    }

    /// Whether it brings a field with this name, given as JSON text.
    pub(crate) fn brings(&self, name: &str) -> bool {
        let name_of = |place: &Place| self.document.json.get(place.at..place.name_end);
        self.document
            .fields
            .iter()
            .any(|place| name_of(place) == Some(name))
    }

    /// Adds what a new account starts with, where it is not brought.
    pub(crate) fn fill_in(&mut self) {
        for (typed, start) in Typed::starts() {
            if !self.brings(typed.quoted()) {
                self.push_plain(typed.quoted(), start);
            }
        }
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
        let mut old = FieldIndex::new(before);
        if self
            .document
            .fields()
            .all(|field| old.find(field.name) == Some(field))
        {
            return None;
        }
        let mut brought = FieldIndex::new(&self.document);
        let mut after = Document::with_capacity(before.json.len(), before.fields.len());
        let (mut places, mut kept) = (Vec::new(), 0usize);
        for field in before.fields() {
            match brought.find(field.name) {
                Some(new) if new != field => {
                    after.push_field(new);
                    places.extend(self.taken(brought.marks_before(), new.marks.len()));
                }
                _ => {
                    after.push_field(field);
                    places.extend((kept..).take(field.marks.len()).map(SecretPlace::Kept));
                }
            }
            kept = kept.saturating_add(field.marks.len());
        }
        let mut marks_at = 0usize;
        for field in self.document.fields() {
            if old.find(field.name).is_none() {
                after.push_field(field);
                places.extend(self.taken(marks_at, field.marks.len()));
            }
            marks_at = marks_at.saturating_add(field.marks.len());
        }
        Some((after, places))
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
    let mut out = String::with_capacity(shown.len().saturating_add(256));
    let (mut secrets, mut from) = (secrets.into_iter(), 0);
    for (at, place) in shown.match_indices(PLACEHOLDER_CHAR) {
        let end = at.saturating_add(place.len());
        let (Some(before), Some(rest)) = (shown.get(from..at), shown.get(end..)) else {
            continue;
        };
        // Only a whole string marks a place: one that ends so has an escaped quote there, or none.
        if let (Some(before), true) = (before.strip_suffix('"'), rest.starts_with('"'))
            && !is_escaped(before)
            && let Some(secret) = secrets.next()
        {
            out.push_str(before);
            out.push_str(secret);
            from = end.saturating_add(1);
        }
    }
    out.push_str(shown.get(from..).unwrap_or_default());
    out
}

/// Whether what follows this part of a JSON string is escaped.
fn is_escaped(before: &str) -> bool {
    let slashes = before.bytes().rev().take_while(|byte| *byte == b'\\');
    slashes.count() % 2 == 1
}

/// Whether something in the fields of a document, as it is shown, contains `text`: a string, a number or another word at
/// any depth, or a name below the top. `text` is in lower case; ASCII case makes no difference.
pub fn mentions(shown: &str, text: &str) -> bool {
    // Most documents do not, not even in a name, and need not be walked through.
    let mut quoted = String::new();
    push_quoted(&mut quoted, text);
    let inside = quoted.get(1..quoted.len().saturating_sub(1));
    if !shown
        .to_ascii_lowercase()
        .contains(inside.unwrap_or_default())
    {
        return false;
    }
    let values = members(shown).map(|(_, value)| value);
    values
        .flat_map(words)
        .any(|word| word.to_ascii_lowercase().contains(text))
}

/// What every string in a value says, and every other word in it.
fn words(value: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut inside = Cursor::new(value);
    std::iter::from_fn(move || {
        while matches!(inside.peek()?, b'[' | b']' | b'{' | b'}') {
            inside.step();
        }
        let word = inside.value();
        Some(match kind(word) {
            Kind::String => text(word),
            _ => Cow::Borrowed(word),
        })
    })
}

/// What a string field says, given its JSON text.
pub fn string_of(value: &str) -> String {
    text(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_return_to_their_places_and_nowhere_else() {
        let shown = r#"{"a":"…","b":"x\"…","c":"y…","d":["…","\\"],"e":"…z"}"#;
        let whole = r#"{"a":1,"b":"x\"…","c":"y…","d":["s","\\"],"e":"…z"}"#;
        assert_eq!(revealed(shown, ["1", "\"s\""]), whole);
        assert_eq!(revealed("{}", []), "{}");
    }

    #[test]
    fn what_a_document_mentions_are_its_values_and_what_lies_in_them() {
        let shown = r#"{"email":"Ann@Example.test","n":1.50,"empty":{},"list":[{"Team":"ops\nnow"},true],"quote":"a\\"}"#;
        for text in ["ann@example", "1.50", "team", "ops\nnow", "true", "a\\", ""] {
            assert!(mentions(shown, text), "{text}");
        }
        for text in ["email", "nnow", "\"", "1.5000", "…", "test1.50"] {
            assert!(!mentions(shown, text), "{text}");
        }
        assert!(!mentions("{}", ""));
    }
}
