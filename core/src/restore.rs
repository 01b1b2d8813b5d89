//! A line of an export, read back as the account that it was written from.

use crate::account::{Account, SecretPlace};
use crate::fingerprint::Salt;
use crate::item::{EntryNames, Reason, read_entry};
use crate::json::{Kind, Tape, TextError, elements, kind, members, quoted, root, text};
use crate::owner::{Owners, SourceId};
use crate::secret::mask;
use crate::typed::Typed;
use crate::value::Secret;
use std::fmt;

/// An account as a line of an export tells it.
pub struct Restored {
    /// The account, with its owners.
    pub account: Account,
    /// Its token.
    pub token: Secret,
    /// Its secret values in the order of their places.
    pub secrets: Vec<SecretPlace>,
    /// What some of its owners are called.
    pub owner_names: Vec<(SourceId, String)>,
    /// When an import last changed it, as the line says it.
    pub injected_at: String,
}

/// Reads lines of an export.
pub struct LineReader<'s> {
    salt: &'s Salt,
    names: EntryNames,
    tape: Tape,
}

impl<'s> LineReader<'s> {
    /// A reader for the pool with this salt.
    pub fn new(salt: &'s Salt) -> LineReader<'s> {
        LineReader {
            salt,
            names: EntryNames::default(),
            tape: Tape::default(),
        }
    }

    /// Reads a line. What an import would pass over is an error here: nothing of an export may be lost.
    ///
    /// # Errors
    /// [`LineError`]: an export does not write such a line.
    pub fn read(&mut self, line: &[u8]) -> Result<Restored, LineError> {
        let line = root(line).map_err(LineError::Text)?;
        if kind(line) != Kind::Object {
            return Err(LineError::NotAnObject);
        }
        self.tape.read_whole(line);
        let reading =
            read_entry(self.tape.root(line), &mut self.names).map_err(LineError::Entry)?;
        let provider = reading.provider.map_err(LineError::Entry)?;
        if let Some(field) = reading.ignored().next() {
            return Err(LineError::Field(field));
        }
        let mut draft = reading.fields(self.salt, &mut self.names);
        draft.fill_in();
        let (document, secrets) = draft.into_new();
        let told = Told::read(line)?;
        let token = reading.end(&mut self.names);
        Ok(Restored {
            account: Account {
                fingerprint: self.salt.of_token(&token),
                masked: mask(&token),
                provider: provider.ok_or(wanted("provider", "`gpt` or `grok`"))?,
                owners: told.owners,
                document,
                earlier_status: told.earlier_status,
            },
            token: Secret::new(token.into_owned()),
            secrets,
            owner_names: told.owner_names,
            injected_at: told.injected_at,
        })
    }
}

/// What a line tells of an account beside its fields.
struct Told {
    owners: Owners,
    owner_names: Vec<(SourceId, String)>,
    injected_at: String,
    earlier_status: Option<String>,
}

impl Told {
    fn read(line: &str) -> Result<Told, LineError> {
        let (mut owners, mut owner_names, mut last, mut last_name) = (None, Vec::new(), None, None);
        let (mut injected_at, mut earlier_status) = (None, None);
        for (key, value) in members(line) {
            match &*text(key) {
                "owners" => owners = Some(read_owners(value)?),
                "owner_names" => owner_names = read_names(value)?,
                "remote_source_id" => last = Some(string("remote_source_id", value)?),
                "remote_source_name" => last_name = Some(string("remote_source_name", value)?),
                "remote_injected_at" => injected_at = Some(string("remote_injected_at", value)?),
                "earlier_status" => earlier_status = Some(string("earlier_status", value)?),
                _ => {}
            }
        }
        let owners = owners.ok_or(wanted("owners", OWNERS))?;
        if owners.sources().last().map(SourceId::as_str) != last.as_deref() {
            return Err(wanted(
                "remote_source_id",
                "the last of the `sources` that own it",
            ));
        }
        if owner_names
            .iter()
            .any(|(id, _)| !owners.sources().contains(id))
        {
            return Err(wanted("owner_names", NAMES));
        }
        owner_names.extend(owners.sources().last().cloned().zip(last_name));
        Ok(Told {
            owners,
            owner_names,
            injected_at: injected_at.ok_or(wanted("remote_injected_at", "a time"))?,
            earlier_status: earlier_status.map(|status| quoted(&status)),
        })
    }
}

const OWNERS: &str = "{\"local\": true or false, \"sources\": [ids, each once]}";
const NAMES: &str = "{id of an owner: its name}";

fn read_owners(value: &str) -> Result<Owners, LineError> {
    let (mut local, mut sources) = (None, None);
    for (key, value) in object("owners", OWNERS, value)? {
        match (&*text(key), kind(value)) {
            ("local", Kind::Bool) => local = Some(value == "true"),
            ("sources", Kind::Array) => sources = elements(value).map(id_of).collect(),
            _ => return Err(wanted("owners", OWNERS)),
        }
    }
    let (local, sources): (bool, Vec<SourceId>) =
        local.zip(sources).ok_or(wanted("owners", OWNERS))?;
    let count = sources.len();
    Some(Owners::new(local, sources))
        .filter(|owners| owners.sources().len() == count)
        .ok_or(wanted("owners", OWNERS))
}

fn read_names(value: &str) -> Result<Vec<(SourceId, String)>, LineError> {
    let names = object("owner_names", NAMES, value)?;
    let names = names.map(|(id, name)| Some((id_of(id)?, said(name)?)));
    names
        .collect::<Option<_>>()
        .ok_or(wanted("owner_names", NAMES))
}

fn object<'a>(
    name: &'static str,
    what: &'static str,
    value: &'a str,
) -> Result<impl Iterator<Item = (&'a str, &'a str)>, LineError> {
    match kind(value) {
        Kind::Object => Ok(members(value)),
        _ => Err(wanted(name, what)),
    }
}

