//! Large payloads of plausible accounts, the same in every run.

use std::fmt::Write;
use std::ops::Range;

/// The JSON of an inject with `count` accounts of about 700 bytes each.
pub(crate) fn accounts(count: usize) -> String {
    accounts_of(0..count, "bulk")
}

/// The accounts of these numbers, for a source.
pub(crate) fn accounts_of(numbers: Range<usize>, source_id: &str) -> String {
    let mut body = String::with_capacity(numbers.len() * 760 + 64);
    body.push_str(r#"{"accounts": ["#);
    let first = numbers.start;
    for n in numbers {
        let comma = if n == first { "" } else { ", " };
        let filler = spread(n as u64);
        write!(
            body,
            r#"{comma}{{"access_token": "tok-{n:08}-{filler:016x}{filler:016x}{filler:016x}{filler:016x}", "provider": "gpt", "type": "plus", "email": "person{n}@example.test", "refresh_token": "ref-{n:08}-{filler:016x}{filler:016x}{filler:016x}", "quota": {quota}, "status": "正常", "limits_progress": [{{"feature_name": "image_gen", "remaining": {quota}, "reset_after": "2026-05-24T10:15:30+00:00"}}], "metadata": {{"team": "ops-{team}", "region": "eu-central", "note": "bought in the spring sale, kept for the night shift", "tags": ["a{quota}", "b{team}", "c"], "plan": {{"seats": {team}, "renews": true, "price": 19.90}}}}, "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}}"#,
            quota = n % 50,
            team = n % 97,
        )
        .expect("memory takes it");
    }
    body.push_str(r#"], "strategy": "merge", "source_name": "Bulk", "source_id": ""#);
    body.push_str(source_id);
    body.push_str("\"}");
    body
}

/// Scatters numbers, so that tokens arrive in no order.
fn spread(n: u64) -> u64 {
    (n ^ 0x5bd1_e995)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
}

#[test]
fn an_account_is_about_700_bytes() {
    let body = accounts(1_000);
    assert!(
        (650..760).contains(&(body.len() / 1_000)),
        "{}",
        body.len() / 1_000
    );
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).expect("JSON")["accounts"]
            .as_array()
            .map(Vec::len),
        Some(1_000)
    );
}
