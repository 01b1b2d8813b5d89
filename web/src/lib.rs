//! The core's decision for browsers and other runtimes. No behaviour of its own: bytes go in, the core's bytes come out.
//!
//! Two modules are built from it: `tributary.wasm` with the C ABI of [`abi`], which imports nothing, and with the feature
//! `browser` the module for pages. The C ABI is also a native library; `include/tributary.h` tells how to call it.

#[cfg(not(feature = "browser"))]
pub mod abi;
#[cfg(feature = "browser")]
pub mod browser;
mod room;

/// Hands out the memory of the wasm.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
