//! Laws of the undo: what it brings back, what it leaves alone, and that nobody loses an account to it.

use super::*;
use std::collections::BTreeMap;
use tributary_core::{
    Change, Document, Done, Fingerprint, Left, Owners, SecretPlace, remove, undo,
};

/// An account with its secret values as JSON texts.
type Whole = (Account, Vec<String>);

/// A pool that holds secret values, as a store does.
type Held = BTreeMap<Fingerprint, Whole>;

/// What a job did to one account.
struct Step {
    before: Option<Whole>,
    after: Option<Account>,
}

fn pool_of(held: &Held) -> Pool {
    let mut pool = Pool::new(salt());
    let accounts = held.values().map(|(account, _)| account.clone());
    accounts.for_each(|account| pool.put(account));
    pool
}

/// Carries changes out; the job that did.
fn carry_out(held: &mut Held, changes: &[Change<'_>]) -> Vec<Step> {
    let one = |change: &Change<'_>| carry_out_one(held, change);
    changes.iter().map(one).collect()
}

fn carry_out_one(held: &mut Held, change: &Change<'_>) -> Step {
    let account = change.after.as_ref().or(change.before);
    let id = account.expect("a change of something").fingerprint;
    let before = held.remove(&id);
    assert_eq!(before.as_ref().map(|(account, _)| account), change.before);
    if let Some(after) = &change.after {
        let secret = |place: &SecretPlace| match place {
            SecretPlace::New(secret) => secret.reveal().to_owned(),
            SecretPlace::Kept(at) => {
                before.as_ref().expect("an account to keep it of").1[*at].clone()
            }
        };
        let secrets: Vec<_> = change.secrets.iter().map(secret).collect();
        let marks: Vec<_> = secrets.iter().map(|text| salt().of_secret(text)).collect();
        assert_eq!(marks, after.document.marks(), "each secret is in its place");
        let read = Document::from_canonical(after.document.as_json().to_owned(), marks);
        assert_eq!(read.as_ref(), Some(&after.document), "a row can be read");
        held.insert(id, (after.clone(), secrets));
    }
    let after = change.after.clone();
    Step { before, after }
}

fn import_into(held: &mut Held, payload: &str, options: &ImportOptions) -> Vec<Step> {
    let pool = pool_of(held);
    match plan_import(payload.as_bytes(), options, &pool) {
        Ok(plan) => carry_out(held, &plan.changes().collect::<Vec<_>>()),
        Err(_) => Vec::new(),
    }
}

/// Undoes a job; the job that did, and what it left.
fn take_back(held: &mut Held, job: &[Step]) -> (Vec<Step>, Vec<Left>) {
    let (mut steps, mut all_left) = (Vec::new(), Vec::new());
    for step in job {
        let before = step.before.as_ref();
        let account = before.map(|(account, _)| account).or(step.after.as_ref());
        let now = held.get(&account.expect("an account").fingerprint).cloned();
        let secrets: Vec<&str> = before
            .iter()
            .flat_map(|(_, secrets)| secrets)
            .map(String::as_str)
            .collect();
        let done = Done {
            before: before.map(|(account, _)| account),
            after: step.after.as_ref(),
            token: Some("tok"),
            secrets: &secrets,
        };
        let undone = undo(&done, now.as_ref().map(|(account, _)| account));
        all_left.extend(undone.left);
        steps.extend(undone.change.map(|change| carry_out_one(held, &change)));
    }
    (steps, all_left)
}

fn held_after(imports: &[(String, ImportOptions)]) -> Held {
    let mut held = Held::new();
    for (payload, options) in imports {
        import_into(&mut held, payload, options);
    }
    held
}

/// The owners of `all` that are not among `some`.
fn without(all: &Owners, some: &Owners) -> Owners {
    let sources = some.sources().iter().cloned().map(Owner::Source);
    let gone = sources.chain(some.local().then_some(Owner::Local));
    gone.fold(all.clone(), |all, owner| all.without(&owner))
}

/// The owners that a job gave an account.
fn given(step: &Step) -> Owners {
    let after = step
        .after
        .as_ref()
        .map(|after| after.owners.clone())
        .unwrap_or_default();
    match &step.before {
        Some((before, _)) => without(&after, &before.owners),
        None => after,
    }
}

/// Something that changes a pool, or takes back what did.
#[derive(Clone, Debug)]
enum Deed {
    Import(String, ImportOptions),
    Edit(u8, u8),
    Release(Owner, Leftover),
    Delete(u8),
    Undo(prop::sample::Index),
}

fn deed() -> impl Strategy<Value = Deed> {
    let owner = prop::sample::select(vec!["local", "source:local", "source:s", "source:t"])
        .prop_map(|text| Owner::from_text(text).expect("an owner"));
    let leftover = prop::sample::select(vec![Leftover::Keep, Leftover::Remove]);
    prop_oneof![
        4 => (payload(), options()).prop_map(|(payload, options)| Deed::Import(payload, options)),
        2 => (0..9u8, 0..4u8).prop_map(|(token, value)| Deed::Edit(token, value)),
        1 => (owner, leftover).prop_map(|(owner, leftover)| Deed::Release(owner, leftover)),
        1 => (0..9u8).prop_map(Deed::Delete),
        3 => any::<prop::sample::Index>().prop_map(Deed::Undo),
    ]
}

/// Does it; the job, and for an undo the job that it undid.
fn act<'h>(
    held: &mut Held,
    deed: &Deed,
    history: &'h [Vec<Step>],
) -> (Vec<Step>, Option<&'h [Step]>) {
    let pool = pool_of(held);
    let changes: Vec<Change<'_>> = match deed {
        Deed::Import(payload, options) => return (import_into(held, payload, options), None),
        Deed::Undo(_) if history.is_empty() => Vec::new(),
        Deed::Undo(which) => {
            let job = which.get(history);
            return (take_back(held, job).0, Some(job));
        }
        Deed::Edit(token, value) => {
            // One of them is a secret.
            let status = if *value == 0 {
                "e".repeat(40)
            } else {
                format!("e{value}")
            };
            let body = format!(
                r#"{{"access_token": "tok-{token}", "status": "{status}", "quota": {value}}}"#
            );
            let edit = Edit::read(body.as_bytes(), &salt()).expect("the body is well formed");
            let before = pool.get(&edit.account);
            before
                .and_then(|before| edit.change(before, &salt()))
                .into_iter()
                .collect()
        }
        Deed::Release(owner, leftover) => pool
            .accounts()
            .filter_map(|account| release(account, owner, *leftover))
            .collect(),
        Deed::Delete(token) => {
            let id = salt().of_token(&format!("tok-{token}"));
            pool.get(&id).map(remove).into_iter().collect()
        }
    };
    (carry_out(held, &changes), None)
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(deed(), 0..6)
}

