//! Values as they are kept: canonical text, with every secret taken out and its place marked.

use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, Node, push_quoted};
use crate::names::{Names, REPEATED, Written, is_same};
use crate::secret::{OwnToken, PLACE, is_secret_key, is_secret_text, is_surely_open};
use zeroize::Zeroize;

/// A secret: it shows itself only where somebody asks for it by name, and is wiped from memory when it goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The secret itself: a token, or the JSON text of a secret value.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// In one place: secrets go in many.
#[inline(never)]
fn wipe(text: &mut String) {
    text.zeroize();
}

/// Writes values in canonical form to `text`, and the secrets taken out of them to `secrets`, in the order of their
/// places.
pub(crate) struct Shown<'o> {
    pub(crate) text: &'o mut String,
    pub(crate) secrets: &'o mut Vec<Secret>,
    /// The names of nested members.
    pub(crate) names: &'o mut Names,
    /// The token of the account that the values belong to; without one nothing is secret.
    pub(crate) token: Option<OwnToken<'o>>,
}

impl Shown<'_> {
    /// Writes a value.
    pub(crate) fn push(&mut self, value: Node<'_>) {
        match value.kind() {
            Kind::Array => self.push_array(value),
            Kind::Object => self.push_object(value),
            Kind::String => self.push_string(value),
            Kind::Null | Kind::Bool | Kind::Number => self.text.push_str(value.raw()),
        }
    }

    /// Marks the place of a secret, which is kept in canonical form.
    pub(crate) fn hide(&mut self, value: Node<'_>) {
        let mut secret = String::with_capacity(value.raw().len());
        let (mut none, names) = (Vec::new(), &mut *self.names);
        Shown {
            text: &mut secret,
            secrets: &mut none,
            names,
            token: None,
        }
        .push(value);
        self.hide_text(secret);
    }

    fn hide_text(&mut self, secret: String) {
        self.secrets.push(Secret::new(secret));
        self.text.push_str(PLACE);
    }

    fn push_string(&mut self, string: Node<'_>) {
        match self.token {
            Some(token) if is_secret(string, token) => self.hide(string),
            _ => push_canonical(self.text, string),
        }
    }

    fn push_array(&mut self, array: Node<'_>) {
        self.text.push('[');
        for (number, element) in array.parts().enumerate() {
            if number > 0 {
                self.text.push(',');
            }
            self.push(element);
        }
        self.text.push(']');
    }

    /// An object with a key that is itself a secret is secret as a whole: a key has no place to hide in.
    fn push_object(&mut self, object: Node<'_>) {
        let first = self.names.writing.len();
        for (key, _) in object.members() {
            // Of names outside hidden values none that is kept is a secret.
            if self.token.is_some_and(|token| names_secret(key, token)) {
                self.names.writing.truncate(first);
                return self.hide_text(without_white_space(object.raw()));
            }
            let name = self.names.number(key.raw());
            self.names.writing.push(Written::of(name));
        }
        self.text.push('{');
        for ((_, value), member) in object.members().zip(first..) {
            self.push_member(member, value);
        }
        let mut written = std::mem::take(&mut self.names.writing);
        let members = written.get_mut(first..).unwrap_or_default();
        self.drop_repeated(members);
        if !members.is_empty() {
            self.text.pop();
        }
        self.text.push('}');
        written.truncate(first);
        self.names.writing = written;
    }

    /// Writes a member and a comma.
    fn push_member(&mut self, member: usize, value: Node<'_>) {
        let Some(member) = self.names.writing.get_mut(member) else {
            return;
        };
        member.at = self.text.len();
        member.secrets_at = self.secrets.len();
        let name = member.name;
        let known = self.names.get(name);
        self.text.push_str(known.map_or("", |known| &known.quoted));
        self.text.push(':');
        if self.token.is_some() && known.is_some_and(|known| known.hidden) {
            self.hide(value);
        } else {
            self.push(value);
        }
        self.text.push(',');
    }

    /// Of members with the same name the last one stays.
    fn drop_repeated(&mut self, written: &mut [Written]) {
        const FEW: usize = 12;
        let later = |at: usize| written.iter().skip(at.saturating_add(1));
        let all_differ =
            |(at, member): (usize, &Written)| later(at).all(|other| other.name != member.name);
        if written.len() <= FEW && written.iter().enumerate().all(all_differ) {
            return;
        }
        let mut names: Vec<(usize, usize)> =
            written.iter().map(|member| member.name).zip(0..).collect();
        names.sort_unstable();
        let mut any = false;
        for pair in names.windows(2) {
            if let [(first, at), (second, _)] = pair
                && first == second
                && let Some(earlier) = written.get_mut(*at)
            {
                earlier.name = REPEATED;
                any = true;
            }
        }
        if any {
            self.keep_others(written);
        }
    }

    /// Rebuilds what was written, from the first member on, without the repeated ones.
    fn keep_others(&mut self, written: &[Written]) {
        let Some(first) = written.first() else { return };
        let text = self.text.split_off(first.at);
        let mut secrets = self.secrets.split_off(first.secrets_at).into_iter();
        let ends = written.iter().skip(1).map(|w| (w.at, w.secrets_at));
        let end = (
            first.at.saturating_add(text.len()),
            first.secrets_at.saturating_add(secrets.len()),
        );
        for (member, (to, secrets_to)) in written.iter().zip(ends.chain([end])) {
            let held = secrets
                .by_ref()
                .take(secrets_to.saturating_sub(member.secrets_at));
            if member.name == REPEATED {
                held.for_each(drop);
                continue;
            }
            self.secrets.extend(held);
            let range = member.at.saturating_sub(first.at)..to.saturating_sub(first.at);
            self.text.push_str(text.get(range).unwrap_or_default());
        }
    }
}

