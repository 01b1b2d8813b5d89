//! Cases that nobody would write by hand, made from seeds: the same in every run, kept as files beside the others.
//!
//! `TRIBUTARY_BLESS=1` writes them; without it a test compares the files with what is made here.

use crate::conformance::PayloadText;
use std::fmt::Write;
use tributary_core::Salt;

/// A case before its answer.
pub(crate) struct Seeded {
    /// Folder and name below `cases`.
    pub(crate) path: String,
    pub(crate) shows: String,
    pub(crate) context: String,
    pub(crate) payload: PayloadText,
}

/// What makes a payload of one kind.
type Make = fn(&mut Dice) -> PayloadText;

const CONTEXT: &str = r#"{"source_id":"seeded"}"#;

/// Kind, folder, how many, what makes them, and what they show.
const KINDS: &[(&str, &str, u64, Make, &str)] = &[
    (
        "shape",
        "payload",
        24,
        shape,
        "lists, wrappers and what looks like them",
    ),
    (
        "bytes",
        "payload",
        16,
        bytes,
        "bytes that once were a payload",
    ),
    (
        "surrogate",
        "payload",
        16,
        surrogate,
        "halves of surrogate pairs, and whole ones",
    ),
    (
        "control",
        "payload",
        14,
        control,
        "NUL and other control characters, raw and escaped",
    ),
    (
        "mark",
        "payload",
        10,
        mark,
        "byte order marks where they may be and where not",
    ),
    ("depth", "payload", 12, depth, "nesting near the limit"),
    (
        "number",
        "normalize",
        24,
        number,
        "numbers huge, tiny and misspelt, kept as text or ignored",
    ),
    (
        "unicode",
        "normalize",
        20,
        unicode,
        "tokens and fields in many scripts, escaped or not",
    ),
    (
        "repeated",
        "normalize",
        16,
        repeated,
        "duplicate keys, of which the last wins",
    ),
    (
        "long",
        "normalize",
        10,
        long,
        "long strings, and tokens near the largest size",
    ),
];

/// All of them, in order.
pub(crate) fn all() -> Vec<Seeded> {
    let one = |(kind, folder, count, make, shows): &(&str, &str, u64, Make, &str)| {
        (0..*count)
            .map(|n| Seeded {
                path: format!("{folder}/seeded-{kind}-{n:02}.json"),
                shows: format!("seeded {n}: {shows}"),
                context: CONTEXT.into(),
                payload: make(&mut Dice::new(kind, n)),
            })
            .collect::<Vec<_>>()
    };
    let mut cases: Vec<_> = KINDS.iter().flat_map(one).collect();
    cases.extend((0..20).map(|n| against_a_pool("merge", n)));
    cases.extend((0..20).map(|n| against_a_pool("replace", n)));
    cases
}

