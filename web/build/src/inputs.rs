//! What the modules are made of: the same inputs are not built twice.

use crate::place::Place;
use crate::trouble::Trouble;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// Everything that can change a module, beside the compiler.
const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "core/Cargo.toml",
    "core/src",
    "web/Cargo.toml",
    "web/src",
    "web/build/src",
];

/// A hash of all inputs, as text.
pub(crate) fn stamp(place: &Place, optimised: bool) -> Result<String, Trouble> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&place.root().join(source), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        hasher.write(file.as_os_str().as_encoded_bytes());
        hasher.write(&fs::read(&file)?);
    }
    Ok(format!("{:016x} optimised {optimised}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

/// Whether the modules there were made of just that.
pub(crate) fn unchanged(place: &Place, made_of: &str) -> bool {
    let there = [
        "tributary.wasm",
        "tributary_web.js",
        "tributary_web_bg.wasm",
    ]
    .iter()
    .all(|name| place.web().join(name).is_file());
    there && fs::read_to_string(file(place)).is_ok_and(|text| text == made_of)
}

/// Writes down what the modules were made of.
pub(crate) fn remember(place: &Place, made_of: &str) -> Result<(), Trouble> {
    Ok(fs::write(file(place), made_of)?)
}

/// The next build starts anew.
pub(crate) fn forget(place: &Place) -> io::Result<()> {
    match fs::remove_file(file(place)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file(place: &Place) -> PathBuf {
    place.work().join("made-of")
}
