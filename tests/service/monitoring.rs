//! The dashboard and the alert rules that lie beside the host: they ask only for what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::exposition::Scrape;
use super::harness::{INJECT, SOURCES, Server};
use super::upstream::Upstream;

/// Labels that a scraper adds.
const ADDED: [&str; 2] = ["instance", "job"];

fn file(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/monitoring");
    std::fs::read_to_string(format!("{folder}/{name}")).expect("a file")
}

/// Every name that a server tells once it has done all there is to do, with the names of its labels.
fn told() -> BTreeMap<String, BTreeSet<String>> {
    let server = Server::start();
    let upstream = Upstream::json(r#"["a-1"]"#);
    let id = server.source(&json!({"url": upstream.url("/")}).to_string());
    server.post(&format!("{SOURCES}/{id}/sync"), "");
    server.post(INJECT, r#"{"tokens": ["a-2"]}"#);
    Scrape::of(&server).names()
}

/// All strings of the dashboard under these names.
fn strings(value: &Value, under: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if under.contains(&name.as_str()) => found.push(text.to_owned()),
                    _ => strings(member, under, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, under, found)),
        _ => {}
    }
}

/// The metrics in an expression, each with the labels that its selector names.
fn asked(expression: &str) -> Vec<(String, Vec<String>)> {
    let mut asked = Vec::new();
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = expression;
    while let Some(at) = rest.find("tributary_") {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !part_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        assert!(!before.ends_with(part_of_name), "{expression}");
        let selector = after.strip_prefix('{').and_then(|s| s.split_once('}'));
        let labels = selector.map_or("", |(inside, _)| inside).split(',');
        let labels = labels
            .filter_map(|part| part.split_once('='))
            .map(|(label, _)| label.trim().trim_end_matches('!').to_owned());
        asked.push((name.to_owned(), labels.collect()));
        rest = after;
    }
    asked
}

/// The labels in `by (…)` and `on (…)`.
fn grouped(expression: &str) -> Vec<String> {
    let lists = ["by (", "on ("].iter().flat_map(|word| {
        let parts = expression.split(word).skip(1);
        parts.filter_map(|part| part.split_once(')'))
    });
    lists
        .flat_map(|(list, _)| list.split(','))
        .map(|label| label.trim().to_owned())
        .collect()
}

#[track_caller]
fn check(expression: &str, told: &BTreeMap<String, BTreeSet<String>>) {
    let mut all: BTreeSet<String> = ADDED.map(str::to_owned).into();
    for (name, labels) in asked(expression) {
        let known = told
            .get(&name)
            .unwrap_or_else(|| panic!("`{name}` is not told: {expression}"));
        all.extend(known.iter().cloned());
        for label in labels {
            let fine = known.contains(&label) || ADDED.contains(&label.as_str());
            assert!(fine, "`{name}` has no `{label}`: {expression}");
        }
    }
    for label in grouped(expression) {
        assert!(all.contains(&label), "nothing has `{label}`: {expression}");
    }
}

#[test]
fn the_dashboard_shows_what_is_told() {
    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).expect("JSON");
    let told = told();
    let mut expressions = Vec::new();
    strings(&dashboard, &["expr", "definition"], &mut expressions);
    assert!(expressions.len() >= 15, "{expressions:?}");
    for expression in &expressions {
        assert!(expression.contains("tributary_"), "{expression}");
        check(expression, &told);
    }
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "every panel has its own id");
    let inside = |panel: &&Value| {
        let place = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        place("x") + place("w") <= 24 && place("h") > 0
    };
    assert!(panels.iter().all(|panel| inside(&panel)));
    assert!(dashboard["schemaVersion"].is_u64() && dashboard["title"].is_string());
    assert_eq!(dashboard.get("id"), None, "it is new where it is imported");
    // Every metric has its place.
    let shown: String = expressions.concat();
    let bases = told.keys().filter(|name| !name.ends_with("_sum"));
    for name in bases {
        let base = name.trim_end_matches("_bucket").trim_end_matches("_count");
        assert!(shown.contains(base), "`{base}` is nowhere");
    }
}

#[test]
fn the_rules_ask_for_what_is_told() {
    let rules = file("alerts.yml");
    let told = told();
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 6, "{rules}");
    let mut names = BTreeSet::new();
    for alert in alerts {
        let name = alert.lines().next().expect("a name");
        assert!(
            name.starts_with("Tributary") && names.insert(name),
            "{name}"
        );
        let part = |from: &str, to: &str| {
            let rest = alert.split_once(from).unwrap_or_else(|| panic!("{alert}"));
            rest.1.split(to).next().unwrap_or_default().to_owned()
        };
        let expression = part("expr:", "\n        labels:");
        let expression = expression.split("\n        for:").next().expect("a text");
        check(expression, &told);
        assert!(["critical", "warning", "info"].contains(&part("severity: ", "\n").as_str()));
        assert!(!part("summary: ", "\n").is_empty() && !part("description: ", "\n").is_empty());
    }
}