/// An id as it is kept: trimmed.
fn id_of(value: &str) -> Option<SourceId> {
    let id = said(value)?;
    SourceId::new(&id).filter(|trimmed| trimmed.as_str() == id)
}

fn string(name: &'static str, value: &str) -> Result<String, LineError> {
    said(value).ok_or(wanted(name, "a string"))
}

fn said(value: &str) -> Option<String> {
    (kind(value) == Kind::String).then(|| text(value).into_owned())
}

fn wanted(name: &'static str, what: &'static str) -> LineError {
    LineError::Wanted(name, what)
}

/// Why a line cannot be restored. Its text is meant for people and repeats no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no text that can be read.
    Text(TextError),
    /// It is JSON, but no object.
    NotAnObject,
    /// It names no account.
    Entry(Reason),
    /// A typed field whose value has another type, or (`None`) one whose name is itself a secret.
    Field(Option<Typed>),
    /// A member, and what it must be.
    Wanted(&'static str, &'static str),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Text(error) => write!(f, "it {error}"),
            LineError::NotAnObject => f.write_str("it must be a JSON object"),
            LineError::Entry(reason) => reason.fmt(f),
            LineError::Field(Some(typed)) => {
                write!(f, "`{}` must be {}", typed.name(), typed.wanted())
            }
            LineError::Field(None) => f.write_str("the name of a field is itself a secret"),
            LineError::Wanted(name, what) => write!(f, "`{name}` must be {what}"),
        }
    }
}

