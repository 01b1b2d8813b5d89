//! The fields whose type is fixed, and what a new account starts with.

use crate::json::{Kind, kind, text};

/// A field whose type is fixed. All of them but `type` are runtime state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// `status`: a string that is not blank.
    Status,
    /// `type`: a string that is not blank.
    Type,
    /// `quota`: an integer from 0 to 2⁵³−1.
    Quota,
    /// `success`: an integer from 0 to 2⁵³−1.
    Success,
    /// `fail`: an integer from 0 to 2⁵³−1.
    Fail,
    /// `restore_at`: a string; an empty one clears it.
    RestoreAt,
    /// `last_used_at`: a string; an empty one clears it.
    LastUsedAt,
    /// `image_quota_unknown`: a boolean.
    ImageQuotaUnknown,
    /// `limits_progress`: a list.
    LimitsProgress,
}

impl Typed {
    pub(crate) const ALL: [Typed; 9] = [
        Typed::Status,
        Typed::Type,
        Typed::Quota,
        Typed::Success,
        Typed::Fail,
        Typed::RestoreAt,
        Typed::LastUsedAt,
        Typed::ImageQuotaUnknown,
        Typed::LimitsProgress,
    ];

    /// The typed field with this name.
    pub fn of(name: &str) -> Option<Typed> {
        Typed::ALL.into_iter().find(|typed| typed.name() == name)
    }

    /// A bit of its own.
    pub(crate) fn bit(self) -> u16 {
        1u16.wrapping_shl(self as u32)
    }

    /// Its name in payloads and answers.
    pub fn name(self) -> &'static str {
        let quoted = self.quoted();
        quoted
            .get(1..quoted.len().wrapping_sub(1))
            .unwrap_or_default()
    }

    /// Its name as JSON text.
    pub(crate) fn quoted(self) -> &'static str {
        match self {
            Typed::Status => "\"status\"",
            Typed::Type => "\"type\"",
            Typed::Quota => "\"quota\"",
            Typed::Success => "\"success\"",
            Typed::Fail => "\"fail\"",
            Typed::RestoreAt => "\"restore_at\"",
            Typed::LastUsedAt => "\"last_used_at\"",
            Typed::ImageQuotaUnknown => "\"image_quota_unknown\"",
            Typed::LimitsProgress => "\"limits_progress\"",
        }
    }

    /// What a new account starts with, as JSON text.
    pub(crate) fn start(self) -> Option<&'static str> {
        match self {
            Typed::Type => Some("\"free\""),
            Typed::Status => Some("\"正常\""),
            Typed::Quota | Typed::Success | Typed::Fail => Some("0"),
            Typed::RestoreAt
            | Typed::LastUsedAt
            | Typed::ImageQuotaUnknown
            | Typed::LimitsProgress => None,
        }
    }

    /// The fields that a new account starts with when its entry does not bring them.
    pub(crate) fn starts() -> impl Iterator<Item = (Typed, &'static str)> {
        let order = [
            Typed::Type,
            Typed::Status,
            Typed::Quota,
            Typed::Success,
            Typed::Fail,
        ];
        order
            .into_iter()
            .filter_map(|typed| Some((typed, typed.start()?)))
    }

    /// What [`Typed::accepts`] wants, in words.
    pub fn wanted(self) -> &'static str {
        match self {
            Typed::Status | Typed::Type => "a string that is not blank",
            Typed::Quota | Typed::Success | Typed::Fail => "an integer from 0 to 9007199254740991",
            Typed::RestoreAt | Typed::LastUsedAt => "a string",
            Typed::ImageQuotaUnknown => "true or false",
            Typed::LimitsProgress => "a list",
        }
    }

    /// Whether a value, given as JSON text, has the field's type.
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Typed::Status | Typed::Type => {
                kind(value) == Kind::String && !text(value).trim().is_empty()
            }
            Typed::Quota | Typed::Success | Typed::Fail => {
                let digits = value
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then_some(value);
                digits
                    .and_then(|digits| digits.parse().ok())
                    .is_some_and(|number: u64| number < 1 << 53)
            }
            Typed::RestoreAt | Typed::LastUsedAt => kind(value) == Kind::String,
            Typed::ImageQuotaUnknown => kind(value) == Kind::Bool,
            Typed::LimitsProgress => kind(value) == Kind::Array,
        }
    }
}
