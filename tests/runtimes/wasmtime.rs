//! The wasm in the `wasmtime` crate, run as the Rust example runs it.

use super::{Absent, wasm};
use crate::conformance::Runtime;

#[path = "../../web/examples/rust/main.rs"]
#[allow(dead_code, reason = "the tests have a main of their own")]
mod example;

pub(crate) struct Wasmtime {
    plan: example::Plan,
}

impl Wasmtime {
    pub(crate) fn load() -> Result<Wasmtime, Absent> {
        let wasm = std::fs::read(wasm()?).expect("the module can be read");
        let plan = example::load(&wasm).expect("the module is as the example expects");
        Ok(Wasmtime { plan })
    }
}

impl Runtime for Wasmtime {
    fn name(&self) -> String {
        "wasmtime (crate)".into()
    }

    fn plan(&mut self, payload: &[u8], context: &[u8]) -> Vec<u8> {
        (self.plan)(payload, context).expect("the module answers")
    }
}
