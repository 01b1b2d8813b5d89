//! Of an account out of use, and of one that is back.

use super::*;

#[test]
fn an_account_that_was_disabled_comes_back_into_use() {
    let before = account("s", r#"{"status":"限流"}"#, &[]);
    let disabled = |status: &str, earlier: Option<&str>| Account {
        earlier_status: earlier.map(str::to_owned),
        ..account("", &format!(r#"{{"status":"{status}"}}"#), &[])
    };
    let after = disabled("禁用", Some("\"限流\""));
    check(&before, &after, &after, &before, &[]);
    check(&after, &before, &before, &after, &[]);
    // A person has set another status since, and with it forgotten the earlier one.
    let now = disabled("异常", None);
    let wanted = account("s", r#"{"status":"异常"}"#, &[]);
    check(&before, &after, &now, &wanted, &field("status"));
    // It went out of use once more since, with another status: that was written since, and stays.
    let now = disabled("禁用", Some("\"正常\""));
    let wanted = account("s", r#"{"status":"正常"}"#, &[]);
    check(&before, &after, &now, &wanted, &[]);
}

#[test]
fn an_account_that_lost_its_other_owner_since_comes_back_into_use_with_the_one_that_returns() {
    let fields = r#"{"status":"限流","n":1}"#;
    let (before, after) = (account("s t", fields, &[]), account("t", fields, &[]));
    let now = Account {
        earlier_status: Some("\"限流\"".to_owned()),
        ..account("", r#"{"status":"禁用","n":2}"#, &[])
    };
    let wanted = account("s", r#"{"status":"限流","n":2}"#, &[]);
    check(&before, &after, &now, &wanted, &[]);
    // That can be undone.
    check(&now, &wanted, &wanted, &now, &[]);
    // A person set the status since: that stays.
    let now = account("", r#"{"status":"禁用"}"#, &[]);
    let wanted = account("s", r#"{"status":"禁用"}"#, &[]);
    check(&before, &after, &now, &wanted, &[]);
}

#[test]
fn the_status_that_a_job_wrote_returns_to_an_account_that_went_out_of_use_since() {
    let (before, after) = (
        account("t s", r#"{"status":"限流"}"#, &[]),
        account("t", r#"{"status":"正常"}"#, &[]),
    );
    let disabled = |earlier: &str| Account {
        earlier_status: Some(format!("\"{earlier}\"")),
        ..account("", r#"{"status":"禁用"}"#, &[])
    };
    let wanted = |status: &str| account("s", &format!(r#"{{"status":"{status}"}}"#), &[]);
    check(&before, &after, &disabled("正常"), &wanted("限流"), &[]);
    check(
        &before,
        &after,
        &disabled("异常"),
        &wanted("异常"),
        &field("status"),
    );
}

#[test]
fn secrets_stay_with_an_account_that_comes_back_into_use() {
    let fields = |status: &str| format!(r#"{{"cookie":"…","status":"{status}","note":["…"]}}"#);
    let secrets = &["\"c\"", "\"n\""];
    let (before, after) = (
        account("s t", &fields("正常"), secrets),
        account("t", &fields("正常"), secrets),
    );
    let now = Account {
        earlier_status: Some("\"正常\"".to_owned()),
        ..account("", &fields("禁用"), secrets)
    };
    let change = undo(&changed(&before, &after), Some(&now)).change.unwrap();
    assert_eq!(change.after, Some(account("s", &fields("正常"), secrets)));
    assert!(change.secrets == [0, 1].map(SecretPlace::Kept));
}

#[test]
fn a_secret_status_returns_as_it_was_and_is_named_when_it_does_not() {
    let secret = account("s", r#"{"status":"…"}"#, &["\"a\""]);
    let other = account("s", r#"{"status":"…"}"#, &["\"b\""]);
    let disabled = |earlier: &str| Account {
        earlier_status: Some(format!("\"{earlier}\"")),
        ..account("", r#"{"status":"禁用"}"#, &[])
    };
    let done = |before| Done {
        secrets: &["\"a\""],
        ..changed(before, &secret)
    };
    // It went out of use with the job, as the core lets it go: with another status in the open.
    let gone = disabled("正常");
    let undone = undo(
        &Done {
            after: Some(&gone),
            ..done(&secret)
        },
        Some(&gone),
    );
    let change = undone.change.unwrap();
    assert_eq!(
        (change.after.as_ref(), undone.left),
        (Some(&secret), vec![])
    );
    assert!(change.secrets == [SecretPlace::New(Secret::new("\"a\"".to_owned()))]);
    // One that nobody owns and that has a secret status by now keeps it in its place.
    let now = Account {
        owners: Owners::default(),
        earlier_status: Some("\"正常\"".to_owned()),
        ..secret.clone()
    };
    let change = undo(&changed(&secret, &now), Some(&now)).change.unwrap();
    assert_eq!(change.after, Some(secret.clone()));
    assert!(change.secrets == [SecretPlace::Kept(0)]);
    // Another secret was written since.
    let left = undo(
        &changed(&secret, &with(r#"{"status":"正常"}"#)),
        Some(&other),
    )
    .left;
    assert_eq!(left, field("status"));
    // What an earlier version kept of a secret status is none.
    let wanted = account("s", r#"{"status":"正常"}"#, &[]);
    check(&owned("s"), &owned(""), &disabled("…"), &wanted, &[]);
}

#[test]
fn the_status_before_it_went_out_of_use_does_not_return_without_that() {
    let before = Account {
        earlier_status: Some("\"限流\"".to_owned()),
        ..account("", r#"{"status":"禁用"}"#, &[])
    };
    let after = account("s", r#"{"status":"限流"}"#, &[]);
    let now = account("s", r#"{"status":"异常"}"#, &[]);
    let wanted = account("", r#"{"status":"异常"}"#, &[]);
    check(&before, &after, &now, &wanted, &field("status"));
}

#[test]
fn an_account_with_an_owner_never_goes_out_of_use() {
    let before = Account {
        earlier_status: Some("\"正常\"".to_owned()),
        ..account("", r#"{"status":"禁用"}"#, &[])
    };
    let fields = r#"{"status":"正常"}"#;
    let (after, now) = (account("t", fields, &[]), account("t u", fields, &[]));
    check(
        &before,
        &after,
        &now,
        &account("u", fields, &[]),
        &field("status"),
    );
    // Without an owner it goes back to where it was.
    check(&before, &after, &after, &before, &[]);
}

#[test]
fn an_account_that_had_its_owner_back_out_of_use_is_so_again() {
    let before = Account {
        earlier_status: Some("\"正常\"".to_owned()),
        ..account("+", r#"{"status":"禁用"}"#, &[])
    };
    let in_use = |owners: &str| account(owners, r#"{"status":"正常"}"#, &[]);
    let after = in_use("+ s");
    check(&before, &after, &after, &before, &[]);
    // With another owner since it stays in use.
    let (now, wanted) = (in_use("+ t s"), in_use("+ t"));
    check(&before, &after, &now, &wanted, &field("status"));
    // So it is, too, when it lost that owner and went out of use a second time.
    let gone = Account {
        owners: Owners::default(),
        ..before.clone()
    };
    check(&before, &gone, &gone, &before, &[]);
}
