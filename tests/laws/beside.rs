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

fn entries() -> impl Strategy<Value = Vec<(u8, String)>> {
    prop::collection::vec((0..3u8, fields()), 0..5)
}

fn list(entries: &[(u8, String)]) -> String {
    let entry = |(token, fields): &(u8, String)| {
        let comma = if fields.is_empty() { "" } else { "," };
        format!("{{\"token\":\"tok-{token}\"{comma}{fields}}}")
    };
    format!(
        "[{}]",
        entries.iter().map(entry).collect::<Vec<_>>().join(", ")
    )
}

/// An account as nobody's import would leave it: nothing in it is hidden but what its text says.
fn as_told(token: u8, fields: &str, options: &ImportOptions) -> Option<Account> {
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
        earlier_status: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_beside_a_pool_is_planned_as_what_is_read_alone(
        first in entries(), told in prop::option::of((0..3u8, fields())), then in entries(), again in any::<bool>(), by in options(), first_by in options()
    ) {
        let mut pool = import(&list(&first), &first_by, Pool::new(salt()));
        if let Some(account) = told.and_then(|(token, fields)| as_told(token, &fields, &by)) {
            pool.put(account);
        }
        let payload = if again { list(&[first, then].concat()) } else { list(&then) };
        let text = |plan: Plan<'_>| plan_text(&plan, &by, true);
        let beside = plan_import(payload.as_bytes(), &by, &pool).map(text);
        let alone = Payload::read(payload.as_bytes(), &salt())
            .and_then(|payload| Plan::decide(payload, &by, &pool))
            .map(text);
        prop_assert_eq!(beside, alone);
    }
}
