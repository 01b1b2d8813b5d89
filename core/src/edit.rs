//! An edit: what a person sets of one account, read from JSON and decided.

use crate::account::{Account, Belonging, Draft, FieldName};
use crate::change::{Change, ChangeKind};
use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, Tape, TextError, kind, root, text};
use crate::names::{Meaning, Names};
use crate::secret::{OwnToken, shown_name};
use crate::typed::Typed;
use std::fmt;

/// Typed fields that a person sets of one account. Its owners are not a field.
pub struct Edit {
    /// The account.
    pub account: Fingerprint,
    /// The fields with their JSON text, each once.
    fields: Vec<(Typed, String)>,
}

impl Edit {
    /// Reads `{"id": …}` or `{"access_token": …}` with typed fields beside it. A null counts as absent; of two equal names
    /// the last counts. `salt` is that of the pool.
    ///
    /// # Errors
    /// [`EditError`]: nothing is guessed and nothing left out.
    pub fn read(body: &[u8], salt: &Salt) -> Result<Edit, EditError> {
        let body = root(body).map_err(EditError::Text)?;
        if kind(body) != Kind::Object {
            return Err(EditError::NotAnObject);
        }
        let (mut names, mut id, mut token, mut fields) = (Names::default(), None, None, Vec::new());
        let tape = Tape::of(body);
        let whole = tape.root(body);
        for member in names.members(whole) {
            let Some(name) = names.get(member.name) else {
                continue;
            };
            let value =
                Some(whole.part(member.value).raw()).filter(|value| kind(value) != Kind::Null);
            match (name.meaning, name.quoted.as_str()) {
                (Meaning::Typed(typed), _) => {
                    fields.extend(value.map(|value| of_type(typed, value)).transpose()?);
                }
                (Meaning::AccessToken, _) => {
                    token = value.map(|value| of_token(value, salt)).transpose()?;
                }
                (_, "\"id\"") => id = value.map(of_id).transpose()?,
                (_, unknown) => {
                    let name = shown_name(&text(unknown)).to_owned();
                    return Err(EditError::Unknown(name));
                }
            }
        }
        if fields.is_empty() {
            return Err(EditError::Nothing);
        }
        match (id, token) {
            (Some(account), None) | (None, Some(account)) => Ok(Edit { account, fields }),
            (None, None) | (Some(_), Some(_)) => Err(EditError::Which),
        }
    }

    /// What it does to its account; `None` when the account is just so already. A status that a person sets is the one that
    /// stays: an account out of use forgets the one it had before.
    pub fn change<'p>(&self, before: &'p Account, salt: &Salt) -> Option<Change<'p>> {
        let mut names = Names::default();
        let mut belonging = Belonging {
            token: OwnToken::Marked(&before.fingerprint, salt),
            salt,
            names: &mut names,
        };
        let mut draft = Draft::default();
        for (typed, value) in &self.fields {
            let tape = Tape::of(value);
            draft.push(FieldName::of(*typed), tape.root(value), &mut belonging);
        }
        let earlier_status = match draft.brings(Typed::Status) {
            true => None,
            false => before.earlier_status.clone(),
        };
        if draft.is_in(&before.document) && earlier_status == before.earlier_status {
            return None;
        }
        let (document, secrets) = draft.over(&before.document);
        let after = Account {
            document,
            earlier_status,
            ..before.clone()
        };
        Some(Change {
            kind: ChangeKind::Update,
            item: None,
            before: Some(before),
            after: Some(after),
            secrets,
            token: None,
        })
    }
}

fn of_type(typed: Typed, value: &str) -> Result<(Typed, String), EditError> {
    match typed.accepts(value) {
        true => Ok((typed, value.to_owned())),
        false => Err(EditError::Wanted(typed.name(), typed.wanted())),
    }
}

fn of_id(value: &str) -> Result<Fingerprint, EditError> {
    let hex = (kind(value) == Kind::String).then(|| text(value));
    hex.and_then(|hex| Fingerprint::from_hex(&hex))
        .ok_or(EditError::Wanted("id", "32 hex digits"))
}

