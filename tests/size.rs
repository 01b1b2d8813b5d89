//! How large the wasm is: a figure that grows only on purpose.

use crate::conformance::present;
use crate::gzip::gzip;
use crate::runtimes::{self, Absent};
use std::path::PathBuf;

/// What `target/web/tributary.wasm` measured when it last changed on purpose, in bytes: raw, and gzipped at level 9.
const RECORDED: (usize, usize) = (97_762, 43_613);
/// The page's `tributary_web_bg.wasm`, raw.
const OF_THE_PAGE: usize = 157_276;
/// What `tributary.wasm` may never exceed.
const LIMIT: (usize, usize) = (100_000, 44_000);

#[test]
fn the_wasm_is_no_larger_than_recorded() {
    let Some(path) = present(optimised(), "the size of the wasm") else {
        return;
    };
    let wasm = std::fs::read(path).expect("the module can be read");
    let sizes = (wasm.len(), gzip(&wasm).len());
    assert!(
        sizes.0 <= LIMIT.0 && sizes.1 <= LIMIT.1,
        "{sizes:?} is over the limit of {LIMIT:?}"
    );
    assert!(
        sizes.0 <= grown(RECORDED.0) && sizes.1 <= grown(RECORDED.1),
        "{sizes:?} is over 3 % more than {RECORDED:?}; when that is meant, record it"
    );
}

#[test]
fn the_page_s_wasm_is_no_larger_than_recorded() {
    let Some(path) = present(optimised(), "the size of the page's wasm") else {
        return;
    };
    let page = path.with_file_name("tributary_web_bg.wasm");
    let size = std::fs::metadata(page).expect("both are built").len();
    assert!(
        size <= grown(OF_THE_PAGE) as u64,
        "{size} is over 3 % more than {OF_THE_PAGE}; when that is meant, record it"
    );
}

fn grown(recorded: usize) -> usize {
    recorded * 103 / 100
}

/// The module, when `wasm-opt` was there to finish it: the figures are those after it.
fn optimised() -> Result<PathBuf, Absent> {
    let made_of = std::fs::read_to_string(runtimes::built("target/wasm/made-of")?);
    match made_of.is_ok_and(|text| text.ends_with("optimised true")) {
        true => runtimes::wasm(),
        false => Err(Absent(
            "built without wasm-opt; install Node.js and npm".into(),
        )),
    }
}
