//! Laws that hold for every payload and every pool.

mod approval;
mod beside;
mod undo;

use proptest::prelude::*;
use serde_json::Value;
use tributary_core::{
    Account, BatchReader, ChangeKind, Edit, Form, ImportOptions, Item, Leftover, Owner, Plan, Pool,
    Removal, Salt, SourceId, Strategy as Meeting, Wanted, plan_import, plan_json, plan_text,
    release,
};

fn salt() -> Salt {
    Salt::new([9; 32])
}

fn source(name: &str) -> Option<SourceId> {
    SourceId::new(name)
}

/// Carries a plan out.
fn apply(plan: &Plan<'_>, pool: &Pool) -> Pool {
    let mut after = Pool::new(salt());
    pool.accounts()
        .for_each(|account| after.put(account.clone()));
    for change in plan.changes() {
        match (change.after, change.before) {
            (Some(account), _) => after.put(account),
            (None, Some(account)) => drop(after.remove(&account.fingerprint)),
            (None, None) => panic!("a change of nothing"),
        }
    }
    after
}

fn import(payload: &str, options: &ImportOptions, pool: Pool) -> Pool {
    match plan_import(payload.as_bytes(), options, &pool) {
        Ok(plan) => apply(&plan, &pool),
        Err(_) => pool,
    }
}

fn listed(pool: &Pool) -> Vec<String> {
    pool.accounts()
        .map(|account| format!("{account:?}"))
        .collect()
}

