//! From an entry to an item: its token, its provider, and which of its fields count.

use crate::account::Draft;
use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, Span, kind, members, push_quoted, text};
use crate::provider::Provider;
use crate::secret::{is_secret_name, is_secret_text};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest token that is taken, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// An entry that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place in the list, from 0.
    pub index: u64,
    /// Where it lies in the payload.
    pub span: Span,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// The provider that the entry itself names.
    pub provider: Option<Provider>,
}

/// Why an entry is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `null`, or a string with nothing in it.
    Blank,
    /// Neither a string nor an object.
    EntryType,
    /// An object without a token.
    TokenMissing,
    /// A token that is no string.
    TokenType,
    /// A token over 64 KiB.
    TokenTooLong,
    /// A provider that is neither gpt nor grok under any name.
    ProviderUnknown,
    /// A token that an earlier entry has.
    Duplicate {
        /// That entry's place in the list, from 0.
        first: u64,
    },
}

impl Reason {
    /// The stable code that programs compare.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Blank => "blank",
            Reason::EntryType => "entry_type",
            Reason::TokenMissing => "token_missing",
            Reason::TokenType => "token_type",
            Reason::TokenTooLong => "token_too_long",
            Reason::ProviderUnknown => "provider_unknown",
            Reason::Duplicate { .. } => "duplicate",
        }
    }

    /// Whether the entry stands for an account that cannot be told: a replace must not guess.
    pub(crate) fn is_unreadable(self) -> bool {
        matches!(
            self,
            Reason::EntryType | Reason::TokenMissing | Reason::TokenType
        )
    }
}

/// An entry that was read: its token, and the provider it names.
pub(crate) struct Reading<'a> {
    pub(crate) token: Cow<'a, str>,
    /// `Err` when it names one that nobody knows.
    pub(crate) provider: Result<Option<Provider>, Reason>,
    /// Typed fields whose value has another type.
    pub(crate) ignored: Vec<Typed>,
}

/// Reads an entry's token and provider.
pub(crate) fn read_entry<'a>(raw: &'a [u8], names: &mut Names) -> Result<Reading<'a>, Reason> {
    match kind(raw) {
        Kind::Null => Err(Reason::Blank),
        Kind::String => {
            let token = trimmed(text(raw));
            match token.len() {
                0 => Err(Reason::Blank),
                1..=MAX_TOKEN => Ok(Reading {
                    token,
                    provider: Ok(None),
                    ignored: Vec::new(),
                }),
                _ => Err(Reason::TokenTooLong),
            }
        }
        Kind::Object => read_object(raw, names),
        Kind::Array | Kind::Bool | Kind::Number => Err(Reason::EntryType),
    }
}

fn read_object<'a>(raw: &'a [u8], names: &mut Names) -> Result<Reading<'a>, Reason> {
    let (mut access_token, mut token, mut provider) = (None, None, None);
    let mut ignored = Vec::new();
    for (name, value) in last_members(raw) {
        match names.meaning(&name) {
            Meaning::AccessToken => access_token = Some(value),
            Meaning::Token => token = Some(value),
            Meaning::Provider => provider = Some(value),
            Meaning::Typed(typed) if kind(value) != Kind::Null && !typed.accepts(value) => {
                ignored.push(typed)
            }
            Meaning::Typed(_) | Meaning::Dropped | Meaning::Plain | Meaning::Hidden => {}
        }
    }
    let token = read_token(access_token)
        .or_else(|| read_token(token))
        .unwrap_or(Err(Reason::TokenMissing))?;
    if token.len() > MAX_TOKEN {
        return Err(Reason::TokenTooLong);
    }
    Ok(Reading {
        token,
        provider: provider.map_or(Ok(None), read_provider),
        ignored,
    })
}

/// `None` when nothing stands there: absent, null or blank.
fn read_token(value: Option<&[u8]>) -> Option<Result<Cow<'_, str>, Reason>> {
    let value = value?;
    match kind(value) {
        Kind::Null => None,
        Kind::String => Some(trimmed(text(value)))
            .filter(|token| !token.is_empty())
            .map(Ok),
        _ => Some(Err(Reason::TokenType)),
    }
}

