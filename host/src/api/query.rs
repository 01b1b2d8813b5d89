//! The parameters of an address, known by name and typed one by one; errors name the parameter and never repeat what it
//! held.

use hyper::Uri;
use tributary_core::{Owner, Provider, Salt, SourceId};

use super::cursor::{Cursor, List};
use crate::error::ApiError;
use crate::store::filter::{Filter, OwnedBy};

/// The parameters of [`Query::filter`].
pub(super) const FILTERS: [&str; 6] = ["provider", "source_id", "owner", "status", "type", "q"];
/// Most rows of a page.
const MOST: usize = 1_000;
/// Rows of a page where nothing else is asked for.
const ORDINARY: usize = 100;

/// Parameters by name. One that is empty counts as absent.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads those of an address: 422 for one that is not `known`, given twice, or not percent-encoded UTF-8.
    pub(super) fn parse(uri: &Uri, known: &[&str]) -> Result<Query, ApiError> {
        let mut query = Query(Vec::new());
        let parts = uri.query().unwrap_or_default().split('&');
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(ApiError::unprocessable(
                    "a parameter is not percent-encoded UTF-8",
                ));
            };
            query.put(name, value, known)?;
        }
        Ok(query)
    }

    /// Adds a parameter: 422 for one that is not `known`, or there already.
    pub(super) fn put(
        &mut self,
        name: String,
        value: String,
        known: &[&str],
    ) -> Result<(), ApiError> {
        if !known.contains(&name.as_str()) {
            return Err(unknown("parameter", &name, "address", known));
        }
        if self.0.iter().any(|(other, _)| *other == name) {
            return Err(refused(&name, "is given twice"));
        }
        self.0.push((name, value));
        Ok(())
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().find(|(given, _)| given == name);
        given
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Refuses parameters that are empty, for what hands secrets out: as of a variable that is not set, they would narrow
    /// nothing.
    pub(super) fn none_is_empty(&self) -> Result<(), ApiError> {
        match self.0.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(refused(name, "is empty: leave it out to mean all accounts")),
            None => Ok(()),
        }
    }

    /// The names of those that are not empty.
    pub(super) fn names(&self) -> Vec<&str> {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, _)| name.as_str()).collect()
    }

    /// A parameter that `read` knows; `wanted` tells which values those are.
    pub(super) fn one_of<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => match read(text) {
                Some(value) => Ok(Some(value)),
                None => Err(refused(name, &format!("must be {wanted}"))),
            },
        }
    }

    /// `true` or `false`; false when it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let read = |text: &str| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Ok(self
            .one_of(name, "`true` or `false`", read)?
            .unwrap_or(false))
    }

    /// `limit`: rows of a page, 1 to 1,000, else 100.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let read = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let limit: Option<usize> = digits.then(|| text.parse().ok())?;
            limit.filter(|limit| (1..=MOST).contains(limit))
        };
        Ok(self
            .one_of("limit", "a whole number from 1 to 1000", read)?
            .unwrap_or(ORDINARY))
    }

    /// `after`: where a list goes on; at its beginning when it is absent.
    pub(super) fn after(&self, list: List, salt: &Salt) -> Result<Option<Cursor>, ApiError> {
        self.one_of("after", "a `next` of this list", |text| {
            Cursor::read(text, list, salt)
        })
    }

    /// Which accounts are meant.
    pub(super) fn filter(&self) -> Result<Filter, ApiError> {
        let owned_by = |text: &str| match text {
            "none" => Some(OwnedBy::Nobody),
            _ => Owner::from_text(text).map(OwnedBy::Owner),
        };
        let text = |name| self.text(name).map(str::to_owned);
        Ok(Filter {
            provider: self.one_of("provider", "`gpt` or `grok`", Provider::from_exact)?,
            // A blank one would stand for no source, and so for the whole pool.
            source_id: self.one_of("source_id", "the id of a source", SourceId::new)?,
            owner: self.one_of("owner", OWNER, owned_by)?,
            status: text("status"),
            kind: text("type"),
            q: text("q"),
        })
    }
}

/// What an owner must be, in errors.
pub(super) const OWNER: &str = "`local`, or `source:` and an id, as GET /api/accounts/owners shows";

fn refused(name: &str, why: &str) -> ApiError {
    ApiError::unprocessable(format!("`{name}` {why}"))
}

/// A name that nobody knows is repeated only where it looks like one: it could be a token.
pub(super) fn unknown(what: &str, name: &str, whole: &str, known: &[&str]) -> ApiError {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let name = match name.len() <= 20 && name.bytes().all(plain) {
        true => format!("{what} `{name}` is unknown"),
        false => format!("a {what} is unknown"),
    };
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    ApiError::unprocessable(match known.is_empty() {
        true => format!("{name}: this {whole} takes none"),
        false => format!("{name}: this {whole} takes {}", known.join(", ")),
    })
}

/// Percent-encoded text, with `+` for a space; `None` when it is not that.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["q", "limit"];

    fn read(query: &str) -> Result<Query, ApiError> {
        let uri = format!("/x?{query}").parse().unwrap();
        Query::parse(&uri, &KNOWN)
    }

    fn error(query: &str) -> String {
        read(query).err().unwrap().message().to_owned()
    }

    #[test]
    fn a_parameter_is_decoded_and_an_empty_one_is_absent() {
        for (query, q) in [
            ("q=a+b%20c", Some("a b c")),
            ("q=%E6%AD%A3%E5%B8%B8", Some("正常")),
            ("q=a%3Db=c", Some("a=b=c")),
            ("%71=x", Some("x")),
            ("q=", None),
            ("q", None),
            ("&&limit=1&", None),
            ("", None),
        ] {
            assert_eq!(read(query).unwrap().text("q"), q, "{query}");
        }
    }

    #[test]
    fn what_is_unknown_repeated_or_not_text_is_refused() {
        assert_eq!(
            error("quota=1"),
            "parameter `quota` is unknown: this address takes `q`, `limit`"
        );
        assert_eq!(
            error("sk-Example=1"),
            "a parameter is unknown: this address takes `q`, `limit`"
        );
        assert_eq!(error("q=a&q=a"), "`q` is given twice");
        for query in ["q=%", "q=%zz", "q=%e6", "%ff=1", "q=%+1"] {
            assert_eq!(
                error(query),
                "a parameter is not percent-encoded UTF-8",
                "{query}"
            );
        }
    }

    #[test]
    fn a_limit_is_a_whole_number() {
        let limit = |text: &str| read(&format!("limit={text}")).unwrap().limit().ok();
        for (text, rows) in [
            ("", Some(100)),
            ("1", Some(1)),
            ("1000", Some(1_000)),
            ("007", Some(7)),
        ] {
            assert_eq!(limit(text), rows, "{text}");
        }
        for text in [
            "0",
            "1001",
            "-1",
            "%2B1",
            "1.0",
            "x",
            "99999999999999999999",
        ] {
            assert_eq!(limit(text), None, "{text}");
        }
    }
}
