//! Reads text that the scanner has accepted. Every function is total: on other text it stops early.

use super::run::plain_run;
use std::borrow::Cow;

/// The kinds of JSON values. A tape has them by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// The kind of a value, told by its first byte.
pub(crate) fn kind(value: &str) -> Kind {
    kind_of(value.as_bytes().first())
}

pub(super) fn kind_of(first: Option<&u8>) -> Kind {
    match first {
        Some(b'"') => Kind::String,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// Whether a byte is white space, told by a bit for each: of a `match`, the compiler makes a jump that the bytes behind take
/// part in.
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    const SPACES: u64 = 1 << b' ' | 1 << b'\t' | 1 << b'\n' | 1 << b'\r';
    byte <= b' ' && SPACES >> byte & 1 == 1
}

/// The members of an object in the order of the text: raw key (quotes included) and raw value.
pub(crate) fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Cursor::new(inside(object));
    std::iter::from_fn(move || {
        rest.peek()?;
        Some((rest.value(), rest.value()))
    })
}

/// The elements of an array in the order of the text.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut rest = Cursor::new(inside(array));
    std::iter::from_fn(move || {
        rest.peek()?;
        Some(rest.value())
    })
}

/// What a string says. Borrowed where the text has no escape.
pub(crate) fn text(string: &str) -> Cow<'_, str> {
    unescaped(inside(string))
}

/// The string at the front of a text, quotes included.
pub(crate) fn string_at(text: &[u8]) -> &str {
    let string = text.get(..string_len(text)).unwrap_or_default();
    std::str::from_utf8(string).unwrap_or_default()
}

/// What the inside of a string says.
pub(super) fn unescaped(raw: &str) -> Cow<'_, str> {
    if raw.as_bytes().contains(&b'\\') {
        Cow::Owned(unescape(raw))
    } else {
        Cow::Borrowed(raw)
    }
}

fn unescape(escaped: &str) -> String {
    let mut out = String::with_capacity(escaped.len());
    let (mut rest, mut high) = (escaped, 0u32);
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut after = escape.chars();
        after.next();
        let short = after.next().unwrap_or('\\');
        rest = after.as_str();
        if short == 'u' {
            let (digits, behind) = rest.split_at_checked(4).unwrap_or((rest, ""));
            rest = behind;
            let digits = digits.chars().filter_map(|c| c.to_digit(16));
            push_unit(&mut out, digits.fold(0, |n, d| (n << 4) | d), &mut high);
            continue;
        }
        out.push(match short {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            other => other,
        });
    }
    out.push_str(rest);
    out
}

/// One UTF-16 unit; a high surrogate waits in `high` for its other half.
fn push_unit(out: &mut String, unit: u32, high: &mut u32) {
    match unit {
        0xD800..=0xDBFF => *high = unit,
        0xDC00..=0xDFFF => out.extend(char::from_u32(join(*high, unit))),
        _ => out.extend(char::from_u32(unit)),
    }
}

/// The code point of a surrogate pair.
fn join(high: u32, low: u32) -> u32 {
    let offset = ((high & 0x3FF) << 10) | (low & 0x3FF);
    offset.saturating_add(0x10000)
}

/// Walks through text once, from front to back.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { rest: text }
    }

    /// The next byte after white space and separators; `None` at the end.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.rest.as_bytes();
        let skip = bytes
            .iter()
            .position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':'));
        self.rest = skip
            .and_then(|skip| self.rest.get(skip..))
            .unwrap_or_default();
        self.rest.as_bytes().first().copied()
    }

    /// Steps over one bracket.
    pub(crate) fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// What was not walked through yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Takes the next value whole; empty at the end.
    pub(crate) fn value(&mut self) -> &'a str {
        self.peek();
        let len = value_len(self.rest.as_bytes());
        let (value, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        value
    }
}

/// What lies between the quotes of a string or the brackets of a container.
fn inside(value: &str) -> &str {
    value
        .get(1..value.len().saturating_sub(1))
        .unwrap_or_default()
}

fn value_len(from: &[u8]) -> usize {
    match kind_of(from.first()) {
        Kind::String => string_len(from),
        Kind::Array | Kind::Object => container_len(from),
        Kind::Null | Kind::Bool | Kind::Number => from
            .iter()
            .position(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' | b']' | b'}'))
            .unwrap_or(from.len())
            .max(usize::from(!from.is_empty())),
    }
}

fn string_len(from: &[u8]) -> usize {
    let mut len = 1usize;
    while let Some(rest) = from.get(len..) {
        let plain = plain_run(rest).0;
        len = len.saturating_add(plain);
        match rest.get(plain) {
            Some(b'\\') => len = len.saturating_add(2),
            Some(_) => return len.saturating_add(1),
            None => break,
        }
    }
    from.len()
}

fn container_len(from: &[u8]) -> usize {
    let mut len = 0usize;
    let mut depth = 0usize;
    while let Some(&byte) = from.get(len) {
        let step = match byte {
            b'"' => string_len(from.get(len..).unwrap_or_default()),
            _ => 1,
        };
        len = len.saturating_add(step);
        match byte {
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return len;
        }
    }
    from.len()
}
