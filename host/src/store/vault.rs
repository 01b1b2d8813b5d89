//! Seals what the database keeps of secrets, and opens it again.
//!
//! A sealed text is `TRS1`, the id of its key (4 bytes), a random nonce (12 bytes), then AES-256-GCM-SIV over the text,
//! with the identity of its row as associated data: what is moved to another row does not open.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use tributary_core::Fingerprint;
use zeroize::{Zeroize, Zeroizing};

use super::accounts::damaged;
use super::error::StoreError;
use crate::random::hex_of;

/// How a sealed text begins. No text that was ever kept unsealed does: those begin with a length below 2²⁴.
pub(super) const MARK: &[u8; 4] = b"TRS1";
const ID: usize = 4;
const NONCE: usize = 12;
const TAG: usize = 16;
/// Bytes in front of what is encrypted.
const HEAD: usize = MARK.len() + ID + NONCE;

/// Whose secret it is.
#[derive(Clone, Copy)]
pub enum Identity<'a> {
    /// An account's, wherever it is kept.
    Account(&'a Fingerprint),
    /// A source's, by its id.
    Source(&'a str),
    /// The pool's salt.
    Salt,
    /// The key of the audit's chain.
    AuditKey,
    /// Where that chain ends.
    AuditEnd,
}

/// A master key: 32 random bytes. Sealing uses a key derived from it.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The key with these bytes.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> MasterKey {
        MasterKey(bytes)
    }

    /// What names the key without telling anything of it: 8 hex digits.
    pub fn id(&self) -> String {
        hex_of(&self.short_id())
    }

    fn short_id(&self) -> [u8; ID] {
        let [a, b, c, d, ..] = blake3::derive_key("tributary master key id v1", &*self.0);
        [a, b, c, d]
    }
}

/// The master keys of a store, the current one first: it seals, all of them open. Clones are the same.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<RwLock<Keys>>,
    nonces: Nonces,
}

struct Keys {
    /// The current one first.
    kept: Vec<Arc<SealingKey>>,
    /// Forgotten ones, which open for whoever holds them still.
    forgotten: Vec<Weak<SealingKey>>,
}

impl Keys {
    fn find(&self, id: [u8; ID]) -> Option<Arc<SealingKey>> {
        let mut forgotten = self.forgotten.iter().filter_map(Weak::upgrade);
        let kept = self.kept.iter().find(|key| key.id == id).cloned();
        kept.or_else(|| forgotten.find(|key| key.id == id))
    }
}

/// Keeps the keys of a moment good for opening what was read then, although they are forgotten meanwhile.
pub struct Held {
    _keys: Vec<Arc<SealingKey>>,
}

/// Random nonces, many of which are asked of the system at once. Clones share what is left.
#[derive(Clone, Default)]
struct Nonces(Arc<Mutex<Vec<[u8; NONCE]>>>);

impl Nonces {
    fn next(&self) -> Result<[u8; NONCE], StoreError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nonce) = left.pop() {
            return Ok(nonce);
        }
        let mut random = [0; NONCE * 256];
        getrandom::fill(&mut random).map_err(|_| internal("no random bytes"))?;
        left.extend_from_slice(random.as_chunks().0);
        left.pop().ok_or_else(|| internal("no random bytes"))
    }
}

struct SealingKey {
    id: [u8; ID],
    cipher: Aes256GcmSiv,
}

impl SealingKey {
    fn of(master: &MasterKey) -> SealingKey {
        let key = Zeroizing::new(blake3::derive_key("tributary seal v1", &*master.0));
        SealingKey {
            id: master.short_id(),
            cipher: Aes256GcmSiv::new((&*key).into()),
        }
    }
}

impl Vault {
    /// The vault of these keys, the current one first.
    pub fn new(keys: &[MasterKey]) -> Vault {
        let kept = keys.iter().map(SealingKey::of).map(Arc::new).collect();
        let forgotten = Vec::new();
        Vault {
            keys: Arc::new(RwLock::new(Keys { kept, forgotten })),
            nonces: Nonces::default(),
        }
    }

