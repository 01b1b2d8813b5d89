//! An answer that is told again until what it tells has changed.

use std::sync::{PoisonError, RwLock};

use hyper::body::Bytes;

/// The text of an answer and the edition that it tells. Starts without one.
#[derive(Default)]
pub struct Kept(RwLock<Option<(u64, Bytes)>>);

impl Kept {
    /// The text, while this is the edition that it tells.
    pub fn of(&self, edition: u64) -> Option<Bytes> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (told, text) = kept.as_ref()?;
        (*told == edition).then(|| text.clone())
    }

    /// Keeps a text that was read after its edition was asked for.
    pub fn keep(&self, edition: u64, text: Bytes) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever read long ago may come late.
        if kept.as_ref().is_none_or(|(told, _)| *told <= edition) {
            *kept = Some((edition, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_does_not_replace_what_is_newer() {
        let kept = Kept::default();
        assert_eq!(kept.of(0), None);
        kept.keep(2, Bytes::from_static(b"two"));
        kept.keep(1, Bytes::from_static(b"one"));
        assert_eq!(kept.of(1), None);
        assert_eq!(kept.of(2).as_deref(), Some(&b"two"[..]));
    }
}
