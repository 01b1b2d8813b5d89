//! The push scanner: bytes in any pieces, events out. It decides what is JSON for every way into the core.

mod number;
mod string;

use super::error::{TextError, TextFault};
use super::read::is_space;
use super::{Kind, Node, Span, Tape};
use crate::payload::MAX_ENTRY;
pub(super) use number::Number;

/// Deepest nesting a payload may have.
pub(crate) const MAX_DEPTH: usize = 128;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// What the scanner met. Inside a value that is passed whole (see [`Scanner::watch`]) it reports nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'p> {
    /// An array or object whose inside is reported too.
    Open(Kind),
    /// Its end.
    Close,
    /// A key, quotes included.
    Key(Span),
    /// A whole value; with its text when that was in one piece, and then its own parts are on the tape.
    Value(Kind, Span, Option<&'p str>),
}

/// A value or key whose end is still to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// Bytes of it so far.
    pub(crate) len: u64,
    /// Whether it is a key.
    pub(crate) key: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was read yet: a byte order mark may come.
    Start,
    /// So many bytes of a byte order mark were read.
    Bom(usize),
    /// A value must come.
    Value,
    /// Just inside `[`: a value or `]`.
    FirstValue,
    /// Just inside `{`: a key or `}`.
    FirstKey,
    /// After a comma in an object.
    Key,
    Colon,
    /// A value has ended: a comma or the end of the container.
    After,
    /// The root has ended.
    Done,
    /// Inside a string.
    Text,
    /// After a backslash.
    Escape,
    /// Inside `\uXXXX`: digits still to come, and the value so far.
    Hex(u8, u16),
    /// After a high surrogate: a backslash must come.
    LowSlash,
    /// After that backslash: `u` must come.
    LowU,
    Number(Number),
    /// Inside `true`, `false` or `null`: what must still come.
    Literal(&'static [u8], Kind),
}

/// Reads JSON from pieces. The same bytes give the same events and the same error however they are cut.
pub(crate) struct Scanner {
    state: State,
    open: Vec<Kind>,
    /// Values that begin with this many containers open are passed whole.
    pub(crate) watch: usize,
    /// Levels that do not count towards the limit: the envelope around a payload.
    pub(crate) spare: usize,
    /// Bytes consumed so far.
    offset: u64,
    /// Where the reported value or key began.
    start: u64,
    in_key: bool,
    /// A high surrogate waits for its other half.
    high: bool,
    /// Where the escape in progress began.
    escape: u64,
    /// First bytes of a UTF-8 sequence that the end of a piece has cut.
    tail: Vec<u8>,
    /// The parts of the value reported last, when that was in one piece.
    tape: Tape,
    /// How many containers the reported parts can lie in, the value itself counted.
    pub(crate) levels: usize,
}

impl Scanner {
    /// A scanner that reports the members or elements of the root whole.
    pub(crate) fn new() -> Scanner {
        Scanner {
            state: State::Start,
            open: Vec::new(),
            watch: 1,
            spare: 0,
            offset: 0,
            start: 0,
            in_key: false,
            high: false,
            escape: 0,
            tail: Vec::new(),
            tape: Tape::default(),
            levels: 1,
        }
    }

    /// The value that was reported last with its text.
    pub(crate) fn reported<'t>(&'t self, text: &'t str) -> Node<'t> {
        self.tape.root(text)
    }

