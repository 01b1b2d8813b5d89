//! The schemas in `web/include` describe every context and every answer of the cases, and the TypeScript is made of them.

use crate::conformance::cases;
use crate::runtimes::root;
use serde_json::Value;
use std::fmt::Write;
use std::fs;

fn schema(name: &str) -> Value {
    let path = root().join(format!("web/include/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(path).expect("the schema")).expect("JSON")
}

#[test]
fn the_schema_of_answers_describes_every_answer() {
    let schema = schema("answer");
    let mut described = 0;
    for case in cases() {
        let answer = match serde_json::from_str(case.answer.get()) {
            Ok(answer) => answer,
            // Some keep numbers larger than this reader's floats, and some nest deeper than it reads.
            Err(error) => {
                let told = error.to_string();
                let knows_less = ["number out of range", "recursion limit"];
                assert!(
                    knows_less.iter().any(|limit| told.contains(limit)),
                    "{}: {told}",
                    case.path.display()
                );
                continue;
            }
        };
        let fault = fault(&schema, &schema, &answer);
        assert_eq!(fault, None, "{}", case.path.display());
        described += 1;
    }
    assert!(described >= 300, "only {described} answers");
}

#[test]
fn the_schema_of_contexts_describes_those_that_the_core_takes() {
    let schema = schema("context");
    let mut refused = 0;
    for case in cases() {
        if case.answer.get().contains(r#""code":"context""#) {
            refused += 1;
            continue;
        }
        let context = serde_json::from_str(case.context.get()).expect("JSON");
        let fault = fault(&schema, &schema, &context);
        assert_eq!(fault, None, "{}", case.path.display());
    }
    assert!(refused > 0, "some cases show refused contexts");
}

#[test]
fn a_schema_refuses_what_it_does_not_describe() {
    let (answer, context) = (schema("answer"), schema("context"));
    let wrong = |schema: &Value, text: &str| {
        let value = serde_json::from_str(text).expect("JSON");
        assert!(fault(schema, schema, &value).is_some(), "{text}");
    };
    wrong(&answer, "{}");
    wrong(&answer, r#"{"plan":{}}"#);
    wrong(
        &answer,
        r#"{"refusal":{"code":"other","message":"","span":null}}"#,
    );
    wrong(
        &answer,
        r#"{"refusal":{"code":"no_list","message":"","span":[1]}}"#,
    );
    wrong(
        &answer,
        r#"{"refusal":{"code":"no_list","message":"","span":null,"more":1}}"#,
    );
    let change = r#"{"change":"add","index":0,"span":[1,3],"fingerprint":"8c7079ba1a01799eaf6931c84b78499b","token":"…"}"#;
    let with = |change: &str| {
        let counts = r#"{"total":1,"added":1,"updated":0,"unchanged":0,"skipped":0,"released":0,"disabled":0,"removed":0}"#;
        format!(
            r#"{{"plan":{{"strategy":"merge","source_id":null,"provider":"gpt","shape":"list","counts":{counts},"changes":[{change}],"unchanged":[],"skips":[],"notes":[]}}}}"#
        )
    };
    let outline = serde_json::from_str(&with(change)).expect("JSON");
    assert_eq!(fault(&answer, &answer, &outline), None);
    // What leaves is told in full, and what is told of an entry is told in full or in outline.
    wrong(&answer, &with(&change.replace("add", "remove")));
    wrong(&answer, &with(&change.replace(r#""index":0,"#, "")));
    wrong(&answer, &with(&change.replace('}', r#","fields":[]}"#)));
    wrong(&context, "[]");
    wrong(&context, r#"{"strategy":"Merge"}"#);
    wrong(&context, r#"{"salt":"00"}"#);
    wrong(&context, r#"{"pool":[{}]}"#);
}

#[test]
fn the_typescript_is_made_of_the_schemas() {
    let mut text = String::from(
        "// Made of the two schemas beside it by `TRIBUTARY_BLESS=1 cargo prove typescript`.\n",
    );
    for (name, file) in [("Context", "context"), ("Answer", "answer")] {
        let schema = schema(file);
        let _ = writeln!(
            text,
            "\nexport type {name} = {};",
            typescript(name, &schema)
        );
        for (part, schema) in schema["$defs"].as_object().expect("parts") {
            let _ = writeln!(
                text,
                "export type {} = {};",
                type_name(name, part),
                typescript(name, schema)
            );
        }
    }
    text.push_str(
        "\n/** The page's module: both are JSON text in UTF-8, a payload and a `Context`; so is the `Answer`. */\n\
         export function plan(payload: Uint8Array, context: Uint8Array): Uint8Array;\n\
         export function version(): string;\n\
         export default function init(options: { module_or_path: unknown }): Promise<unknown>;\n",
    );
    let path = root().join("web/include/tributary.d.ts");
    if std::env::var_os("TRIBUTARY_BLESS").is_some() {
        fs::write(&path, &text).expect("the declaration can be written");
    }
    assert_eq!(fs::read_to_string(path).expect("the declaration"), text);
}

fn type_name(of: &str, part: &str) -> String {
    let (first, rest) = part.split_at(1);
    format!("{of}{}{rest}", first.to_uppercase())
}

/// A schema as a type.
fn typescript(of: &str, schema: &Value) -> String {
    if let Some(part) = schema["$ref"].as_str() {
        return type_name(of, part.trim_start_matches("#/$defs/"));
    }
    if let Some(values) = schema["enum"].as_array() {
        return joined(values.iter().map(Value::to_string));
    }
    if let Some(ways) = schema["anyOf"].as_array() {
        return joined(ways.iter().map(|way| typescript(of, way)));
    }
    match &schema["type"] {
        Value::String(name) => typescript_of(of, name, schema),
        Value::Array(names) => joined(
            names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| typescript_of(of, name, schema)),
        ),
        _ => "unknown".into(),
    }
}

fn joined(ways: impl Iterator<Item = String>) -> String {
    ways.collect::<Vec<_>>().join(" | ")
}

fn typescript_of(of: &str, name: &str, schema: &Value) -> String {
    match name {
        "integer" => "number".into(),
        "array" if schema["minItems"] == 2 => "[number, number]".into(),
        "array" => format!("Array<{}>", typescript(of, &schema["items"])),
        "object" => {
            let Some(properties) = schema["properties"].as_object() else {
                return "Record<string, unknown>".into();
            };
            let member = |(name, value): (&String, &Value)| {
                let mark = if is_required(schema, name) { "" } else { "?" };
                format!("{name}{mark}: {}", typescript(of, value))
            };
            let members: Vec<_> = properties.iter().map(member).collect();
            format!("{{ {} }}", members.join("; "))
        }
        other => other.into(),
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"]
        .as_array()
        .is_some_and(|names| names.iter().any(|required| required == name))
}

/// The first place where a value is not as a schema says, as far as our schemas say anything.
fn fault(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(part) = schema["$ref"].as_str() {
        let pointer = part.trim_start_matches('#');
        return fault(root, root.pointer(pointer).expect("the part"), value);
    }
    let any = |ways: &Vec<Value>| ways.iter().any(|way| fault(root, way, value).is_none());
    let fine = schema["enum"]
        .as_array()
        .is_none_or(|values| values.contains(value))
        && schema["anyOf"].as_array().is_none_or(any)
        && has_type(&schema["type"], value)
        && has_pattern(&schema["pattern"], value);
    if !fine {
        return Some(format!("{value} is not {schema}"));
    }
    match value {
        Value::Array(items) => fault_in_list(root, schema, items),
        Value::Object(members) => fault_in_object(root, schema, members),
        _ => None,
    }
}

fn fault_in_list(root: &Value, schema: &Value, items: &[Value]) -> Option<String> {
    let count = items.len() as u64;
    if schema["minItems"]
        .as_u64()
        .is_some_and(|least| count < least)
        || schema["maxItems"].as_u64().is_some_and(|most| count > most)
    {
        return Some(format!("{count} items are not {schema}"));
    }
    items
        .iter()
        .find_map(|item| fault(root, &schema["items"], item))
}

fn fault_in_object(
    root: &Value,
    schema: &Value,
    members: &serde_json::Map<String, Value>,
) -> Option<String> {
    let count = members.len() as u64;
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required
        .filter_map(Value::as_str)
        .find(|name| !members.contains_key(*name));
    if let Some(name) = missing {
        return Some(format!("`{name}` is missing"));
    }
    if schema["minProperties"]
        .as_u64()
        .is_some_and(|least| count < least)
    {
        return Some("an empty object".into());
    }
    members
        .iter()
        .find_map(|(name, value)| match &schema["properties"][name] {
            Value::Null if schema["additionalProperties"] == false => {
                Some(format!("`{name}` is too much"))
            }
            inner => fault(root, inner, value),
        })
}

fn has_type(expected: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is no type"),
    };
    match expected {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// Ours are all hex digits of one length.
fn has_pattern(pattern: &Value, value: &Value) -> bool {
    let (Some(pattern), Some(text)) = (pattern.as_str(), value.as_str()) else {
        return true;
    };
    let length = pattern
        .split(['{', '}'])
        .nth(1)
        .and_then(|n| n.parse().ok());
    let capitals = pattern.contains("A-F");
    let is_digit = |c: char| c.is_ascii_hexdigit() && (capitals || !c.is_ascii_uppercase());
    Some(text.len()) == length && text.chars().all(is_digit)
}
