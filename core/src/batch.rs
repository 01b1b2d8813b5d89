//! From entries to a batch: items to take, skips with their reasons, notes.

mod known;

use crate::error::ImportError;
use crate::fingerprint::{Fingerprint, Salt};
use crate::item::{EntryNames, Item, Reason, read_entry};
use crate::json::{Node, Span};
use crate::owner::Owner;
use crate::payload::{Choice, Entry, Form, List, PayloadReader, PerList, Shape, Takes};
use crate::places::{Places, place};
use crate::pool::Pool;
use crate::typed::Typed;
use known::{Beside, Known};

/// An entry that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Its place in the list, from 0.
    pub index: u64,
    /// Where it lies in the payload.
    pub span: Span,
    /// Why.
    pub reason: Reason,
}

/// Something worth saying about a payload that stops nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A typed field with a value of another type, or one whose name is itself a secret: the entry is taken without it.
    FieldIgnored {
        /// The entry's place in the list, from 0.
        index: u64,
        /// The field; `None` stands for a name that cannot be shown.
        field: Option<Typed>,
    },
    /// `accounts` stood beside the `payload` that was read.
    AccountsIgnored,
    /// `tokens` stood beside the list that was read.
    TokensIgnored,
}

impl Note {
    /// The stable code that programs compare.
    pub fn code(self) -> &'static str {
        match self {
            Note::FieldIgnored { .. } => "field_ignored",
            Note::AccountsIgnored => "accounts_ignored",
            Note::TokensIgnored => "tokens_ignored",
        }
    }
}

/// What a payload offers: every entry is an item or a skip.
pub struct Batch {
    /// The form in which it came.
    pub shape: Shape,
    /// Where its list stands in what was read: a JSON pointer, to which an entry's index is appended.
    pub pointer: &'static str,
    /// What is not taken, in payload order.
    pub skips: Vec<Skip>,
    /// What else is worth saying.
    pub notes: Vec<Note>,
    pub(crate) items: Vec<Item>,
    entries: Vec<Fingerprint>,
    names: Places,
    passed: Vec<Fingerprint>,
    /// Whether the account of each item stays as it is, where that was seen; empty where it was not looked at.
    pub(crate) staying: Vec<Option<bool>>,
}

/// A payload that is there as a whole: its batch, and the bytes in which the entries of its items lie.
pub struct Payload<'b> {
    /// What it offers.
    pub batch: Batch,
    pub(crate) bytes: &'b [u8],
}

impl<'b> Payload<'b> {
    /// Reads it, for the pool with this salt.
    ///
    /// # Errors
    /// The text and shape refusals of [`ImportError`]. A bad entry is a skip.
    pub fn read(bytes: &'b [u8], salt: &Salt) -> Result<Payload<'b>, ImportError> {
        Payload::read_by(bytes, Taking::new(salt.clone(), None))
    }

    /// The same, where `owner` will import it into `pool`: what stays, and most of what changes, is told while it is read.
    pub(crate) fn read_beside(
        bytes: &'b [u8],
        pool: &Pool,
        owner: Owner,
    ) -> Result<Payload<'b>, ImportError> {
        let beside = (!pool.is_empty()).then(|| Beside::new(pool, owner));
        Payload::read_by(bytes, Taking::new(pool.salt().clone(), beside))
    }

    fn read_by(bytes: &'b [u8], taking: Taking<'_>) -> Result<Payload<'b>, ImportError> {
        let mut reader = ItemsReader::of(taking);
        reader.feed(bytes)?;
        let batch = reader.finish()?;
        Ok(Payload { batch, bytes })
    }
}

impl Batch {
    /// What is taken, in payload order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What [stands for](Salt::of_entry) the entry of each item, in their order; empty unless a [`BatchReader`] has read it.
    pub fn entries(&self) -> &[Fingerprint] {
        &self.entries
    }

    /// Whether an entry names this account, taken or not.
    pub fn names(&self, fingerprint: &Fingerprint) -> bool {
        let of = &fingerprints(&self.items, &self.passed);
        self.names.find(fingerprint, 0, of).is_some()
    }

    /// The first entry whose token cannot be read.
    pub(crate) fn unreadable(&self) -> Option<&Skip> {
        self.skips.iter().find(|skip| skip.reason.is_unreadable())
    }
}