    /// A value that was reported last without its text, which was put together since.
    pub(crate) fn put_together<'t>(&'t mut self, text: &'t str) -> Node<'t> {
        self.tape.read_whole(text);
        self.tape.root(text)
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The value or key in progress that will be reported when it ends; `None` between values.
    pub(crate) fn pending(&self) -> Option<Pending> {
        let within = match self.state {
            State::Text | State::Escape | State::Hex(..) | State::LowSlash | State::LowU => true,
            State::Number(_) | State::Literal(..) => true,
            State::Start | State::Bom(_) | State::Value | State::FirstValue | State::FirstKey => {
                false
            }
            State::Key | State::Colon | State::After | State::Done => false,
        };
        let whole = self.depth() > self.watch;
        let len = self.offset.saturating_sub(self.start);
        (within || whole).then_some(Pending {
            len,
            key: self.in_key && within && !whole,
        })
    }

    /// Consumes bytes from the front of `piece` up to the next event; `None` when the piece is used up.
    pub(crate) fn next<'p>(
        &mut self,
        piece: &mut &'p [u8],
    ) -> Result<Option<Event<'p>>, TextError> {
        while let Some(&byte) = piece.first() {
            let event = match self.state {
                State::Text => self.in_text(byte, piece)?,
                State::Number(number) => self.in_number(number, piece)?,
                State::Escape | State::Hex(..) | State::LowSlash | State::LowU => {
                    self.in_escape(byte, piece)?
                }
                State::Literal(rest, kind) => self.in_literal(rest, kind, byte, piece)?,
                State::Start | State::Bom(_) => self.at_start(byte, piece)?,
                _ if is_space(byte) => self.consume(1, piece),
                _ => self.between(byte, piece)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Says that no more bytes come: the last event, if the end itself makes one.
    pub(crate) fn finish(&mut self) -> Result<Option<Event<'static>>, TextError> {
        match self.state {
            State::Number(number) if number.whole() && self.open.is_empty() => {
                Ok(self.end_value(Kind::Number))
            }
            State::Done => Ok(None),
            _ => self.fail(TextFault::Syntax),
        }
    }

    fn fail<T>(&self, fault: TextFault) -> Result<T, TextError> {
        Err(TextError {
            fault,
            offset: self.offset,
        })
    }

    fn consume(&mut self, count: usize, piece: &mut &[u8]) -> Option<Event<'static>> {
        *piece = piece.get(count..).unwrap_or_default();
        self.offset = self.offset.saturating_add(count as u64);
        None
    }

    fn at_start(
        &mut self,
        byte: u8,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        let read = if let State::Bom(read) = self.state {
            read
        } else {
            0
        };
        if BOM.get(read) == Some(&byte) {
            let read = read.saturating_add(1);
            self.state = if read == BOM.len() {
                State::Value
            } else {
                State::Bom(read)
            };
            return Ok(self.consume(1, piece));
        }
        if read > 0 {
            return Err(TextError {
                fault: TextFault::Syntax,
                offset: 0,
            });
        }
        self.state = State::Value;
        Ok(None)
    }

