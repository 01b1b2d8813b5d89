//! What a server calls the body that it sent, so that it can be asked whether there is another.

use hyper::header::{
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

/// The longest name that is remembered, in bytes.
const LONGEST: usize = 1 << 10;

/// The names of a body; each is empty where the server gave none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its `ETag`.
    pub etag: String,
    /// Its `Last-Modified`.
    pub last_modified: String,
}

impl Validators {
    /// Those in the head of an answer. What is long, given twice, or no visible ASCII is none; so is `*`, which would mean
    /// every body.
    pub(super) fn of(headers: &HeaderMap) -> Validators {
        let visible = |value: &&str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let text = |name: HeaderName| {
            let mut values = headers.get_all(name).iter();
            let value = match (values.next(), values.next()) {
                (Some(value), None) => value.to_str().ok(),
                _ => None,
            };
            let value = value.filter(visible);
            let value = value.filter(|value| value.len() <= LONGEST && *value != "*");
            value.unwrap_or_default().to_owned()
        };
        Validators {
            etag: text(ETAG),
            last_modified: text(LAST_MODIFIED),
        }
    }

    /// The headers that ask for a body with other names.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        for (name, value) in [
            (IF_NONE_MATCH, &self.etag),
            (IF_MODIFIED_SINCE, &self.last_modified),
        ] {
            // What was a header's value once is one again.
            if let Ok(value) = HeaderValue::from_str(value)
                && !value.is_empty()
            {
                headers.insert(name, value);
            }
        }
    }
}
