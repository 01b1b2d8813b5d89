//! The examples in `web/examples`: each does what it says, and is short.

use crate::conformance::{Runtime, present};
use crate::runtimes::{self, Absent, wasmtime::Wasmtime};
use std::fs;
use std::path::Path;
use std::process::Command;

const PAYLOAD: &str = r#"{"tokens": ["example-token-1", "example-token-2"]}"#;
const CONTEXT: &str = r#"{"source_id": "example"}"#;

/// Runs an example's program with the two files after its own arguments; it prints the core's answer.
fn prints_the_answer(mut program: Command) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let (payload, context) = (file("payload.json", PAYLOAD), file("context.json", CONTEXT));
    let output = program.arg(payload).arg(context).output().expect("it runs");
    let answer = tributary_core::plan_json(PAYLOAD.as_bytes(), CONTEXT.as_bytes());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim_end(),
        String::from_utf8_lossy(&answer),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn example(path: &str) -> std::path::PathBuf {
    runtimes::root().join("web/examples").join(path)
}

fn with_wasm(program: impl AsRef<Path>, arguments: &[&Path]) -> Result<Command, Absent> {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).arg(runtimes::wasm()?);
    Ok(command)
}

fn try_out(program: Result<Command, Absent>, name: &str) {
    if let Some(program) = present(program, name) {
        prints_the_answer(program);
    }
}

#[test]
fn the_rust_example_answers() {
    // Not as a program of its own: cargo would compile wasmtime a second time for it.
    if let Some(mut runtime) = present(Wasmtime::load(), "the Rust example") {
        let answer = tributary_core::plan_json(PAYLOAD.as_bytes(), CONTEXT.as_bytes());
        assert_eq!(runtime.plan(PAYLOAD.as_bytes(), CONTEXT.as_bytes()), answer);
    }
}

#[test]
fn the_node_example_prints_the_answer() {
    let found = runtimes::node().and_then(|_| with_wasm("node", &[&example("node/plan.mjs")]));
    try_out(found, "the Node example");
}

#[test]
fn the_python_example_prints_the_answer() {
    let found = runtimes::python_with_wasmtime()
        .and_then(|python| with_wasm(python, &[&example("python/plan.py")]));
    try_out(found, "the Python example");
}

#[test]
fn the_c_example_prints_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = runtimes::compile(&example("c/plan.c"), &folder.path().join("plan"));
    try_out(compiled.map(Command::new), "the C example");
}

#[test]
fn an_example_has_under_40_lines_of_code() {
    for path in [
        "rust/main.rs",
        "node/plan.mjs",
        "python/plan.py",
        "c/plan.c",
    ] {
        let text = fs::read_to_string(example(path)).expect("the example");
        let is_code = |line: &&str| {
            let line = line.trim_start();
            !line.is_empty()
                && !["//", "/*", " *", "* ", "*/", "\"\"\""]
                    .iter()
                    .any(|mark| line.starts_with(mark))
        };
        let lines = text.lines().filter(is_code).count();
        assert!(lines < 40, "{path}: {lines} lines");
    }
}
