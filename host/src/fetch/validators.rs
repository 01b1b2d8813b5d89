//! What a server calls the body that it sent, so that it can be asked whether there is another.

use std::time::SystemTime;

use hyper::StatusCode;
use hyper::header::{
    DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
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
    /// Those in the head of an answer that can be sent back without ever hiding another body. What is long, given
    /// twice, or no visible ASCII, is none. Only a 200 has all that is at its address.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Validators {
        if status != StatusCode::OK {
            return Validators::default();
        }
        let text = |name: HeaderName, is_name: &dyn Fn(&str) -> bool| {
            let mut values = headers.get_all(name).iter();
            let value = match (values.next(), values.next()) {
                (Some(value), None) => value.to_str().ok(),
                _ => None,
            };
            let value = value.filter(|value| is_fit(value) && is_name(value));
            value.unwrap_or_default().to_owned()
        };
        Validators {
            etag: text(ETAG, &is_one_tag),
            last_modified: text(LAST_MODIFIED, &|date| is_over(date, headers)),
        }
    }

    /// The headers that ask for a body with other names.
    pub(super) fn conditions(&self) -> HeaderMap {
        let names = [
            (IF_NONE_MATCH, &self.etag),
            (IF_MODIFIED_SINCE, &self.last_modified),
        ];
        let given = names.into_iter().filter(|(_, value)| !value.is_empty());
        // What was a header's value once is one again.
        let header = |(name, value): (_, &String)| Some((name, HeaderValue::from_str(value).ok()?));
        given.filter_map(header).collect()
    }
}

fn is_fit(value: &str) -> bool {
    value.len() <= LONGEST && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether it is one tag in quotes: sent back, `*` would mean any body whatever, and a list several.
fn is_one_tag(value: &str) -> bool {
    let quoted = value.strip_prefix("W/").unwrap_or(value);
    let opened = quoted.strip_prefix('"');
    let tag = opened.and_then(|rest| rest.strip_suffix('"'));
    tag.is_some_and(|tag| !tag.contains('"'))
}

/// Whether it is a second that was over when the answer was made. Another change within it would have the same date, and
/// a date that is yet to come would hide all changes until then.
fn is_over(date: &str, headers: &HeaderMap) -> bool {
    let time = |text: &str| httpdate::parse_http_date(text).ok();
    let told = headers.get(DATE).and_then(|date| date.to_str().ok());
    let answered = told.and_then(time).unwrap_or_else(SystemTime::now);
    let age = time(date).and_then(|modified| answered.duration_since(modified).ok());
    age.is_some_and(|age| age.as_secs() >= 1)
}
