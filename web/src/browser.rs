//! The decision as a module for pages.

use wasm_bindgen::prelude::wasm_bindgen;

/// The answer of `plan_json` for a payload under a context, both JSON text in UTF-8.
#[wasm_bindgen]
pub fn plan(payload: &[u8], context: &[u8]) -> Vec<u8> {
    crate::room::make(payload.len());
    tributary_core::plan_json(payload, context)
}

/// The version of this module, as in `0.1.0`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
