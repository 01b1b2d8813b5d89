//! Bodies that are no JSON, or that no program should have to read.

use super::Behaviour;
use super::Ending::{self, Fails, Takes};

/// What is no JSON.
const REFUSED: Ending = Fails(&["not_json"]);

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    units
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

pub(super) fn all() -> Vec<Behaviour> {
    let deep = 100_000;
    vec![
        Behaviour::body("is empty", REFUSED, ""),
        Behaviour::body("is blank", REFUSED, " \r\n\t"),
        Behaviour::body(
            "has a million nulls",
            Takes(0),
            format!("[{}null]", "null,".repeat(999_999)),
        ),
        Behaviour::body("is null", Fails(&["shape"]), "null"),
        Behaviour::body("is a number", Fails(&["shape"]), "17"),
        Behaviour::body(
            "is a login page",
            Fails(&["html"]),
            "<!DOCTYPE html><title>Sign in</title>",
        ),
        Behaviour::body("is cut off", REFUSED, r#"["body-1", "body-"#),
        Behaviour::body("goes on after its end", REFUSED, r#"["body-1"] true"#),
        Behaviour::body(
            "is JSON by lines",
            REFUSED,
            "{\"token\": \"body-1\"}\n{\"token\": \"body-2\"}\n",
        ),
        Behaviour::body("has a comment", REFUSED, "[\"body-1\" /* none */]"),
        Behaviour::body("has single quotes", REFUSED, "['body-1']"),
        Behaviour::body("has a trailing comma", REFUSED, r#"["body-1",]"#),
        Behaviour::body(
            "has one entry more than are taken",
            Fails(&["refused"]),
            format!("[{}null]", "null,".repeat(1_000_000)),
        ),
        Behaviour::body("has NaN", REFUSED, r#"[{"token": "body-1", "quota": NaN}]"#),
        Behaviour::body(
            "has Infinity",
            REFUSED,
            r#"[{"token": "body-1", "quota": -Infinity}]"#,
        ),
        Behaviour::body(
            "has 1e400",
            Takes(1),
            r#"[{"token": "body-2", "n": 1e400}]"#,
        ),
        Behaviour::body(
            "has -0 and huge numbers",
            Takes(1),
            r#"[{"token": "body-3", "n": [-0, 123456789012345678901234567890, 1e-999]}]"#,
        ),
        Behaviour::body(
            "has a leading zero",
            REFUSED,
            r#"[{"token": "body-1", "n": 007}]"#,
        ),
        Behaviour::body(
            "has a byte order mark",
            Takes(1),
            b"\xef\xbb\xbf[\"body-4\"]".as_slice(),
        ),
        Behaviour::body(
            "is UTF-16 LE with a mark",
            REFUSED,
            [b"\xff\xfe".as_slice(), &utf16("[\"body-1\"]", true)].concat(),
        ),
        Behaviour::body("is UTF-16 BE", REFUSED, utf16("[\"body-1\"]", false)),
        Behaviour::body(
            "has NUL between values",
            REFUSED,
            b"[\"body-1\",\0\"body-2\"]".as_slice(),
        ),
        Behaviour::body("has NUL in a string", REFUSED, b"[\"body\0-1\"]".as_slice()),
        Behaviour::body("has a line feed in a string", REFUSED, "[\"body\n-1\"]"),
        Behaviour::body(
            "has invalid UTF-8",
            REFUSED,
            b"[\"body-\xff\xfe\"]".as_slice(),
        ),
        Behaviour::body(
            "has an overlong encoding",
            REFUSED,
            b"[\"body-\xc0\xaf\"]".as_slice(),
        ),
        Behaviour::body(
            "has an encoded surrogate",
            REFUSED,
            b"[\"body-\xed\xa0\x80\"]".as_slice(),
        ),
        Behaviour::body(
            "has a lone escaped surrogate",
            REFUSED,
            r#"["body-\ud800"]"#,
        ),
        Behaviour::body(
            "has surrogates the wrong way round",
            REFUSED,
            r#"["body-\udc00\ud800"]"#,
        ),
        Behaviour::body(
            "is nested 100,000 deep",
            REFUSED,
            format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        ),
        Behaviour::body(
            "nests objects 100,000 deep",
            REFUSED,
            format!("[{}1{}]", r#"{"a":"#.repeat(deep), "}".repeat(deep)),
        ),
        Behaviour::body("opens for ever", REFUSED, "[".repeat(5_000_000)),
        Behaviour::body(
            "names a key twice",
            Takes(1),
            r#"[{"token": "body-5", "token": "body-6"}]"#,
        ),
        Behaviour::body(
            "has a token of 1 MB",
            Takes(0),
            format!(r#"["{}"]"#, "x".repeat(1 << 20)),
        ),
        Behaviour::body(
            "has a key of 10 MB",
            Takes(0),
            format!(r#"[{{"token": "body-7", "{}": 1}}]"#, "k".repeat(10 << 20)),
        ),
        Behaviour::body(
            "has a string of 20 MB",
            Takes(0),
            format!(
                r#"[{{"token": "body-8", "note": "{}"}}]"#,
                "s".repeat(20 << 20)
            ),
        ),
        Behaviour::body(
            "has a million empty objects",
            Takes(0),
            format!("[{}{{}}]", "{},".repeat(999_999)),
        ),
        Behaviour::body(
            "says the same token 500,000 times",
            Takes(1),
            format!(r#"[{}"body-9"]"#, r#""body-9","#.repeat(500_000)),
        ),
        Behaviour::body(
            "has a million members",
            Takes(0),
            format!(
                r#"[{{"token": "body-10"{}}}]"#,
                (0..1_000_000)
                    .map(|n| format!(",\"m{n}\":1"))
                    .collect::<String>()
            ),
        ),
    ]
}
