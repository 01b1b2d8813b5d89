//! Keyed fingerprints: what decisions compare in place of tokens and secret values.

use crate::json::push_hex;
use siphasher::sip128::SipHasher24;
use std::fmt;
use zeroize::Zeroizing;

/// 128 bits of a keyed hash: BLAKE3 for what is compared, and see [`Salt::of_entry`]. Without the pool's salt it says nothing
/// about what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint whose bytes these are, as [`Fingerprint::as_bytes`] gave them.
    pub fn from_bytes(bytes: [u8; 16]) -> Fingerprint {
        Fingerprint(bytes)
    }

    /// Its 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash by which a table finds it: its halves put together. They are random already, unless whoever wrote a context has
    /// chosen them: those that were counted up differ in few bits, and all of them come to have a part in both ends.
    pub(crate) fn spread(&self) -> u64 {
        let (halves, _) = self.0.as_chunks::<8>();
        let together = halves.iter().fold(0u64, |hash, half| {
            hash.rotate_left(32) ^ u64::from_le_bytes(*half)
        });
        let spread = together.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        spread ^ (spread >> 32)
    }

    /// Reads 32 hex digits; `None` for anything else.
    pub fn from_hex(hex: &str) -> Option<Fingerprint> {
        from_hex(hex).map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    /// 32 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = String::with_capacity(32);
        push_hex(&mut hex, &self.0);
        f.write_str(&hex)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The pool's random salt: 32 bytes that make its fingerprints its own.
#[derive(Clone)]
pub struct Salt {
    token_key: Zeroizing<[u8; 32]>,
    secret_key: Zeroizing<[u8; 32]>,
    entry_key: Zeroizing<[u8; 16]>,
}

impl Salt {
    /// The salt made of these bytes.
    pub fn new(bytes: [u8; 32]) -> Salt {
        let for_entries = Zeroizing::new(blake3::derive_key(ENTRIES, &bytes));
        Salt {
            token_key: Zeroizing::new(bytes),
            secret_key: Zeroizing::new(blake3::derive_key("tributary secret values v1", &bytes)),
            entry_key: Zeroizing::new(first_half(&for_entries)),
        }
    }

    /// Reads 64 hex digits; `None` for anything else.
    pub fn from_hex(hex: &str) -> Option<Salt> {
        from_hex(hex).map(Salt::new)
    }

    /// The identity of the account with this token.
    pub fn of_token(&self, token: &str) -> Fingerprint {
        shorten(blake3::keyed_hash(&self.token_key, token.as_bytes()))
    }

    /// What stands for a secret value, given as its JSON text.
    pub fn of_secret(&self, value: &str) -> Fingerprint {
        shorten(blake3::keyed_hash(&self.secret_key, value.as_bytes()))
    }

    /// What stands for an entry, given as it came. An account that an entry has brought or updated, and that nothing has
    /// changed since, is left as it is by the same entry of an importer that owns it: neither need be read again.
    ///
    /// 128 bits of SipHash-2-4, in a third of BLAKE3's time for texts of a kilobyte. Its key is for nothing else: whoever found
    /// it could guess at entries in a copy of the pool, and have one taken for another of the same source.
    pub fn of_entry(&self, raw: &[u8]) -> Fingerprint {
        let hasher = SipHasher24::new_with_key(&self.entry_key);
        Fingerprint(hasher.hash(raw).as_bytes())
    }
}

/// What the key for entries is for. The number changes with what is made of entries: accounts of before are then read again.
const ENTRIES: &str = "tributary entries v4";

fn shorten(hash: blake3::Hash) -> Fingerprint {
    Fingerprint(first_half(hash.as_bytes()))
}

fn first_half(bytes: &[u8; 32]) -> [u8; 16] {
    let [half, _] = bytes.as_chunks().0 else {
        return [0; 16];
    };
    *half
}

pub(crate) fn from_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (to, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *to = u8::try_from((high? << 4) | low?).ok()?;
    }
    Some(bytes)
}
