//! Everything that decides like the core.

mod child;
pub(crate) mod native;
pub(crate) mod wasmtime;

pub(crate) use child::{c_program, compile, node, python, python_with_wasmtime};

use std::path::{Path, PathBuf};

/// Why a runtime is not on this machine, and how to get it.
#[derive(Debug)]
pub(crate) struct Absent(pub(crate) String);

/// The module with the C ABI, as the builder left it.
pub(crate) fn wasm() -> Result<PathBuf, Absent> {
    built("target/web/tributary.wasm")
}

/// A file that `cargo prove` builds.
pub(crate) fn built(path: &str) -> Result<PathBuf, Absent> {
    let path = root().join(path);
    match path.is_file() {
        true => Ok(path),
        false => Err(Absent(format!(
            "`{}` is not there; `cargo prove` builds it",
            path.display()
        ))),
    }
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}