fn of_token(value: &str, salt: &Salt) -> Result<Fingerprint, EditError> {
    let token = (kind(value) == Kind::String).then(|| text(value));
    let token = token.filter(|token| !token.trim().is_empty());
    let wanted = EditError::Wanted("access_token", "a string that is not blank");
    Ok(salt.of_token(token.ok_or(wanted)?.trim()))
}

/// Why an edit is refused. Its text is meant for people and repeats no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// It is no text that can be read.
    Text(TextError),
    /// It is JSON, but no object.
    NotAnObject,
    /// It names no account, or one twice.
    Which,
    /// It sets nothing.
    Nothing,
    /// A field that cannot be set, by its name.
    Unknown(String),
    /// A field, and what it must be.
    Wanted(&'static str, &'static str),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditError::Text(error) => write!(f, "body {error}"),
            EditError::NotAnObject => f.write_str("body must be a JSON object"),
            EditError::Which => {
                f.write_str("name the account by its `id` or by its `access_token`, not by both")
            }
            EditError::Nothing => write!(f, "nothing is set; give {}", Fields),
            EditError::Unknown(name) => write!(f, "`{name}` cannot be set; give {}", Fields),
            EditError::Wanted(name, wanted) => write!(f, "`{name}` must be {wanted}"),
        }
    }
}

impl std::error::Error for EditError {}