    /// Punctuation and the first byte of a value.
    fn between<'p>(
        &mut self,
        byte: u8,
        piece: &mut &'p [u8],
    ) -> Result<Option<Event<'p>>, TextError> {
        if self.depth() == self.watch
            && matches!(self.state, State::Value | State::FirstValue)
            && let Some(value) = self.whole_value(byte, piece)
        {
            return Ok(Some(value));
        }
        let event = match (self.state, byte) {
            (State::Value | State::FirstValue, _) if byte != b']' => self.begin(byte)?,
            (State::FirstKey | State::Key, b'"') => {
                self.in_key = true;
                self.begin_text();
                None
            }
            (State::Colon, b':') => {
                self.state = State::Value;
                None
            }
            (State::After, b',') => {
                self.state = if self.open.last() == Some(&Kind::Object) {
                    State::Key
                } else {
                    State::Value
                };
                None
            }
            (State::FirstValue, b']') => self.close(Kind::Array)?,
            (State::FirstKey, b'}') => self.close(Kind::Object)?,
            (State::After, b']') => self.close(Kind::Array)?,
            (State::After, b'}') => self.close(Kind::Object)?,
            _ => return self.fail(TextFault::Syntax),
        };
        self.consume(1, piece);
        Ok(event)
    }

    /// Reads a value that is passed whole at once, if all of it is there. What is wrong with one is said by those who read
    /// byte by byte.
    fn whole_value<'p>(&mut self, byte: u8, piece: &mut &'p [u8]) -> Option<Event<'p>> {
        let kind = match byte {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            _ => return None,
        };
        let most = usize::try_from(MAX_ENTRY).unwrap_or(usize::MAX);
        let depth = MAX_DEPTH
            .saturating_add(self.spare)
            .saturating_sub(self.depth());
        let text = piece.get(..most).unwrap_or(piece);
        let text = self.tape.read(text, depth, self.levels)?;
        self.start = self.offset;
        self.consume(text.len(), piece);
        self.ended();
        Some(Event::Value(kind, self.span_to(self.offset), Some(text)))
    }

    fn begin(&mut self, byte: u8) -> Result<Option<Event<'static>>, TextError> {
        let state = match byte {
            b'"' => {
                self.in_key = false;
                self.begin_text();
                return Ok(None);
            }
            b'{' => return self.open(Kind::Object),
            b'[' => return self.open(Kind::Array),
            b't' => State::Literal(b"rue", Kind::Bool),
            b'f' => State::Literal(b"alse", Kind::Bool),
            b'n' => State::Literal(b"ull", Kind::Null),
            _ => match Number::begin(byte) {
                Some(number) => State::Number(number),
                None => return self.fail(TextFault::Syntax),
            },
        };
        self.mark_start();
        self.state = state;
        Ok(None)
    }

    fn mark_start(&mut self) {
        if self.depth() <= self.watch {
            self.start = self.offset;
        }
    }

    fn begin_text(&mut self) {
        self.mark_start();
        self.state = State::Text;
    }

    fn open(&mut self, kind: Kind) -> Result<Option<Event<'static>>, TextError> {
        if self.depth() >= MAX_DEPTH.saturating_add(self.spare) {
            return self.fail(TextFault::Depth);
        }
        self.mark_start();
        let seen = self.depth() < self.watch;
        self.open.push(kind);
        self.state = if kind == Kind::Object {
            State::FirstKey
        } else {
            State::FirstValue
        };
        Ok(seen.then_some(Event::Open(kind)))
    }

    fn close(&mut self, kind: Kind) -> Result<Option<Event<'static>>, TextError> {
        if self.open.pop() != Some(kind) {
            return self.fail(TextFault::Syntax);
        }
        if self.depth() < self.watch {
            self.ended();
            return Ok(Some(Event::Close));
        }
        let end = self.offset.saturating_add(1);
        Ok(self.end_value_at(kind, end))
    }

    fn ended(&mut self) {
        self.state = if self.open.is_empty() {
            State::Done
        } else {
            State::After
        };
    }

    fn end_value(&mut self, kind: Kind) -> Option<Event<'static>> {
        self.end_value_at(kind, self.offset)
    }

    fn end_value_at(&mut self, kind: Kind, end: u64) -> Option<Event<'static>> {
        self.ended();
        (self.depth() <= self.watch).then(|| Event::Value(kind, self.span_to(end), None))
    }

    fn span_to(&self, end: u64) -> Span {
        Span {
            offset: self.start,
            len: end.saturating_sub(self.start),
        }
    }

    fn in_number(
        &mut self,
        mut number: Number,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        while let Some(&byte) = piece.first() {
            match number.after(byte) {
                Some(next) => number = next,
                None if number.whole() => return Ok(self.end_value(Kind::Number)),
                None => return self.fail(TextFault::Syntax),
            }
            self.consume(1, piece);
        }
        self.state = State::Number(number);
        Ok(None)
    }

    fn in_literal(
        &mut self,
        rest: &'static [u8],
        kind: Kind,
        byte: u8,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        let Some((_, rest)) = rest
            .split_first()
            .filter(|(expected, _)| **expected == byte)
        else {
            return self.fail(TextFault::Syntax);
        };
        self.consume(1, piece);
        if rest.is_empty() {
            return Ok(self.end_value(kind));
        }
        self.state = State::Literal(rest, kind);
        Ok(None)
    }
}
