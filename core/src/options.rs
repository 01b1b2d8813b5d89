//! What an import was asked to do.

use crate::owner::{Owner, SourceId};
use crate::provider::Provider;
use std::fmt;

/// What an import was asked to do, beside the payload itself.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// How the batch meets the pool.
    pub strategy: Strategy,
    /// Who imports; `None` for a person.
    pub source_id: Option<SourceId>,
    /// What new accounts belong to when their entry does not say; `None` means gpt.
    pub provider: Option<Provider>,
    /// What becomes of an account that loses its last owner.
    pub removal: Removal,
}

impl ImportOptions {
    /// The owner that the import makes.
    pub fn owner(&self) -> Owner {
        self.source_id.clone().map_or(Owner::Local, Owner::Source)
    }
}

/// What becomes of an account that loses its last owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Removal {
    /// It leaves the pool.
    #[default]
    Remove,
    /// It stays with the status `禁用`; its earlier status comes back with the next owner.
    Disable,
}

impl Removal {
    /// The name used in answers, files and tables: `remove` or `disable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Removal::Remove => "remove",
            Removal::Disable => "disable",
        }
    }

    /// Reads the exact name; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<Removal> {
        match name {
            "remove" => Some(Removal::Remove),
            "disable" => Some(Removal::Disable),
            _ => None,
        }
    }
}

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
