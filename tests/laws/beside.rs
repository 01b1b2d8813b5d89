//! A payload that is read beside its pool is planned as one that is read alone.

use super::*;
use tributary_core::{Document, Fingerprint, Owners, Payload};

/// Values that are kept as they are, written otherwise, or hidden as a whole or in part.
const VALUES: &[&str] = &[
    "null",
    "1",
    "1.50",
    "true",
    r#""a""#,
    r#""a\u0062""#,
    r#""tok-1""#,
    r#""…""#,
    r#""eyJa.b.c""#,
    r#""0123456789012345678901234567890123456789""#,
    r#""0123456789012345678901234567890 123456789""#,
    "[]",
    "{}",
    r#"[ 1, "a" , ["tok-1"]]"#,
    r#"{"n":1,"m":"a b"}"#,
    r#"{ "n" : 1, "m":"a b" }"#,
    r#"{"m":"a b","n":1}"#,
    r#"{"n":1,"n":1}"#,
    r#"{"password":"a"}"#,
    r#"{"password":["a"]}"#,
    r#"{"tok-1":1}"#,
    r#"{"eyJa.b.c":[{}]}"#,
    r#"{"n":{"pwd":1,"m":[{"jwt":"a"}]}}"#,
];

const NAMES: &[&str] = &["a", "b", "\\u0061", "status", "quota", "password", "tok-1"];

fn fields() -> impl Strategy<Value = String> {
    let field = (
        prop::sample::select(NAMES),
        prop::sample::select(VALUES),
        prop::sample::select(&["", " ", "\n\t"][..]),
    );
    prop::collection::vec(field, 0..4).prop_map(|fields| {
        let field = |(name, value, space): &(&str, &str, &str)| {
            format!("{space}\"{name}\"{space}:{space}{value}{space}")
        };
        let all: Vec<_> = fields.iter().map(field).collect();
        all.join(",")
    })
}

/// What stands before the fields of an entry with this token.
const BEGINNINGS: &[&str] = &[
    r#""token":"tok-#""#,
    r#""access_token" : " tok-# ""#,
    r#""token":"tok-#","provider":"gpt""#,
    r#""token":"tok-#","provider":"grok""#,
    r#""token":"tok-#","provider":"other""#,
    r#""token":"tok-#","a":null"#,
];

/// A plan with its hash.
const WHOLE: Wanted = Wanted {
    hash: true,
    outline: false,
};

/// Entries as they stand in a list.
fn entries() -> impl Strategy<Value = Vec<String>> {
    let object = (0..3u8, prop::sample::select(BEGINNINGS), fields());
    let object = object.prop_map(|(token, beginning, fields)| {
        let comma = if fields.is_empty() { "" } else { "," };
        let beginning = beginning.replace('#', &token.to_string());
        format!("{{{beginning}{comma}{fields}}}")
    });
    let string = (0..3u8).prop_map(|token| format!("\"tok-{token}\""));
    prop::collection::vec(prop_oneof![6 => object, 1 => string], 0..5)
}

fn list(entries: &[String]) -> String {
    format!("[{}]", entries.join(", "))
}

/// An account as nobody's import would leave it: nothing in it is hidden but what its text says.
fn as_told(
    token: u8,
    fields: &str,
    earlier_status: Option<&str>,
    options: &ImportOptions,
) -> Option<Account> {
    let marks = std::iter::repeat_n(
        Fingerprint::from_bytes([7; 16]),
        fields.matches("\"…\"").count(),
    );
    Some(Account {
        fingerprint: salt().of_token(&format!("tok-{token}")),
        masked: "…".to_owned(),
        provider: tributary_core::Provider::Gpt,
        owners: Owners::default().with(&options.owner()),
        document: Document::new(&format!("{{{fields}}}"), marks)?,
        earlier_status: earlier_status.map(str::to_owned),
    })
}

/// The same pool, which does not know what brought its accounts.
fn without_entries(pool: &Pool) -> Pool {
    let mut same = Pool::new(salt());
    pool.accounts()
        .cloned()
        .for_each(|account| same.put(account));
    same
}

/// Imports into a pool that knows from then on what brought its accounts.
fn import_known(payload: &str, options: &ImportOptions, pool: Pool) -> Pool {
    let Ok(plan) = plan_import(payload.as_bytes(), options, &pool) else {
        return pool;
    };
    let mut after = apply(&plan, &pool);
    for change in plan.changes() {
        if let (Some(account), Some(item)) = (change.after, change.item) {
            after.put_brought(account, plan.entry(&item));
        }
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_beside_a_pool_is_planned_as_what_is_read_alone(
        earlier in entries(),
        first in entries(),
        told in prop::option::of((0..3u8, fields(), prop::option::of(Just("7")))),
        then in entries(),
        form in 0..4u8,
        by in options(),
        first_by in options(),
        knows_entries in any::<bool>(),
    ) {
        let import = if knows_entries { import_known } else { import };
        let pool = import(&list(&earlier), &by, Pool::new(salt()));
        let mut pool = import(&list(&first), &first_by, pool);
        let told = told.and_then(|(token, fields, earlier)| as_told(token, &fields, earlier, &by));
        told.into_iter().for_each(|account| pool.put(account));
        let payload = match form {
            0 => list(&then),
            1 => format!("{{\"accounts\":{},\"accounts\":{}}}", list(&first), list(&then)),
            2 => format!("{{\"accounts\":{},\"tokens\":{}}}", list(&first), list(&then)),
            _ => list(&[first, then].concat()),
        };
        let text = |plan: Plan<'_>| plan_text(&plan, &by, WHOLE);
        let beside = plan_import(payload.as_bytes(), &by, &pool).map(text);
        let alone = |pool: &Pool| {
            let payload = Payload::read(payload.as_bytes(), &salt())?;
            Plan::decide(payload, &by, pool).map(text)
        };
        prop_assert_eq!(&beside, &alone(&pool));
        prop_assert_eq!(&beside, &alone(&without_entries(&pool)));
    }
}
