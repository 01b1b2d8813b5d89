//! Compares an answer with a documented one, character for character but for what differs from run to run.

use super::client::Answer;

/// The answer has this status and, without the white space between its parts, this text. Generated ids become `<source 1>`,
/// `<job 1>`, … in the order they appear, and times `<time>`, on both sides: so an id that is repeated must be repeated.
pub(crate) fn check(answer: &Answer, status: u16, documented: &str) {
    assert_json(answer);
    assert_eq!(
        (answer.status, normal(&answer.body)),
        (status, normal(documented))
    );
}

/// An error has this status and exactly this text.
pub(crate) fn check_error(answer: &Answer, status: u16, text: &str) {
    let documented = serde_json::json!({ "detail": { "error": text } });
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (status, documented.to_string().as_str()),
        "{answer:?}"
    );
    assert_json(answer);
}

/// An error has this status and the shape of every error, whatever it says.
pub(crate) fn check_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let text = answer.json()["detail"]["error"]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| panic!("no text: {answer:?}"));
    assert!(
        !text.is_empty() && !text.ends_with('.'),
        "an error says what to do, without a full stop: {text:?}"
    );
}

fn assert_json(answer: &Answer) {
    let content_type = answer.header("content-type").unwrap_or_default();
    assert!(content_type.starts_with("application/json"), "{answer:?}");
}

/// JSON text without white space between its parts and with what is generated replaced by names.
pub(crate) fn normal(text: &str) -> String {
    let mut names = Names::default();
    let mut normal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        normal.extend(rest[..at].split_whitespace());
        let length = string_length(&rest[at..]);
        let (string, behind) = rest[at..].split_at(length);
        normal.push_str(&names.of(string));
        rest = behind;
    }
    normal.extend(rest.split_whitespace());
    normal
}

/// The length of the JSON string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[derive(Default)]
struct Names {
    sources: Vec<String>,
    jobs: Vec<String>,
}

impl Names {
    fn of(&mut self, string: &str) -> String {
        let inner = string.trim_matches('"');
        if is_hex(inner, 12) {
            numbered("source", &mut self.sources, inner)
        } else if is_hex(inner, 32) {
            numbered("job", &mut self.jobs, inner)
        } else if is_time(inner) {
            "<time>".to_owned()
        } else {
            string.to_owned()
        }
    }
}

fn numbered(kind: &str, seen: &mut Vec<String>, id: &str) -> String {
    let number = seen.iter().position(|s| s == id).unwrap_or_else(|| {
        seen.push(id.to_owned());
        seen.len() - 1
    });
    format!("<{kind} {}>", number + 1)
}

/// Lower-case hex digits of this length.
pub(crate) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// UTC to the second: `2026-05-23T10:15:30+00:00`.
pub(crate) fn is_time(text: &str) -> bool {
    let pattern = b"0000-00-00T00:00:00+00:00";
    text.len() == pattern.len()
        && text.ends_with("+00:00")
        && text.bytes().zip(pattern).all(|(b, p)| {
            if p.is_ascii_digit() {
                b.is_ascii_digit()
            } else {
                b == *p
            }
        })
}

#[test]
fn names_keep_repeated_ids_apart_from_new_ones() {
    let text = r#"{ "a": "a1b2c3d4e5f6", "b": ["a1b2c3d4e5f6", "b1b2c3d4e5f6"], "c": "x \" y", "d": "2026-05-23T10:15:30+00:00" }"#;
    assert_eq!(
        normal(text),
        r#"{"a":<source 1>,"b":[<source 1>,<source 2>],"c":"x \" y","d":<time>}"#
    );
}