#[derive(Default)]
struct Normalizer {
    items: Vec<Item>,
    skips: Vec<Skip>,
    notes: Vec<Note>,
    /// The accounts that entries name, each with the place of its item, or else its place in `passed`: see [`fingerprints`].
    names: Places,
    /// Those that entries name which were skipped although their token could be read, before any that is an item.
    passed: Vec<Fingerprint>,
    /// Whether the account of each item stays as it is, as far as it was seen, where there is a pool beside.
    staying: Vec<Option<bool>>,
}

impl Normalizer {
    fn take(&mut self, entry: &Entry<'_>, known: &mut Known<'_>, fields: &mut EntryNames) {
        let Entry { index, span, .. } = *entry;
        match self.read(entry, known, fields) {
            Ok(item) => self.items.push(item),
            Err(reason) => self.skips.push(Skip {
                index,
                span,
                reason,
            }),
        }
    }

    fn read(
        &mut self,
        entry: &Entry<'_>,
        known: &mut Known<'_>,
        fields: &mut EntryNames,
    ) -> Result<Item, Reason> {
        let Entry { index, span, value } = *entry;
        let value = value.ok_or(Reason::EntryTooLong)?;
        let reading = read_entry(value, fields)?;
        let fingerprint = known.salt.of_token(&reading.token);
        // Account and name are looked up one after the other: so they wait for memory together.
        let before = known.before(&fingerprint);
        let new = match reading.provider {
            Ok(_) => place(self.items.len()),
            Err(_) => !place(self.passed.len()),
        };
        let (names, items) = (&mut self.names, &self.items);
        let named = names.find_or_put(&fingerprint, new, &fingerprints(items, &self.passed));
        let provider = match reading.provider {
            Ok(provider) => provider,
            Err(reason) => {
                if *named == new {
                    self.passed.push(fingerprint);
                }
                return Err(reason);
            }
        };
        if let Some(first) = self.items.get(*named as usize) {
            return Err(Reason::Duplicate { first: first.index });
        }
        *named = new;
        let ignored = reading.ignored();
        self.notes
            .extend(ignored.map(|field| Note::FieldIgnored { index, field }));
        if known.beside.is_some() {
            let stays = before.and_then(|before| known.stays(before, provider, &reading, fields));
            self.staying.push(stays);
        }
        let token_at = reading.token_at;
        reading.end(fields);
        Ok(Item {
            index,
            span,
            fingerprint,
            provider,
            token_at,
        })
    }

    fn into_batch(mut self, choice: Choice, form: Form) -> Batch {
        self.notes
            .extend(choice.accounts_ignored.then_some(Note::AccountsIgnored));
        self.notes
            .extend(choice.tokens_ignored.then_some(Note::TokensIgnored));
        let Normalizer {
            items,
            skips,
            notes,
            names,
            passed,
            staying,
        } = self;
        Batch {
            shape: choice.shape(),
            pointer: choice.pointer(form),
            items,
            entries: Vec::new(),
            skips,
            notes,
            names,
            passed,
            staying,
        }
    }
}

/// The fingerprints in the places of items, counted from 0, and of those that were passed over, counted from the end.
fn fingerprints(items: &[Item], passed: &[Fingerprint]) -> impl Fn(u32) -> Option<Fingerprint> {
    |place| match items.get(place as usize) {
        Some(item) => Some(item.fingerprint),
        None => passed.get(!place as usize).copied(),
    }
}

/// Parses and normalizes a payload that comes in any pieces, and tells nothing of its entries.
pub(crate) struct ItemsReader<'p> {
    reader: PayloadReader,
    taking: Taking<'p>,
}

impl<'p> ItemsReader<'p> {
    /// A reader for the pool with this salt.
    pub(crate) fn new(salt: Salt) -> ItemsReader<'p> {
        ItemsReader::of(Taking::new(salt, None))
    }

    fn of(taking: Taking<'p>) -> ItemsReader<'p> {
        let mut reader = PayloadReader::new(Form::Payload);
        if taking.known.needs_insides() {
            reader.show_insides();
        }
        ItemsReader { reader, taking }
    }

    /// See [`BatchReader::feed`].
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<(), ImportError> {
        self.reader.feed(piece, &mut self.taking)
    }

    /// Says that the bytes have ended: the batch or why there is none.
    pub(crate) fn finish(mut self) -> Result<Batch, ImportError> {
        let choice = self.reader.finish(&mut self.taking)?;
        let list = self.taking.lists.take(choice.list);
        Ok(list.into_batch(choice, Form::Payload))
    }
}