/// SplitMix64: a few lines, and the same numbers for ever.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(kind: &str, n: u64) -> Dice {
        let seed = kind
            .bytes()
            .fold(n, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        Dice(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit as u64).expect("below a usize")
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

fn list(dice: &mut Dice, most: usize, mut entry: impl FnMut(&mut Dice, usize) -> String) -> String {
    let count = 1 + dice.below(most);
    let entries: Vec<_> = (0..count).map(|n| entry(dice, n)).collect();
    format!(
        "[{}]",
        entries.join(dice.one(&[",", ", ", " ,\n\t", ",\r\n"]))
    )
}

fn shape(dice: &mut Dice) -> PayloadText {
    let entry = |dice: &mut Dice, n: usize| {
        let token = format!("\"seeded-token-{}\"", dice.below(6));
        let name = dice.one(&["access_token", "token", "accessToken", "Token"]);
        let odd = [
            "null",
            "\"\"",
            "\" \"",
            "7",
            "true",
            "[]",
            "{}",
            "[\"nested\"]",
            "1.5",
        ];
        match dice.below(5) {
            0 | 1 => token,
            2 => format!("{{\"{name}\":{token},\"email\":\"p{n}@example.test\"}}"),
            3 => format!("{{\"access_token\":{},\"token\":{token}}}", dice.one(&odd)),
            _ => dice.one(&odd).into(),
        }
    };
    let mut member = |name: &str| match dice.below(4) {
        0 => format!(
            "\"{name}\":{}",
            dice.one(&["null", "7", "{}", "\"text\"", "[]"])
        ),
        _ => format!("\"{name}\":{}", list(dice, 4, entry)),
    };
    let (accounts, tokens) = (member("accounts"), member("tokens"));
    let other = dice.one(&[
        "\"Accounts\":[\"x\"]",
        "\"metadata\":{\"accounts\":[]}",
        "\"n\":1",
    ]);
    PayloadText::Text(match dice.below(6) {
        0 => list(dice, 6, entry),
        1 => format!("{{{accounts}}}"),
        2 => format!("{{{tokens},{other}}}"),
        3 => format!("{{{tokens},{accounts}}}"),
        4 => format!("{{{other},{accounts},{tokens}}}"),
        _ => dice
            .one(&["{}", "7", "null", "\"token\"", "[[]]", " [ ] "])
            .into(),
    })
}

fn bytes(dice: &mut Dice) -> PayloadText {
    let text = r#"{"accounts":[{"token":"seeded-ключ-1","quota":3,"email":"é@example.test"},"seeded-token-2",{"token":"🔑 3"}]}"#;
    let mut bytes = text.as_bytes().to_vec();
    match dice.below(3) {
        0 => bytes.truncate(dice.below(text.len())),
        1 => {
            let at = dice.below(bytes.len());
            bytes[at] = dice.one(b"\xff\xc0\xed\x80\x00{]\",:\\ ");
        }
        _ => {
            bytes.extend(dice.one(&[&b"\xf0\x9f"[..], b"]", b" \n", b",", b"\xef\xbb\xbf", b"{}"]))
        }
    }
    PayloadText::from_bytes(bytes)
}

fn surrogate(dice: &mut Dice) -> PayloadText {
    let escape = |dice: &mut Dice| {
        let (high, low) = (0xd800 + dice.below(0x400), 0xdc00 + dice.below(0x400));
        match dice.below(6) {
            0 => format!("\\u{high:04x}"),
            1 => format!("\\u{low:04X}"),
            2 => format!("\\u{low:04x}\\u{high:04x}"),
            3 => format!("\\u{high:04x}\\n\\u{low:04x}"),
            _ => format!("\\u{high:04x}\\u{low:04X}"),
        }
    };
    let (a, b) = (escape(dice), escape(dice));
    PayloadText::Text(match dice.below(4) {
        0 => format!("[\"seeded-{a}\",\"{b}\"]"),
        1 => format!("[{{\"token\":\"seeded\",\"{a}\":1}}]"),
        2 => format!("[{{\"token\":\"seeded\",\"metadata\":[[\"{a}\"]]}}]"),
        _ => format!("{{\"tokens\":[\"seeded\"],\"other\":\"{a}\"}}"),
    })
}

fn control(dice: &mut Dice) -> PayloadText {
    let code = dice.one(&[0, 0, 1, 8, 9, 10, 13, 0x1b, 0x1f, 0x7f, 0x85, 0xa0]);
    let raw = char::from(u8::try_from(code).expect("a byte"));
    let control = match dice.below(2) {
        0 => format!("\\u{code:04x}"),
        _ => raw.to_string(),
    };
    PayloadText::Text(match dice.below(4) {
        0 => format!("[\"{control}seeded{control}token\"]"),
        1 => format!("[{{\"token\":\"seeded\",\"no{control}te\":\"{control}\"}}]"),
        2 => format!("[\"seeded\"]{control}"),
        _ => format!("[{control}\"seeded\",\"seeded-2{control}\"]"),
    })
}

fn mark(dice: &mut Dice) -> PayloadText {
    let mark = '\u{feff}';
    PayloadText::Text(match dice.below(6) {
        0 => format!("{mark}[\"seeded-🔑\",{{\"token\":7}}]"),
        1 => format!("{mark}{mark}[\"seeded\"]"),
        2 => format!(" {mark}[\"seeded\"]"),
        3 => format!("[\"{mark}seeded{mark}\",\"seeded\"]"),
        4 => format!("{mark} {{\"tokens\":[\"seeded\"]}}{mark}"),
        _ => format!("{mark}\n{{\"{mark}tokens\":[],\"tokens\":[\"seeded\"]}}"),
    })
}

fn depth(dice: &mut Dice) -> PayloadText {
    let deep = dice.one(&[1, 60, 124, 125, 126, 127, 128, 129, 4_000]);
    let (open, close) = dice.one(&[("[", "]"), ("{\"a\":", "}"), (" [ ", "\n]")]);
    let nested = format!("{}1{}", open.repeat(deep), close.repeat(deep));
    PayloadText::Text(match dice.below(3) {
        0 => format!("[{{\"token\":\"seeded\",\"metadata\":{nested}}}]"),
        1 => format!("{{\"tokens\":[\"seeded\"],\"other\":{nested}}}"),
        _ => format!("[\"seeded\",{nested}]"),
    })
}

fn number(dice: &mut Dice) -> PayloadText {
    let digits = "8".repeat(1 + dice.below(400));
    let numbers = [
        "0",
        "-0",
        "7",
        "-1",
        "1.0",
        "1e3",
        "1E400",
        "-1e-400",
        "9007199254740991",
        "9007199254740992",
        "18446744073709551616",
        "0.1",
        "00",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x10",
        "NaN",
        "-",
        "1_000",
        &digits,
    ];
    let name = dice.one(&["quota", "success", "fail", "score"]);
    let (first, second) = (dice.one(&numbers), dice.one(&numbers[..12]));
    PayloadText::Text(format!(
        "[{{\"token\":\"seeded\",\"{name}\":{first},\"metadata\":{{\"n\":{second}}}}},{second}]"
    ))
}

fn unicode(dice: &mut Dice) -> PayloadText {
    let word = |dice: &mut Dice| {
        let words = [
            "ключ",
            "令牌",
            "مفتاح",
            "🔑🧑‍💻",
            "e\u{301}",
            "\u{200b}",
            "ß",
            "İ",
            "ﬀ",
            "\u{2028}",
            "\u{10ffff}",
            "Ω",
            "\u{a0}",
            "한국어",
        ];
        let word = dice.one(&words);
        match dice.below(3) {
            0 => word.encode_utf16().fold(String::new(), |mut text, unit| {
                write!(text, "\\u{unit:04x}").expect("memory takes it");
                text
            }),
            _ => word.to_owned(),
        }
    };
    let entry = |dice: &mut Dice, _: usize| {
        let (token, name, value) = (word(dice), word(dice), word(dice));
        match dice.below(3) {
            0 => format!("\"{token}{value}\""),
            1 => format!(
                "{{\"token\":\"{token}\",\"{name}\":\"{value}\",\"pass{name}word\":\"{value}\"}}"
            ),
            _ => format!(
                "{{\"token\":\"{token}{name}\",\"status\":\"{value}\",\"provider\":\"{}\"}}",
                dice.one(&["GPT", " xAI", "ＧＰＴ", "grok\\u00a0"])
            ),
        }
    };
    PayloadText::Text(list(dice, 5, entry))
}

fn repeated(dice: &mut Dice) -> PayloadText {
    let names = [
        "token",
        "access_token",
        "status",
        "quota",
        "metadata",
        "\\u0074oken",
        "email",
        "provider",
    ];
    let values = [
        "\"seeded-1\"",
        "\"seeded-2\"",
        "null",
        "7",
        "{\"a\":1,\"a\":2}",
        "\"\"",
        "\"grok\"",
    ];
    let entry = |dice: &mut Dice, _: usize| {
        let members: Vec<_> = (0..6)
            .map(|_| format!("\"{}\":{}", dice.one(&names), dice.one(&values)))
            .collect();
        format!("{{\"token\":\"seeded-0\",{}}}", members.join(","))
    };
    let (first, second) = (list(dice, 2, entry), list(dice, 3, entry));
    PayloadText::Text(match dice.below(3) {
        0 => format!("{{\"accounts\":{first},\"accounts\":{second}}}"),
        1 => format!("{{\"tokens\":{first},\"accounts\":{second},\"tokens\":null}}"),
        _ => second,
    })
}

fn long(dice: &mut Dice) -> PayloadText {
    let near = dice.one(&[39, 40, 41, 255, 4_096, 65_535, 65_536, 65_537]);
    let letter = dice.one(&["a", "é", "🔑", "\\n", "\\u0041"]);
    let unit = match letter {
        "\\n" | "\\u0041" => 1,
        other => other.len(),
    };
    let text = letter.repeat(near / unit);
    let email = format!("\"email\":\"{}\"", "x".repeat(dice.one(&[39, 40, 41, 300])));
    PayloadText::Text(match dice.below(3) {
        0 => format!("[\"{text}\",\"seeded\"]"),
        1 => format!("[{{\"token\":\"seeded{text}\",{email}}}]"),
        _ => format!("[{{\"token\":\"seeded\",\"note\":\"{text}\",{email}}}]"),
    })
}

/// A pool in which some of the payload's accounts are, with owners of every kind, and what an import does to it.
fn against_a_pool(strategy: &str, n: u64) -> Seeded {
    let mut dice = Dice::new(strategy, n);
    let mut accounts = Vec::new();
    for token in 0..12 {
        if dice.below(2) == 0 {
            accounts.push(account(&mut dice, token));
        }
    }
    let entry = |dice: &mut Dice, _: usize| {
        let token = dice.below(14);
        match dice.below(4) {
            0 => format!("\"seeded-token-{token}\""),
            1 => format!(
                "{{\"token\":\"seeded-token-{token}\",\"status\":\"{}\"}}",
                dice.one(&["正常", "limited"])
            ),
            2 => format!(
                "{{\"token\":\"seeded-token-{token}\",\"provider\":\"{}\",\"quota\":{}}}",
                dice.one(&["gpt", "grok", "claude"]),
                dice.below(3)
            ),
            _ => format!(
                "{{\"token\":\"seeded-token-{token}\",\"note\":\"n{}\",\"password\":\"pw{}\"}}",
                dice.below(3),
                dice.below(2)
            ),
        }
    };
    let payload = list(&mut dice, 9, entry);
    let removal = dice.one(&["remove", "disable"]);
    let source = dice.one(&["a", "b", "local"]);
    Seeded {
        path: format!("{strategy}/seeded-pool-{n:02}.json"),
        shows: format!("seeded {n}: a {strategy} into a pool that has some of it already"),
        context: format!(
            "{{\"strategy\":\"{strategy}\",\"source_id\":\"{source}\",\"removal\":\"{removal}\",\"pool\":[{}]}}",
            accounts.join(",")
        ),
        payload: PayloadText::Text(payload),
    }
}

fn account(dice: &mut Dice, token: usize) -> String {
    // The salt of a context that names none.
    let fingerprint = Salt::new([0; 32]).of_token(&format!("seeded-token-{token}"));
    let owners = dice.one(&[
        r#"{"local":true,"sources":[]}"#,
        r#"{"local":false,"sources":["a"]}"#,
        r#"{"local":false,"sources":["a","b"]}"#,
        r#"{"local":true,"sources":["b"]}"#,
        r#"{"local":false,"sources":["local"]}"#,
    ]);
    let (fields, secrets) = match dice.below(3) {
        0 => (
            r#""password":"…","quota":1"#.to_owned(),
            format!("[\"{}\"]", "0a".repeat(16)),
        ),
        1 => (r#""note":"n1","status":"limited""#.to_owned(), "[]".into()),
        _ => (
            r#""type":"free","status":"正常","quota":0,"success":0,"fail":0"#.to_owned(),
            "[]".into(),
        ),
    };
    let provider = dice.one(&["gpt", "grok"]);
    format!(
        "{{\"fingerprint\":\"{fingerprint}\",\"token\":\"se…{token}\",\"provider\":\"{provider}\",\"owners\":{owners},\"fields\":{{{fields}}},\"secrets\":{secrets}}}"
    )
}
