//! A name for a plan: whoever approved one can tell it from every other.

use crate::account::{Account, Field};
use crate::change::Change;
use crate::fingerprint::from_hex;
use crate::json::push_hex;
use crate::options::ImportOptions;
use crate::plan::Plan;
use std::fmt;

/// 256 bits of BLAKE3, without a key, over what a plan changes. Secrets are in it by their fingerprints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanHash([u8; 32]);

impl PlanHash {
    /// Reads 64 hex digits; `None` for anything else.
    pub fn from_hex(hex: &str) -> Option<PlanHash> {
        from_hex(hex).map(PlanHash)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    pub(crate) fn to_hex(self) -> String {
        let mut hex = String::with_capacity(64);
        push_hex(&mut hex, &self.0);
        hex
    }
}

impl fmt::Display for PlanHash {
    /// 64 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl Plan<'_> {
    /// Its hash: over the options it was made with and its changes in their order. Times, notes, skips and what stays as
    /// it is are not in it.
    pub fn hash(&self, options: &ImportOptions) -> PlanHash {
        let mut hasher = PlanHasher::new(options);
        self.each_change(&mut |change| hasher.add(change));
        hasher.finish()
    }
}

/// Hashes a plan change by change, for those who carry it out while it is made.
///
/// Every part stands after its length, so that no two plans are the same bytes.
pub struct PlanHasher {
    hasher: Box<blake3::Hasher>,
    /// What is still to be hashed: much at once takes far less time than the same in small parts.
    gathered: Vec<u8>,
}

/// Bytes that are hashed at once, about.
const AT_ONCE: usize = 64 << 10;

impl PlanHasher {
    /// A hasher of a plan made with these options.
    pub fn new(options: &ImportOptions) -> PlanHasher {
        let mut gathered = Vec::new();
        let mut told = Told(&mut gathered);
        told.text("tributary plan v1");
        told.text(options.strategy.as_str());
        told.optional(options.source_id.as_ref().map(|id| id.as_str()));
        told.text(options.provider.unwrap_or_default().as_str());
        PlanHasher {
            hasher: Box::new(blake3::Hasher::new()),
            gathered,
        }
    }

    /// The next change.
    pub fn add(&mut self, change: &Change<'_>) {
        PlanHasher::tell(change, &mut self.gathered);
        self.hash_much();
    }

    /// The next change, as [`PlanHasher::tell`] told it.
    pub fn add_told(&mut self, told: &[u8]) {
        self.gathered.extend_from_slice(told);
        self.hash_much();
    }

    /// Appends to `told` what is hashed of a change, for who decides it on another thread. In one place: it is much code.
    #[inline(never)]
    pub fn tell(change: &Change<'_>, told: &mut Vec<u8>) {
        Told(told).change(change);
    }

    /// The hash of all of it.
    pub fn finish(mut self) -> PlanHash {
        self.hasher.update(&self.gathered);
        PlanHash(*self.hasher.finalize().as_bytes())
    }

    fn hash_much(&mut self) {
        if self.gathered.len() >= AT_ONCE {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
    }
}

/// What is hashed, being put together.
struct Told<'t>(&'t mut Vec<u8>);

impl Told<'_> {
    fn change(&mut self, change: &Change<'_>) {
        let (before, after) = (change.before, change.after.as_ref());
        let Some(account) = after.or(before) else {
            return;
        };
        self.text(change.kind.as_str());
        self.bytes(account.fingerprint.as_bytes());
        self.standing(before);
        self.standing(after);
        for (before, after) in change.changed() {
            self.text(after.name);
            self.value(before);
            self.value(Some(after));
        }
        // No field has an empty name as JSON text.
        self.text("");
    }

    /// All of an account but its fields.
    fn standing(&mut self, account: Option<&Account>) {
        self.optional(account.map(|account| account.provider.as_str()));
        let Some(account) = account else { return };
        self.number(u64::from(account.owners.local()));
        self.count(account.owners.sources().len());
        for source in account.owners.sources() {
            self.text(source.as_str());
        }
        self.optional(account.earlier_status.as_deref());
    }

