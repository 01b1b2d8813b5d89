//! Tags of what is answered, and whether a client has it already.

use hyper::HeaderMap;
use hyper::header::IF_NONE_MATCH;

/// Whether one of the tags that a client has is this one; whether either is weak makes no difference.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = strong(tag);
    let given = headers.get_all(IF_NONE_MATCH).iter();
    given
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .map(strong)
        .any(|known| known == "*" || known == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_known_tag_is_found_among_others() {
        for (lines, known) in [
            (&["\"a1\""][..], true),
            (&["W/\"a1\""], true),
            (&["\"b2\", \"a1\""], true),
            (&["\"b2\"", "W/\"c3\",\"a1\" "], true),
            (&["*"], true),
            (&["\"a\""], false),
            (&["a1"], false),
            (&[""], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            for tag in ["\"a1\"", "W/\"a1\""] {
                assert_eq!(is_known(&headers, tag), known, "{lines:?}");
            }
        }
    }
}