/// What is held after all these deeds, and the job that the one between was.
fn done_and_since(history: &[Deed], deed: &Deed, since: &[Deed]) -> (Held, Vec<Step>) {
    let (mut held, mut jobs) = (Held::new(), Vec::new());
    for deed in history.iter().chain([deed]).chain(since) {
        let (job, _) = act(&mut held, deed, &jobs);
        jobs.push(job);
    }
    let job = jobs.swap_remove(history.len());
    (held, job)
}

/// The owners whom a deed may cost an account; `None` for a deletion by hand, which asks nobody.
fn losers(deed: &Deed, undone: Option<&[Step]>, account: &Fingerprint) -> Option<Owners> {
    let one = |owner: &Owner| Owners::default().with(owner);
    match deed {
        Deed::Delete(_) => None,
        Deed::Edit(..) => Some(Owners::default()),
        Deed::Release(owner, _) => Some(one(owner)),
        Deed::Import(_, options) => Some(match options.strategy {
            Meeting::Replace => one(&options.owner()),
            Meeting::Merge => Owners::default(),
        }),
        Deed::Undo(_) => {
            let touched = |step: &&Step| {
                step.after
                    .as_ref()
                    .is_some_and(|after| after.fingerprint == *account)
            };
            Some(undone?.iter().find(touched).map(given).unwrap_or_default())
        }
    }
}

/// Whether an account that was out of use has an owner again.
fn comes_back(now: &Account, is: &Account) -> bool {
    now.earlier_status.is_some() && now.owners.is_empty() && !is.owners.is_empty()
}

