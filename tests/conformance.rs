//! Every case in `cases` is decided by every runtime, and every answer equals the one in its file byte for byte.
//!
//! `TRIBUTARY_BLESS=1 cargo prove conformance` rewrites the answers from the native core, and from nothing else.
//! Read what changed before you commit it.

use crate::runtimes::{self, Absent, native::Native, wasmtime::Wasmtime};
use crate::seeded;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
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

    /// Text where it is text.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> PayloadText {
        match String::from_utf8(bytes) {
            Ok(text) => PayloadText::Text(text),
            Err(error) => PayloadText::Bytes {
                hex: error
                    .as_bytes()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            },
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
    collect(&folder(), &mut files);
    files.sort();
    files.into_iter().map(read).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
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

/// Writes the file of a case.
fn write(path: &Path, shows: &str, context: &str, payload: &PayloadText, answer: &str) {
    let shows = serde_json::to_string(shows).expect("text is JSON");
    let payload = payload.to_json();
    let text = format!(
        "{{\n  \"shows\": {shows},\n  \"context\": {context},\n  \"payload\": {payload},\n  \"answer\": {answer}\n}}\n"
    );
    fs::write(path, text).expect("the case can be written");
}

/// Rewrites every answer, and every seeded case, from the native core.
fn bless(native: &mut Native) {
    for case in seeded::all() {
        let path = folder().join(&case.path);
        write(&path, &case.shows, &case.context, &case.payload, "null");
    }
    for case in cases() {
        let answer = native.plan(&case.payload.bytes(), case.context.get().as_bytes());
        let answer = String::from_utf8(answer).expect("answers are UTF-8");
        let context = case.context.get();
        write(&case.path, &case.shows, context, &case.payload, &answer);
    }
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

/// Whether all that is tested has to be here: a runtime may be missing elsewhere, never on CI.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// What is there, or `None` and a line that names what is skipped; on CI what is absent fails.
pub(crate) fn present<T>(found: Result<T, Absent>, name: &str) -> Option<T> {
    match found {
        Ok(runtime) => Some(runtime),
        Err(Absent(why)) => {
            assert!(!is_ci(), "{name} must be tested on CI: {why}");
            // Past the capture of passing tests: who runs them sees what was left out.
            let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
            None
        }
    }
}

fn conforms(found: Result<impl Runtime, Absent>, name: &str) {
    if let Some(mut runtime) = present(found, name) {
        agrees(&mut runtime);
    }
}

fn agrees(runtime: &mut dyn Runtime) {
    let differing = differing(runtime);
    assert!(
        differing.is_empty(),
        "{} answers differently (`cargo prove` builds it anew):\n{}",
        runtime.name(),
        differing.join("\n")
    );
    let _ = writeln!(
        std::io::stderr(),
        "conformance: {}: {} cases",
        runtime.name(),
        cases().len()
    );
}

#[test]
fn native_answers_every_case_as_written() {
    let mut native = Native;
    if std::env::var_os("TRIBUTARY_BLESS").is_some() {
        bless(&mut native);
    }
    agrees(&mut native);
}

#[test]
fn wasmtime_answers_every_case_as_written() {
    conforms(Wasmtime::load(), "wasmtime");
}

#[test]
fn node_answers_every_case_as_written() {
    conforms(runtimes::node(), "Node");
}

#[test]
fn python_answers_every_case_as_written() {
    conforms(runtimes::python(), "Python's wasmtime");
}

#[test]
fn a_c_program_answers_every_case_as_written() {
    let folder = tempfile::tempdir().expect("a folder");
    conforms(runtimes::c_program(folder.path()), "C");
}

#[test]
fn seeded_cases_are_as_their_seeds_make_them() {
    let mut named = BTreeSet::new();
    for seeded in seeded::all() {
        let case = read(folder().join(&seeded.path));
        assert_eq!(case.shows, seeded.shows, "{}", seeded.path);
        assert_eq!(case.context.get(), seeded.context, "{}", seeded.path);
        let same = case.payload.bytes() == seeded.payload.bytes();
        assert!(same, "{} has another payload", seeded.path);
        named.insert(case.path);
    }
    let is_seeded = |path: &Path| path.to_string_lossy().contains("/seeded-");
    for case in cases().iter().filter(|case| is_seeded(&case.path)) {
        let path = &case.path;
        assert!(named.contains(path), "{} has no seed", path.display());
    }
}

#[test]
fn every_case_says_what_it_shows_and_stands_in_one_of_the_four_folders() {
    let cases = cases();
    assert!(cases.len() >= 300, "only {} cases", cases.len());
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
