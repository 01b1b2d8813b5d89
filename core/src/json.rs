//! JSON as this crate needs it: a push scanner that says what is JSON and where values lie, a reader for text that
//! the scanner accepted, and a writer of the one canonical form. Numbers stay text; nothing becomes a float.

mod error;
mod read;
mod root;
mod run;
mod scan;
mod tape;
mod write;

pub use error::{TextError, TextFault};
pub(crate) use read::{Cursor, Kind, elements, kind, members, string_at, text};
pub(crate) use root::root;
pub(crate) use scan::{Event, Scanner};
pub(crate) use tape::{DEEPEST, Node, Tape};
pub(crate) use write::{push_hex, push_number, push_quoted, quoted};

/// Where something lies in a text: byte offset and length, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes before it.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

impl Span {
    /// The part of `text` that the span names; empty when it lies outside.
    pub fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let range = usize::try_from(self.offset)
            .ok()
            .zip(usize::try_from(self.len).ok());
        range
            .and_then(|(from, len)| text.get(from..from.checked_add(len)?))
            .unwrap_or_default()
    }
}
