//! Python's package wasmtime in the cache, for the tests; the machine's own Python stays as it is.

use crate::place::Place;
use crate::trouble::{Trouble, quietly};
use std::process::Command;

const VERSION: &str = "50.0.1";

/// Makes `python` in the cache, once. A machine without Python or pip is told, and the tests skip by name.
pub(crate) fn install(place: &Place) -> Result<(), Trouble> {
    let folder = place.cache().join("python");
    let complete = folder.join(format!("wasmtime-{VERSION}"));
    if complete.is_file() {
        return Ok(());
    }
    let made = quietly(
        "python3 -m venv",
        Command::new("python3").args(["-m", "venv"]).arg(&folder),
    )
    .and_then(|_| {
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            &format!("wasmtime=={VERSION}"),
        ]);
        quietly("pip install wasmtime", &mut pip)
    });
    match made {
        Ok(_) => Ok(std::fs::write(complete, "")?),
        Err(trouble) => {
            eprintln!("Python will not try the wasm: {trouble}");
            Ok(())
        }
    }
}