impl std::error::Error for LineError {}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = r#""remote_injected_at":"2026-05-23T10:15:30+00:00""#;

    fn read(line: &str) -> Result<Restored, LineError> {
        LineReader::new(&Salt::new([5; 32])).read(line.as_bytes())
    }

    #[test]
    fn a_line_is_the_account_it_was_written_from() {
        let line = format!(
            r#"{{"access_token":"example-1","provider":"grok","type":"plus","status":"禁用","n":1.50,"cookie":"c","quota":1,"success":2,"fail":3,"earlier_status":"a\"b","remote_source_id":"t","remote_source_name":"T",{REST},"owners":{{"local":true,"sources":["s","t"]}},"owner_names":{{"s":"S"}}}}"#
        );
        let Restored {
            account,
            token,
            secrets,
            owner_names,
            injected_at,
        } = read(&line).ok().unwrap();
        assert_eq!(
            account.document.as_json(),
            r#"{"type":"plus","status":"禁用","n":1.50,"cookie":"…","quota":1,"success":2,"fail":3}"#
        );
        assert_eq!(
            (account.masked.as_str(), token.reveal()),
            ("e…1", "example-1")
        );
        assert_eq!(
            account.owners.to_json(),
            r#"{"local":true,"sources":["s","t"]}"#
        );
        assert_eq!(account.earlier_status.as_deref(), Some(r#""a\"b""#));
        assert!(matches!(&secrets[..], [SecretPlace::New(secret)] if secret.reveal() == "\"c\""));
        let names: Vec<_> = owner_names
            .iter()
            .map(|(id, name)| (id.as_str(), name.as_str()))
            .collect();
        assert_eq!(names, [("s", "S"), ("t", "T")]);
        assert_eq!(injected_at, "2026-05-23T10:15:30+00:00");
    }

    #[test]
    fn what_no_export_writes_is_refused_in_words() {
        let account =
            |rest: &str| format!(r#"{{"access_token":"example-1","provider":"gpt"{rest}}}"#);
        let whole = format!(r#",{REST},"owners":{{"local":true,"sources":[]}}"#);
        assert!(read(&account(&whole)).is_ok());
        for (line, said) in [
            ("".to_owned(), "it is not valid JSON at byte 0"),
            (
                account(&whole)[..60].to_owned(),
                "it is not valid JSON at byte 60",
            ),
            (
                account(&whole) + &account(&whole),
                "it is not valid JSON at byte",
            ),
            ("[]".to_owned(), "it must be a JSON object"),
            ("\"example-1\"".to_owned(), "it must be a JSON object"),
            (
                format!("{{{REST}}}"),
                "an account needs an `access_token` or a `token`",
            ),
            (
                r#"{"access_token":7}"#.to_owned(),
                "the token must be a string",
            ),
            (
                r#"{"access_token":"example-1"}"#.to_owned(),
                "`owners` must be {\"local\"",
            ),
            (
                account(r#","owners":{"local":1,"sources":[]}"#),
                "`owners` must be {\"local\"",
            ),
            (
                account(r#","owners":{"local":true}"#),
                "`owners` must be {\"local\"",
            ),
            (
                account(r#","owners":{"local":true,"sources":["s","s"]}"#),
                "`owners` must be {\"local\"",
            ),
            (
                account(r#","owners":{"local":true,"sources":[" s"]}"#),
                "`owners` must be {\"local\"",
            ),
            (account(r#","owners":[]"#), "`owners` must be {\"local\""),
            (
                account(r#","owners":{"local":true,"sources":["s"]}"#),
                "`remote_source_id` must be the last",
            ),
            (
                account(r#","owners":{"local":true,"sources":[]},"remote_source_id":"s""#),
                "`remote_source_id` must be the last",
            ),
            (
                account(r#","owners":{"local":true,"sources":[]},"owner_names":{"s":"S"}"#),
                "`owner_names` must be {id",
            ),
            (
                account(r#","owners":{"local":true,"sources":[]},"owner_names":[]"#),
                "`owner_names` must be {id",
            ),
            (
                account(r#","owners":{"local":true,"sources":[]}"#),
                "`remote_injected_at` must be a time",
            ),
            (
                account(&format!(r#"{whole},"quota":"7""#)),
                "`quota` must be",
            ),
            (
                account(&format!(r#"{whole},"earlier_status":7"#)),
                "`earlier_status` must be a string",
            ),
            (
                account(&format!(r#"{whole},"example-1":7"#)),
                "the name of a field is itself a secret",
            ),
            (
                account(&whole).replace("gpt", "claude"),
                "`provider` must be `gpt` or `grok`",
            ),
            (
                account(&whole).replace(r#","provider":"gpt""#, ""),
                "`provider` must be `gpt` or `grok`",
            ),
        ] {
            let error = read(&line).err().unwrap().to_string();
            assert!(error.starts_with(said), "{line}: {error}");
        }
    }
}
