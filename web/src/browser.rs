//! The decision as a module for pages.

use wasm_bindgen::prelude::wasm_bindgen;

/// The answer of `plan_json` for a payload under a context, both JSON text in UTF-8.
#[wasm_bindgen]
pub fn plan(payload: &[u8], context: &[u8]) -> Vec<u8> {
    crate::room::make(payload.len());
    tributary_core::plan_json(payload, context)
}

/// A plan of a payload that comes twice, in pieces, and that nobody holds.
#[wasm_bindgen]
pub struct Outline(tributary_core::Outline);

#[wasm_bindgen]
impl Outline {
    /// Begins a plan under a context.
    #[wasm_bindgen(constructor)]
    pub fn new(context: &[u8]) -> Outline {
        Outline(tributary_core::Outline::new(context))
    }

    /// Reads the next piece; `false` once the import is refused, and no other piece is needed.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        self.0.feed(piece)
    }

    /// Says that the bytes have ended and will come again from the beginning; `false` when the import is refused.
    pub fn turn(&mut self) -> bool {
        self.0.turn()
    }

    /// Says that the bytes have ended for the second time: the plan without what entries change, or the refusal.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}

/// The version of this module, as in `0.1.0`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
