//! A value that is read once and walked often: where each of its parts lies, in the order of the text.

use super::read::{Kind, is_space, kind_of, unescaped};
use super::run::plain_run;
use super::scan::{MAX_DEPTH, Number};
use std::borrow::Cow;

/// Deepest nesting of what the scanner accepts.
pub(crate) const DEEPEST: usize = MAX_DEPTH + 1;

/// Where one part lies and what it is, in two words: they are handed on in registers, where five values would go through
/// memory, which took wasm 2 % of a plan.
#[derive(Clone, Copy)]
struct Token {
    /// Where it begins and, in the upper half, where it ends.
    place: u64,
    /// How many tokens the part is, itself and all in it; in the upper half, one byte each, its kind and whether it is a string
    /// without an escape.
    what: u64,
}

impl Token {
    fn new(at: u32, end: u32, kind: Kind, plain: bool) -> Token {
        let kind = u32::from_le_bytes([kind as u8, u8::from(plain), 0, 0]);
        Token {
            place: join(at, end),
            what: join(1, kind),
        }
    }

    /// The token of a container, now that its end is known.
    fn closed(self, end: u32, size: u32) -> Token {
        Token {
            place: join(self.at(), end),
            what: join(size, upper(self.what)),
        }
    }

    fn at(&self) -> u32 {
        lower(self.place)
    }

    fn end(&self) -> u32 {
        upper(self.place)
    }

    fn size(&self) -> u32 {
        lower(self.what)
    }

    fn is_plain(&self) -> bool {
        let [_, plain, ..] = upper(self.what).to_le_bytes();
        plain != 0
    }

    fn kind(&self) -> Kind {
        let [kind, ..] = upper(self.what).to_le_bytes();
        match kind {
            0 => Kind::Null,
            1 => Kind::Bool,
            2 => Kind::Number,
            3 => Kind::String,
            4 => Kind::Array,
            _ => Kind::Object,
        }
    }
}

fn join(lower: u32, upper: u32) -> u64 {
    u64::from(lower) | u64::from(upper) << 32
}

fn lower(both: u64) -> u32 {
    let [a, b, c, d, ..] = both.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn upper(both: u64) -> u32 {
    lower(both >> 32)
}

/// The parts of a value. It is filled again and again: its memory is taken once.
#[derive(Default)]
pub(crate) struct Tape {
    /// Those that were read last, and behind them what is left of earlier texts.
    tokens: Vec<Token>,
    /// How many were read last.
    len: usize,
}

impl Tape {
    /// The tape of a text that the scanner has accepted, whose value is no larger than an entry.
    pub(crate) fn of(text: &str) -> Tape {
        let mut tape = Tape::default();
        tape.read_whole(text);
        tape
    }

    /// Reads a text that the scanner has accepted. Of any other it has no part.
    pub(crate) fn read_whole(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let read = match kind_of(bytes.first()) {
            Kind::String | Kind::Array | Kind::Object => self.read_levels(bytes, DEEPEST, DEEPEST),
            Kind::Null | Kind::Bool | Kind::Number => None,
        };
        if read != Some(bytes.len()) {
            self.tokens.clear();
            self.tokens.extend(
                u32::try_from(bytes.len())
                    .ok()
                    .map(|end| Token::new(0, end, kind_of(bytes.first()), false)),
            );
            self.len = self.tokens.len();
        }
    }

    /// Reads the string, array or object at the front of a text, with at most so many containers open at once: its text.
    /// `None` when it is none, or is not all there: the scanner then says which.
    ///
    /// What lies in more than `levels` containers is checked, and is not on the tape.
    pub(crate) fn read<'t>(
        &mut self,
        text: &'t [u8],
        depth: usize,
        levels: usize,
    ) -> Option<&'t str> {
        let end = self.read_levels(text, depth, levels)?;
        std::str::from_utf8(text.get(..end)?).ok()
    }

    /// The same, whether or not it is UTF-8: its length.
    fn read_levels(&mut self, text: &[u8], depth: usize, levels: usize) -> Option<usize> {
        self.len = 0;
        let mut reader = Reader {
            text,
            tape: self,
            inside: 0,
            levels,
        };
        reader.value(0, depth)
    }

    /// Adds one behind all that there ever were.
    #[cold]
    #[inline(never)]
    fn more(&mut self, token: Token) {
        self.tokens.push(token);
    }

    /// The value that was read, with its text.
    pub(crate) fn root<'t>(&'t self, text: &'t str) -> Node<'t> {
        Node {
            text,
            tokens: self.tokens.get(..self.len).unwrap_or_default(),
        }
    }
}

