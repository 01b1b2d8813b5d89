//! What a plan costs in the core.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tributary_core::{Change, ImportOptions, Pool, Salt, plan_import, plan_json};

use crate::report::{Goal, Report, median, timed};
use crate::{MANY, RUNS};

/// A payload as a program would read it that knows these accounts and no others.
#[derive(Deserialize)]
pub(crate) struct Read<'a> {
    #[serde(borrow)]
    pub(crate) accounts: Vec<Account<'a>>,
}

/// One of its accounts. What is nested stays as it came.
#[derive(Deserialize)]
pub(crate) struct Account<'a> {
    pub(crate) access_token: &'a str,
    pub(crate) provider: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    pub(crate) email: Cow<'a, str>,
    pub(crate) refresh_token: &'a str,
    pub(crate) quota: u64,
    #[serde(borrow)]
    pub(crate) status: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) limits_progress: &'a RawValue,
    #[serde(borrow)]
    pub(crate) metadata: &'a RawValue,
    pub(crate) user_agent: &'a str,
}

/// The fingerprint as the core makes it, from the same number of bytes.
pub(crate) fn fingerprint(token: &str) -> [u8; 16] {
    let hash = blake3::keyed_hash(&[7; 32], token.as_bytes());
    *hash.as_bytes().first_chunk().expect("32 bytes")
}

/// Reads a payload and hashes its tokens: the least that a plan can be.
fn floor(body: &str) -> Duration {
    timed(|| {
        let read: Read<'_> = serde_json::from_str(body).expect("JSON");
        let hashes: Vec<_> = read
            .accounts
            .iter()
            .map(|a| fingerprint(a.access_token))
            .collect();
        for account in &read.accounts {
            black_box((
                account.provider,
                account.kind,
                &account.email,
                account.quota,
            ));
            black_box((
                account.refresh_token,
                &account.status,
                account.limits_progress,
                account.metadata,
            ));
            black_box(account.user_agent);
        }
        assert_eq!(black_box(hashes).len(), MANY);
    })
}

/// The rows of the native core.
pub(crate) fn natively(report: &mut Report, body: &str) {
    let empty = Pool::new(Salt::new([7; 32]));
    let (by_account, by_entry) = (filled(body, false), filled(body, true));
    let changed = one_in_ten_changed(body);
    let most_stay = [0, MANY / 10, MANY * 9 / 10];
    let (mut floors, mut plans) = (vec![], vec![]);
    let (mut outlines, mut answers) = (vec![], vec![]);
    let (mut present, mut known) = (vec![], vec![]);
    for _ in 0..RUNS {
        floors.push(floor(body));
        plans.push(planned(body, &empty, [MANY, 0, 0]));
        outlines.push(answered(body, br#"{"outline":true}"#));
        answers.push(answered(body, b"{}"));
        present.push(planned(&changed, &by_account, most_stay));
        known.push(planned(&changed, &by_entry, most_stay));
    }
    let floor = median(&mut floors);
    for (name, times, goal) in [
        ("plan, empty pool, native", &mut plans, 1.2),
        ("the same with its JSON, outlined", &mut outlines, 1.35),
        ("the same with its JSON, fields told", &mut answers, 1.35),
        ("plan, all present, 10 % changed", &mut present, 1.7),
        ("the same, what brought them known", &mut known, 1.7),
    ] {
        report.times(name, median(times), floor, Goal::AtMost(goal));
    }
}

/// A pool of the accounts that a payload brings, with or without what stands for their entries.
fn filled(body: &str, knows_entries: bool) -> Pool {
    let mut full = Pool::new(Salt::new([7; 32]));
    let empty = Pool::new(full.salt().clone());
    let plan = plan_import(body.as_bytes(), &ImportOptions::default(), &empty).expect("a plan");
    for Change { after, item, .. } in plan.changes() {
        let (account, item) = after.zip(item).expect("an item brings it");
        match knows_entries {
            true => full.put_brought(account, plan.entry(&item)),
            false => full.put(account),
        }
    }
    full
}

/// A plan and its JSON under a context.
fn answered(body: &str, context: &[u8]) -> Duration {
    timed(|| assert!(added_all(&plan_json(body.as_bytes(), context))))
}

/// A plan that adds, updates and leaves so many accounts.
fn planned(body: &str, pool: &Pool, expected: [usize; 3]) -> Duration {
    timed(|| {
        let plan = plan_import(body.as_bytes(), &ImportOptions::default(), pool).expect("a plan");
        let counts = black_box(plan).counts;
        let counts = [counts.added, counts.updated, counts.unchanged];
        assert_eq!(counts, expected.map(|count| count as u64));
    })
}

fn one_in_ten_changed(body: &str) -> String {
    let mut parts = body.split(r#""type": "plus""#);
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for (n, part) in parts.enumerate() {
        changed.push_str(if n % 10 == 0 {
            r#""type": "team""#
        } else {
            r#""type": "plus""#
        });
        changed.push_str(part);
    }
    changed
}

/// The plan and its JSON, which then is still in memory, as it is in that of a module.
pub(crate) fn as_json(body: &str) -> Duration {
    let mut answer = Vec::new();
    let taken = timed(|| answer = plan_json(body.as_bytes(), b"{}"));
    assert!(added_all(&answer));
    taken
}

/// Whether an answer says that all were added.
pub(crate) fn added_all(answer: &[u8]) -> bool {
    String::from_utf8_lossy(&answer[..400]).contains(&format!("\"added\":{MANY}"))
}
