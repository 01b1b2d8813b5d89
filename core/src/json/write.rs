//! The canonical form: no white space, the fewest escapes, numbers as they came.

use super::run::plain_run;

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, _) = plain_run(rest.as_bytes());
        let (plain, from) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = from.chars();
        match chars.next() {
            Some(special) => push_escape(out, special),
            None => break,
        }
        rest = chars.as_str();
    }
    out.push('"');
}

/// The text as a JSON string, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    push_quoted(&mut out, text);
    out
}

fn push_escape(out: &mut String, c: char) {
    let short = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => {
            out.push_str("\\u00");
            push_hex(out, &[u8::try_from(c).unwrap_or_default()]);
            return;
        }
    };
    out.push_str(short);
}

/// Appends a count in decimal digits.
pub(crate) fn push_number(out: &mut String, number: u64) {
    const MOST: usize = 20;
    let (mut digits, mut from, mut rest) = ([b'0'; MOST], MOST, number);
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' | u8::try_from(rest % 10).unwrap_or(0);
        from = at;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.push_str(ascii(digits.get(from..).unwrap_or_default()));
}

/// Appends bytes as lower-case hex digits.
pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    let digit = |half: u8| match half {
        0..=9 => b'0' | half,
        _ => half.wrapping_add(b'a' - 10),
    };
    for eight in bytes.chunks(8) {
        let mut digits = [0; 16];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(eight) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        let len = eight.len().wrapping_mul(2);
        out.push_str(ascii(digits.get(..len).unwrap_or_default()));
    }
}

fn ascii(digits: &[u8]) -> &str {
    // INVARIANT: digits are ASCII.
    std::str::from_utf8(digits).unwrap_or_default()
}