fn read_provider(value: &[u8]) -> Result<Option<Provider>, Reason> {
    match kind(value) {
        Kind::Null => Ok(None),
        Kind::String => {
            let name = text(value);
            if name.trim().is_empty() {
                return Ok(None);
            }
            Provider::from_entry(&name)
                .map(Some)
                .ok_or(Reason::ProviderUnknown)
        }
        _ => Err(Reason::ProviderUnknown),
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The fields that an entry brings, typed ones checked, identity and reserved ones left out.
pub(crate) fn read_fields(raw: &[u8], token: &str, salt: &Salt, names: &mut Names) -> Draft {
    let mut draft = Draft::default();
    if kind(raw) != Kind::Object {
        return draft;
    }
    for (name, value) in last_members(raw) {
        let known = names.look_up(&name);
        let hidden = match known.meaning {
            Meaning::Typed(typed) if !typed.accepts(value) => continue,
            Meaning::Typed(_) => false,
            Meaning::Plain | Meaning::Hidden if kind(value) == Kind::Null => continue,
            Meaning::Plain | Meaning::Hidden if is_secret_text(&name, token) => continue,
            Meaning::Plain => false,
            Meaning::Hidden => true,
            Meaning::AccessToken | Meaning::Token | Meaning::Provider | Meaning::Dropped => {
                continue;
            }
        };
        draft.push(&known.quoted, value, hidden, token, salt);
    }
    draft
}

/// The members of an object, of those with the same name only the last.
fn last_members(object: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
    let all: Vec<_> = members(object)
        .map(|(key, value)| (text(key), value))
        .collect();
    let last = last_places(&all);
    all.into_iter()
        .zip(last)
        .filter_map(|(member, is_last)| is_last.then_some(member))
}

/// For each member whether no later one has its name.
fn last_places(all: &[(Cow<'_, str>, &[u8])]) -> Vec<bool> {
    const FEW: usize = 24;
    if all.len() <= FEW {
        let later = |at: usize| all.iter().skip(at.saturating_add(1));
        return all
            .iter()
            .enumerate()
            .map(|(at, (name, _))| later(at).all(|(other, _)| other != name))
            .collect();
    }
    let last: BTreeMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.as_ref(), at))
        .collect();
    all.iter()
        .enumerate()
        .map(|(at, (name, _))| last.get(name.as_ref()) == Some(&at))
        .collect()
}

/// What a field name means in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    AccessToken,
    Token,
    Provider,
    Typed(Typed),
    /// Never an alias of the token, or computed by the server.
    Dropped,
    /// Kept as it came.
    Plain,
    /// Kept as a secret, whatever it holds.
    Hidden,
}

impl Meaning {
    fn of(name: &str) -> Meaning {
        match name {
            "access_token" => Meaning::AccessToken,
            "token" => Meaning::Token,
            "provider" => Meaning::Provider,
            "accessToken" | "id" | "owners" => Meaning::Dropped,
            "remote_source_id" | "remote_source_name" | "remote_injected_at" => Meaning::Dropped,
            _ => match Typed::of(name) {
                Some(typed) => Meaning::Typed(typed),
                None if is_secret_name(name) => Meaning::Hidden,
                None => Meaning::Plain,
            },
        }
    }
}

/// The field names met so far. Entries of a payload mostly name the same fields in the same order, so the name after
/// the last one found is tried first.
#[derive(Default)]
pub(crate) struct Names {
    known: Vec<KnownName>,
    next: usize,
}

#[derive(Clone)]
struct KnownName {
    name: String,
    quoted: String,
    meaning: Meaning,
}

impl Names {
    /// Names beyond these are judged anew each time.
    const MOST: usize = 64;

    fn look_up(&mut self, name: &str) -> Cow<'_, KnownName> {
        let is_it = |known: &KnownName| known.name == name;
        let at = match self.known.get(self.next) {
            Some(known) if is_it(known) => Some(self.next),
            _ => self.known.iter().position(is_it),
        };
        if let Some(at) = at {
            self.next = at.saturating_add(1);
            return self
                .known
                .get(at)
                .map_or_else(|| Cow::Owned(KnownName::new(name)), Cow::Borrowed);
        }
        let new = KnownName::new(name);
        if self.known.len() < Names::MOST {
            self.known.push(new.clone());
            self.next = self.known.len();
        }
        Cow::Owned(new)
    }

    fn meaning(&mut self, name: &str) -> Meaning {
        self.look_up(name).meaning
    }
}