prop_compose! {
    /// Entries over a small set of tokens, so that imports meet each other.
    fn entry()(kind in 0..15u8, token in 0..9u8, value in 0..4u8, name in "[a-c]|status|quota|refresh_token") -> String {
        match kind {
            0 => "null".into(),
            1 => r#""  ""#.into(),
            2 => r#"{"access_token": 5}"#.into(),
            3 => format!(r#"{{"token": "tok-{token}", "provider": "claude"}}"#),
            4 => format!(r#"{{"token": "tok-{token}", "provider": "xai"}}"#),
            5..=7 => format!(r#""tok-{token}""#),
            8 => format!(r#"{{"token": "tok-{token}", "m": {{"password": "p{value}", "n": {value}}}}}"#),
            9 => format!(r#"{{"token": "tok-{token}", "status": "s{value}", "quota": {value}}}"#),
            // A status that is a secret.
            10 => format!(r#"{{"token": "tok-{token}", "status": "{value:040}"}}"#),
            _ => format!(r#"{{"access_token": " tok-{token} ", "{name}": {value}}}"#),
        }
    }
}

prop_compose! {
    fn payload()(entries in prop::collection::vec(entry(), 0..12), shape in 0..4u8) -> String {
        let list = format!("[{}]", entries.join(", "));
        match shape {
            0 => format!(r#"{{"accounts": {list}}}"#),
            1 => format!(r#"{{"tokens": {list}, "x": [1]}}"#),
            _ => list,
        }
    }
}

prop_compose! {
    fn options()(replace in any::<bool>(), who in 0..4u8, disable in any::<bool>(), grok in any::<bool>()) -> ImportOptions {
        ImportOptions {
            strategy: if replace { Meeting::Replace } else { Meeting::Merge },
            source_id: source(["", "local", "s", "t"][usize::from(who)]),
            provider: grok.then_some(tributary_core::Provider::Grok),
            removal: if disable { Removal::Disable } else { Removal::Remove },
        }
    }
}

fn imports() -> impl Strategy<Value = Vec<(String, ImportOptions)>> {
    prop::collection::vec((payload(), options()), 0..6)
}

fn pool_after(imports: &[(String, ImportOptions)]) -> Pool {
    imports
        .iter()
        .fold(Pool::new(salt()), |pool, (payload, options)| {
            import(payload, options, pool)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_import_applied_twice_changes_nothing_the_second_time(history in imports(), payload in payload(), options in options()) {
        let pool = import(&payload, &options, pool_after(&history));
        if let Ok(second) = plan_import(payload.as_bytes(), &options, &pool) {
            prop_assert!(second.changes().next().is_none());
            prop_assert_eq!(second.counts.total(), second.counts.unchanged);
        }
    }

    #[test]
    fn a_merge_never_removes(history in imports(), payload in payload(), options in options()) {
        let pool = pool_after(&history);
        let options = ImportOptions { strategy: Meeting::Merge, ..options };
        let plan = plan_import(payload.as_bytes(), &options, &pool).expect("a merge of a list is never refused");
        prop_assert!(plan.changes().all(|c| matches!(c.kind, ChangeKind::Add | ChangeKind::Update)));
        let after = apply(&plan, &pool);
        for account in pool.accounts() {
            let kept = after.get(&account.fingerprint).expect("still there");
            prop_assert!(account.owners.sources().iter().all(|id| kept.owners.contains(&Owner::Source(id.clone()))));
            prop_assert!(!account.owners.local() || kept.owners.local());
        }
    }

    #[test]
    fn a_replace_never_removes_what_another_owner_holds(history in imports(), payload in payload(), options in options()) {
        let pool = pool_after(&history);
        let options = ImportOptions { strategy: Meeting::Replace, ..options };
        let Ok(plan) = plan_import(payload.as_bytes(), &options, &pool) else { return Ok(()) };
        let after = apply(&plan, &pool);
        for account in pool.accounts() {
            let others = account.owners.clone().without(&options.owner());
            if !others.is_empty() || !account.owners.contains(&options.owner()) {
                let kept = after.get(&account.fingerprint).expect("still there");
                prop_assert!(others.sources().iter().all(|id| kept.owners.contains(&Owner::Source(id.clone()))));
                prop_assert!(!others.local() || kept.owners.local());
            }
        }
    }

    #[test]
    fn a_replace_leaves_the_source_with_what_its_payload_names(history in imports(), payload in payload(), options in options()) {
        let pool = pool_after(&history);
        let options = ImportOptions { strategy: Meeting::Replace, source_id: source("s"), ..options };
        let Ok(plan) = plan_import(payload.as_bytes(), &options, &pool) else { return Ok(()) };
        let after = apply(&plan, &pool);
        let taken: Vec<_> = plan.changes().filter_map(|c| c.item).chain(plan.unchanged().iter().copied()).collect();
        for item in &taken {
            let account = after.get(&item.fingerprint).expect("an item is in the pool");
            prop_assert!(account.owners.contains(&options.owner()));
        }
        let importer = options.owner();
        let beyond = after.owned_by(&importer).filter(|a| taken.iter().all(|i| i.fingerprint != a.fingerprint));
        for account in beyond {
            prop_assert!(pool.get(&account.fingerprint).is_some_and(|before| before == account), "kept only as it was");
        }
    }

    #[test]
    fn a_release_never_removes_what_another_owner_holds(history in imports(), who in 0..4u8, keep in any::<bool>()) {
        let pool = pool_after(&history);
        let owner = source(["", "local", "s", "t"][usize::from(who)]).map_or(Owner::Local, Owner::Source);
        let leftover = if keep { Leftover::Keep } else { Leftover::Remove };
        for before in pool.accounts() {
            let others = before.owners.clone().without(&owner);
            let Some(change) = release(before, &owner, leftover) else {
                prop_assert!(!before.owners.contains(&owner) || (owner == Owner::Local && keep && others.is_empty()));
                continue;
            };
            prop_assert!(before.owners.contains(&owner));
            match change.after {
                None => prop_assert!(others.is_empty() && !keep),
                Some(after) => {
                    let owners = if others.is_empty() { others.with(&Owner::Local) } else { others };
                    prop_assert_eq!(after, Account { owners, ..before.clone() });
                }
            }
        }
    }

    #[test]
    fn an_edit_sets_typed_fields_and_touches_no_owner(history in imports(), token in 0..9u8, value in 0..4u64, name in "status|quota|fail|restore_at") {
        let pool = pool_after(&history);
        let number = name == "quota" || name == "fail";
        let text = if number { value.to_string() } else { format!("\"s{value}\"") };
        let body = format!(r#"{{"access_token": "tok-{token}", "{name}": {text}}}"#);
        let edit = Edit::read(body.as_bytes(), &salt()).expect("the body is well formed");
        let Some(before) = pool.get(&edit.account) else { return Ok(()) };
        let after = edit.change(before, &salt()).map(|change| change.after.expect("an edit removes nothing"));
        let after = after.as_ref().unwrap_or(before);
        prop_assert_eq!((&after.owners, after.provider, &after.masked), (&before.owners, before.provider, &before.masked));
        prop_assert_eq!(after.document.get(&name).map(|field| field.value), Some(text.as_str()));
        prop_assert!(name != "status" || after.earlier_status.is_none());
        for field in before.document.fields().filter(|field| field.name.trim_matches('"') != name) {
            prop_assert_eq!(after.document.get(field.name.trim_matches('"')), Some(field));
        }
        prop_assert!(edit.change(after, &salt()).is_none(), "the second time it changes nothing");
    }

    #[test]
    fn total_is_added_and_skipped(history in imports(), payload in payload(), options in options()) {
        let pool = pool_after(&history);
        let Ok(plan) = plan_import(payload.as_bytes(), &options, &pool) else { return Ok(()) };
        let items = plan.changes().filter(|c| c.item.is_some()).count() + plan.unchanged().len();
        prop_assert_eq!(plan.counts.total(), items as u64);
        prop_assert_eq!(plan.counts.total(), plan.counts.added + plan.counts.skipped());
        prop_assert_eq!(plan.counts.skipped(), plan.counts.updated + plan.counts.unchanged);
        let after = apply(&plan, &pool);
        let (before, after) = (pool.accounts().count() as u64, after.accounts().count() as u64);
        prop_assert_eq!(before + plan.counts.added - plan.counts.removed, after);
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_the_pool(history in imports(), payload in payload(), options in options()) {
        let pool = pool_after(&history);
        let mut turned = Pool::new(salt());
        let accounts: Vec<_> = pool.accounts().cloned().collect();
        accounts.into_iter().rev().for_each(|account| turned.put(account));
        let text = |pool: &Pool| plan_import(payload.as_bytes(), &options, pool).map(|plan| plan_text(&plan, &options, Wanted::default()));
        prop_assert_eq!(text(&pool), text(&turned));
        prop_assert_eq!(listed(&pool), listed(&turned));
    }

    #[test]
    fn an_outline_is_the_plan_without_what_entries_change(history in imports(), payload in payload(), options in options(), hash in any::<bool>()) {
        let long = |payload: &str| payload.replace("tok-", r#"token-\"é\ud83e\udd80-"#);
        let history: Vec<_> = history.iter().map(|(payload, options)| (long(payload), options.clone())).collect();
        let (pool, payload) = (pool_after(&history), long(&payload));
        let Ok(plan) = plan_import(payload.as_bytes(), &options, &pool) else { return Ok(()) };
        let told = |outline| -> Value {
            serde_json::from_str(&plan_text(&plan, &options, Wanted { hash, outline })).expect("JSON")
        };
        let mut whole = told(false);
        for change in whole["plan"]["changes"].as_array_mut().expect("a list") {
            let change = change.as_object_mut().expect("an object");
            if change.contains_key("index") {
                change.retain(|name, _| !["provider", "owners", "fields"].contains(&name.as_str()));
            }
        }
        prop_assert_eq!(told(true), whole);
    }

    #[test]
    fn bytes_in_any_pieces_give_the_batch_of_the_whole(payload in payload(), noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut bytes = format!("\u{feff}{payload} ").into_bytes();
        noise.iter().for_each(|(at, byte)| { let at = at.index(bytes.len()); bytes[at] = *byte; });
        for form in [Form::Payload, Form::InjectBody] {
            prop_assert_eq!(read_in_pieces(&bytes, &[], form), read_in_pieces(&bytes, &cuts, form));
        }
    }

    #[test]
    fn inject_bodies_in_any_pieces_give_the_same(payload in payload(), name in "payload|accounts|tokens", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let body = format!(r#"{{"strategy": "merge", "{name}": {payload}, "source_id": "é\ud83d\ude00", "x": {{"accounts": 1}}}}"#).into_bytes();
        prop_assert_eq!(read_in_pieces(&body, &[], Form::InjectBody), read_in_pieces(&body, &cuts, Form::InjectBody));
    }

    #[test]
    fn whatever_bytes_go_in_an_answer_comes_out(payload in prop::collection::vec(any::<u8>(), 0..200), context in prop::collection::vec(any::<u8>(), 0..100)) {
        let answer = plan_json(&payload, &context);
        prop_assert!(serde_json::from_slice::<Value>(&answer).is_ok());
        let answer = plan_json(&payload, b"{}");
        prop_assert!(serde_json::from_slice::<Value>(&answer).is_ok());
    }

    #[test]
    fn what_is_json_is_told_as_serde_json_tells_it(text in json_like()) {
        let answer = plan_json(&text, b"{}");
        let refused_as_text = [&b"not_json"[..], b"not_utf8", b"lone_surrogate", b"too_deep"]
            .iter()
            .any(|code| answer.windows(code.len()).any(|window| window == *code));
        let oracle = crate::fuzz::bodies::oracle::is_json(&text);
        prop_assert_eq!(!refused_as_text, oracle, "{}", String::from_utf8_lossy(&text));
    }
}

/// Texts that are JSON, nearly JSON, or JSON with something wrong in a string.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"a\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\\udc00x\"",
        "\"\\x\"",
        "\"é\"",
        "0",
        "-0",
        "01",
        "1.5",
        "1.",
        "1e5",
        "1e",
        "-",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\"",
        "\\",
        "\u{1}",
        "1E+400",
        "\"\\n\"",
        "\u{feff}",
    ]);
    let loose = prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat().into_bytes());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.0e-7".into()),
        Just("-12".into()),
        Just("\"a\\u0000\\\\\"".into()),
        "\"[a-z\\\\]{0,3}\"".prop_map(|text| text),
        Just("\"\\ud834\\udd1e\"".into()),
        Just("\"\\ud834\"".into()),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(inner, 0..4).prop_map(|items| format!(
                "{{{}}}",
                items
                    .iter()
                    .map(|item| format!("\"k\": {item}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        ]
    });
    prop_oneof![loose, tree.prop_map(String::into_bytes)]
        // serde_json knows no byte order mark; the core's own cases cover it.
        .prop_filter("no mark", |text| !text.starts_with("\u{feff}".as_bytes()))
}

/// Everything a batch says, or why there is none.
fn read_in_pieces(bytes: &[u8], cuts: &[prop::sample::Index], form: Form) -> String {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut reader = BatchReader::new(form, salt());
    let mut from = 0;
    for to in places.into_iter().chain([bytes.len()]) {
        if let Err(error) = reader.feed(&bytes[from..to]) {
            return format!("{error:?}");
        }
        from = to;
    }
    match reader.finish() {
        Ok((members, Ok(batch))) => {
            let of_entry = |item: &Item| salt().of_entry(item.span.of(bytes));
            let entries: Vec<_> = batch.items().iter().map(of_entry).collect();
            assert_eq!(batch.entries(), entries);
            format!(
                "{members:?} {:?} {:?} {:?} {:?}",
                batch.shape,
                batch.items(),
                batch.skips,
                batch.notes
            )
        }
        Ok((members, Err(error))) => format!("{members:?} {error:?}"),
        Err(error) => format!("{error:?}"),
    }
}
