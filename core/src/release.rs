//! Accounts that lose an owner, or leave the pool, because a person says so.

use crate::account::Account;
use crate::change::{Change, ChangeKind};
use crate::owner::Owner;

/// What becomes of accounts that only the released owner has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leftover {
    /// They stay, and are Local.
    #[default]
    Keep,
    /// They leave the pool.
    Remove,
}

impl Leftover {
    /// Reads the exact name, `keep` or `remove`; `None` for anything else.
    pub fn from_exact(name: &str) -> Option<Leftover> {
        match name {
            "keep" => Some(Leftover::Keep),
            "remove" => Some(Leftover::Remove),
            _ => None,
        }
    }
}

/// How an account leaves `owner`: [`ChangeKind::Release`] when others own it, else [`ChangeKind::Update`] to Local or
/// [`ChangeKind::Remove`]. `None` when it stays as it is: not the owner's, or Local's alone and kept.
pub fn release<'p>(before: &'p Account, owner: &Owner, leftover: Leftover) -> Option<Change<'p>> {
    if !before.owners.contains(owner) {
        return None;
    }
    let others = before.owners.clone().without(owner);
    let (kind, owners) = match (others.is_empty(), leftover) {
        (false, _) => (ChangeKind::Release, others),
        (true, Leftover::Keep) => (ChangeKind::Update, others.with(&Owner::Local)),
        (true, Leftover::Remove) => return Some(remove(before)),
    };
    if owners == before.owners {
        return None;
    }
    Some(Change {
        kind,
        item: None,
        before: Some(before),
        after: Some(Account {
            owners,
            ..before.clone()
        }),
        secrets: before.unchanged_fields().1,
        token: None,
    })
}

/// How an account leaves the pool, whoever owns it.
pub fn remove(before: &Account) -> Change<'_> {
    Change {
        kind: ChangeKind::Remove,
        item: None,
        before: Some(before),
        after: None,
        secrets: Vec::new(),
        token: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Document, SecretPlace};
    use crate::fingerprint::Salt;
    use crate::owner::{Owners, SourceId};
    use crate::provider::Provider;

    /// An account with these owners, sources by one letter, `+` for Local.
    fn account(owners: &str) -> Account {
        let salt = Salt::new([3; 32]);
        let sources = owners.split(['+', ' ']).filter_map(SourceId::new);
        Account {
            fingerprint: salt.of_token("example-1"),
            masked: "…".to_owned(),
            provider: Provider::Grok,
            owners: Owners::new(owners.contains('+'), sources),
            document: Document::new(r#"{"cookie":"…"}"#, [salt.of_secret("\"c\"")]).unwrap(),
            earlier_status: None,
        }
    }

    #[track_caller]
    fn check(owners: &str, owner: &str, leftover: Leftover, wanted: Option<(ChangeKind, &str)>) {
        let (before, owner) = (account(owners), Owner::from_text(owner).unwrap());
        let change = release(&before, &owner, leftover);
        let Some((kind, owners)) = wanted else {
            return assert!(change.is_none());
        };
        let change = change.unwrap();
        assert_eq!(change.kind, kind);
        match change.after {
            None => assert_eq!((owners, change.secrets.len()), ("gone", 0)),
            Some(after) => {
                assert!(matches!(change.secrets[..], [SecretPlace::Kept(0)]));
                let owners = account(owners).owners;
                assert_eq!(
                    after,
                    Account {
                        owners,
                        ..before.clone()
                    }
                );
            }
        }
    }

    #[test]
    fn what_others_own_stays_theirs() {
        for leftover in [Leftover::Keep, Leftover::Remove] {
            check(
                "s t",
                "source:s",
                leftover,
                Some((ChangeKind::Release, "t")),
            );
            check(
                "s t",
                "source:t",
                leftover,
                Some((ChangeKind::Release, "s")),
            );
            check("+s", "source:s", leftover, Some((ChangeKind::Release, "+")));
            check("+s", "local", leftover, Some((ChangeKind::Release, "s")));
        }
    }

    #[test]
    fn what_nobody_else_owns_becomes_local_or_leaves() {
        check(
            "s",
            "source:s",
            Leftover::Keep,
            Some((ChangeKind::Update, "+")),
        );
        check(
            "s",
            "source:s",
            Leftover::Remove,
            Some((ChangeKind::Remove, "gone")),
        );
        check("+", "local", Leftover::Keep, None);
        check(
            "+",
            "local",
            Leftover::Remove,
            Some((ChangeKind::Remove, "gone")),
        );
    }

    #[test]
    fn what_is_not_the_owner_s_stays() {
        for leftover in [Leftover::Keep, Leftover::Remove] {
            check("+t", "source:s", leftover, None);
            check("local", "local", leftover, None);
            check("", "local", leftover, None);
        }
    }

    #[test]
    fn a_removal_by_hand_asks_no_owner() {
        let before = account("+s t");
        let change = remove(&before);
        assert_eq!(change.kind, ChangeKind::Remove);
        assert!(change.after.is_none() && change.before == Some(&before));
    }
}