/// The fields that can be set, in words.
struct Fields;

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one or more of")?;
        for (number, typed) in Typed::ALL.into_iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma} `{}`", typed.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Document, SecretPlace};
    use crate::owner::{Owners, SourceId};
    use crate::provider::Provider;

    fn salt() -> Salt {
        Salt::new([3; 32])
    }

    fn read(body: &str) -> Result<Edit, EditError> {
        Edit::read(body.as_bytes(), &salt())
    }

    /// An account with a secret, owned by a source.
    fn account(earlier_status: Option<&str>) -> Account {
        let shown = r#"{"type":"free","status":"禁用","quota":0,"password":"…","note":"n"}"#;
        let mark = salt().of_secret("\"example-password\"");
        Account {
            fingerprint: salt().of_token("example-1"),
            masked: "e…1".to_owned(),
            provider: Provider::Gpt,
            owners: Owners::new(false, SourceId::new("s")),
            document: Document::new(shown, [mark]).unwrap(),
            earlier_status: earlier_status.map(str::to_owned),
        }
    }

    /// What an edit of these fields makes of the account; `None` when it stays as it is.
    fn edited(before: &Account, fields: &str) -> Option<(Account, Vec<SecretPlace>)> {
        let edit = read(&format!(r#"{{"access_token":" example-1 ",{fields}}}"#)).unwrap();
        assert_eq!(edit.account, before.fingerprint);
        let change = edit.change(before, &salt())?;
        assert_eq!(
            (change.kind, change.before),
            (ChangeKind::Update, Some(before))
        );
        let after = change.after.unwrap();
        assert_eq!(after.owners, before.owners);
        Some((after, change.secrets))
    }

    #[test]
    fn what_is_set_is_set_and_nothing_else() {
        let before = account(None);
        let (after, secrets) = edited(
            &before,
            r#""quota": 5, "restore_at":"", "limits_progress":[{"n":1.10}],"status":null"#,
        )
        .unwrap();
        assert_eq!(
            after.document.as_json(),
            r#"{"type":"free","status":"禁用","quota":5,"password":"…","note":"n","restore_at":"","limits_progress":[{"n":1.10}]}"#
        );
        assert!(matches!(secrets[..], [SecretPlace::Kept(0)]));
        assert!(
            edited(&before, r#""quota":0,"type":"free""#).is_none(),
            "just so already"
        );
        assert!(
            edited(&before, r#""quota":7,"quota":0"#).is_none(),
            "the last counts"
        );
    }

    #[test]
    fn secrets_inside_a_list_are_taken_out() {
        let (after, secrets) = edited(
            &account(None),
            r#""limits_progress":["example-1",{"api_key":"k","plain":"example-12"},{"example-1":0}]"#,
        )
        .unwrap();
        let list = after.document.typed(Typed::LimitsProgress);
        assert_eq!(
            list,
            Some(r#"["…",{"api_key":"…","plain":"example-12"},"…"]"#)
        );
        let shown = |place: &SecretPlace| match place {
            SecretPlace::New(secret) => secret.reveal().to_owned(),
            SecretPlace::Kept(at) => at.to_string(),
        };
        let secrets: Vec<_> = secrets.iter().map(shown).collect();
        assert_eq!(
            secrets,
            ["0", "\"example-1\"", "\"k\"", r#"{"example-1":0}"#]
        );
        assert_eq!(after.document.marks().len(), 4);
    }

    #[test]
    fn a_status_of_a_person_forgets_the_earlier_one() {
        let before = account(Some("\"正常\""));
        let (after, _) = edited(&before, r#""quota":1"#).unwrap();
        assert_eq!(after.earlier_status, before.earlier_status);
        let (after, _) = edited(&before, r#""status":"禁用""#).unwrap();
        assert_eq!(
            (after.earlier_status, after.document),
            (None, before.document.clone())
        );
    }

    #[test]
    fn what_cannot_be_set_is_refused_in_words() {
        let id = "0".repeat(32);
        for (body, said) in [
            ("", "body is not valid JSON at byte 0"),
            ("{", "body is not valid JSON at byte 1"),
            ("[]", "body must be a JSON object"),
            ("7", "body must be a JSON object"),
            (r#"{"id":5}"#, "`id` must be 32 hex digits"),
            (r#"{"id":"abc"}"#, "`id` must be 32 hex digits"),
            (
                r#"{"access_token":" "}"#,
                "`access_token` must be a string that is not blank",
            ),
            (
                r#"{"quota":1}"#,
                "name the account by its `id` or by its `access_token`, not by both",
            ),
            (
                r#"{"id":"ID","access_token":"a","quota":1}"#,
                "name the account by its `id` or by its `access_token`, not by both",
            ),
            (
                r#"{"id":"ID","status":null}"#,
                "nothing is set; give one or more of `status`, `type`, `quota`, `success`, `fail`, `restore_at`, \
                 `last_used_at`, `image_quota_unknown`, `limits_progress`",
            ),
            (
                r#"{"id":"ID","status":" "}"#,
                "`status` must be a string that is not blank",
            ),
            (
                r#"{"id":"ID","type":1}"#,
                "`type` must be a string that is not blank",
            ),
            (
                r#"{"id":"ID","quota":1.0}"#,
                "`quota` must be an integer from 0 to 9007199254740991",
            ),
            (
                r#"{"id":"ID","fail":9007199254740992}"#,
                "`fail` must be an integer from 0 to 9007199254740991",
            ),
            (
                r#"{"id":"ID","last_used_at":0}"#,
                "`last_used_at` must be a string",
            ),
            (
                r#"{"id":"ID","image_quota_unknown":"true"}"#,
                "`image_quota_unknown` must be true or false",
            ),
            (
                r#"{"id":"ID","limits_progress":{}}"#,
                "`limits_progress` must be a list",
            ),
        ] {
            let error = read(&body.replace("ID", &id))
                .err()
                .map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(said), "{body}");
        }
        for (name, shown) in [
            ("provider", "provider"),
            ("owners", "owners"),
            ("email", "email"),
            ("accessToken", "accessToken"),
            ("eyJa.b.c", "…"),
        ] {
            let error = read(&format!(r#"{{"id":"{id}","quota":1,"{name}":null}}"#)).err();
            assert_eq!(error, Some(EditError::Unknown(shown.to_owned())));
        }
    }
}
