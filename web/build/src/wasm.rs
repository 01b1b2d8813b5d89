//! The wasm compiler that this machine has, and what it makes.

use crate::debian;
use crate::place::Place;
use crate::trouble::{Trouble, quietly};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Wide registers for hashing and scanning.
const FLAGS: &[&str] = &["-Ctarget-feature=+simd128"];
/// Besides, what makes it small and hardly slower: only short loops are unrolled and none becomes vectors, no load is added on one
/// path to spare it on another, and little is inlined but what is marked `#[inline]` and, for which 45 is just enough, the check for
/// room before each piece of text. Without these it is 18 KB larger and above 100 KB.
const SMALL: &[&str] = &[
    "-Cno-vectorize-slp",
    "-Cno-vectorize-loops",
    "-Cllvm-args=-unroll-threshold=30 -unroll-runtime=false -unroll-allow-partial=false",
    "-Cllvm-args=-enable-load-pre=false",
    "-Cllvm-args=-inline-threshold=45 -inline-cold-callsite-threshold=0",
];

/// Where the compiler comes from.
pub(crate) enum Compiler {
    /// The active toolchain, which has the target.
    Own,
    /// Debian's, unpacked in the cache, with the standard library built along.
    Debian(debian::Compiler),
}

/// What is built.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    /// The C ABI, without imports: small, for whoever takes it along.
    Abi,
    /// For pages, before the glue is made: fast, for people who wait.
    Browser,
}

impl Compiler {
    /// The active toolchain's when it has the target, else Debian's. No toolchain is changed.
    pub(crate) fn find(place: &Place) -> Result<Compiler, Trouble> {
        if own_has_target() {
            return Ok(Compiler::Own);
        }
        let install = "run `rustup target add wasm32-unknown-unknown` and start again";
        match debian::find(place) {
            Ok(compiler) => Ok(Compiler::Debian(compiler)),
            Err(why) => Err(Trouble::Missing(format!(
                "{install} (Debian's compiler cannot serve instead: {why})"
            ))),
        }
    }

    /// Compiles a module; where it is.
    pub(crate) fn build(&self, place: &Place, module: Module) -> Result<PathBuf, Trouble> {
        let (features, profile, further): (_, _, &[&str]) = match module {
            Module::Abi => ("", "wasm", SMALL),
            Module::Browser => ("browser", "page", &[]),
        };
        let target = place.work();
        let mut command = place.clean_cargo();
        command
            .args(["rustc", "--locked", "--package", "tributary-web", "--lib"])
            .args(["--crate-type", "cdylib", "--profile", profile])
            .args(["--target", TARGET, "--features", features, "--target-dir"])
            .arg(&target);
        let mut flags: Vec<_> = FLAGS
            .iter()
            .chain(further)
            .map(|&flag| flag.to_owned())
            .collect();
        flags.extend(self.remaps(place));
        // An empty wrapper is none: caches of compilers do not know this target.
        command.env("RUSTC_WRAPPER", "");
        if let Compiler::Debian(debian) = self {
            flags.extend(debian.prepare(&mut command));
        }
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        if let Module::Abi = module {
            // The page's keeps its list of features, which the glue is made by.
            command.args(["--", "-Cstrip=symbols"]);
        }
        quietly("compiling the wasm", &mut command)?;
        Ok(target.join(TARGET).join(profile).join("tributary_web.wasm"))
    }

    /// Paths of this machine stay out of what is published.
    fn remaps(&self, place: &Place) -> Vec<String> {
        let home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
        [
            (Some(place.root().to_owned()), "tributary"),
            (home, "cargo"),
            (Some(place.cache().to_owned()), "rust"),
        ]
        .into_iter()
        .filter_map(|(path, name)| Some(format!("--remap-path-prefix={}={name}", path?.display())))
        .collect()
    }
}

/// Whether the active toolchain can build for wasm as it is.
fn own_has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .is_ok_and(|output| {
            let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            output.status.success()
                && fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
        })
}