    /// From now on seals with this key; the others still open.
    pub fn turn_to(&self, key: &MasterKey) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.kept.insert(0, Arc::new(SealingKey::of(key)));
    }

    /// Forgets every key but the current one, as soon as nobody holds it any more.
    pub fn forget_older(&self) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let Keys { kept, forgotten } = &mut *keys;
        forgotten.retain(|key| key.strong_count() > 0);
        let older = kept.drain(1.min(kept.len())..);
        forgotten.extend(older.map(|key| Arc::downgrade(&key)));
    }

    /// Holds its keys: to be called before what they are to open is read.
    pub fn hold(&self) -> Held {
        Held {
            _keys: self.keys().kept.clone(),
        }
    }

    /// Seals a text with the current key.
    pub fn seal(&self, whose: Identity<'_>, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = Vec::new();
        self.seal_onto(&mut sealed, whose, text)?;
        Ok(sealed)
    }

    /// The same, appended to `out`, which an error leaves as it was.
    pub fn seal_onto(
        &self,
        out: &mut Vec<u8>,
        whose: Identity<'_>,
        text: &[u8],
    ) -> Result<(), StoreError> {
        let keys = self.keys();
        let key = keys
            .kept
            .first()
            .ok_or_else(|| internal("no key to seal with"))?;
        let nonce = self.nonces.next()?;
        let before = out.len();
        // With room for all, so that nothing of it is left behind where it was before it grew.
        out.reserve(HEAD + text.len() + TAG);
        for part in [MARK.as_slice(), &key.id, &nonce] {
            out.extend_from_slice(part);
        }
        let begin = out.len();
        out.extend_from_slice(text);
        let open = out.get_mut(begin..).unwrap_or_default();
        let sealed = whose.with_bytes(|whose| {
            let nonce = Nonce::from(nonce);
            key.cipher
                .encrypt_inout_detached(&nonce, whose, (&mut *open).into())
        });
        let Ok(tag) = sealed else {
            open.zeroize();
            out.truncate(before);
            return Err(internal("a secret is too long to be sealed"));
        };
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens what was sealed for the same row.
    pub fn open(
        &self,
        whose: Identity<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let text = self.open_in_place(whose, &mut bytes)?;
        bytes.truncate(text.end);
        bytes.drain(..text.start);
        Ok(bytes)
    }

    /// The same where it lies: where in `sealed` the text then is. Whoever holds that wipes it.
    pub fn open_in_place(
        &self,
        whose: Identity<'_>,
        sealed: &mut [u8],
    ) -> Result<Range<usize>, StoreError> {
        let (id, nonce, _) = parts(sealed).ok_or_else(|| damaged("a secret is not sealed"))?;
        let key = self.keys().find(id);
        let key = key.ok_or_else(|| damaged("a secret is sealed with a key that is not there"))?;
        let text = sealed.get_mut(HEAD..).unwrap_or_default();
        let opened = text.split_last_chunk_mut().and_then(|(text, tag)| {
            let opened = whose.with_bytes(|whose| {
                let (nonce, tag) = (Nonce::from(nonce), Tag::from(*tag));
                let inout = (&mut *text).into();
                key.cipher
                    .decrypt_inout_detached(&nonce, whose, inout, &tag)
            });
            opened.is_ok().then_some(HEAD..HEAD + text.len())
        });
        opened.ok_or_else(|| damaged("a sealed secret does not open in its place"))
    }

    /// Whether it can seal and open at all.
    pub fn has_keys(&self) -> bool {
        !self.keys().kept.is_empty()
    }

    /// The id of its current key; empty without one.
    pub fn key_id(&self) -> String {
        self.key_ids().into_iter().next().unwrap_or_default()
    }

    /// The ids of its keys, the current one first.
    pub fn key_ids(&self) -> Vec<String> {
        let keys = self.keys();
        keys.kept.iter().map(|key| hex_of(&key.id)).collect()
    }

    /// Whether a text is sealed with the current key.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let id = parts(sealed).map(|(id, ..)| id);
        id.is_some() && self.keys().kept.first().map(|key| key.id) == id
    }

    /// How every text begins that is sealed with the current key.
    pub fn beginning(&self) -> Vec<u8> {
        let id = self.keys().kept.first().map_or([0; ID], |key| key.id);
        [MARK.as_slice(), &id].concat()
    }

    fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text is sealed, with whatever key.
pub fn is_sealed(text: &[u8]) -> bool {
    text.starts_with(MARK)
}

