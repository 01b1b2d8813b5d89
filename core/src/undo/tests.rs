use super::*;
use crate::fingerprint::Salt;
use crate::owner::SourceId;
use crate::provider::Provider;

mod status;

const TOKEN: &str = "example-1";

/// An account with these owners (sources by one letter, `+` for Local), fields, and secrets as JSON texts.
fn account(owners: &str, fields: &str, secrets: &[&str]) -> Account {
    let salt = Salt::new([3; 32]);
    let sources = owners.split(['+', ' ']).filter_map(SourceId::new);
    let marks = secrets.iter().map(|secret| salt.of_secret(secret));
    Account {
        fingerprint: salt.of_token(TOKEN),
        masked: "e…1".to_owned(),
        provider: Provider::Gpt,
        owners: Owners::new(owners.contains('+'), sources),
        document: Document::new(fields, marks).unwrap(),
        earlier_status: None,
    }
}

/// One without secrets that `s` owns.
fn with(fields: &str) -> Account {
    account("s", fields, &[])
}

fn owned(owners: &str) -> Account {
    account(owners, "{}", &[])
}

fn changed<'a>(before: &'a Account, after: &'a Account) -> Done<'a> {
    Done {
        before: Some(before),
        after: Some(after),
        token: Some(TOKEN),
        secrets: &[],
    }
}

fn added(after: &Account) -> Done<'_> {
    Done {
        before: None,
        after: Some(after),
        token: None,
        secrets: &[],
    }
}

/// What a job made of `before` was `after`; the account is `now`, becomes `wanted`, and `left` stays as it is.
#[track_caller]
fn check(before: &Account, after: &Account, now: &Account, wanted: &Account, left: &[Left]) {
    let undone = undo(&changed(before, after), Some(now));
    assert_eq!(
        undone.change.is_none(),
        now == wanted,
        "a change of nothing"
    );
    let becomes = undone.change.and_then(|change| change.after);
    assert_eq!(becomes.as_ref().unwrap_or(now), wanted);
    assert_eq!(undone.left, left);
}

fn field(name: &str) -> [Left; 1] {
    [Left::Field(name.to_owned())]
}

#[test]
fn a_removed_account_comes_back_with_its_token_and_secrets() {
    let before = account(
        "+s",
        r#"{"password":"…","n":1,"cookie":"…"}"#,
        &["\"p\"", "\"c\""],
    );
    let done = Done {
        before: Some(&before),
        after: None,
        token: Some(TOKEN),
        secrets: &["\"p\"", "\"c\""],
    };
    let undone = undo(&done, None);
    let change = undone.change.unwrap();
    assert_eq!(
        (change.kind, &change.after),
        (ChangeKind::Add, &Some(before.clone()))
    );
    assert_eq!(change.token.as_ref().map(Secret::reveal), Some(TOKEN));
    let new = |text: &str| SecretPlace::New(Secret::new(text.to_owned()));
    assert!(change.secrets == [new("\"p\""), new("\"c\"")]);
    assert_eq!(undone.left, []);
    let now = owned("t");
    let undone = undo(&done, Some(&now));
    assert!(undone.change.is_none(), "it came back by itself");
    assert_eq!(undone.left, [Left::Back]);
}

