//! Which entries are taken, and what is seen of accounts while they are read.

use super::*;
use crate::options::ImportOptions;
use crate::payload::MAX_ENTRY;

/// A list of an entry of `len` bytes and an ordinary one.
fn with_entry_of(len: u64) -> Vec<u8> {
    let len = usize::try_from(len).unwrap();
    let head = r#"{"token":"example-token-1","note":""#;
    let note = "n".repeat(len - head.len() - 2);
    format!(r#"[{head}{note}"}}, "example-token-2"]"#).into_bytes()
}

#[test]
fn whether_an_account_stays_is_told_while_its_entry_is_read() {
    let known = r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50],"otp":"o"}}"#;
    let by = ImportOptions::default();
    let mut pool = Pool::new(Salt::new([7; 32]));
    let empty = Pool::new(pool.salt().clone());
    let payload = format!("[{known}]");
    let plan = crate::plan_import(payload.as_bytes(), &by, &empty).unwrap();
    let accounts: Vec<_> = plan.changes().filter_map(|change| change.after).collect();
    accounts.into_iter().for_each(|account| pool.put(account));
    for (entry, stays) in [
        (known, Some(true)),
        (r#""a-1""#, Some(true)),
        (
            r#" { "token" : " a-1 " , "note":"é", "password" : "p" } "#,
            Some(true),
        ),
        (
            r#"{"token":"a-1","note":"é","password":"p","m":{ "n": [1, 2.50], "otp":"o"}, "status":7}"#,
            Some(true),
        ),
        (r#"{"token":"a-1","provider":"gpt"}"#, Some(true)),
        (r#"{"token":"a-1","provider":"grok"}"#, Some(false)),
        (r#"{"token":"a-1","note":"e"}"#, Some(false)),
        (r#"{"token":"a-1","note":"é","password":"q"}"#, None),
        (
            r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.5],"otp":"o"}}"#,
            None,
        ),
        (
            r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50],"otp":"x"}}"#,
            None,
        ),
        (
            r#"{"token":"a-1","note":"é","password":"p","m":{"n":[1,2.50]}}"#,
            None,
        ),
        (r#"{"token":"a-1","other":1}"#, Some(false)),
        (r#"{"token":"a-1","note":"\u00e9"}"#, None),
        (r#"{"token":"a-2","note":"é"}"#, None),
    ] {
        let payload = format!("[{entry}]");
        let read = Payload::read_beside(payload.as_bytes(), &pool, by.owner()).unwrap();
        assert_eq!(read.batch.staying, [stays], "{entry}");
    }
    let other = Owner::Source(crate::SourceId::new("s").unwrap());
    let payload = format!("[{known}]");
    let read = Payload::read_beside(payload.as_bytes(), &pool, other).unwrap();
    assert_eq!(read.batch.staying, [Some(false)], "it gets another owner");
}

#[test]
fn an_entry_that_comes_again_is_told_by_its_text_until_its_account_is_put_in_anew() {
    let known = r#"{"token":"a-1","m":{"otp":"o"}}"#;
    let by = ImportOptions::default();
    let mut pool = Pool::new(Salt::new([7; 32]));
    let empty = Pool::new(pool.salt().clone());
    let payload = format!("[{known},\"a-2\",\"a-3\"]");
    let plan = crate::plan_import(payload.as_bytes(), &by, &empty).unwrap();
    for change in plan.changes() {
        pool.put_brought(change.after.unwrap(), plan.entry(&change.item.unwrap()));
    }
    let staying = |payload: &str, pool: &Pool| {
        let read = Payload::read_beside(payload.as_bytes(), pool, by.owner()).unwrap();
        let plan = crate::plan_import(payload.as_bytes(), &by, pool).unwrap();
        assert_eq!(plan.counts.unchanged, 1, "{payload}");
        read.batch.staying
    };
    assert_eq!(staying(&format!("[ {known} ]"), &pool), [Some(true)]);
    assert_eq!(staying(r#"[{"token":"a-1"}]"#, &pool), [None]);
    let same = pool.get(&pool.salt().of_token("a-1")).unwrap().clone();
    pool.put(same);
    assert_eq!(staying(&format!("[{known}]"), &pool), [None]);
}

#[test]
fn an_account_is_named_by_entries_that_are_passed_over_too() {
    let salt = Salt::new([7; 32]);
    let entry =
        |token: &str, provider: &str| format!(r#"{{"token":"{token}","provider":"{provider}"}}"#);
    let entries = [("a-1", "x"), ("a-2", "gpt"), ("a-1", "x"), ("a-1", "gpt")];
    let more = [("a-1", "grok"), ("a-2", "x"), ("a-3", "x"), ("a-2", "gpt")];
    let all: Vec<_> = entries.iter().chain(&more).collect();
    let all: Vec<_> = all.into_iter().map(|(t, p)| entry(t, p)).collect();
    let payload = format!("[{}]", all.join(","));
    let batch = Payload::read(payload.as_bytes(), &salt).unwrap().batch;
    let items: Vec<_> = batch.items().iter().map(|item| item.index).collect();
    assert_eq!(items, [1, 3]);
    let skips: Vec<_> = batch.skips.iter().map(|s| (s.index, s.reason)).collect();
    let of = |first| Reason::Duplicate { first };
    let unknown = Reason::ProviderUnknown;
    let expected = [
        (0, unknown),
        (2, unknown),
        (4, of(3)),
        (5, unknown),
        (6, unknown),
        (7, of(1)),
    ];
    assert_eq!(skips, expected);
    for (token, is_named) in [("a-1", true), ("a-2", true), ("a-3", true), ("a-4", false)] {
        assert_eq!(batch.names(&salt.of_token(token)), is_named, "{token}");
    }
}

#[test]
fn many_that_are_passed_over_are_found_again_among_items() {
    let salt = Salt::new([7; 32]);
    let entry =
        |n: usize, provider: &str| format!(r#"{{"token":"a-{n}","provider":"{provider}"}}"#);
    let provider = |n: usize| if n.is_multiple_of(3) { "x" } else { "gpt" };
    let once = (0..600).map(|n| entry(n, provider(n)));
    let again = (0..600).map(|n| entry(n, "grok"));
    let all: Vec<_> = once.chain(again).collect();
    let payload = format!("[{}]", all.join(","));
    let batch = Payload::read(payload.as_bytes(), &salt).unwrap().batch;
    // Those that were passed over become items the second time, and the others come twice.
    assert_eq!((batch.items().len(), batch.skips.len()), (600, 200 + 400));
    for skip in batch.skips.iter().filter(|skip| skip.index >= 600) {
        let first = skip.index - 600;
        assert_eq!(skip.reason, Reason::Duplicate { first });
    }
    assert!((0..600).all(|n| batch.names(&salt.of_token(&format!("a-{n}")))));
    assert!(!batch.names(&salt.of_token("a-600")));
}

#[test]
fn an_entry_over_1_mib_is_skipped_and_not_held() {
    let salt = Salt::new([7; 32]);
    for (len, taken) in [(MAX_ENTRY, 2), (MAX_ENTRY + 1, 1), (3 * MAX_ENTRY, 1)] {
        let bytes = with_entry_of(len);
        let whole = Payload::read(&bytes, &salt).unwrap().batch;
        let mut reader = BatchReader::new(Form::Payload, salt.clone());
        for piece in bytes.chunks(100_000) {
            reader.feed(piece).unwrap();
        }
        let pieces = reader.finish().unwrap().1.unwrap();
        for batch in [whole, pieces] {
            assert_eq!(batch.items.len(), taken, "{len}");
            let long = batch.skips.iter().map(|skip| (skip.index, skip.reason));
            let expected = (taken == 1).then_some((0, Reason::EntryTooLong));
            assert_eq!(long.collect::<Vec<_>>(), Vec::from_iter(expected));
        }
    }
}

#[test]
fn what_stands_for_each_entry_is_told_where_pieces_are_read() {
    let salt = Salt::new([7; 32]);
    // A list that begins again replaces what came before it.
    let text = br#"{"accounts": ["a-8", "a-9"], "tokens": ["a-7"],
        "accounts": [{"token": "a-1"}, "a-1", {"token": "a-2", "provider": "gpt"}, 7, "a-3", "a-8"]}"#;
    let mut reader = BatchReader::new(Form::Payload, salt.clone());
    for piece in text.chunks(5) {
        reader.feed(piece).unwrap();
    }
    let batch = reader.finish().unwrap().1.unwrap();
    let of_entry = |item: &Item| salt.of_entry(item.span.of(text));
    let expected: Vec<_> = batch.items().iter().map(of_entry).collect();
    assert_eq!((batch.entries(), expected.len()), (&expected[..], 4));
    assert_eq!(Payload::read(text, &salt).unwrap().batch.entries(), []);
}
