//! From entries to a batch: items to take, skips with their reasons, notes.

mod known;

use crate::error::ImportError;
use crate::fingerprint::{Fingerprint, Salt};
use crate::item::{EntryNames, Item, Reason, read_entry};
use crate::json::Span;
use crate::owner::Owner;
use crate::payload::{Choice, Entry, Form, List, PayloadReader, PerList, Shape, Takes};
use crate::places::{Place, Places};
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
    /// What is taken, in payload order.
    pub items: Vec<Item>,
    /// What is not taken, in payload order.
    pub skips: Vec<Skip>,
    /// What else is worth saying.
    pub notes: Vec<Note>,
    names: Places,
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

    fn read_by(bytes: &'b [u8], mut taking: Taking<'_>) -> Result<Payload<'b>, ImportError> {
        let mut reader = PayloadReader::new(Form::Payload);
        if taking.known.needs_insides() {
            reader.show_insides();
        }
        reader.feed(bytes, &mut taking)?;
        let choice = reader.finish(&mut taking)?;
        let list = taking.lists.take(choice.list);
        Ok(Payload {
            batch: list.into_batch(choice, Form::Payload),
            bytes,
        })
    }
}

impl Batch {
    /// Whether an entry names this account, taken or not.
    pub fn names(&self, fingerprint: &Fingerprint) -> bool {
        self.names.contains_key(fingerprint)
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
    /// The accounts that entries name: with the place of their item in the list, or without where all of those entries were
    /// skipped although their token could be read.
    names: Places,
    /// Whether the account of each item stays as it is, as far as it was seen, where there is a pool beside.
    staying: Vec<Option<bool>>,
}

impl Normalizer {
    fn take(&mut self, entry: &Entry<'_>, known: &Known<'_>, fields: &mut EntryNames) {
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
        known: &Known<'_>,
        fields: &mut EntryNames,
    ) -> Result<Item, Reason> {
        let Entry { index, span, value } = *entry;
        let value = value.ok_or(Reason::EntryTooLong)?;
        let reading = read_entry(value, fields)?;
        let fingerprint = known.salt.of_token(&reading.token);
        // Account and name are looked up one after the other: so they wait for memory together.
        let before = known.before(&fingerprint);
        let named = self.names.entry(fingerprint).or_default();
        let provider = reading.provider?;
        if let Some(first) = *named {
            let first = first.index() as u64;
            return Err(Reason::Duplicate { first });
        }
        *named = usize::try_from(index).ok().and_then(Place::at);
        let ignored = reading.ignored(fields);
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
            staying,
        } = self;
        Batch {
            shape: choice.shape(),
            pointer: choice.pointer(form),
            items,
            skips,
            notes,
            names,
            staying,
        }
    }
}

/// Parses and normalizes bytes that come in any pieces: the batch of the pieces is the batch of the whole.
///
/// It keeps no entry: whoever decides on the batch later must be able to look at the bytes again.
pub struct BatchReader {
    form: Form,
    reader: PayloadReader,
    taking: Taking<'static>,
}

impl BatchReader {
    /// A reader of bytes of this form, for the pool with this salt.
    pub fn new(form: Form, salt: Salt) -> BatchReader {
        BatchReader {
            form,
            reader: PayloadReader::new(form),
            taking: Taking::new(salt, None),
        }
    }