    fn value(&mut self, field: Option<Field<'_>>) {
        self.optional(field.map(|field| field.value));
        for mark in field.map_or(&[][..], |field| field.marks) {
            self.bytes(mark.as_bytes());
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(u64::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Salt;
    use crate::options::{Removal, Strategy};
    use crate::owner::SourceId;
    use crate::pool::Pool;
    use crate::provider::Provider;

    /// A merge by `s`.
    fn merge() -> ImportOptions {
        ImportOptions {
            source_id: SourceId::new("s"),
            ..ImportOptions::default()
        }
    }

    fn replace() -> ImportOptions {
        ImportOptions {
            strategy: Strategy::Replace,
            ..merge()
        }
    }

    /// The pool after these imports.
    fn pool(imports: &[(&str, &ImportOptions)]) -> Pool {
        let mut pool = Pool::new(Salt::new([7; 32]));
        for (payload, options) in imports {
            let plan = crate::plan_import(payload.as_bytes(), options, &pool).unwrap();
            let accounts: Vec<_> = plan.changes().filter_map(|c| c.after).collect();
            accounts.into_iter().for_each(|account| pool.put(account));
        }
        pool
    }

    fn hash(payload: &str, options: &ImportOptions, pool: &Pool) -> PlanHash {
        let plan = crate::plan_import(payload.as_bytes(), options, pool).unwrap();
        let mut hasher = PlanHasher::new(options);
        plan.changes().for_each(|change| hasher.add(&change));
        let whole = plan.hash(options);
        assert_eq!(hasher.finish(), whole, "change by change it is the same");
        whole
    }

    /// In an empty pool.
    fn hash_of(payload: &str) -> PlanHash {
        hash(payload, &merge(), &pool(&[]))
    }

    #[test]
    fn the_options_count_even_where_nothing_changes() {
        let (empty, list) = (pool(&[("[\"a-1\"]", &merge())]), "[\"a-1\"]");
        let other = |id| ImportOptions {
            source_id: SourceId::new(id),
            ..merge()
        };
        let grok = ImportOptions {
            provider: Some(Provider::Grok),
            ..merge()
        };
        let gpt = ImportOptions {
            provider: Some(Provider::Gpt),
            ..merge()
        };
        let nobody = hash("[]", &other(""), &empty);
        let all = [&merge(), &replace(), &grok].map(|options| hash(list, options, &empty));
        let all = [&all[..], &[nobody, hash("[]", &other("t"), &empty)]].concat();
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
        assert_eq!(hash(list, &gpt, &empty), all[0], "no provider means gpt");
        assert_eq!(
            hash("[]", &merge(), &empty),
            all[0],
            "nothing changes in either"
        );
    }

    #[test]
    fn what_is_added_counts_with_all_that_it_has_and_its_place() {
        let payloads = [
            r#"["a-1"]"#,
            r#"["a-2"]"#,
            r#"["a-1", "a-2"]"#,
            r#"["a-2", "a-1"]"#,
            r#"[{"token": "a-1", "provider": "grok"}]"#,
            r#"[{"token": "a-1", "n": 1}]"#,
            r#"[{"token": "a-1", "n": 2}]"#,
            r#"[{"token": "a-1", "n": "1"}]"#,
            r#"[{"token": "a-1", "k": 1}]"#,
            r#"[{"token": "a-1", "n": 1, "m": 2}]"#,
            r#"[{"token": "a-1", "m": 2, "n": 1}]"#,
            r#"[{"token": "a-1", "password": "p-1"}]"#,
            r#"[{"token": "a-1", "password": "p-2"}]"#,
            r#"[{"token": "a-1", "m": {"password": "p-1", "cookie": "p-2"}}]"#,
            r#"[{"token": "a-1", "m": {"password": "p-2", "cookie": "p-1"}}]"#,
        ];
        let all = payloads.map(hash_of);
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{}", payloads[at]);
        }
    }

    #[test]
    fn how_it_is_written_and_what_is_not_taken_do_not_count() {
        let plain = hash_of(r#"["a-1", {"token": "a-2", "n": 1}]"#);
        for payload in [
            " [ \"a-1\" ,\n{\"n\": 1, \"access_token\": \"a-2\"}]",
            r#"{"accounts": ["a-1", {"token": "a-2", "n": 1}]}"#,
            r#"{"tokens": [" a-1 ", {"token": "a-2", "n": 1}], "x": []}"#,
            r#"["a-1", null, 5, {"token": "a-2", "n": 1}, "a-2", ""]"#,
            r#"["a-1", {"token": "a-2", "n": 1, "status": 7}, {"token": "a-3", "provider": "claude"}]"#,
        ] {
            assert_eq!(hash_of(payload), plain, "{payload}");
        }
    }

    #[test]
    fn what_stays_as_it_is_does_not_count() {
        let one = pool(&[("[\"a-1\", \"a-2\"]", &merge())]);
        let two = pool(&[(
            "[\"a-1\", {\"token\": \"a-2\", \"n\": 1}, \"a-4\"]",
            &merge(),
        )]);
        let plain = hash(r#"["a-3"]"#, &merge(), &one);
        assert_eq!(hash(r#"["a-3"]"#, &merge(), &two), plain);
        assert_eq!(hash(r#"["a-1", "a-3", "a-2"]"#, &merge(), &one), plain);
        let note = r#"[{"token": "a-1", "n": 5}, {"token": "a-2", "n": 5}]"#;
        let before = hash(note, &merge(), &one);
        let mut renamed = one;
        let account = renamed.accounts().next().unwrap().clone();
        renamed.put(Account {
            masked: "another".to_owned(),
            ..account
        });
        let after = hash(note, &merge(), &renamed);
        assert_eq!(after, before, "how a token is masked");
    }

    #[test]
    fn what_an_account_was_counts_where_it_changes() {
        let payload = r#"[{"token": "a-1", "n": 9}]"#;
        let (t, local) = (
            ImportOptions {
                source_id: SourceId::new("t"),
                ..merge()
            },
            ImportOptions::default(),
        );
        let bare: &[(&str, &ImportOptions)] = &[(r#"["a-1"]"#, &merge())];
        let pools = [
            &[][..],
            bare,
            &[(r#"[{"token": "a-1", "n": 1}]"#, &merge())],
            &[(r#"[{"token": "a-1", "n": 2}]"#, &merge())],
            &[(r#"[{"token": "a-1", "provider": "grok"}]"#, &merge())],
            &[(r#"["a-1"]"#, &merge()), (r#"["a-1"]"#, &t)],
            &[(r#"["a-1"]"#, &t), (r#"["a-1"]"#, &merge())],
            &[(r#"["a-1"]"#, &t)],
            &[(r#"["a-1"]"#, &merge()), (r#"["a-1"]"#, &local)],
        ];
        let all = pools.map(|imports| hash(payload, &merge(), &pool(imports)));
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
        let earlier = |status: Option<&str>| {
            let mut pool = pool(bare);
            let account = Account {
                earlier_status: status.map(str::to_owned),
                ..pool.accounts().next().unwrap().clone()
            };
            pool.put(account);
            // With a status that is brought, nothing else tells what the earlier one was.
            let brought = r#"[{"token": "a-1", "status": "c"}]"#;
            hash(brought, &merge(), &pool)
        };
        assert_ne!(earlier(Some("\"a\"")), earlier(Some("\"b\"")));
        assert_ne!(earlier(Some("\"a\"")), earlier(None));
    }

    #[test]
    fn what_becomes_of_accounts_that_go_counts() {
        let held = pool(&[(r#"["a-1", "a-2"]"#, &merge())]);
        let disable = ImportOptions {
            removal: Removal::Disable,
            ..replace()
        };
        let all = [
            hash(r#"["a-1"]"#, &replace(), &held),
            hash(r#"["a-2"]"#, &replace(), &held),
            hash(r#"["a-1"]"#, &disable, &held),
            hash(r#"["a-1", "a-2"]"#, &replace(), &held),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
        let kept = r#"["a-1", "a-2"]"#;
        assert_eq!(hash(kept, &disable, &held), all[3], "nothing goes");
    }

    #[test]
    fn a_hash_is_written_in_64_hex_digits_and_read_back() {
        let hash = hash_of("[]");
        let text = hash.to_string();
        assert!(
            text.len() == 64
                && text
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
        assert_eq!(PlanHash::from_hex(&text), Some(hash));
        assert_eq!(PlanHash::from_hex(&text.to_uppercase()), Some(hash));
        for wrong in [
            "",
            &text[1..],
            &format!("{text}0"),
            &text.replace(|_| true, "x"),
        ] {
            assert_eq!(PlanHash::from_hex(wrong), None, "{wrong}");
        }
        assert_eq!(hash.as_bytes().len(), 32);
    }
}
