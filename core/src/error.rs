//! Why an import is refused as a whole.

use crate::json::{Span, TextError, TextFault, push_number};
use std::fmt;

/// A refusal: the import changes nothing. Its text is meant for people and repeats no value of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// The payload is not text that can be read.
    Text(TextError),
    /// More than 1,000,000 entries.
    TooManyEntries,
    /// Neither a list nor an object.
    NotAWrapper,
    /// An object with neither `accounts` nor `tokens`.
    NoList,
    /// `accounts` is something else than a list.
    AccountsNotAList,
    /// `tokens` is something else than a list.
    TokensNotAList,
    /// The body of an inject is JSON, but no object.
    BodyNotAnObject,
    /// The body of an inject has no payload in any form.
    PayloadMissing,
    /// A replace must say whose accounts it replaces.
    ReplaceNeedsSource,
    /// A replace with nothing in it would empty the source.
    ReplaceNeedsAccounts,
    /// A replace with an entry whose token cannot be read: what is missing must not be guessed.
    ReplaceNeedsTokens {
        /// The first such entry, from 0.
        index: u64,
        /// Where it lies.
        span: Span,
    },
    /// The context of [`crate::plan_json`] is not as its description says.
    Context(&'static str),
}

impl ImportError {
    /// The stable code that programs compare.
    pub fn code(&self) -> &'static str {
        match self {
            ImportError::Text(error) => match error.fault {
                TextFault::Syntax => "not_json",
                TextFault::Utf8 => "not_utf8",
                TextFault::Surrogate => "lone_surrogate",
                TextFault::Depth => "too_deep",
            },
            ImportError::TooManyEntries => "too_many_entries",
            ImportError::NotAWrapper => "not_a_wrapper",
            ImportError::NoList => "no_list",
            ImportError::AccountsNotAList => "accounts_not_a_list",
            ImportError::TokensNotAList => "tokens_not_a_list",
            ImportError::BodyNotAnObject => "body_not_an_object",
            ImportError::PayloadMissing => "payload_missing",
            ImportError::ReplaceNeedsSource => "replace_needs_source",
            ImportError::ReplaceNeedsAccounts => "replace_needs_accounts",
            ImportError::ReplaceNeedsTokens { .. } => "replace_needs_tokens",
            ImportError::Context(_) => "context",
        }
    }

    /// Where in the payload it went wrong: byte offset and length; `None` when no one place is to blame.
    pub fn place(&self) -> Option<Span> {
        match self {
            ImportError::Text(error) => Some(Span {
                offset: error.offset,
                len: 0,
            }),
            ImportError::ReplaceNeedsTokens { span, .. } => Some(*span),
            _ => None,
        }
    }

    /// What is wrong, in words. Put together without `fmt`, which would be much code in wasm for two numbers.
    pub(crate) fn message(&self) -> String {
        let mut message = String::new();
        match self {
            ImportError::Text(error) => {
                message.push_str("payload ");
                error.push_words(&mut message);
            }
            ImportError::ReplaceNeedsTokens { index, .. } => {
                message.push_str("replace requires a readable token in every entry: entry ");
                push_number(&mut message, *index);
                message.push_str(" has none");
            }
            other => message.push_str(other.sentence()),
        }
        message
    }

    /// What is wrong, where it needs no number.
    fn sentence(&self) -> &'static str {
        match self {
            ImportError::Text(_) | ImportError::ReplaceNeedsTokens { .. } => "",
            ImportError::TooManyEntries => {
                "payload has more than 1000000 entries: import it in parts"
            }
            ImportError::NotAWrapper => "payload must be a list or wrapper object",
            ImportError::NoList => "payload must contain accounts or tokens",
            ImportError::AccountsNotAList => "accounts must be a list",
            ImportError::TokensNotAList => "tokens must be a list",
            ImportError::BodyNotAnObject => "body must be a JSON object",
            ImportError::PayloadMissing => "payload, accounts, or tokens is required",
            ImportError::ReplaceNeedsSource => "replace requires source_id",
            ImportError::ReplaceNeedsAccounts => "replace requires a non-empty account payload",
            ImportError::Context(problem) => problem,
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for ImportError {}

impl From<TextError> for ImportError {
    fn from(error: TextError) -> ImportError {
        ImportError::Text(error)
    }
}
