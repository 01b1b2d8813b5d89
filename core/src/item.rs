//! From an entry to an item: its token, its provider, and which of its fields count.

use crate::account::{Belonging, Document, Draft, FieldIndex, FieldName};
use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, Node, Span, string_at, text};
use crate::names::{Meaning, Member, Name, Names, Taken};
use crate::provider::Provider;
use crate::secret::{OwnToken, is_secret_key, mask};
use crate::typed::Typed;
use crate::value::{Alike, is_secret};
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
    /// Bytes of the entry before its token.
    pub(crate) token_at: u32,
}

impl Item {
    /// Its entry in `payload` from the token on, whose first byte is looked at.
    pub(crate) fn since_token<'p>(&self, payload: &'p [u8]) -> &'p [u8] {
        let before = usize::try_from(self.token_at).unwrap_or(usize::MAX);
        let rest = self.span.of(payload).get(before..);
        rest.filter(|rest| rest.first() == Some(&b'"'))
            .unwrap_or_default()
    }
}

/// The token at the front of JSON text, as it may be shown.
pub(crate) fn masked(since_token: &[u8]) -> String {
    mask(text(string_at(since_token)).trim())
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
    /// Bytes of the entry before its token.
    pub(crate) token_at: u32,
    /// `Err` when it names one that nobody knows.
    pub(crate) provider: Result<Option<Provider>, Reason>,
    entry: Node<'a>,
    members: Vec<Member>,
}

/// The names met in entries, at their top and below.
#[derive(Default)]
pub(crate) struct EntryNames {
    top: Names,
    nested: Names,
}

/// Reads an entry's token and provider.
pub(crate) fn read_entry<'a>(
    entry: Node<'a>,
    names: &mut EntryNames,
) -> Result<Reading<'a>, Reason> {
    match entry.kind() {
        Kind::Null => Err(Reason::Blank),
        Kind::String => {
            let token = trimmed(entry.says());
            match token.len() {
                0 => Err(Reason::Blank),
                1..=MAX_TOKEN => Ok(Reading {
                    token,
                    token_at: 0,
                    provider: Ok(None),
                    entry,
                    members: Vec::new(),
                }),
                _ => Err(Reason::TokenTooLong),
            }
        }
        Kind::Object => read_object(entry, names),
        Kind::Array | Kind::Bool | Kind::Number => Err(Reason::EntryType),
    }
}

fn read_object<'a>(entry: Node<'a>, names: &mut EntryNames) -> Result<Reading<'a>, Reason> {
    let mut members = names.top.members(entry);
    let (mut access_token, mut token, mut provider) = (None, None, None);
    for member in &members {
        let kept = match names.top.get(member.name).map(|name| name.meaning) {
            Some(Meaning::AccessToken) => &mut access_token,
            Some(Meaning::Token) => &mut token,
            Some(Meaning::Provider) => &mut provider,
            _ => continue,
        };
        *kept = Some(entry.part(member.value));
    }
    let token = read_token(access_token).or_else(|| read_token(token));
    let (token, token_at) = token.unwrap_or(Err(Reason::TokenMissing))?;
    if token.len() > MAX_TOKEN {
        return Err(Reason::TokenTooLong);
    }
    let provider = provider.map_or(Ok(None), read_provider);
    for member in &mut members {
        if let Some(name) = names.top.get(member.name) {
            member.taken = taken(name, entry.part(member.value), OwnToken::Text(&token));
        }
    }
    Ok(Reading {
        token,
        token_at,
        provider,
        entry,
        members,
    })
}

/// Whether a member is taken as a field; `None` when it is no field: absent, identity, or computed by the server.
fn taken(name: &Name, value: Node<'_>, token: OwnToken<'_>) -> Option<Taken> {
    if value.kind() == Kind::Null {
        return None;
    }
    match name.meaning {
        Meaning::Typed(typed) if typed.accepts(value.raw()) => Some(Taken::As(Some(typed))),
        Meaning::Typed(typed) => Some(Taken::NotTyped(typed)),
        Meaning::Plain | Meaning::Hidden if is_secret_key(&name.says, token) => {
            Some(Taken::NotNamed)
        }
        Meaning::Plain | Meaning::Hidden => Some(Taken::As(None)),
        Meaning::AccessToken | Meaning::Token | Meaning::Provider | Meaning::Dropped => None,
    }
}

