//! What can be wrong with a text.

use super::write::push_number;
use std::fmt;

/// Why a text cannot be read, and where: the byte at which it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    /// What is wrong.
    pub fault: TextFault,
    /// Bytes before the place.
    pub offset: u64,
}

/// What can be wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// It is not JSON.
    Syntax,
    /// A string is not UTF-8.
    Utf8,
    /// A `\u` escape names half of a surrogate pair.
    Surrogate,
    /// It is nested deeper than 128.
    Depth,
}

impl TextError {
    /// Appends what is wrong, in words.
    pub(crate) fn push_words(&self, out: &mut String) {
        out.push_str(match self.fault {
            TextFault::Syntax => "is not valid JSON",
            TextFault::Utf8 => "is not valid UTF-8",
            TextFault::Surrogate => "has a lone surrogate",
            TextFault::Depth => "is nested more than 128 deep",
        });
        out.push_str(" at byte ");
        push_number(out, self.offset);
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        self.push_words(&mut words);
        f.write_str(&words)
    }
}
