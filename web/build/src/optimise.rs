//! `wasm-opt`, from the npm package `binaryen`: up to a tenth smaller, a little faster.

use crate::place::Place;
use crate::put;
use crate::trouble::{Trouble, quietly};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const VERSION: &str = "132.0.0";

/// What every runtime knows that we promise to run in. With all features Node 20 would refuse the module.
const FEATURES: [&str; 8] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-simd",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What is done, for as long as the module gets smaller. What is always called with the same constants knows them. Constants that
/// are added to addresses go into the loads and stores: that needs nothing to lie below 1,024, where rustc has the end of the
/// stack, and there such an access traps. Small functions go into their callers, and larger ones that have one caller, but for the
/// largest: a few huge functions compress less well.
const PASSES: [&str; 6] = [
    "--monomorphize",
    "-O3",
    "--converge",
    "--low-memory-unused",
    "--flexible-inline-max-function-size=50",
    "--one-caller-inline-max-function-size=200",
];

/// The optimiser in the cache, or fetched into it now; nothing where there is no npm, or no Node.js to run it.
pub(crate) fn find(place: &Place) -> Option<PathBuf> {
    const PROGRAM: &str = "node_modules/binaryen/bin/wasm-opt";
    let found = quietly("node", Command::new("node").arg("--version")).and_then(|_| {
        place.fetched(&format!("binaryen-{VERSION}"), PROGRAM, |beside, _| {
            fetch(beside)
        })
    });
    match found {
        Ok(folder) => Some(folder.join(PROGRAM)),
        Err(trouble) => {
            eprintln!(
                "the wasm stays up to a tenth larger without wasm-opt, which needs Node.js and npm: {trouble}"
            );
            None
        }
    }
}

fn fetch(folder: &Path) -> Result<(), Trouble> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--no-save", "--prefix"])
        .arg(folder)
        .arg(format!("binaryen@{VERSION}"));
    quietly("npm install binaryen", &mut npm).map(drop)
}

/// Puts each module into `target/web` under its name, optimised when that can be.
pub(crate) fn all(
    place: &Place,
    optimiser: Option<&PathBuf>,
    modules: &[(PathBuf, &str)],
) -> Result<(), Trouble> {
    let Some(optimiser) = optimiser else {
        return modules
            .iter()
            .try_for_each(|(from, name)| put(&place.web().join(name), &fs::read(from)?));
    };
    // Both at once: each takes up to half a minute and one core.
    let begun: Vec<_> = modules
        .iter()
        .map(|(from, name)| {
            let to = place.work().join(name);
            Ok((begin(optimiser, from, &to)?, to, *name))
        })
        .collect::<Result<_, Trouble>>()?;
    let ended: Vec<_> = begun
        .into_iter()
        .map(|(run, to, name)| (run.wait_with_output(), to, name))
        .collect();
    for (output, to, name) in ended {
        let output = output?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            return Err(Trouble::Broken(format!(
                "{told}\nwasm-opt refused `{name}`"
            )));
        }
        put(&place.web().join(name), &fs::read(to)?)?;
    }
    Ok(())
}

fn begin(optimiser: &Path, from: &Path, to: &Path) -> Result<Child, Trouble> {
    // One of before is not taken for what it makes now.
    fs::remove_file(to).ok();
    let child = Command::new("node")
        .arg(optimiser)
        .args(PASSES)
        .args(FEATURES)
        .args(["--strip-debug", "--strip-producers"])
        .arg("--strip-target-features")
        .arg(from)
        .arg("-o")
        .arg(to)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    child.map_err(|error| Trouble::Missing(format!("wasm-opt needs Node.js: {error}")))
}
