//! The fields that an import or an edit brings.

use super::{Document, Field, FieldIndex, SecretPlace};
use crate::fingerprint::Salt;
use crate::json::Node;
use crate::names::Names;
use crate::secret::OwnToken;
use crate::typed::Typed;
use crate::value::{Secret, Shown};

/// Whose fields are read: what tells secrets apart.
pub(crate) struct Belonging<'a> {
    /// The account's token.
    pub(crate) token: OwnToken<'a>,
    /// The salt of the pool.
    pub(crate) salt: &'a Salt,
    /// The names of nested members.
    pub(crate) names: &'a mut Names,
}

/// The name of a field that is brought.
#[derive(Clone, Copy)]
pub(crate) struct FieldName<'a> {
    /// Itself, as JSON text.
    pub(crate) quoted: &'a str,
    /// The typed field that it names.
    pub(crate) typed: Option<Typed>,
    /// Whether it makes the value secret.
    pub(crate) hidden: bool,
}

impl FieldName<'_> {
    /// The name of a typed field.
    pub(crate) fn of(typed: Typed) -> FieldName<'static> {
        FieldName {
            quoted: typed.quoted(),
            typed: Some(typed),
            hidden: false,
        }
    }
}

/// Fields that an import brings, with the secrets taken out of them.
#[derive(Default)]
pub(crate) struct Draft {
    document: Document,
    secrets: Vec<Secret>,
    /// The typed fields among them, each with its bit.
    typed: u16,
}

impl Draft {
    /// An empty one with room for what an entry of so many bytes and members brings.
    pub(crate) fn with_capacity(bytes: usize, fields: usize) -> Draft {
        // Room for the fields that a new account starts with.
        let document = Document::with_capacity(bytes.saturating_add(64), fields.saturating_add(5));
        Draft {
            document,
            secrets: Vec::new(),
            typed: 0,
        }
    }

    /// Appends a field.
    pub(crate) fn push(&mut self, name: FieldName<'_>, value: Node<'_>, owner: &mut Belonging<'_>) {
        let secrets_at = self.secrets.len();
        self.typed |= name.typed.map_or(0, Typed::bit);
        let (at, name_end) = self.document.begin_field(name.quoted);
        let mut shown = Shown {
            text: &mut self.document.json,
            secrets: &mut self.secrets,
            names: owner.names,
            token: Some(owner.token),
        };
        if name.hidden {
            shown.hide(value);
        } else {
            shown.push(value);
        }
        let secrets = self.secrets.iter().skip(secrets_at);
        self.document
            .marks
            .extend(secrets.map(|secret| owner.salt.of_secret(secret.reveal())));
        self.document.end_field(at, name_end);
    }

    /// Appends a typed field, given as canonical JSON text.
    pub(crate) fn push_typed(&mut self, typed: Typed, value: &str) {
        self.typed |= typed.bit();
        self.document.push_field(Field {
            name: typed.quoted(),
            value,
            marks: &[],
        });
    }

    /// Whether it brings this field.
    pub(crate) fn brings(&self, typed: Typed) -> bool {
        self.typed & typed.bit() != 0
    }

    /// Adds what a new account starts with, where it is not brought.
    pub(crate) fn fill_in(&mut self) {
        for (typed, start) in Typed::starts() {
            if !self.brings(typed) {
                self.push_typed(typed, start);
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

    /// Whether a document has all that this draft brings.
    pub(crate) fn is_in(&self, before: &Document) -> bool {
        let mut old = FieldIndex::new(before);
        let mut fields = self.document.fields();
        before.begins_with(&self.document)
            || fields.all(|field| old.find(field.name) == Some(field))
    }

    /// The document and secrets after this draft came over `before`.
    pub(crate) fn over(self, before: &Document) -> (Document, Vec<SecretPlace>) {
        let mut old = FieldIndex::new(before);
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
        (after, places)
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
