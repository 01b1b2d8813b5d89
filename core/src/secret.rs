//! What is secret in an account, and how a token is shown.

use crate::fingerprint::{Fingerprint, Salt};

/// Stands for a secret value wherever one is shown. A value that looks like it is treated as a secret itself, so that
/// every one in a document marks a secret's place.
pub(crate) const PLACEHOLDER: &str = "…";
/// It as JSON text.
pub(crate) const PLACE: &str = "\"…\"";
/// The one character of it.
pub(crate) const PLACEHOLDER_CHAR: char = '…';

/// Parts of field names that make a field secret, whatever it holds.
const SECRET_NAMES: [&str; 19] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "cookie",
    "session",
    "sso",
    "apikey",
    "privatekey",
    "authorization",
    "bearer",
    "jwt",
    "credential",
    "otp",
    "mfa",
    "clearance",
    PLACEHOLDER,
];

/// Whether a field of this name is secret: compared case-folded and without `_` and `-`.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // Of the letters that fold to one other than their lower case, the long s is the one that stands for one of these names.
    let folded: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ſ' { 's' } else { c })
        .collect();
    let mut rest = folded.as_bytes();
    while let Some(first) = rest.first() {
        // A name can be as long as an entry.
        let begins = |part: &&str| {
            part.as_bytes().first() == Some(first) && rest.starts_with(part.as_bytes())
        };
        if SECRET_NAMES.iter().any(begins) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// The token of the account that values belong to, as far as it is known: it is a secret wherever it stands.
#[derive(Clone, Copy)]
pub(crate) enum OwnToken<'a> {
    /// Itself.
    Text(&'a str),
    /// What stands for it in the pool with this salt.
    Marked(&'a Fingerprint, &'a Salt),
}

impl OwnToken<'_> {
    fn is(&self, text: &str) -> bool {
        match self {
            // A token is trimmed, and what repeats it may not be.
            OwnToken::Text(token) => text.len() >= token.len() && text.trim() == *token,
            OwnToken::Marked(fingerprint, salt) => salt.of_token(text.trim()) == **fingerprint,
        }
    }
}

/// Whether a string is secret wherever it stands: what is secret as a field's name, and 40 and more characters without a space.
pub(crate) fn is_secret_text(text: &str, token: OwnToken<'_>) -> bool {
    is_secret_key(text, token)
        || (text.len() >= 40 && !text.contains(' ') && text.chars().count() >= 40)
}

/// Whether a plain string, quotes included, is no secret by its length and its first byte: so are most.
#[inline]
pub(crate) fn is_surely_open(string: &[u8], token: OwnToken<'_>) -> bool {
    let fits = match token {
        OwnToken::Text(token) => string.len().saturating_sub(2) < token.len().min(40),
        OwnToken::Marked(..) => false,
    };
    fits && !matches!(string.get(1), Some(b'e' | 0xe2))
}

/// Whether a field's name is itself a secret: the account's token, something like a JWT, or what stands for a secret. Its length
/// says nothing, for names of fields are long and without spaces.
pub(crate) fn is_secret_key(name: &str, token: OwnToken<'_>) -> bool {
    token.is(name) || name == PLACEHOLDER || is_like_jwt(name)
}

/// A name from a request as an error may repeat it: `…` for one that looks like a secret.
pub(crate) fn shown_name(name: &str) -> &str {
    // No token is known here that it could be: its look alone decides.
    match is_secret_text(name, OwnToken::Text(PLACEHOLDER)) {
        true => PLACEHOLDER,
        false => name,
    }
}

fn is_like_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() >= 2
}

/// A token as it may be shown: at most its first and last 4 characters, never more than a third of it.
pub(crate) fn mask(token: &str) -> String {
    let is_place = |at: &usize| token.is_char_boundary(*at);
    // More than 24 characters show no more of them.
    let shown = (1..=token.len()).filter(is_place).take(24).count() / 6;
    let front = (0..=token.len()).filter(is_place).nth(shown);
    let back = (0..=token.len()).rev().filter(is_place).nth(shown);
    let mut masked = String::with_capacity(16);
    masked.push_str(token.get(..front.unwrap_or_default()).unwrap_or_default());
    masked.push_str(PLACEHOLDER);
    masked.push_str(token.get(back.unwrap_or(token.len())..).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_never_shows_more_than_a_third() {
        for (token, masked) in [
            ("", "…"),
            ("abcde", "…"),
            ("abcdef", "a…f"),
            ("example-gpt-token-1", "exa…n-1"),
            ("example-gpt-token-123456", "exam…3456"),
            ("example-gpt-token-1234567890", "exam…7890"),
            ("example-gpt-token-123456789012345", "exam…2345"),
            ("令牌令牌令牌", "令…牌"),
            (
                "令牌甲乙令牌甲乙令牌甲乙令牌甲乙令牌甲乙令牌甲乙令牌甲乙令牌甲乙",
                "令牌甲乙…令牌甲乙",
            ),
        ] {
            assert_eq!(mask(token), masked);
            assert!((masked.chars().count() - 1) * 3 <= token.chars().count());
        }
    }

    #[test]
    fn what_is_told_by_a_look_to_be_open_is_no_secret() {
        let long = "x".repeat(59);
        let accents = "é".repeat(39);
        let longer = "t".repeat(70);
        let (salt, mark) = (Salt::new([7; 32]), Fingerprint::from_bytes([7; 16]));
        let own = ["example-token-1", &long, &longer, "eyJ", "…"].map(OwnToken::Text);
        let own = own
            .into_iter()
            .chain([OwnToken::Marked(&mark, &salt)])
            .collect::<Vec<_>>();
        let texts = [
            "",
            "e",
            "eyJ.a.b",
            "…",
            "…x",
            "example-token-1",
            " example-token-1 ",
            "example-token",
            &long[..39],
            &long[..40],
            &long[1..],
            &long,
            &accents,
        ];
        let (mut open, mut secret) = (0, 0);
        for (text, token) in texts
            .iter()
            .flat_map(|text| own.iter().map(move |own| (text, *own)))
        {
            let (look, is) = (
                is_surely_open(format!("\"{text}\"").as_bytes(), token),
                is_secret_text(text, token),
            );
            assert!(!(look && is), "{text}");
            open += usize::from(look);
            secret += usize::from(is);
        }
        assert!(open > 5 && secret > 5, "{open}, {secret}");
    }

    #[test]
    fn names_are_folded_before_they_are_judged() {
        for name in [
            "Refresh_Token",
            "API-KEY",
            "privateKey",
            "sessionId",
            "x_O-T-P",
            "paſſword",
            "to\u{212a}en",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["email", "status", "quota", "limits_progress", "team"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