/// Reads values along with what is kept, and compares them part by part with what [`Shown`] would write of them. It says
/// no of some that say the same in another way.
pub(crate) struct Alike<'o> {
    /// What is left of the text.
    pub(crate) kept: &'o [u8],
    /// What is left of the marks.
    pub(crate) marks: std::slice::Iter<'o, Fingerprint>,
    /// The names of nested members.
    pub(crate) names: &'o mut Names,
    /// The token of the account that the values belong to.
    pub(crate) token: OwnToken<'o>,
    /// The salt of the marks.
    pub(crate) salt: &'o Salt,
}

impl Alike<'_> {
    /// Whether the text goes on with this byte, a member's name as JSON text, and its value.
    pub(crate) fn member(
        &mut self,
        before: u8,
        name: &[u8],
        value: Node<'_>,
        is_hidden: bool,
    ) -> bool {
        self.goes_on(before)
            && self.passes(name)
            && self.goes_on(b':')
            && self.value(value, is_hidden)
    }

    /// Whether the text goes on with this byte.
    fn goes_on(&mut self, byte: u8) -> bool {
        match self.kept.split_first() {
            Some((first, rest)) if *first == byte => {
                self.kept = rest;
                true
            }
            _ => false,
        }
    }

    /// Whether the text goes on with this.
    fn passes(&mut self, part: &[u8]) -> bool {
        match self.kept.split_at_checked(part.len()) {
            Some((same, rest)) if is_same(same, part) => {
                self.kept = rest;
                true
            }
            _ => false,
        }
    }

    /// Whether it goes on with this value, whose name may make it a secret.
    fn value(&mut self, value: Node<'_>, is_hidden: bool) -> bool {
        match value.kind() {
            Kind::Array | Kind::Object if is_hidden => false,
            Kind::Array => self.array(value),
            Kind::Object => self.object(value),
            Kind::String if is_hidden || is_secret(value, self.token) => {
                value.is_plain() && self.secret(value.raw())
            }
            _ if is_hidden => self.secret(value.raw()),
            _ => self.passes(value.raw_bytes()),
        }
    }

    fn secret(&mut self, secret: &str) -> bool {
        let mark = self.marks.next();
        self.passes(PLACE.as_bytes()) && mark == Some(&self.salt.of_secret(secret))
    }

    fn array(&mut self, array: Node<'_>) -> bool {
        let mut before = b'[';
        for element in array.parts() {
            if !(self.goes_on(before) && self.value(element, false)) {
                return false;
            }
            before = b',';
        }
        self.closes(before, b"[]")
    }

    fn object(&mut self, object: Node<'_>) -> bool {
        let mut before = b'{';
        for (key, value) in object.members() {
            let number = self.names.number(key.raw());
            let is_hidden = self.names.get(number).is_some_and(|name| name.hidden);
            if names_secret(key, self.token)
                || !self.member(before, key.raw_bytes(), value, is_hidden)
            {
                return false;
            }
            before = b',';
        }
        self.closes(before, b"{}")
    }

    /// Whether a container ends: `before` is a comma once a part was passed, and without one it must be `empty`.
    fn closes(&mut self, before: u8, empty: &[u8; 2]) -> bool {
        let [_, end] = empty;
        match before {
            b',' => self.goes_on(*end),
            _ => self.passes(empty),
        }
    }
}

/// Whether a string is a secret, wherever it stands.
pub(crate) fn is_secret(string: Node<'_>, token: OwnToken<'_>) -> bool {
    !looks_open(string, token) && is_secret_text(&string.says(), token)
}

/// Whether a member's name is itself a secret.
fn names_secret(key: Node<'_>, token: OwnToken<'_>) -> bool {
    !looks_open(key, token) && is_secret_key(&key.says(), token)
}

/// Whether a string is no secret by a look at its bytes, which tells most.
fn looks_open(string: Node<'_>, token: OwnToken<'_>) -> bool {
    string.is_plain() && is_surely_open(string.raw_bytes(), token)
}

/// A value as it came but for the white space between its parts: writing it anew at every level could take forever.
fn without_white_space(raw: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let stays = |c: &char| {
        let space = matches!(c, ' ' | '\n' | '\r' | '\t') && !in_string;
        match *c {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = *c == '\\' && !escaped;
        !space
    };
    raw.chars().filter(stays).collect()
}

/// Appends a string in canonical form.
fn push_canonical(out: &mut String, string: Node<'_>) {
    match string.is_plain() {
        true => out.push_str(string.raw()),
        false => push_quoted(out, &string.says()),
    }
}
