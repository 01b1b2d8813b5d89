//! The program under test, built once a run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The built program without anything of this environment that would configure it.
pub(crate) fn program() -> Command {
    program_at(binary())
}

/// The same of a program that was built elsewhere.
pub(crate) fn program_at(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRIBUTARY_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG");
    command
}

/// The program, built once a run with the profile and into the directory of these tests.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

/// The same selection as the own build of the tests or the bench, so that the dependencies are built with the same
/// features, once.
fn build() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its path");
    let target = own.ancestors().nth(3).expect("target/PROFILE/deps/tests");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--workspace",
        "--bin",
        "tributary",
        "--message-format",
        "json-render-diagnostics",
    ]);
    cargo
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    // What cargo tells these tests about themselves would make build scripts that look at it run anew.
    let told = [
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
    ];
    for (name, _) in std::env::vars_os() {
        if told
            .iter()
            .any(|own| name.to_string_lossy().starts_with(own))
        {
            cargo.env_remove(name);
        }
    }
    cargo.args(match cfg!(debug_assertions) {
        true => ["--test", "tests"].as_slice(),
        false => &["--bench", "bench", "--release"],
    });
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "the program does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
    messages
        .lines()
        .find_map(executable)
        .expect("cargo names the program")
}

/// The path in a message of cargo about the program itself.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_program =
        message["target"]["name"] == "tributary" && message["target"]["kind"][0] == "bin";
    is_program
        .then(|| message["executable"].as_str().map(PathBuf::from))
        .flatten()
}
