//! From an entry to an item: its token, its provider, and which of its fields count.

use crate::account::{Belonging, Draft};
use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, Span, kind, text};
use crate::names::{Meaning, Names};
use crate::provider::Provider;
use crate::secret::{OwnToken, is_secret_key};
use crate::typed::Typed;
use std::borrow::Cow;
use std::fmt;

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
    /// An entry over 1 MiB.
    EntryTooLong,
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
            Reason::EntryTooLong => "entry_too_long",
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
            Reason::EntryType | Reason::EntryTooLong | Reason::TokenMissing | Reason::TokenType
        )
    }
}

impl fmt::Display for Reason {
    /// What to do about the entry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Blank => "the entry is blank",
            Reason::EntryType => "an entry must be a token or an object",
            Reason::EntryTooLong => "an entry must not be longer than 1 MiB",
            Reason::TokenMissing => "an account needs an `access_token` or a `token`",
            Reason::TokenType => "the token must be a string",
            Reason::TokenTooLong => "the token must not be longer than 64 KiB",
            Reason::ProviderUnknown => "`provider` must be `gpt` or `grok`",
            Reason::Duplicate { first } => {
                return write!(f, "the token is that of entry {first}");
            }
        })
    }
}

/// An entry that was read: its token, the provider it names, and its members.
pub(crate) struct Reading<'a> {
    pub(crate) token: Cow<'a, str>,
    /// `Err` when it names one that nobody knows.
    pub(crate) provider: Result<Option<Provider>, Reason>,
    members: Vec<(usize, &'a str)>,
    bytes: usize,
}

/// The names met in entries, at their top and below.
#[derive(Default)]
pub(crate) struct EntryNames {
    top: Names,
    nested: Names,
}

/// Reads an entry's token and provider.
pub(crate) fn read_entry<'a>(raw: &'a [u8], names: &mut EntryNames) -> Result<Reading<'a>, Reason> {
    // INVARIANT: the scanner has checked the text. Anything else reads as a blank.
    let raw = std::str::from_utf8(raw).unwrap_or_default();
    match kind(raw) {
        Kind::Null => Err(Reason::Blank),
        Kind::String => {
            let token = trimmed(text(raw));
            match token.len() {
                0 => Err(Reason::Blank),
                1..=MAX_TOKEN => Ok(Reading {
                    token,
                    provider: Ok(None),
                    members: Vec::new(),
                    bytes: 0,
                }),
                _ => Err(Reason::TokenTooLong),
            }
        }
        Kind::Object => read_object(raw, names),
        Kind::Array | Kind::Bool | Kind::Number => Err(Reason::EntryType),
    }
}

fn read_object<'a>(raw: &'a str, names: &mut EntryNames) -> Result<Reading<'a>, Reason> {
    let members = names.top.members(raw);
    let (mut access_token, mut token, mut provider) = (None, None, None);
    for (number, value) in &members {
        match names.top.get(*number).map(|name| name.meaning) {
            Some(Meaning::AccessToken) => access_token = Some(*value),
            Some(Meaning::Token) => token = Some(*value),
            Some(Meaning::Provider) => provider = Some(*value),
            _ => {}
        }
    }
    let token = read_token(access_token).or_else(|| read_token(token));
    let token = token.unwrap_or(Err(Reason::TokenMissing))?;
    if token.len() > MAX_TOKEN {
        return Err(Reason::TokenTooLong);
    }
    let provider = provider.map_or(Ok(None), read_provider);
    Ok(Reading {
        token,
        provider,
        members,
        bytes: raw.len(),
    })
}

/// `None` when nothing stands there: absent, null or blank.
fn read_token(value: Option<&str>) -> Option<Result<Cow<'_, str>, Reason>> {
    let value = value?;
    match kind(value) {
        Kind::Null => None,
        Kind::String => Some(trimmed(text(value)))
            .filter(|token| !token.is_empty())
            .map(Ok),
        _ => Some(Err(Reason::TokenType)),
    }
}

fn read_provider(value: &str) -> Result<Option<Provider>, Reason> {
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

impl Reading<'_> {
    fn own_token(&self) -> OwnToken<'_> {
        OwnToken::Text(&self.token)
    }

    /// Fields that are left out: typed ones whose value has another type, and (`None`) those whose name is itself a secret.
    pub(crate) fn ignored(&self, names: &EntryNames) -> impl Iterator<Item = Option<Typed>> {
        let present = self
            .members
            .iter()
            .filter(|(_, value)| kind(value) != Kind::Null);
        present.filter_map(|(number, value)| {
            let name = names.top.get(*number)?;
            match name.meaning {
                Meaning::Typed(typed) if !typed.accepts(value) => Some(Some(typed)),
                Meaning::Plain | Meaning::Hidden
                    if is_secret_key(&text(&name.quoted), self.own_token()) =>
                {
                    Some(None)
                }
                _ => None,
            }
        })
    }

    /// The fields it brings, typed ones checked, identity and reserved ones left out.
    pub(crate) fn fields(&self, salt: &Salt, names: &mut EntryNames) -> Draft {
        let EntryNames { top, nested } = names;
        nested.begin_entry();
        let mut draft = Draft::with_capacity(self.bytes, self.members.len());
        let mut owner = Belonging {
            token: self.own_token(),
            salt,
            names: nested,
        };
        for (number, value) in &self.members {
            let Some(name) = top.get(*number) else {
                continue;
            };
            let hidden = match name.meaning {
                Meaning::Typed(typed) if !typed.accepts(value) => continue,
                Meaning::Typed(_) => false,
                Meaning::Plain | Meaning::Hidden if kind(value) == Kind::Null => continue,
                Meaning::Plain | Meaning::Hidden
                    if is_secret_key(&text(&name.quoted), self.own_token()) =>
                {
                    continue;
                }
                Meaning::Plain => false,
                Meaning::Hidden => true,
                Meaning::AccessToken | Meaning::Token | Meaning::Provider | Meaning::Dropped => {
                    continue;
                }
            };
            draft.push(&name.quoted, value, hidden, &mut owner);
        }
        draft
    }
}