    /// Reads the next piece.
    ///
    /// # Errors
    /// The text refusals of [`ImportError`]; nothing that comes later can mend them.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), ImportError> {
        self.reader.feed(piece, &mut self.taking)
    }

    /// Says that the bytes have ended: what else an inject body held, and the batch or why there is none.
    ///
    /// # Errors
    /// When the text is cut short.
    pub fn finish(mut self) -> Result<(Vec<Member>, Result<Batch, ImportError>), ImportError> {
        let choice = match self.reader.finish(&mut self.taking) {
            Err(
                error @ (ImportError::Text(_)
                | ImportError::TooManyEntries
                | ImportError::BodyNotAnObject),
            ) => {
                return Err(error);
            }
            choice => choice,
        };
        let form = self.form;
        let Taking {
            mut lists, members, ..
        } = self.taking;
        Ok((
            members,
            choice.map(|choice| lists.take(choice.list).into_batch(choice, form)),
        ))
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
        list.take(&entry, &self.known, &mut self.fields);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ImportOptions;
    use crate::payload::MAX_ENTRY;

    /// A list of an entry of `len` bytes and an ordinary one.
    fn with_entry_of(len: u64) -> Vec<u8> {
        let len = usize::try_from(len).unwrap();
        let head = r#"{"token":"example-token-1","note":""#;
        let note = "n".repeat(len - head.len() - 2);
        format!(r#"[{head}{note}"}}, "example-token-2"]"#).into_bytes()
    }

    #[test]
    fn whether_an_account_stays_is_told_while_its_entry_is_read() {
        let known = r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50],"otp":"o"}}"#;
        let by = ImportOptions::default();
        let mut pool = Pool::new(Salt::new([7; 32]));
        let empty = Pool::new(pool.salt().clone());
        let payload = format!("[{known}]");
        let plan = crate::plan_import(payload.as_bytes(), &by, &empty).unwrap();
        let accounts: Vec<_> = plan.changes().filter_map(|change| change.after).collect();
        accounts.into_iter().for_each(|account| pool.put(account));
        for (entry, stays) in [
            (known, Some(true)),
            (r#""a-1""#, Some(true)),
            (
                r#" { "token" : " a-1 " , "note":"é", "password" : "p" } "#,
                Some(true),
            ),
            (
                r#"{"token":"a-1","note":"é","password":"p","m":{ "n": [1, 2.50], "otp":"o"}, "status":7}"#,
                Some(true),
            ),
            (r#"{"token":"a-1","provider":"gpt"}"#, Some(true)),
            (r#"{"token":"a-1","provider":"grok"}"#, Some(false)),
            (r#"{"token":"a-1","note":"e"}"#, Some(false)),
            (r#"{"token":"a-1","note":"é","password":"q"}"#, None),
            (
                r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.5],"otp":"o"}}"#,
                None,
            ),
            (
                r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50],"otp":"x"}}"#,
                None,
            ),
            (
                r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50]}}"#,
                None,
            ),
            (r#"{"token":"a-1","other":1}"#, Some(false)),
            (r#"{"token":"a-1","note":"\u00e9"}"#, None),
            (r#"{"token":"a-2","note":"é"}"#, None),
        ] {
            let payload = format!("[{entry}]");
            let read = Payload::read_beside(payload.as_bytes(), &pool, by.owner()).unwrap();
            assert_eq!(read.batch.staying, [stays], "{entry}");
        }
        let other = Owner::Source(crate::SourceId::new("s").unwrap());
        let payload = format!("[{known}]");
        let read = Payload::read_beside(payload.as_bytes(), &pool, other).unwrap();
        assert_eq!(read.batch.staying, [Some(false)], "it gets another owner");
    }

    #[test]
    fn an_entry_that_comes_again_is_told_by_its_text_until_its_account_is_put_in_anew() {
        let known = r#"{"token":"a-1","m":{"otp":"o"}}"#;
        let by = ImportOptions::default();
        let mut pool = Pool::new(Salt::new([7; 32]));
        let empty = Pool::new(pool.salt().clone());
        let payload = format!("[{known},\"a-2\",\"a-3\"]");
        let plan = crate::plan_import(payload.as_bytes(), &by, &empty).unwrap();
        for change in plan.changes() {
            pool.put_brought(change.after.unwrap(), plan.entry(&change.item.unwrap()));
        }
        let staying = |payload: &str, pool: &Pool| {
            let read = Payload::read_beside(payload.as_bytes(), pool, by.owner()).unwrap();
            let plan = crate::plan_import(payload.as_bytes(), &by, pool).unwrap();
            assert_eq!(plan.counts.unchanged, 1, "{payload}");
            read.batch.staying
        };
        assert_eq!(staying(&format!("[ {known} ]"), &pool), [Some(true)]);
        assert_eq!(staying(r#"[{"token":"a-1"}]"#, &pool), [None]);
        let same = pool.get(&pool.salt().of_token("a-1")).unwrap().clone();
        pool.put(same);
        assert_eq!(staying(&format!("[{known}]"), &pool), [None]);
    }

    #[test]
    fn an_entry_over_1_mib_is_skipped_and_not_held() {
        let salt = Salt::new([7; 32]);
        for (len, taken) in [(MAX_ENTRY, 2), (MAX_ENTRY + 1, 1), (3 * MAX_ENTRY, 1)] {
            let bytes = with_entry_of(len);
            let whole = Payload::read(&bytes, &salt).unwrap().batch;
            let mut reader = BatchReader::new(Form::Payload, salt.clone());
            for piece in bytes.chunks(100_000) {
                reader.feed(piece).unwrap();
            }
            let pieces = reader.finish().unwrap().1.unwrap();
            for batch in [whole, pieces] {
                assert_eq!(batch.items.len(), taken, "{len}");
                let long = batch.skips.iter().map(|skip| (skip.index, skip.reason));
                let expected = (taken == 1).then_some((0, Reason::EntryTooLong));
                assert_eq!(long.collect::<Vec<_>>(), Vec::from_iter(expected));
            }
        }
    }
}
