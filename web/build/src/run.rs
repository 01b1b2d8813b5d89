//! What the two aliases are for, once everything is built.

use crate::place::Place;
use crate::trouble::Trouble;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Builds the server and becomes it: signals reach the server itself.
pub(crate) fn server(place: &Place, rest: Vec<OsString>) -> Result<ExitCode, Trouble> {
    let mut command = place.caller_s_cargo();
    command
        .args(["run", "--release", "--package", "tributary-host"])
        .args(["--bin", "tributary", "--manifest-path"])
        .arg(place.manifest())
        .arg("--")
        .args(rest);
    become_it(command)
}

/// Becomes the tests.
pub(crate) fn tests(place: &Place, rest: Vec<OsString>) -> Result<ExitCode, Trouble> {
    let mut command = place.caller_s_cargo();
    command
        .args(["test", "--workspace", "--manifest-path"])
        .arg(place.manifest())
        .args(rest);
    become_it(command)
}

fn become_it(mut command: Command) -> Result<ExitCode, Trouble> {
    // Comes back only when the program could not be started.
    let error = command.exec();
    Err(Trouble::Broken(format!("cargo did not start: {error}")))
}
