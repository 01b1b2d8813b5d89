//! The two providers an account can belong to.

use std::fmt;

/// Whose account it is. `Gpt` is the default where nothing names a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// GPT, also written `openai`, `chatgpt` or `chat-gpt` in payloads.
    #[default]
    Gpt,
    /// Grok, also written `xai` or `x-ai` in payloads.
    Grok,
}

impl Provider {
    /// The name used in answers, files and tables: `gpt` or `grok`.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Gpt => "gpt",
            Provider::Grok => "grok",
        }
    }

    /// Reads the exact name that requests and sources use; `None` for anything else, the empty string included.
    pub fn from_exact(name: &str) -> Option<Provider> {
        match name {
            "gpt" => Some(Provider::Gpt),
            "grok" => Some(Provider::Grok),
            _ => None,
        }
    }

    /// Reads a name as an entry of a payload writes it: trimmed, case-folded, aliases known; `None` for any other.
    pub fn from_entry(name: &str) -> Option<Provider> {
        const KNOWN: [(&str, Provider); 7] = [
            ("gpt", Provider::Gpt),
            ("openai", Provider::Gpt),
            ("chatgpt", Provider::Gpt),
            ("chat-gpt", Provider::Gpt),
            ("grok", Provider::Grok),
            ("xai", Provider::Grok),
            ("x-ai", Provider::Grok),
        ];
        let name = name.trim();
        let is = |(known, _): &&(&str, Provider)| name.eq_ignore_ascii_case(known);
        KNOWN.iter().find(is).map(|(_, provider)| *provider)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