/// What stands there, and where; `None` when nothing does: absent, null or blank. Always inlined, too.
#[inline(always)]
fn read_token(value: Option<Node<'_>>) -> Option<Result<(Cow<'_, str>, u32), Reason>> {
    let value = value?;
    match value.kind() {
        Kind::Null => None,
        Kind::String => Some(trimmed(value.says()))
            .filter(|token| !token.is_empty())
            .map(|token| Ok((token, value.at()))),
        _ => Some(Err(Reason::TokenType)),
    }
}

fn read_provider(value: Node<'_>) -> Result<Option<Provider>, Reason> {
    match value.kind() {
        Kind::Null => Ok(None),
        Kind::String => {
            let name = value.says();
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

impl<'a> Reading<'a> {
    /// The entry's text.
    pub(crate) fn raw(&self) -> &'a str {
        self.entry.raw()
    }

    /// Fields that are left out: typed ones whose value has another type, and (`None`) those whose name is itself a secret.
    pub(crate) fn ignored(&self) -> impl Iterator<Item = Option<Typed>> {
        let members = self.members.iter();
        members.filter_map(|member| match member.taken? {
            Taken::As(_) => None,
            Taken::NotTyped(typed) => Some(Some(typed)),
            Taken::NotNamed => Some(None),
        })
    }

    /// The fields it brings, typed ones checked, identity and reserved ones left out.
    pub(crate) fn fields(&self, salt: &Salt, names: &mut EntryNames) -> Draft {
        let EntryNames { top, nested } = names;
        nested.begin_entry();
        let mut draft = Draft::with_capacity(self.entry.raw().len(), self.members.len());
        let mut owner = Belonging {
            token: OwnToken::Text(&self.token),
            salt,
            names: nested,
        };
        for (name, value, typed) in self.taken(top) {
            let name = FieldName {
                quoted: &name.quoted,
                typed,
                hidden: name.meaning == Meaning::Hidden,
            };
            draft.push(name, value, &mut owner);
        }
        draft
    }

    /// Whether a document begins with just the fields that it brings. It says no of some that are written otherwise. The
    /// entry must have been read with all that lies in its members.
    pub(crate) fn begins(&self, document: &Document, salt: &Salt, names: &mut EntryNames) -> bool {
        let EntryNames { top, nested } = names;
        nested.begin_entry();
        let mut alike = Alike {
            kept: document.as_json().as_bytes(),
            marks: document.marks().iter(),
            names: nested,
            token: OwnToken::Text(&self.token),
            salt,
        };
        let mut before = b'{';
        for (name, value, _) in self.taken(top) {
            let is_hidden = name.meaning == Meaning::Hidden;
            if !alike.member(before, name.quoted.as_bytes(), value, is_hidden) {
                return false;
            }
            before = b',';
        }
        before == b'{' || matches!(alike.kept.first(), Some(b',' | b'}'))
    }

    /// Whether it surely brings a field that a document lacks or has otherwise: numbers, truth values, and strings without
    /// an escape that are no secrets are kept as they came. It need not have been read with what lies in its members.
    pub(crate) fn alters(&self, document: &Document, names: &EntryNames) -> bool {
        let token = OwnToken::Text(&self.token);
        let stays_as_it_came = |name: &Name, value: &Node<'_>| match value.kind() {
            _ if name.hidden => false,
            Kind::Bool | Kind::Number => true,
            Kind::String => value.is_plain() && !is_secret(*value, token),
            Kind::Null | Kind::Array | Kind::Object => false,
        };
        let mut known = FieldIndex::new(document);
        self.taken(&names.top).any(|(name, value, _)| {
            let known = known.find(&name.quoted);
            known.is_none_or(|known| known.value != value.raw() && stays_as_it_came(name, &value))
        })
    }

    /// The members that are taken as fields.
    #[inline]
    fn taken<'n>(
        &self,
        names: &'n Names,
    ) -> impl Iterator<Item = (&'n Name, Node<'a>, Option<Typed>)> {
        self.members.iter().filter_map(move |member| {
            let Some(Taken::As(typed)) = member.taken else {
                return None;
            };
            Some((
                names.get(member.name)?,
                self.entry.part(member.value),
                typed,
            ))
        })
    }

    /// Ends it: its token. Its memory serves the next entry.
    pub(crate) fn end(self, names: &mut EntryNames) -> Cow<'a, str> {
        names.top.put_back(self.members);
        self.token
    }
}
