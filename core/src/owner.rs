//! Who owns an account.

use crate::json::push_quoted;
use std::fmt;
use std::sync::Arc;

/// The id under which a source, or an inject with a `source_id`, imports. Trimmed, never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(Arc<str>);

impl SourceId {
    /// The id in `text`, trimmed; `None` when it is blank.
    pub fn new(text: &str) -> Option<SourceId> {
        let text = text.trim();
        (!text.is_empty()).then(|| SourceId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One owner. A source called `local` is a source: owners are never compared as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A person, or an import without a source.
    Local,
    /// A source, or an inject label.
    Source(SourceId),
}

impl Owner {
    /// Reads what [`Owner`] is written as: `local`, or `source:` and an id that is not blank.
    pub fn from_text(text: &str) -> Option<Owner> {
        match text.strip_prefix("source:") {
            Some(id) => SourceId::new(id).map(Owner::Source),
            None => (text == "local").then_some(Owner::Local),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Local => f.write_str("local"),
            Owner::Source(id) => write!(f, "source:{}", id.as_str()),
        }
    }
}

/// The set of owners of an account, sources in the order of their latest import that changed it: the last is the
/// account's `remote_source_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    local: bool,
    sources: Vec<SourceId>,
}

impl Owners {
    /// The set of these owners; a source named twice counts where it stands last.
    pub fn new(local: bool, sources: impl IntoIterator<Item = SourceId>) -> Owners {
        let owners = Owners {
            local,
            sources: Vec::new(),
        };
        sources
            .into_iter()
            .fold(owners, |owners, source| owners.with(&Owner::Source(source)))
    }

    /// Whether `owner` is in the set.
    pub fn contains(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Local => self.local,
            Owner::Source(id) => self.sources.contains(id),
        }
    }

    /// Whether nobody owns the account.
    pub fn is_empty(&self) -> bool {
        !self.local && self.sources.is_empty()
    }

    /// Whether a person, or an import without a source, is among the owners.
    pub fn local(&self) -> bool {
        self.local
    }

    /// The sources, the latest importer last.
    pub fn sources(&self) -> &[SourceId] {
        &self.sources
    }

    /// The set with `owner` in it, as the latest importer.
    #[must_use]
    pub fn with(mut self, owner: &Owner) -> Owners {
        match owner {
            Owner::Local => self.local = true,
            Owner::Source(id) => {
                self.sources.retain(|present| present != id);
                self.sources.push(id.clone());
            }
        }
        self
    }

    /// The set without `owner`.
    #[must_use]
    pub fn without(mut self, owner: &Owner) -> Owners {
        match owner {
            Owner::Local => self.local = false,
            Owner::Source(id) => self.sources.retain(|present| present != id),
        }
        self
    }

    /// `{"local": …, "sources": […]}` as JSON text.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.push_json(&mut out);
        out
    }

    /// Appends the same.
    pub(crate) fn push_json(&self, out: &mut String) {
        out.push_str(match self.local {
            true => r#"{"local":true,"sources":["#,
            false => r#"{"local":false,"sources":["#,
        });
        for (at, id) in self.sources.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_quoted(out, id.as_str());
        }
        out.push_str("]}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_called_local_is_a_source() {
        for text in ["local", "source:local", "source:a1b2", "source:source:x"] {
            assert_eq!(Owner::from_text(text).unwrap().to_string(), text);
        }
        assert_ne!(Owner::from_text("local"), Owner::from_text("source:local"));
        for text in ["", "Local", "source:", "source: ", "a1b2", " local"] {
            assert_eq!(Owner::from_text(text), None, "{text}");
        }
    }
}
