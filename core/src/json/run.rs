//! Runs of plain bytes inside strings: most of the bytes of a payload, so they are passed eight at a time.

/// Whether a byte put together from others has one that is not ASCII among them.
pub(crate) fn is_ascii(seen: u64) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    seen & HIGH == 0
}

/// The bytes at the front that end no string and begin no escape: how many, and all of them put together by `|`, eight
/// beside each other. Where the wasm must be small, little else than what is marked so is inlined.
#[inline]
pub(crate) fn plain_run(bytes: &[u8]) -> (usize, u64) {
    let mut len = 0usize;
    let mut seen = 0u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let special = special(word);
        if special != 0 {
            let plain = special.trailing_zeros() & !7;
            seen |= word & !u64::MAX.wrapping_shl(plain);
            return (len.wrapping_add((plain >> 3) as usize), seen);
        }
        seen |= word;
        len = len.wrapping_add(8);
    }
    for &byte in rest {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        seen |= u64::from(byte);
        len = len.wrapping_add(1);
    }
    (len, seen)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Marks the bytes that end a string or begin an escape. Exact up to and including the lowest one, which is all that is
/// read of it.
fn special(word: u64) -> u64 {
    // With this bit turned, what is below a space and the quote are what is below 0x21.
    let below_space_or_quote = (word ^ ONES.wrapping_mul(2)).wrapping_sub(ONES.wrapping_mul(0x21));
    let backslash = (word ^ ONES.wrapping_mul(u64::from(b'\\'))).wrapping_sub(ONES);
    (below_space_or_quote | backslash) & !word & ONES.wrapping_mul(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_where_its_bytes_say_one_by_one() {
        let special = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
        let neighbours = [
            b'a', b' ', b'!', b'#', 0x1f, b'"', b'\\', 0x7f, 0x80, 0xa1, 0xff,
        ];
        for byte in 0..=u8::MAX {
            for (at, neighbour) in (0..9).flat_map(|at| neighbours.map(|other| (at, other))) {
                let mut text = [b'a'; 10];
                text[at] = byte;
                text[at + 1] = neighbour;
                let expected = text.iter().position(special).unwrap_or(text.len());
                let (len, seen) = plain_run(&text);
                assert_eq!(len, expected, "{text:?}");
                assert_eq!(is_ascii(seen), text[..len].is_ascii(), "{text:?}");
            }
        }
    }
}