/// Parses and normalizes bytes that come in any pieces: the batch of the pieces is the batch of the whole.
///
/// It keeps no entry: whoever decides on the batch later must be able to look at the bytes again.
pub struct BatchReader {
    form: Form,
    reader: PayloadReader,
    telling: Telling,
}

impl BatchReader {
    /// A reader of bytes of this form, for the pool with this salt.
    pub fn new(form: Form, salt: Salt) -> BatchReader {
        BatchReader {
            form,
            reader: PayloadReader::new(form),
            telling: Telling {
                taking: Taking::new(salt, None),
                entries: PerList::default(),
            },
        }
    }

    /// Reads the next piece.
    ///
    /// # Errors
    /// The text refusals of [`ImportError`]; nothing that comes later can mend them.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), ImportError> {
        self.reader.feed(piece, &mut self.telling)
    }

    /// Says that the bytes have ended: what else an inject body held, and the batch or why there is none.
    ///
    /// # Errors
    /// When the text is cut short.
    pub fn finish(mut self) -> Result<(Vec<Member>, Result<Batch, ImportError>), ImportError> {
        let choice = match self.reader.finish(&mut self.telling) {
            Err(
                error @ (ImportError::Text(_)
                | ImportError::TooManyEntries
                | ImportError::BodyNotAnObject),
            ) => {
                return Err(error);
            }
            choice => choice,
        };
        let Telling {
            mut taking,
            mut entries,
        } = self.telling;
        let batch = choice.map(|choice| Batch {
            entries: entries.take(choice.list),
            ..taking.lists.take(choice.list).into_batch(choice, self.form)
        });
        Ok((taking.members, batch))
    }
}

/// A member of an inject body that is no list of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub name: String,
    /// Its JSON text; `None` when that is over 64 KiB, and for a key that no import reads, of which the first is told.
    pub raw: Option<Vec<u8>>,
}

impl Member {
    /// The keys that imports read.
    const READ: [&str; 4] = ["strategy", "source_id", "source_name", "provider"];

    /// Whether imports read it.
    pub fn is_read(&self) -> bool {
        Member::READ.contains(&self.name.as_str())
    }
}

struct Taking<'p> {
    known: Known<'p>,
    /// The names met in entries of whatever list.
    fields: EntryNames,
    lists: PerList<Normalizer>,
    members: Vec<Member>,
}

impl<'p> Taking<'p> {
    fn new(salt: Salt, beside: Option<Beside<'p>>) -> Taking<'p> {
        Taking {
            known: Known { salt, beside },
            fields: EntryNames::default(),
            lists: PerList::default(),
            members: Vec::new(),
        }
    }
}

impl Takes for Taking<'_> {
    fn begin(&mut self, list: List) {
        *self.lists.of(list) = Normalizer::default();
    }

    fn entry(&mut self, list: List, entry: Entry<'_>) {
        let list = self.lists.of(list);
        list.take(&entry, &mut self.known, &mut self.fields);
    }

    fn member(&mut self, name: &str, raw: Option<&[u8]>) {
        let is_read = Member::READ.contains(&name);
        if is_read {
            self.members.retain(|member| member.name != name);
        } else if !self.members.iter().all(Member::is_read) {
            return;
        }
        self.members.push(Member {
            name: name.to_owned(),
            raw: raw.filter(|_| is_read).map(<[u8]>::to_vec),
        });
    }
}

/// The same, and tells what stands for the entries of items: a program that wants that nowhere has no code for it.
struct Telling {
    taking: Taking<'static>,
    entries: PerList<Vec<Fingerprint>>,
}

impl Takes for Telling {
    fn begin(&mut self, list: List) {
        self.entries.of(list).clear();
        self.taking.begin(list);
    }

    fn entry(&mut self, list: List, entry: Entry<'_>) {
        let raw = entry.value.as_ref().map(Node::raw_bytes);
        self.taking.entry(list, entry);
        let (items, entries) = (&self.taking.lists.of(list).items, self.entries.of(list));
        // Any other was skipped.
        if items.len() > entries.len()
            && let Some(raw) = raw
        {
            entries.push(self.taking.known.salt.of_entry(raw));
        }
    }

    fn member(&mut self, name: &str, raw: Option<&[u8]>) {
        self.taking.member(name, raw);
    }
}

#[cfg(test)]
mod tests;
