//! Laws of what is approved: a plan's hash names what it changes and nothing else, and the guard blocks losses only.

use super::*;
use tributary_core::{Change, Guard, Holding, PlanHasher, Provider};

/// All that a hash stands for.
fn told(plan: &Plan<'_>, options: &ImportOptions) -> String {
    let changes = plan.changes().map(|change| {
        let standing = |account: &Account| {
            (
                account.fingerprint,
                account.provider,
                account.owners.clone(),
                account.earlier_status.clone(),
            )
        };
        let (before, after) = (change.before, change.after.as_ref());
        let was = |name: &str| before?.document.fields().find(|field| field.name == name);
        let fields = after.iter().flat_map(|after| after.document.fields());
        let fields = fields.map(|field| (was(field.name), field));
        let changed: Vec<_> = fields.filter(|(was, field)| *was != Some(*field)).collect();
        format!(
            "{:?}",
            (
                change.kind,
                before.map(standing),
                after.map(standing),
                changed
            )
        )
    });
    let provider = options.provider.unwrap_or_default();
    format!(
        "{:?}",
        (
            options.strategy,
            &options.source_id,
            provider,
            changes.collect::<Vec<_>>()
        )
    )
}

/// Where two plans begin to differ: in which payload, at which of its digits or names, and what stands there instead; or
/// how that payload is imported instead.
type Apart = (
    prop::sample::Index,
    prop::sample::Index,
    char,
    Option<ImportOptions>,
);

fn apart() -> impl Strategy<Value = Apart> {
    let digit = prop::sample::select(vec!['0', '1', '2', '3', 'a', 'b', 'c']);
    let which = any::<prop::sample::Index>;
    (which(), which(), digit, prop::option::of(options()))
}

/// The same imports, but for one digit or name of one payload, or for how one of them was imported.
fn nearly(
    history: &[(String, ImportOptions)],
    payload: &str,
    (which, place, digit, options): &Apart,
) -> (Vec<(String, ImportOptions)>, String) {
    let (mut history, mut payload) = (history.to_vec(), payload.to_owned());
    let at = which.index(history.len() + 1);
    let text = match (history.get_mut(at), options) {
        (Some((_, how)), Some(options)) => {
            *how = options.clone();
            return (history, payload);
        }
        (Some((before, _)), None) => before,
        (None, _) => &mut payload,
    };
    // Digits stand in tokens and values; a letter in quotes is a field's name.
    let is_name =
        |at: usize| at > 0 && text[at - 1..].starts_with('"') && text[at + 1..].starts_with('"');
    let alike = |(at, there): &(usize, char)| match digit.is_ascii_digit() {
        true => there.is_ascii_digit(),
        false => matches!(there, 'a'..='c') && is_name(*at),
    };
    let places: Vec<_> = text.char_indices().filter(alike).collect();
    if !places.is_empty() {
        let at = place.get(&places).0;
        text.replace_range(at..=at, &digit.to_string());
    }
    (history, payload)
}

/// Small, where the limits of a guard lie, or any.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..60u64, 1 => any::<u64>()]
}

