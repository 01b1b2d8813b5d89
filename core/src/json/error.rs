//! What can be wrong with a text.

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

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            TextFault::Syntax => "is not valid JSON",
            TextFault::Utf8 => "is not valid UTF-8",
            TextFault::Surrogate => "has a lone surrogate",
            TextFault::Depth => "is nested more than 128 deep",
        };
        write!(f, "{what} at byte {}", self.offset)
    }
}