/// The id of the key that a text is sealed with, 8 hex digits.
pub fn key_id_of(sealed: &[u8]) -> Option<String> {
    parts(sealed).map(|(id, ..)| hex_of(&id))
}

/// The same, given how the text begins.
pub fn key_id_in(beginning: &[u8]) -> Option<String> {
    let id = beginning.strip_prefix(MARK)?.first_chunk::<ID>()?;
    Some(hex_of(id))
}

/// Key id, nonce and what is encrypted.
fn parts(sealed: &[u8]) -> Option<([u8; ID], [u8; NONCE], &[u8])> {
    let (head, text) = sealed.split_at_checked(HEAD)?;
    let (mark, rest) = head.split_at(MARK.len());
    let (id, nonce) = rest.split_at(ID);
    (mark == MARK).then_some((id.try_into().ok()?, nonce.try_into().ok()?, text))
}

impl Identity<'_> {
    /// The table's name, a NUL, and what names the row.
    fn with_bytes<T>(self, take: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Identity::Account(fingerprint) => {
                let mut bytes = *b"account\0................";
                bytes[8..].copy_from_slice(fingerprint.as_bytes());
                take(&bytes)
            }
            Identity::Source(id) => take(&[b"source\0", id.as_bytes()].concat()),
            Identity::Salt => take(b"meta\0salt"),
            Identity::AuditKey => take(b"meta\0audit key"),
            Identity::AuditEnd => take(b"meta\0audit end"),
        }
    }
}

fn internal(why: &str) -> StoreError {
    StoreError::Internal(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::new(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_text_is_sealed_behind_what_is_there() {
        let vault = Vault::new(&[key(1)]);
        let mut out = b"before".to_vec();
        vault.seal_onto(&mut out, Identity::Salt, b"a-1").unwrap();
        let sealed = out.strip_prefix(b"before").unwrap();
        assert_eq!(**vault.open(Identity::Salt, sealed).unwrap(), *b"a-1");
        assert!(!sealed.windows(3).any(|part| part == b"a-1"));
        let (none, before) = (Vault::new(&[]), out.clone());
        assert!(none.seal_onto(&mut out, Identity::Salt, b"a-2").is_err());
        assert_eq!(out, before);
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_row_alone() {
        let vault = Vault::new(&[key(1)]);
        let (one, other) = (
            Fingerprint::from_bytes([1; 16]),
            Fingerprint::from_bytes([2; 16]),
        );
        let sealed = vault
            .seal(Identity::Account(&one), b"example-token")
            .unwrap();
        assert!(is_sealed(&sealed) && vault.is_current(&sealed));
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        assert_eq!(
            &**vault.open(Identity::Account(&one), &sealed).unwrap(),
            b"example-token"
        );
        assert!(vault.open(Identity::Account(&other), &sealed).is_err());
        assert!(vault.open(Identity::Source("\u{1}"), &sealed).is_err());
        assert!(vault.open(Identity::Salt, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(
                vault.open(Identity::Account(&one), &altered).is_err(),
                "{at}"
            );
            assert!(
                vault.open(Identity::Account(&one), &sealed[..at]).is_err(),
                "{at}"
            );
        }
        let again = vault
            .seal(Identity::Account(&one), b"example-token")
            .unwrap();
        assert_ne!(again, sealed, "every seal has a nonce of its own");
    }

    #[test]
    fn older_keys_open_until_they_are_forgotten() {
        let vault = Vault::new(&[key(1)]);
        let old = vault.seal(Identity::Salt, b"a").unwrap();
        vault.turn_to(&key(2));
        let new = vault.seal(Identity::Salt, b"b").unwrap();
        assert!(!vault.is_current(&old) && vault.is_current(&new));
        assert!(new.starts_with(&vault.beginning()));
        assert_eq!(key_id_of(&new), Some(key(2).id()));
        assert_eq!(&**vault.open(Identity::Salt, &old).unwrap(), b"a");
        let held = vault.hold();
        vault.forget_older();
        assert_eq!(vault.key_ids(), [key(2).id()]);
        assert_eq!(
            &**vault.open(Identity::Salt, &old).unwrap(),
            b"a",
            "who holds it can use it"
        );
        drop(held);
        assert!(vault.open(Identity::Salt, &old).is_err());
        assert_eq!(&**vault.open(Identity::Salt, &new).unwrap(), b"b");
    }
}
