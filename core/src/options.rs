//! What an import was asked to do.

use std::fmt;

/// How a batch meets the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Adds what is new, updates what exists, removes nothing.
    #[default]
    Merge,
    /// Makes the source's set of accounts equal the batch.
    Replace,
}

impl Strategy {
    /// The name used in answers, files and tables: `merge` or `replace`.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Merge => "merge",
            Strategy::Replace => "replace",
        }
    }

    /// Reads the exact name that requests and sources use; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<Strategy> {
        match name {
            "merge" => Some(Strategy::Merge),
            "replace" => Some(Strategy::Replace),
            _ => None,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