#[test]
fn an_added_account_goes_whatever_became_of_its_fields() {
    let after = account("s", r#"{"n":1}"#, &[]);
    for owners in ["s", ""] {
        let now = account(owners, r#"{"n":2}"#, &[]);
        let undone = undo(&added(&after), Some(&now));
        let change = undone.change.unwrap();
        assert_eq!((change.kind, change.after), (ChangeKind::Remove, None));
        assert_eq!((change.before, undone.left), (Some(&now), vec![]));
    }
    let gone = undo(&added(&after), None);
    assert!(gone.change.is_none() && gone.left.is_empty());
}

#[test]
fn an_added_account_that_others_own_stays_without_the_owner_of_the_job() {
    let after = owned("s");
    for (owners, others) in [("s t", "t"), ("t s u", "t u"), ("+s", "+")] {
        let now = account(owners, r#"{"cookie":"…"}"#, &["\"c\""]);
        let undone = undo(&added(&after), Some(&now));
        let change = undone.change.unwrap();
        assert_eq!(change.kind, ChangeKind::Release);
        assert_eq!(change.after.unwrap().owners, owned(others).owners);
        assert!(change.secrets == [SecretPlace::Kept(0)]);
        assert_eq!(undone.left, [Left::OwnedByOthers]);
    }
    let now = owned("t");
    let undone = undo(&added(&after), Some(&now));
    assert!(undone.change.is_none(), "it has left that owner already");
    assert_eq!(undone.left, [Left::OwnedByOthers]);
}

#[test]
fn a_changed_account_that_is_gone_stays_gone() {
    let undone = undo(&changed(&with(r#"{"n":1}"#), &with(r#"{"n":2}"#)), None);
    assert!(undone.change.is_none());
    assert_eq!(undone.left, [Left::Gone]);
}

#[test]
fn fields_that_are_as_the_job_left_them_become_what_they_were() {
    let (one, two) = (with(r#"{"n":1}"#), with(r#"{"n":2}"#));
    check(&one, &two, &two, &one, &[]);
    let more = with(r#"{"n":1,"x":true}"#);
    check(&one, &more, &more, &one, &[]);
    check(&more, &one, &one, &more, &[]);
}

#[test]
fn fields_that_were_changed_since_stay_and_are_named() {
    let [one, two, three] = [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#].map(with);
    let none = with("{}");
    check(&one, &two, &three, &three, &field("n"));
    check(&none, &two, &three, &three, &field("n"));
    check(&one, &none, &three, &three, &field("n"));
    check(&one, &two, &none, &none, &field("n"));
    let like_a_jwt = r#"{"eyJa.b.c":1}"#;
    check(
        &with(like_a_jwt),
        &with(r#"{"eyJa.b.c":2}"#),
        &none,
        &none,
        &field("…"),
    );
}

#[test]
fn what_was_set_back_since_needs_nothing() {
    let [one, two] = [r#"{"n":1}"#, r#"{"n":2}"#].map(with);
    let none = with("{}");
    check(&one, &two, &one, &one, &[]);
    check(&none, &two, &none, &none, &[]);
    check(&one, &none, &one, &one, &[]);
}

#[test]
fn what_the_job_did_not_write_stays() {
    let (before, after) = (with(r#"{"a":1,"n":1}"#), with(r#"{"a":1,"n":2}"#));
    let now = with(r#"{"a":5,"n":2,"b":6}"#);
    check(&before, &after, &now, &with(r#"{"a":5,"n":1,"b":6}"#), &[]);
    let now = with(r#"{"n":2}"#);
    check(&before, &after, &now, &with(r#"{"n":1}"#), &[]);
}

#[test]
fn fields_stand_in_the_order_in_which_they_stood() {
    let before = with(r#"{"a":1,"b":2,"c":3}"#);
    let after = with(r#"{"c":3,"a":1}"#);
    check(&before, &after, &after, &before, &[]);
    let now = with(r#"{"c":3,"a":1,"d":4}"#);
    let last = with(r#"{"c":3,"a":1,"d":4,"b":2}"#);
    check(&before, &after, &now, &last, &[]);
}

#[test]
fn secrets_return_and_those_that_stay_are_kept() {
    let fields = r#"{"password":"…","m":{"cookie":"…","jwt":"…"}}"#;
    let was = ["\"p1\"", "\"c\"", "\"j1\""];
    let before = account("s", fields, &was);
    let after = account("s", fields, &["\"p2\"", "\"c\"", "\"j1\""]);
    let done = Done {
        secrets: &was,
        ..changed(&before, &after)
    };
    let change = undo(&done, Some(&after)).change.unwrap();
    assert_eq!(change.after.as_ref(), Some(&before));
    let new = |text: &str| SecretPlace::New(Secret::new(text.to_owned()));
    assert!(change.secrets == [new("\"p1\""), SecretPlace::Kept(1), SecretPlace::Kept(2)]);

    let whole = account("s", fields, &["\"p1\"", "\"c\"", "\"j2\""]);
    let done = Done {
        after: Some(&whole),
        ..done
    };
    let now = account("s", fields, &["\"p3\"", "\"c\"", "\"j2\""]);
    let undone = undo(&done, Some(&now));
    let change = undone.change.unwrap();
    let wanted = account("s", fields, &["\"p3\"", "\"c\"", "\"j1\""]);
    assert_eq!(change.after.as_ref(), Some(&wanted));
    assert!(change.secrets == [SecretPlace::Kept(0), new("\"c\""), new("\"j1\"")]);
    assert_eq!(undone.left, [], "the password is not what the job wrote");
}

#[test]
fn a_secret_that_was_changed_since_stays() {
    let password = |secret| account("s", r#"{"password":"…"}"#, &[secret]);
    let [one, two, three] = ["\"p1\"", "\"p2\"", "\"p3\""].map(password);
    check(&one, &two, &three, &three, &field("password"));
    check(&with("{}"), &two, &two, &with("{}"), &[]);
}

#[test]
fn a_provider_becomes_what_it_was_unless_it_is_that_already() {
    let grok = || Account {
        provider: Provider::Grok,
        ..owned("s")
    };
    check(&owned("s"), &grok(), &grok(), &owned("s"), &[]);
    check(&owned("s"), &grok(), &owned("s"), &owned("s"), &[]);
    let both = Account {
        provider: Provider::Grok,
        ..owned("s t")
    };
    check(&owned("s t"), &owned("s"), &grok(), &both, &[]);
}

#[track_caller]
fn check_owners(before: &str, after: &str, now: &str, wanted: &str, left: &[Left]) {
    let [before, after, now, wanted] = [before, after, now, wanted].map(owned);
    check(&before, &after, &now, &wanted, left);
}

#[test]
fn owners_that_the_job_gave_go_and_those_that_it_took_return() {
    check_owners("t", "t s", "t s", "t", &[]);
    check_owners("t", "t s", "t s u", "t u", &[]);
    check_owners("t", "t s", "+t s", "+t", &[]);
    check_owners("+", "+s", "+s", "+", &[]);
    check_owners("s t", "t", "t", "s t", &[]);
    check_owners("+s", "s", "s u", "+s u", &[]);
    check_owners("s", "+", "+", "s", &[]);
    check_owners("t", "t s", "t", "t", &[]);
    check_owners("s t", "t", "s t", "s t", &[]);
}

#[test]
fn owners_stand_in_the_order_in_which_they_stood() {
    check_owners("s t", "t s", "t s", "s t", &[]);
    check_owners("s t", "t s", "t s u", "t s u", &[]);
    check_owners("a s b", "a b", "a b", "a s b", &[]);
    check_owners("a s b", "a b", "a b c", "s a b c", &[]);
}

#[test]
fn the_last_owner_of_an_account_stays() {
    check_owners("t", "t s", "s", "s", &[Left::LastOwner]);
    check_owners("+", "+s", "s", "s", &[Left::LastOwner]);
    check_owners("", "s", "s", "", &[]);
    check_owners("t", "t s", "", "", &[]);
}

#[test]
fn an_undo_that_only_takes_owners_is_a_release() {
    let kind = |before: &Account, after: &Account, now: &Account| {
        undo(&changed(before, after), Some(now))
            .change
            .unwrap()
            .kind
    };
    let (one, both) = (owned("t"), owned("t s"));
    assert_eq!(kind(&one, &both, &both), ChangeKind::Release);
    assert_eq!(kind(&both, &one, &one), ChangeKind::Update);
    assert_eq!(kind(&owned("s t"), &both, &both), ChangeKind::Update);
    let (bare, noted) = (owned("t"), account("t s", r#"{"n":1}"#, &[]));
    assert_eq!(kind(&bare, &noted, &noted), ChangeKind::Update);
}

#[test]
fn what_is_left_has_a_code_and_a_sentence_of_its_own() {
    let all = [
        Left::Gone,
        Left::Back,
        Left::OwnedByOthers,
        Left::Field("note".to_owned()),
        Left::Provider,
        Left::LastOwner,
    ];
    for (at, left) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other.code() != left.code()));
        let said = left.to_string();
        assert!(all[..at].iter().all(|other| other.to_string() != said));
        assert!(said.len() > 10 && !said.ends_with('.'), "{said}");
    }
    assert_eq!(all[3].to_string(), "`note` was changed since");
}

#[test]
fn many_fields_take_no_longer_than_few() {
    let fields = |value: u32| {
        let fields: Vec<String> = (0..30_000).map(|n| format!("\"f{n}\":{value}")).collect();
        account("s", &format!("{{{}}}", fields.join(",")), &[])
    };
    check(&fields(1), &fields(2), &fields(2), &fields(1), &[]);
}
