//! The C ABI as a native library, for the C program of the tests.

use crate::place::Place;
use crate::trouble::{Trouble, quietly};

/// Builds `target/wasm/native/release/libtributary_web.a`.
pub(crate) fn build(place: &Place) -> Result<(), Trouble> {
    let mut command = place.clean_cargo();
    command
        .args(["rustc", "--locked", "--package", "tributary-web", "--lib"])
        .args(["--crate-type", "staticlib", "--release", "--target-dir"])
        .arg(place.work().join("native"));
    quietly("compiling the native library", &mut command).map(drop)
}
