//! Why something was not built.

use std::fmt;
use std::io;
use std::process::{Command, Output};

/// What a person is told.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// This machine lacks something; the sentence says what to install.
    Missing(String),
    /// It is there and fails.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Trouble::Missing(text) | Trouble::Broken(text)) = self;
        f.write_str(text)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Broken(format!("a file of the build: {error}"))
    }
}

/// What cargo and apt say when a registry cannot be reached.
const OFFLINE: [&str; 7] = [
    "failed to download",
    "download of",
    "failed to query",
    "Could not resolve host",
    "failed to get",
    "Could not connect",
    "Temporary failure resolving",
];

/// Runs a build step out of sight; what it printed shows when it fails.
pub(crate) fn quietly(step: &str, command: &mut Command) -> Result<Output, Trouble> {
    let output = command
        .output()
        .map_err(|error| Trouble::Broken(format!("{step} did not start: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    if OFFLINE.iter().any(|sign| told.contains(sign)) {
        return Err(Trouble::Missing(format!(
            "{told}\n{step} needs the package registry, which did not answer; go online once and start again"
        )));
    }
    Err(Trouble::Broken(format!("{told}\n{step} failed")))
}
