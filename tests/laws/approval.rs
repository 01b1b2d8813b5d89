//! Laws of what is approved: a plan's hash names what it changes and nothing else, and the guard blocks losses only.

use super::*;
use tributary_core::{Guard, Holding, Provider};

/// All that a hash stands for, of plans against one pool.
fn told(plan: &Plan<'_>, options: &ImportOptions) -> String {
    let changes = plan.changes.iter().map(|change| {
        let standing = |account: &Account| {
            (
                account.fingerprint,
                account.provider,
                account.owners.clone(),
                account.earlier_status.clone(),
            )
        };
        let after = change.after.as_ref();
        let marks = after.map(|after| after.document.marks().to_vec());
        format!(
            "{:?}",
            (
                change.kind,
                change.before.map(standing),
                after.map(standing),
                change.fields(),
                marks
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_have_one_hash_where_they_change_the_same(history in imports(), one in payload(), other in payload(), by in options(), by_other in options(), same in any::<bool>()) {
        let pool = pool_after(&history);
        let by_other = if same { by.clone() } else { by_other };
        let plans = [plan_import(one.as_bytes(), &by, &pool), plan_import(other.as_bytes(), &by_other, &pool)];
        let [Ok(one), Ok(other)] = plans else { return Ok(()) };
        let alike = told(&one, &by) == told(&other, &by_other);
        prop_assert_eq!(alike, one.hash(&by) == other.hash(&by_other));
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
            prop_assert_eq!(plan.changes.is_empty(), plan.hash(&by) == after.hash(&by));
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
    fn the_guard_lets_pass_what_loses_nothing(percent in any::<u64>(), floor in any::<u64>(), most in any::<u64>(), now in any::<u64>(), more in any::<u64>()) {
        let (guard, most) = (Guard { percent, floor }, most.max(now));
        let says = |after| guard.verdict(&Holding { most, now, after });
        prop_assert!(!says(now.saturating_add(more)).blocked, "it takes nothing itself");
        let verdict = says(most.saturating_add(more));
        prop_assert_eq!((verdict.blocked, verdict.loss), (false, 0));
    }
}
