//! Documents as they are shown: where their secrets were, and what they mention.

use crate::json::{Cursor, Kind, kind, members, quoted, text};
use crate::secret::PLACEHOLDER_CHAR;
use std::borrow::Cow;
use std::ops::Range;

/// Appends fields as they came to `out`: a document, or a part of it that begins and ends between two fields, with the
/// secret values back in their places. `secrets` are the JSON texts of the values in the order of those places.
pub fn push_revealed<'a>(
    out: &mut Vec<u8>,
    shown: &str,
    secrets: impl IntoIterator<Item = &'a str>,
) {
    let mut from = 0;
    for (place, secret) in places(shown).zip(secrets) {
        let before = shown.get(from..place.start).unwrap_or_default();
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(secret.as_bytes());
        from = place.end;
    }
    let rest = shown.get(from..).unwrap_or_default();
    out.extend_from_slice(rest.as_bytes());
}

/// Where the secret places of a canonical text are, quotes included.
pub(super) fn places(shown: &str) -> impl Iterator<Item = Range<usize>> {
    shown
        .match_indices(PLACEHOLDER_CHAR)
        .filter_map(|(at, place)| {
            let end = at.saturating_add(place.len());
            // Only a whole string marks a place: one that ends so has an escaped quote there, or none.
            let before = shown.get(..at)?.strip_suffix('"')?;
            let is_whole = shown.get(end..)?.starts_with('"') && !is_escaped(before);
            is_whole.then_some(before.len()..end.saturating_add(1))
        })
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
    let quoted = quoted(text);
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
    use crate::account::Document;
    use crate::fingerprint::Fingerprint;

    #[test]
    fn secrets_return_to_their_places_and_nowhere_else() {
        let shown = r#"{"a":"…","b":"x\"…","c":"y…","d":["…","\\"],"e":"…z"}"#;
        let whole = r#"{"a":1,"b":"x\"…","c":"y…","d":["s","\\"],"e":"…z"}"#;
        let revealed = |shown, secrets: &[&str]| {
            let mut out = b"before".to_vec();
            push_revealed(&mut out, shown, secrets.iter().copied());
            String::from_utf8(out).unwrap()
        };
        assert_eq!(revealed(shown, &["1", "\"s\""]), format!("before{whole}"));
        assert_eq!(revealed("{}", &[]), "before{}");
    }

    #[test]
    fn a_document_that_is_kept_finds_its_secrets_in_their_fields() {
        let shown = r#"{"note":"said \"…","password":"…"}"#;
        let mark = Fingerprint::from_bytes([7; 16]);
        for document in [
            Document::new(shown, [mark]).unwrap(),
            Document::from_canonical(shown.to_owned(), vec![mark]).unwrap(),
        ] {
            assert_eq!(document.get("note").unwrap().marks, []);
            assert_eq!(document.get("password").unwrap().marks, [mark]);
        }
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
