//! Names and keys that nobody can guess, from the system's randomness, and how such bytes are written.

use std::io;

/// `N` random bytes. The error is the system's.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// `N` random bytes as 2 × `N` lower-case hex digits. The error is the system's.
pub fn hex<const N: usize>() -> io::Result<String> {
    Ok(hex_of(&bytes::<N>()?))
}

/// Bytes as lower-case hex digits, two each.
pub fn hex_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            // Half a byte is always a digit.
            text.push(char::from_digit(half.into(), 16).unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lower_case_hex_and_never_the_same() {
        let (one, other) = (hex::<16>().unwrap(), hex::<16>().unwrap());
        assert_eq!(one.len(), 32);
        assert!(
            one.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_ne!(one, other);
        assert_eq!(hex_of(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }
}
