//! Every case in `cases` is decided by every runtime, and every answer equals the one in its file byte for byte.
//!
//! `TRIBUTARY_BLESS=1 cargo prove conformance` rewrites the answers from the native core, and from nothing else.
//! Read what changed before you commit it.

use crate::runtimes::native::Native;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs;
use std::path::{Path, PathBuf};

/// Something that decides like the core.
pub(crate) trait Runtime {
    /// What it is called in messages.
    fn name(&self) -> String;
    /// The answer of `plan_json`.
    fn plan(&mut self, payload: &[u8], context: &[u8]) -> Vec<u8>;
}

/// One behaviour: what it shows, a payload, a context, and the answer as exact text.
#[derive(Deserialize)]
pub(crate) struct Case {
    #[serde(skip)]
    pub(crate) path: PathBuf,
    pub(crate) shows: String,
    pub(crate) context: Box<RawValue>,
    pub(crate) payload: PayloadText,
    pub(crate) answer: Box<RawValue>,
}

/// A payload as its text, or as the hex digits of its bytes where it is no text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum PayloadText {
    Text(String),
    Bytes { hex: String },
}

impl PayloadText {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            PayloadText::Text(text) => text.as_bytes().to_vec(),
            PayloadText::Bytes { hex } => (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex digits"))
                .collect(),
        }
    }

    fn to_json(&self) -> String {
        match self {
            PayloadText::Text(text) => serde_json::to_string(text).expect("text is JSON"),
            PayloadText::Bytes { hex } => format!("{{\"hex\": \"{hex}\"}}"),
        }
    }
}

/// All cases, by path.
pub(crate) fn cases() -> Vec<Case> {
    let mut files = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"),
        &mut files,
    );
    files.sort();
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("a readable folder").path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}

fn read(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).expect("a readable case");
    let case: Case =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Case { path, ..case }
}

fn bless(case: &Case, answer: &str) {
    let Case {
        shows,
        context,
        payload,
        ..
    } = case;
    let shows = serde_json::to_string(shows).expect("text is JSON");
    let payload = payload.to_json();
    let text = format!(
        "{{\n  \"shows\": {shows},\n  \"context\": {context},\n  \"payload\": {payload},\n  \"answer\": {answer}\n}}\n"
    );
    fs::write(&case.path, text).expect("the case can be written");
}

/// Runs every case through `runtime`; the names of those that it answers differently.
pub(crate) fn differing(runtime: &mut dyn Runtime) -> Vec<String> {
    let differs = |case: &Case| {
        let answer = runtime.plan(&case.payload.bytes(), case.context.get().as_bytes());
        (answer != case.answer.get().as_bytes()).then(|| {
            format!(
                "{}\n  expected {}\n  answered {}",
                case.path.display(),
                case.answer,
                String::from_utf8_lossy(&answer)
            )
        })
    };
    cases().iter().filter_map(differs).collect()
}

#[test]
fn native_answers_every_case_as_written() {
    let mut native = Native;
    if std::env::var_os("TRIBUTARY_BLESS").is_some() {
        for case in cases() {
            let answer = native.plan(&case.payload.bytes(), case.context.get().as_bytes());
            bless(
                &case,
                &String::from_utf8(answer).expect("answers are UTF-8"),
            );
        }
    }
    let differing = differing(&mut native);
    assert!(
        differing.is_empty(),
        "{} answers differently:\n{}",
        native.name(),
        differing.join("\n")
    );
}

#[test]
fn every_case_says_what_it_shows_and_stands_in_one_of_the_four_folders() {
    let cases = cases();
    assert!(cases.len() >= 80, "only {} cases", cases.len());
    for case in cases {
        assert!(case.shows.len() > 10, "{}", case.path.display());
        let folder = case
            .path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        assert!(
            matches!(folder, Some("payload" | "normalize" | "merge" | "replace")),
            "{}",
            case.path.display()
        );
    }
}