impl KnownName {
    fn new(name: &str) -> KnownName {
        let mut quoted = String::with_capacity(name.len().saturating_add(2));
        push_quoted(&mut quoted, name);
        KnownName {
            name: name.to_owned(),
            quoted,
            meaning: Meaning::of(name),
        }
    }
}

/// A field whose type is fixed. All of them but `type` are runtime state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// `status`: a string that is not blank.
    Status,
    /// `type`: a string that is not blank.
    Type,
    /// `quota`: an integer from 0 to 2⁵³−1.
    Quota,
    /// `success`: an integer from 0 to 2⁵³−1.
    Success,
    /// `fail`: an integer from 0 to 2⁵³−1.
    Fail,
    /// `restore_at`: a string; an empty one clears it.
    RestoreAt,
    /// `last_used_at`: a string; an empty one clears it.
    LastUsedAt,
    /// `image_quota_unknown`: a boolean.
    ImageQuotaUnknown,
    /// `limits_progress`: a list.
    LimitsProgress,
}

impl Typed {
    const ALL: [Typed; 9] = [
        Typed::Status,
        Typed::Type,
        Typed::Quota,
        Typed::Success,
        Typed::Fail,
        Typed::RestoreAt,
        Typed::LastUsedAt,
        Typed::ImageQuotaUnknown,
        Typed::LimitsProgress,
    ];

    /// The typed field with this name.
    pub fn of(name: &str) -> Option<Typed> {
        Typed::ALL.into_iter().find(|typed| typed.name() == name)
    }

    /// Its name in payloads and answers.
    pub fn name(self) -> &'static str {
        self.quoted().trim_matches('"')
    }

    /// Its name as JSON text.
    pub(crate) fn quoted(self) -> &'static str {
        match self {
            Typed::Status => "\"status\"",
            Typed::Type => "\"type\"",
            Typed::Quota => "\"quota\"",
            Typed::Success => "\"success\"",
            Typed::Fail => "\"fail\"",
            Typed::RestoreAt => "\"restore_at\"",
            Typed::LastUsedAt => "\"last_used_at\"",
            Typed::ImageQuotaUnknown => "\"image_quota_unknown\"",
            Typed::LimitsProgress => "\"limits_progress\"",
        }
    }

    /// What a new account starts with, as JSON text.
    fn start(self) -> Option<&'static str> {
        match self {
            Typed::Type => Some("\"free\""),
            Typed::Status => Some("\"正常\""),
            Typed::Quota | Typed::Success | Typed::Fail => Some("0"),
            Typed::RestoreAt
            | Typed::LastUsedAt
            | Typed::ImageQuotaUnknown
            | Typed::LimitsProgress => None,
        }
    }

    /// The fields that a new account starts with when its entry does not bring them.
    pub(crate) fn starts() -> impl Iterator<Item = (Typed, &'static str)> {
        let order = [
            Typed::Type,
            Typed::Status,
            Typed::Quota,
            Typed::Success,
            Typed::Fail,
        ];
        order
            .into_iter()
            .filter_map(|typed| Some((typed, typed.start()?)))
    }

    /// Whether a value, given as JSON text, has the field's type.
    pub fn accepts(self, value: &[u8]) -> bool {
        match self {
            Typed::Status | Typed::Type => {
                kind(value) == Kind::String && !text(value).trim().is_empty()
            }
            Typed::Quota | Typed::Success | Typed::Fail => {
                let digits = std::str::from_utf8(value)
                    .ok()
                    .filter(|_| value.iter().all(u8::is_ascii_digit));
                digits
                    .and_then(|digits| digits.parse().ok())
                    .is_some_and(|number: u64| number < 1 << 53)
            }
            Typed::RestoreAt | Typed::LastUsedAt => kind(value) == Kind::String,
            Typed::ImageQuotaUnknown => kind(value) == Kind::Bool,
            Typed::LimitsProgress => kind(value) == Kind::Array,
        }
    }
}
