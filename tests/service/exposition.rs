//! Reads Prometheus' text format line by line, and insists on more than a scraper does.

use std::collections::{BTreeMap, BTreeSet};

use super::harness::Server;

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A scrape that kept to the format.
#[derive(Debug)]
pub(crate) struct Scrape {
    /// What each name counts in: `counter`, `gauge` or `histogram`.
    pub(crate) types: BTreeMap<String, String>,
    /// The help of each name.
    pub(crate) helps: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Scrape {
    /// What the server tells its administrator.
    pub(crate) fn of(server: &Server) -> Scrape {
        let answer = server.get("/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        Scrape::read(&answer.body)
    }

    /// Reads a text; anything that is not as it should be is a panic that shows the line.
    pub(crate) fn read(text: &str) -> Scrape {
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
        let mut scrape = Scrape {
            types: BTreeMap::new(),
            helps: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        let mut family = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(name > family.as_str(), "families are ordered: {line}");
                name.clone_into(&mut family);
                scrape.helps.insert(family.clone(), help.to_owned());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert_eq!(name, family, "{line}");
                scrape.types.insert(family.clone(), kind.to_owned());
            } else {
                scrape.take(&family, line);
            }
        }
        scrape.check_histograms();
        scrape
    }

    fn take(&mut self, family: &str, line: &str) {
        let (name, labels, value) = sample(line);
        let kind = self.types.get(family).expect(line);
        let fits = match kind.as_str() {
            "counter" => name == family && name.ends_with("_total"),
            "gauge" => name == family && !name.ends_with("_total"),
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|end| name.strip_suffix(end) == Some(family)),
            _ => false,
        };
        assert!(fits && name.starts_with("tributary_"), "{line}");
        assert!(value >= 0.0, "{line}");
        let before = self.samples.insert((name, labels), value);
        assert_eq!(before, None, "told twice: {line}");
    }

    /// Buckets count up to the count, which is that of the last.
    fn check_histograms(&self) {
        let histograms = self.types.iter().filter(|(_, kind)| *kind == "histogram");
        for (name, _) in histograms {
            for (labels, count) in self.all(&format!("{name}_count")) {
                let mut buckets: Vec<(f64, f64)> = Vec::new();
                for (mut of, value) in self.all(&format!("{name}_bucket")) {
                    let bound = of.remove("le").expect("a bucket has a bound");
                    if of == labels {
                        buckets.push((number(&bound), value));
                    }
                }
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                assert!(buckets.is_sorted_by_key(|(_, value)| *value), "{buckets:?}");
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{name}");
                assert!(self.value(&format!("{name}_sum"), &labels).is_some());
            }
        }
    }

    /// Every sample of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<(Labels, f64)> {
        let of = self.samples.iter().filter(|((n, _), _)| n == name);
        of.map(|((_, labels), value)| (labels.clone(), *value))
            .collect()
    }

    /// The sum of the samples that have these labels among theirs.
    pub(crate) fn sum(&self, name: &str, with: &[(&str, &str)]) -> f64 {
        let has = |labels: &Labels| {
            with.iter()
                .all(|(name, value)| labels.get(*name).is_some_and(|v| v == value))
        };
        let all = self.all(name).into_iter();
        all.filter(|(labels, _)| has(labels))
            .map(|(_, value)| value)
            .sum()
    }

    /// The one sample with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &Labels) -> Option<f64> {
        self.samples
            .get(&(name.to_owned(), labels.clone()))
            .copied()
    }

    /// The names of all samples, each with the names of its labels.
    pub(crate) fn names(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, labels) in self.samples.keys() {
            let known = names.entry(name.clone()).or_default();
            known.extend(labels.keys().cloned());
        }
        names
    }
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).expect(line);
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").expect(line);
            assert!(is_name(label), "{line}");
            let (value, after) = quoted(after, line);
            assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        assert!(!labels.is_empty(), "{line}");
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').expect(line);
    (name.to_owned(), labels, number(value))
}

/// The text up to a quote that nothing escapes, and what follows the quote.
fn quoted<'t>(text: &'t str, line: &str) -> (String, &'t str) {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next().expect(line) {
            '"' => return (value, rest.as_str()),
            '\\' => value.push(match rest.next().expect(line) {
                'n' => '\n',
                other @ ('"' | '\\') => other,
                other => panic!("\\{other} is no escape: {line}"),
            }),
            other => value.push(other),
        }
    }
}

fn is_name(text: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c == '_';
    text.starts_with(lower) && text.chars().all(|c| lower(c) || c.is_ascii_digit())
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        text => text.parse().unwrap_or_else(|_| panic!("{text}")),
    }
}

#[test]
fn a_sample_is_read_with_what_it_escapes() {
    let (name, labels, value) = sample(r#"tributary_x{a="1 \" \\ \n }",b=""} 2.5"#);
    assert_eq!((name.as_str(), value), ("tributary_x", 2.5));
    assert_eq!(labels["a"], "1 \" \\ \n }");
    assert_eq!(labels["b"], "");
    assert_eq!(
        sample("tributary_y 0"),
        ("tributary_y".to_owned(), Labels::new(), 0.0)
    );
}
