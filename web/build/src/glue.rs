//! The JavaScript around the page's module.

use crate::trouble::Trouble;
use std::path::Path;

/// Makes `tributary_web.js` and `tributary_web_bg.wasm` in `folder`.
#[cfg(feature = "glue")]
pub(crate) fn make(module: &Path, folder: &Path) -> Result<(), Trouble> {
    let made = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name("tributary_web")
                .typescript(false)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(folder)
        });
    made.map_err(|error| Trouble::Broken(format!("the glue of the page's module: {error}")))
}

/// Without the feature there is no glue; the aliases ask for it.
#[cfg(not(feature = "glue"))]
pub(crate) fn make(_: &Path, _: &Path) -> Result<(), Trouble> {
    Err(Trouble::Broken(
        "the builder lacks its feature `glue`; run it as `cargo build-web`, `cargo start` or `cargo prove`".into(),
    ))
}