/// A part of a text.
#[derive(Clone, Copy)]
pub(crate) struct Node<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

impl<'t> Node<'t> {
    /// What it is.
    pub(crate) fn kind(&self) -> Kind {
        self.tokens.first().map_or(Kind::Null, Token::kind)
    }

    /// How many parts it is, itself and all in it.
    pub(crate) fn size(&self) -> usize {
        self.tokens.len()
    }

    /// The part with this number, from 0 for itself; none when there are not so many.
    pub(crate) fn part(&self, number: usize) -> Node<'t> {
        let from = self.tokens.get(number..).unwrap_or_default();
        let size = from.first().map_or(0, |token| token.size() as usize);
        Node {
            text: self.text,
            tokens: from.get(..size).unwrap_or_default(),
        }
    }

    /// Bytes of the text before it.
    pub(crate) fn at(&self) -> u32 {
        self.tokens.first().map_or(0, Token::at)
    }

    /// Its text. Marked like [`plain_run`], as it is asked for everywhere.
    #[inline]
    pub(crate) fn raw(&self) -> &'t str {
        let text = self.place().and_then(|place| self.text.get(place));
        text.unwrap_or_default()
    }

    /// The same as bytes, for those who only compare.
    #[inline]
    pub(crate) fn raw_bytes(&self) -> &'t [u8] {
        let bytes = self.text.as_bytes();
        let raw = self.place().and_then(|place| bytes.get(place));
        raw.unwrap_or_default()
    }

    #[inline]
    fn place(&self) -> Option<std::ops::Range<usize>> {
        let token = self.tokens.first()?;
        Some(token.at() as usize..token.end() as usize)
    }

    /// Whether it is a string that stands in the text as it says.
    pub(crate) fn is_plain(&self) -> bool {
        self.tokens.first().is_some_and(Token::is_plain)
    }

    /// What a string says. Borrowed where the text has no escape.
    pub(crate) fn says(&self) -> Cow<'t, str> {
        let raw = self.raw();
        let inside = raw.get(1..raw.len().wrapping_sub(1)).unwrap_or_default();
        match self.is_plain() {
            true => Cow::Borrowed(inside),
            false => unescaped(inside),
        }
    }

    /// The elements of an array, or the keys and values of an object in turns.
    pub(crate) fn parts(&self) -> Parts<'t> {
        Parts {
            text: self.text,
            tokens: self.tokens.get(1..).unwrap_or_default(),
        }
    }

    /// The members of an object, keys as strings.
    pub(crate) fn members(&self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> + use<'t> {
        let mut parts = self.parts();
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }
}

/// Walks through what lies in a container.
pub(crate) struct Parts<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

impl<'t> Iterator for Parts<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        let size = self.tokens.first()?.size() as usize;
        let (tokens, rest) = self.tokens.split_at_checked(size)?;
        self.tokens = rest;
        Some(Node {
            text: self.text,
            tokens,
        })
    }
}

/// Reads a text that is there as a whole. Each function reads what begins at `at` and tells where that ends. Those that nearly every
/// part goes through are always inlined, where the wasm must be small too: with a few others of the core, Node takes 5 to 10 % less time.
struct Reader<'r> {
    text: &'r [u8],
    tape: &'r mut Tape,
    /// Containers that are open.
    inside: usize,
    /// What lies in more of them than these is passed over.
    levels: usize,
}

