//! When a key was last used, to the day: one small write per key and day, which no answer waits for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::store::Store;
use crate::store::keys::{self, ApiKey};

/// The uses that are being noted. Clones are the same.
#[derive(Clone, Default)]
pub struct LastUses {
    today: Arc<Mutex<Today>>,
}

/// A day and the ids of the keys whose use on it is noted or about to be.
#[derive(Default)]
struct Today {
    day: String,
    keys: HashSet<String>,
}

impl LastUses {
    /// Notes in the background that an enabled key was presented, if that is news.
    pub(super) fn note(&self, store: &Store, key: &ApiKey) {
        let day = clock::day(clock::now());
        if key.last_used_on >= day || !self.is_first(&day, &key.id) {
            return;
        }
        let (uses, store, id) = (self.clone(), store.clone(), key.id.clone());
        tokio::spawn(async move {
            let (noted, on) = (id.clone(), day.clone());
            let written = store.write(0, move |db| keys::note_use(db, &noted, &on));
            if let Err(error) = written.await {
                tracing::warn!(key_id = id, %error, "could not note the use of a key");
                uses.forget(&day, &id);
            }
        });
    }

    /// Whether nobody noted this key on this day before; from now on somebody did.
    fn is_first(&self, day: &str, id: &str) -> bool {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != day {
            *today = Today {
                day: day.to_owned(),
                keys: HashSet::new(),
            };
        }
        today.keys.insert(id.to_owned())
    }

    /// Lets the next use on the day be noted, because this one could not.
    fn forget(&self, day: &str, id: &str) {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day == day {
            today.keys.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_noted_once_a_day_unless_that_failed() {
        let uses = LastUses::default();
        assert!(uses.is_first("2026-05-23", "k1") && uses.is_first("2026-05-23", "k2"));
        assert!(!uses.is_first("2026-05-23", "k1"));
        uses.forget("2026-05-23", "k1");
        assert!(uses.is_first("2026-05-23", "k1"));
        assert!(uses.is_first("2026-05-24", "k2"));
    }
}
