//! The core as this machine runs it: the one whose answers are written down.

use crate::conformance::Runtime;

pub(crate) struct Native;

impl Runtime for Native {
    fn name(&self) -> String {
        "native".into()
    }

    fn plan(&mut self, payload: &[u8], context: &[u8]) -> Vec<u8> {
        tributary_core::plan_json(payload, context)
    }
}
