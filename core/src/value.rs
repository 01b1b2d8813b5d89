//! Values as they are kept: canonical text, with every secret taken out and its place marked.

use crate::json::{Cursor, Kind, kind, push_quoted, text};
use crate::secret::{PLACEHOLDER, is_secret_name, is_secret_text};

/// A secret: it shows itself only where somebody asks for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The secret itself: a token, or the JSON text of a secret value.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Canonical JSON text under construction, and the secrets taken out of it in the order of their places.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) secrets: Vec<Secret>,
}

/// A member written to a [`Shown`]: its name, and where it and its secrets begin.
struct Written {
    name: String,
    at: usize,
    secrets_at: usize,
}

impl Shown {
    /// Appends a value. `token` is the token of the account it belongs to; without one nothing is secret.
    pub(crate) fn push(&mut self, raw: &[u8], token: Option<&str>) {
        self.push_next(&mut Cursor::new(raw), token);
    }

    /// Marks the place of a secret.
    pub(crate) fn hide(&mut self, raw: &[u8]) {
        self.secrets.push(Secret(canonical_scalar(raw)));
        self.text.push('"');
        self.text.push_str(PLACEHOLDER);
        self.text.push('"');
    }

    fn push_next(&mut self, cursor: &mut Cursor<'_>, token: Option<&str>) {
        match cursor.peek() {
            Some(b'[') => self.push_array(cursor, token),
            Some(b'{') => self.push_object(cursor, token),
            Some(b'"') => self.push_string(cursor.value(), token),
            _ => self
                .text
                .push_str(std::str::from_utf8(cursor.value()).unwrap_or_default()),
        }
    }

    fn push_string(&mut self, raw: &[u8], token: Option<&str>) {
        match token {
            Some(token) if is_secret_text(&text(raw), token) => self.hide(raw),
            _ => push_canonical(&mut self.text, raw),
        }
    }

    fn push_array(&mut self, cursor: &mut Cursor<'_>, token: Option<&str>) {
        cursor.step();
        self.text.push('[');
        let mut first = true;
        while let Some(byte) = cursor.peek() {
            if byte == b']' {
                cursor.step();
                break;
            }
            if !std::mem::take(&mut first) {
                self.text.push(',');
            }
            self.push_next(cursor, token);
        }
        self.text.push(']');
    }

    /// An object with a key that is itself a secret is secret as a whole: a key has no place to hide in.
    fn push_object(&mut self, cursor: &mut Cursor<'_>, token: Option<&str>) {
        let (text_at, secrets_at) = (self.text.len(), self.secrets.len());
        let whole = cursor.rest();
        let mut written = Vec::new();
        let mut key_is_secret = false;
        cursor.step();
        self.text.push('{');
        while let Some(byte) = cursor.peek() {
            if byte == b'}' {
                cursor.step();
                break;
            }
            let key = cursor.value();
            let name = text(key).into_owned();
            key_is_secret |= token.is_some_and(|token| is_secret_text(&name, token));
            let hidden = token.is_some() && is_secret_name(&name);
            written.push(Written {
                name,
                at: self.text.len(),
                secrets_at: self.secrets.len(),
            });
            push_canonical(&mut self.text, key);
            self.text.push(':');
            if hidden {
                self.hide(cursor.value());
            } else {
                self.push_next(cursor, token);
            }
            self.text.push(',');
        }
        if key_is_secret {
            self.text.truncate(text_at);
            self.secrets.truncate(secrets_at);
            let len = whole.len().saturating_sub(cursor.rest().len());
            self.hide(whole.get(..len).unwrap_or_default());
            return;
        }
        self.drop_repeated(&written);
        if !written.is_empty() {
            self.text.pop();
        }
        self.text.push('}');
    }

    /// Of members with the same name the last one stays.
    fn drop_repeated(&mut self, written: &[Written]) {
        let mut order: Vec<usize> = (0..written.len()).collect();
        order.sort_by_key(|at| written.get(*at).map(|w| (w.name.as_str(), *at)));
        let name = |at: &usize| written.get(*at).map(|w| w.name.as_str());
        let mut repeated: Vec<usize> = order
            .windows(2)
            .filter_map(|pair| match pair {
                [first, second] if name(first) == name(second) => Some(*first),
                _ => None,
            })
            .collect();
        if repeated.is_empty() {
            return;
        }
        repeated.sort_unstable();
        self.keep_others(written, &repeated);
    }

    /// Rebuilds what was written, from the first member on, without the `repeated` ones (ascending).
    fn keep_others(&mut self, written: &[Written], repeated: &[usize]) {
        let Some(first) = written.first() else { return };
        let text = self.text.split_off(first.at);
        let mut secrets = self.secrets.split_off(first.secrets_at).into_iter();
        let ends = written.iter().skip(1).map(|w| (w.at, w.secrets_at));
        let end = (
            first.at.saturating_add(text.len()),
            first.secrets_at.saturating_add(secrets.len()),
        );
        let mut repeated = repeated.iter().peekable();
        for (at, (member, (to, secrets_to))) in written.iter().zip(ends.chain([end])).enumerate() {
            let held = secrets
                .by_ref()
                .take(secrets_to.saturating_sub(member.secrets_at));
            if repeated.next_if_eq(&&at).is_some() {
                held.for_each(drop);
                continue;
            }
            self.secrets.extend(held);
            let range = member.at.saturating_sub(first.at)..to.saturating_sub(first.at);
            self.text.push_str(text.get(range).unwrap_or_default());
        }
    }
}

/// Appends a string in canonical form.
pub(crate) fn push_canonical(out: &mut String, raw: &[u8]) {
    match std::str::from_utf8(raw) {
        Ok(plain) if !raw.contains(&b'\\') => out.push_str(plain),
        _ => push_quoted(out, &text(raw)),
    }
}

/// The text of a secret: a string in canonical form, anything else as it came.
fn canonical_scalar(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    match kind(raw) {
        Kind::String => push_canonical(&mut out, raw),
        _ => out.push_str(std::str::from_utf8(raw).unwrap_or_default()),
    }
    out
}