impl Reader<'_> {
    fn value(&mut self, at: usize, depth: usize) -> Option<usize> {
        match *self.text.get(at)? {
            b'"' => self.string(at),
            b'{' => self.object(at, depth.checked_sub(1)?),
            b'[' => self.array(at, depth.checked_sub(1)?),
            b'-' | b'0'..=b'9' => self.number(at),
            b't' => self.word(at, b"true", Kind::Bool),
            b'f' => self.word(at, b"false", Kind::Bool),
            b'n' => self.word(at, b"null", Kind::Null),
            _ => None,
        }
    }

    fn object(&mut self, at: usize, depth: usize) -> Option<usize> {
        let number = self.open(at, Kind::Object)?;
        let mut at = self.space(at.wrapping_add(1));
        if self.text.get(at) == Some(&b'}') {
            return self.close(number, at);
        }
        loop {
            if self.text.get(at) != Some(&b'"') {
                return None;
            }
            at = self.string(at)?;
            at = self.space(at);
            if self.text.get(at) != Some(&b':') {
                return None;
            }
            at = self.space(at.wrapping_add(1));
            at = self.value(at, depth)?;
            at = self.space(at);
            match self.text.get(at)? {
                b',' => at = self.space(at.wrapping_add(1)),
                b'}' => return self.close(number, at),
                _ => return None,
            }
        }
    }

    fn array(&mut self, at: usize, depth: usize) -> Option<usize> {
        let number = self.open(at, Kind::Array)?;
        let mut at = self.space(at.wrapping_add(1));
        if self.text.get(at) == Some(&b']') {
            return self.close(number, at);
        }
        loop {
            at = self.value(at, depth)?;
            at = self.space(at);
            match self.text.get(at)? {
                b',' => at = self.space(at.wrapping_add(1)),
                b']' => return self.close(number, at),
                _ => return None,
            }
        }
    }

    /// The number of the container's token; it is completed when it closes.
    #[inline(always)]
    fn open(&mut self, at: usize, kind: Kind) -> Option<usize> {
        let number = self.tape.len;
        self.push(at, at, kind, false)?;
        self.inside = self.inside.wrapping_add(1);
        Some(number)
    }

    #[inline(always)]
    fn close(&mut self, number: usize, at: usize) -> Option<usize> {
        self.inside = self.inside.wrapping_sub(1);
        let (size, end) = (self.tape.len.wrapping_sub(number), at.wrapping_add(1));
        if self.is_passed_over() {
            return Some(end);
        }
        let token = self.tape.tokens.get_mut(number)?;
        *token = token.closed(u32::try_from(end).ok()?, u32::try_from(size).ok()?);
        Some(end)
    }

    fn is_passed_over(&self) -> bool {
        self.inside > self.levels
    }

    #[inline(always)]
    fn push(&mut self, at: usize, end: usize, kind: Kind, plain: bool) -> Option<usize> {
        if self.is_passed_over() {
            return Some(end);
        }
        let (begin, after) = (u32::try_from(at).ok()?, u32::try_from(end).ok()?);
        let token = Token::new(begin, after, kind, plain);
        // Most are written over earlier ones: that asks for no room.
        match self.tape.tokens.get_mut(self.tape.len) {
            Some(earlier) => *earlier = token,
            None => self.tape.more(token),
        }
        self.tape.len = self.tape.len.wrapping_add(1);
        Some(end)
    }

    #[inline(always)]
    fn space(&self, mut at: usize) -> usize {
        while self.text.get(at).is_some_and(|byte| is_space(*byte)) {
            at = at.wrapping_add(1);
        }
        at
    }

    #[inline(always)]
    fn string(&mut self, at: usize) -> Option<usize> {
        let mut end = at.wrapping_add(1);
        let mut plain = true;
        loop {
            let rest = self.text.get(end..)?;
            let (run, _) = plain_run(rest);
            end = end.wrapping_add(run);
            match rest.get(run)? {
                b'"' => return self.push(at, end.wrapping_add(1), Kind::String, plain),
                b'\\' => end = self.escape(end.wrapping_add(1))?,
                _ => return None,
            }
            plain = false;
        }
    }

    /// What follows a backslash.
    fn escape(&self, at: usize) -> Option<usize> {
        let after = at.wrapping_add(1);
        match self.text.get(at)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(after),
            b'u' => {
                let end = after.wrapping_add(4);
                match self.unit(after)? {
                    0xD800..=0xDBFF => self.low_surrogate(end),
                    0xDC00..=0xDFFF => None,
                    _ => Some(end),
                }
            }
            _ => None,
        }
    }

    fn low_surrogate(&self, at: usize) -> Option<usize> {
        let digits = at.wrapping_add(2);
        if self.text.get(at..digits)? != b"\\u" {
            return None;
        }
        matches!(self.unit(digits)?, 0xDC00..=0xDFFF).then_some(digits.wrapping_add(4))
    }

    /// Four hex digits.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at.wrapping_add(4))?;
        let digit = |value: u32, digit: &u8| Some((value << 4) | char::from(*digit).to_digit(16)?);
        digits.iter().try_fold(0, digit)
    }

    /// A number ends with a byte that does not belong to it: at the end of the text it could go on.
    fn number(&mut self, at: usize) -> Option<usize> {
        let mut number = Number::begin(*self.text.get(at)?)?;
        let mut end = at.wrapping_add(1);
        loop {
            match number.after(*self.text.get(end)?) {
                Some(next) => number = next,
                None if number.whole() => return self.push(at, end, Kind::Number, false),
                None => return None,
            }
            end = end.wrapping_add(1);
        }
    }

    #[inline(always)]
    fn word(&mut self, at: usize, word: &[u8], kind: Kind) -> Option<usize> {
        let end = at.wrapping_add(word.len());
        match self.text.get(at..end)? == word {
            true => self.push(at, end, kind, false),
            false => None,
        }
    }
}
