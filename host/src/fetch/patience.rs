//! How long a server that cannot answer now asks to be left alone.

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest time that is believed, in seconds.
const LONGEST: u64 = 24 * 60 * 60;

/// The `Retry-After` of an answer, in seconds from now: as digits, or as a date that is compared with the answer's own.
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than fit are a long time, too.
        true => text.parse().unwrap_or(LONGEST),
        false => {
            let until = seconds_of(httpdate::parse_http_date(text).ok()?)?;
            let told = date(headers, DATE).or_else(|| seconds_of(SystemTime::now()));
            until.saturating_sub(told?)
        }
    };
    Some(seconds.min(LONGEST))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    seconds_of(httpdate::parse_http_date(text.trim()).ok()?)
}

fn seconds_of(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn after(status: u16, headers: &[(HeaderName, &'static str)]) -> Option<u64> {
        let headers = headers.iter().cloned();
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        retry_after(StatusCode::from_u16(status).unwrap(), &headers.collect())
    }

    #[test]
    fn a_server_says_how_long_to_wait() {
        let date = (DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        for (status, value, seconds) in [
            (429, "7", Some(7)),
            (503, " 120 ", Some(120)),
            (500, "0", Some(0)),
            (429, "Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            (429, "Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            (429, "Mon, 06 Nov 2090 08:50:37 GMT", Some(LONGEST)),
            (429, "99999999999999999999999", Some(LONGEST)),
            (429, "86401", Some(LONGEST)),
            (404, "7", None),
            (301, "7", None),
            (429, "", None),
            (429, "-1", None),
            (429, "soon", None),
            (429, "1.5", None),
        ] {
            let told = after(status, &[date.clone(), (RETRY_AFTER, value)]);
            assert_eq!(told, seconds, "{status} {value}");
        }
        assert_eq!(after(429, std::slice::from_ref(&date)), None);
        let past = [(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT")];
        assert_eq!(after(429, &past), Some(0), "the system's clock is later");
    }
}