proptest! {
    // Many small ones: pairs differ in one place, and few of those places matter.
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_have_one_hash_just_where_they_change_the_same(history in prop::collection::vec((payload(), options()), 0..3), payload in payload(), by in options(), by_other in options(), same in any::<bool>(), apart in apart()) {
        let (other_history, other) = nearly(&history, &payload, &apart);
        let by_other = if same { by.clone() } else { by_other };
        let (pool, other_pool) = (pool_after(&history), pool_after(&other_history));
        let plans = [plan_import(payload.as_bytes(), &by, &pool), plan_import(other.as_bytes(), &by_other, &other_pool)];
        let [Ok(one), Ok(other)] = plans else { return Ok(()) };
        let (told, told_other) = (told(&one, &by), told(&other, &by_other));
        prop_assert_eq!(told == told_other, one.hash(&by) == other.hash(&by_other), "{}\n{}", told, told_other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fewer_changes_or_another_order_are_another_plan(history in imports(), payload in payload(), by in options(), at in any::<prop::sample::Index>()) {
        let pool = pool_after(&history);
        let Ok(plan) = plan_import(payload.as_bytes(), &by, &pool) else { return Ok(()) };
        let mut changes: Vec<_> = plan.changes().collect();
        let hash = |changes: &[Change<'_>]| {
            let mut hasher = PlanHasher::new(&by);
            changes.iter().for_each(|change| hasher.add(change));
            hasher.finish()
        };
        let whole = plan.hash(&by);
        prop_assert_eq!(hash(&changes), whole);
        if changes.is_empty() { return Ok(()) }
        if changes.len() > 1 {
            changes.rotate_left(1);
            prop_assert_ne!(hash(&changes), whole);
            changes.rotate_right(1);
        }
        changes.remove(at.index(changes.len()));
        prop_assert_ne!(hash(&changes), whole);
    }

    #[test]
    fn a_hash_knows_who_imports_how(history in imports(), payload in payload(), by in options()) {
        let pool = pool_after(&history);
        let Ok(plan) = plan_import(payload.as_bytes(), &by, &pool) else { return Ok(()) };
        let other = |strategy, source_id, provider| ImportOptions { strategy, source_id, provider, ..by.clone() };
        let (strategy, id, provider) = (by.strategy, by.source_id.clone(), by.provider);
        let turned = if strategy == Meeting::Merge { Meeting::Replace } else { Meeting::Merge };
        let grok = if provider.is_none() { Provider::Grok } else { Provider::Gpt };
        for another in [other(turned, id.clone(), provider), other(strategy, source("u"), provider), other(strategy, id, Some(grok))] {
            prop_assert_ne!(plan.hash(&by), plan.hash(&another));
        }
    }

    #[test]
    fn what_is_not_taken_and_what_stays_is_not_in_a_hash(history in imports(), entries in prop::collection::vec(entry(), 1..8), by in options()) {
        let pool = pool_after(&history);
        let list = entries.join(", ");
        let plain = format!("[{list}]");
        let noisy = format!(r#"{{"accounts": [{list} , null, {list}, "", {{"token": "tok-new", "provider": "claude"}}], "tokens": []}}"#);
        let [plain, noisy] = [&plain, &noisy].map(|payload| plan_import(payload.as_bytes(), &by, &pool).map(|plan| plan.hash(&by)));
        match (plain, noisy) {
            (Ok(plain), Ok(noisy)) => prop_assert_eq!(plain, noisy),
            (Err(_), Err(_)) => {}
            // Only a replace looks at what is not taken.
            _ => prop_assert_eq!(by.strategy, Meeting::Replace),
        }
    }

    #[test]
    fn what_was_planned_is_the_same_plan_until_the_pool_changes_for_it(history in imports(), payload in payload(), by in options()) {
        let pool = pool_after(&history);
        let Ok(plan) = plan_import(payload.as_bytes(), &by, &pool) else { return Ok(()) };
        let again = plan_import(payload.as_bytes(), &by, &pool).expect("it was planned");
        prop_assert_eq!(plan.hash(&by), again.hash(&by));
        let done = apply(&plan, &pool);
        if let Ok(after) = plan_import(payload.as_bytes(), &by, &done) {
            prop_assert_eq!(plan.changes().next().is_none(), plan.hash(&by) == after.hash(&by));
        }
    }

    #[test]
    fn the_more_is_lost_the_more_the_guard_blocks(percent in 0..120u64, floor in 0..20u64, most in 0..60u64, now in 0..60u64, after in 0..60u64, fewer in 0..60u64) {
        let guard = Guard { percent, floor };
        let most = most.max(now);
        let says = |after| guard.verdict(&Holding { most, now, after });
        let fewer = after.saturating_sub(fewer);
        prop_assert!(says(fewer).blocked || !says(after).blocked);
        prop_assert!(says(fewer).loss >= says(after).loss);
    }

    #[test]
    fn the_guard_lets_pass_what_loses_nothing(percent in number(), floor in number(), most in number(), now in number(), more in number()) {
        let (guard, most) = (Guard { percent, floor }, most.max(now));
        let says = |after| guard.verdict(&Holding { most, now, after });
        prop_assert!(!says(now.saturating_add(more)).blocked, "it takes nothing itself");
        let verdict = says(most.saturating_add(more));
        prop_assert_eq!((verdict.blocked, verdict.loss), (false, 0));
    }

    #[test]
    fn the_guard_blocks_the_loss_of_all_up_to_99_percent(percent in 0..100u64, floor in number(), most in number()) {
        let all = Holding { most, now: most, after: 0 };
        prop_assert_eq!(Guard { percent, floor }.verdict(&all).blocked, most > 0 && most >= floor);
        prop_assert!(!Guard { percent: 100, floor }.verdict(&all).blocked, "100 percent is no guard");
    }
}
