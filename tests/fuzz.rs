//! The seeds of the fuzz targets, as ordinary tests: natively, and in the wasm, which never stops half way.

#[path = "fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets reach it")]
pub(crate) mod bodies;

use std::fs;
use std::path::Path;

use crate::conformance::{Runtime, present};
use crate::runtimes::wasmtime::Wasmtime;
use crate::service::harness::Server;

/// The seeds of a target, each with its name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut seeds: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.display().to_string(), fs::read(&path).expect("a seed"))
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() > 5, "{target} has hardly any");
    seeds
}

#[test]
fn the_seeds_of_plans_hold_natively_and_in_the_wasm() {
    let mut wasm = present(Wasmtime::load(), "the seeds of plans in the wasm");
    for (name, bytes) in seeds("plan_json") {
        let native = bodies::planned(&bytes);
        let (payload, context) = bodies::parts(&bytes);
        if let Some(wasm) = &mut wasm {
            assert_eq!(wasm.plan(payload, context), native, "{name}");
        }
    }
}

#[test]
fn the_seeds_of_the_parser_hold_natively_and_in_the_wasm() {
    let mut wasm = present(Wasmtime::load(), "the seeds of the parser in the wasm");
    for (name, bytes) in seeds("parser") {
        bodies::parsed(&bytes);
        let text = &bytes[1..];
        let native = tributary_core::plan_json(text, b"{}");
        if let Some(wasm) = &mut wasm {
            assert_eq!(wasm.plan(text, b"{}"), native, "{name}");
        }
    }
}

#[test]
fn the_seeds_of_addresses_and_headers_hold() {
    for (_, bytes) in seeds("validation") {
        bodies::validated(&bytes);
    }
}

#[test]
fn the_seeds_of_http_hold() {
    let server = Server::start_with(&["--allow-upstream", "127.0.0.1"]);
    for (_, bytes) in seeds("http") {
        bodies::answered(server.addr, "admin", &bytes);
    }
    // Those with the secret have reached what is behind it.
    assert!(!server.pool().is_empty());
    assert_eq!(server.get("/health").status, 200);
}