/// The status of an account in use, or the one before it went out of use, with what stands for it where it is secret.
fn status_in_use(account: &Account) -> Option<(&str, &[Fingerprint])> {
    let status = || {
        account
            .document
            .get("status")
            .map(|field| (field.value, field.marks))
    };
    let earlier = account.earlier_status.as_deref();
    earlier.map(|status| (status, &[][..])).or_else(status)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_import_goes_there_and_back(history in imports(), payload in payload(), options in options()) {
        let before = held_after(&history);
        let mut held = before.clone();
        let job = import_into(&mut held, &payload, &options);
        let after = held.clone();
        let (undone, left) = take_back(&mut held, &job);
        prop_assert_eq!(&held, &before);
        prop_assert_eq!(left, vec![]);
        let (_, left) = take_back(&mut held, &undone);
        prop_assert_eq!(&held, &after);
        prop_assert_eq!(left, vec![]);
    }

    #[test]
    fn an_undo_leaves_what_others_own_and_wrote_since(history in imports(), payload in payload(), by in options(), since in prop::collection::vec((payload(), options()), 1..4)) {
        let mut held = held_after(&history);
        let job = import_into(&mut held, &payload, &by);
        for (payload, options) in since.iter().filter(|(_, options)| options.owner() != by.owner()) {
            import_into(&mut held, payload, options);
        }
        let now = held.clone();
        take_back(&mut held, &job);
        for (id, (now, _)) in &now {
            let step = job.iter().find(|step| step.after.as_ref().is_some_and(|after| after.fingerprint == *id));
            let Some((is, _)) = held.get(id) else {
                let given = step.map(given).unwrap_or_default();
                prop_assert!(without(&now.owners, &given).is_empty(), "somebody else owned it");
                continue;
            };
            let left = step.and_then(|step| step.after.as_ref());
            for field in now.document.fields() {
                let name = field.name.trim_matches('"');
                if name == "status" && comes_back(now, is) {
                    if left.map(status_in_use) != Some(status_in_use(now)) {
                        prop_assert_eq!(status_in_use(is), status_in_use(now), "somebody else wrote it");
                    }
                } else if left.and_then(|left| left.document.get(name)) != Some(field) {
                    prop_assert_eq!(is.document.get(name), Some(field), "somebody else wrote it");
                }
            }
            let given = step.map(given).unwrap_or_default();
            for owner in without(&now.owners, &given).sources() {
                prop_assert!(is.owners.contains(&Owner::Source(owner.clone())));
            }
            prop_assert!(!now.owners.local() || given.local() || is.owners.local());
            if left.is_none_or(|left| left.provider != now.provider) {
                prop_assert_eq!(is.provider, now.provider);
            }
        }
    }

    #[test]
    fn no_walk_takes_an_account_from_somebody_who_still_owns_it(deeds in prop::collection::vec(deed(), 1..14)) {
        let (mut held, mut history) = (Held::new(), Vec::new());
        for deed in &deeds {
            let before = held.clone();
            let (job, undone) = act(&mut held, deed, &history);
            for (id, (account, _)) in before.iter().filter(|(id, _)| !held.contains_key(id)) {
                let losers = losers(deed, undone, id);
                let others = losers.map(|losers| without(&account.owners, &losers));
                prop_assert!(others.is_none_or(|others| others.is_empty()), "{:?} took {:?}", deed, account);
            }
            for (account, _) in held.values() {
                let is_disabled = account.document.get("status").is_some_and(|status| status.value == "\"禁用\"");
                let is_out_of_use = account.owners.is_empty() && is_disabled;
                prop_assert!(is_out_of_use || account.earlier_status.is_none(), "{:?} left {:?}", deed, account);
            }
            history.push(job);
        }
    }

    #[test]
    fn undoing_one_job_after_the_other_gives_every_earlier_pool(deeds in prop::collection::vec(deed(), 1..14)) {
        let (mut held, mut history, mut pools) = (Held::new(), Vec::new(), Vec::new());
        for deed in &deeds {
            pools.push(held.clone());
            let (job, _) = act(&mut held, deed, &history);
            history.push(job);
        }
        for (job, before) in history.iter().zip(&pools).rev() {
            take_back(&mut held, job);
            prop_assert_eq!(&held, before);
        }
        prop_assert!(held.is_empty());
    }

    #[test]
    fn an_undo_names_just_the_fields_that_are_not_what_the_job_wrote(history in deeds(), deed in deed(), since in deeds()) {
        let (mut held, job) = done_and_since(&history, &deed, &since);
        for step in &job {
            let (Some((before, _)), Some(after)) = (&step.before, &step.after) else { continue };
            let Some((now, _)) = held.get(&after.fingerprint).cloned() else { continue };
            let (_, left) = take_back(&mut held, std::slice::from_ref(step));
            let (is, _) = &held[&after.fingerprint];
            for field in now.document.fields() {
                let name = field.name.trim_matches('"');
                if name == "status" && comes_back(&now, is) {
                    let [was, wrote, has] = [before, after, &now].map(status_in_use);
                    let returns = was != wrote && has == wrote;
                    prop_assert_eq!(status_in_use(is), if returns { was } else { has });
                    let differs = was != wrote && has != wrote && was != has;
                    prop_assert_eq!(left.contains(&Left::Field(name.to_owned())), differs);
                    continue;
                }
                let (was, wrote) = (before.document.get(name), after.document.get(name));
                // The status of an account without an owner does not return to one that has an owner.
                let in_use = name == "status" && before.earlier_status.is_some() && !is.owners.is_empty();
                if was == wrote || wrote != Some(field) || in_use {
                    prop_assert_eq!(is.document.get(name), Some(field), "it is not what the job wrote");
                }
                let differs = was != wrote && (wrote != Some(field) || in_use) && was != Some(field);
                prop_assert_eq!(left.contains(&Left::Field(name.to_owned())), differs, "{}", name);
            }
        }
    }

    #[test]
    fn an_undo_leaves_no_account_to_nobody_that_had_an_owner(history in deeds(), deed in deed(), since in deeds()) {
        let (mut held, job) = done_and_since(&history, &deed, &since);
        let now = held.clone();
        take_back(&mut held, &job);
        for step in &job {
            let Some((before, _)) = &step.before else { continue };
            let owned = |held: &Held| held.get(&before.fingerprint).map(|(account, _)| !account.owners.is_empty());
            let kept = owned(&held) == Some(true) || owned(&now) != Some(true) || before.owners.is_empty();
            prop_assert!(kept, "{:?}", before);
        }
    }

    #[test]
    fn an_undo_done_twice_changes_nothing_the_second_time(history in deeds(), deed in deed(), since in deeds()) {
        let (mut held, job) = done_and_since(&history, &deed, &since);
        take_back(&mut held, &job);
        let once = held.clone();
        let (again, _) = take_back(&mut held, &job);
        prop_assert_eq!((again.len(), held), (0, once));
    }
}
