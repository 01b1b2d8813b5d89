//! Debian's wasm compiler, fetched as packages and unpacked in the cache: nothing is installed, no right is needed.

use crate::place::Place;
use crate::trouble::{Trouble, quietly};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest compiler that reads this workspace.
const WRITTEN_FOR: &str = env!("CARGO_PKG_RUST_VERSION");

/// A compiler in the cache.
pub(crate) struct Compiler {
    root: PathBuf,
}

impl Compiler {
    /// Lets a cargo use it, with the standard library built along; what the compiler is told further.
    pub(crate) fn prepare(&self, command: &mut Command) -> Vec<String> {
        command
            .env("RUSTC", self.root.join("rustc"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
                self.root.join("wasm-ld"),
            )
            .args(["-Z", "build-std=std,panic_abort"])
            .args(["-Z", "build-std-features=optimize_for_size"]);
        // A fault stops the module in any case; the texts it would never print are half as much again.
        vec![
            "-Zunstable-options".into(),
            "-Cpanic=immediate-abort".into(),
        ]
    }
}

/// The compiler in the cache, or fetched into it now. Its folder says what it must be able to read: an older workspace keeps its own.
pub(crate) fn find(place: &Place) -> Result<Compiler, Trouble> {
    let name = format!("rust-web-{WRITTEN_FOR}");
    let root = place.fetched(&name, "rustc", |beside, root| {
        eprintln!("fetching Debian's wasm compiler, once (140 MB)");
        fill(beside, root)
    })?;
    quietly(
        &format!(
            "the compiler in {} (delete it to have it fetched again)",
            root.display()
        ),
        Command::new(root.join("rustc")).arg("-vV"),
    )?;
    Ok(Compiler { root })
}

fn fill(folder: &Path, root: &Path) -> Result<(), Trouble> {
    let (packages, lists) = (folder.join("packages"), folder.join("apt"));
    // The machine's lists may be empty, know an old compiler, or one that Debian no longer has.
    if let Err(first) = download(&Apt::of_the_machine(), &packages) {
        let again = Apt::up_to_date(&lists).and_then(|apt| download(&apt, &packages));
        again.map_err(|then| Trouble::Missing(format!("{first}; with lists of now: {then}")))?;
    }
    for package in fs::read_dir(&packages)? {
        let mut unpack = Command::new("dpkg");
        unpack.arg("-x").arg(package?.path()).arg(folder);
        quietly("unpacking a package", &mut unpack)?;
    }
    fs::remove_dir_all(&packages)?;
    fs::remove_dir_all(&lists).ok();
    // Wrappers name the place where all will be.
    write_wrapper(folder, root, "rustc", "usr/bin/rustc")?;
    let linker = fs::read_dir(folder.join("usr/bin"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.starts_with("wasm-ld-"))
        .ok_or_else(|| Trouble::Missing("its packages have no wasm-ld".into()))?;
    write_wrapper(folder, root, "wasm-ld", &format!("usr/bin/{linker}"))
}

/// Fills a folder with the packages of a compiler that is new enough, and nothing else.
fn download(apt: &Apt, packages: &Path) -> Result<(), Trouble> {
    let offered = apt.version("rustc-web")?;
    if is_older(&offered, WRITTEN_FOR) {
        return Err(Trouble::Missing(format!(
            "`rustc-web` is {offered} here and {WRITTEN_FOR} is needed"
        )));
    }
    fs::remove_dir_all(packages).ok();
    fs::create_dir_all(packages)?;
    let mut download = apt.command("apt-get");
    download
        .arg("download")
        .args(wanted(apt)?)
        .current_dir(packages);
    quietly("downloading Debian's packages", &mut download).map(drop)
}

/// Whether a version, or that of a package, is older than another.
fn is_older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let parts = text.split(|c: char| !c.is_ascii_digit());
        parts.take(2).map_while(|part| part.parse().ok()).collect()
    };
    numbers(version) < numbers(than)
}

/// A program that finds the libraries unpacked beside it.
fn write_wrapper(folder: &Path, root: &Path, name: &str, program: &str) -> Result<(), Trouble> {
    let quoted = format!("'{}'", root.display().to_string().replace('\'', r"'\''"));
    let arch = library_folder(folder)?;
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH={quoted}/usr/lib/{arch} exec {quoted}/{program} \"$@\"\n"
    );
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(fs::set_permissions(
        &path,
        fs::Permissions::from_mode(0o755),
    )?)
}

/// `x86_64-linux-gnu` or whatever this machine's libraries lie under.
fn library_folder(folder: &Path) -> Result<String, Trouble> {
    fs::read_dir(folder.join("usr/lib"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.ends_with("-linux-gnu"))
        .ok_or_else(|| Trouble::Missing("its packages have no libraries".into()))
}

/// The compiler, its standard library and sources, its linker, and those of their libraries that are not installed.
fn wanted(apt: &Apt) -> Result<Vec<String>, Trouble> {
    let mut wanted = vec![
        "rustc-web".to_owned(),
        "libstd-rust-web-dev".into(),
        "rust-web-src".into(),
    ];
    let library = one(apt, "libstd-rust-web-dev", "libstd-rust-web-")?;
    let llvm = one(apt, &library, "libllvm")?;
    let linker = format!("lld-{}", llvm.trim_start_matches("libllvm"));
    let mut libraries = BTreeSet::new();
    for package in [&library, &llvm, &linker] {
        libraries.extend(apt.depends(package)?);
    }
    libraries.retain(|name| name.starts_with("lib") && *name != llvm && !is_installed(name));
    wanted.extend(libraries);
    wanted.extend([library, llvm, linker]);
    Ok(wanted)
}

fn one(apt: &Apt, package: &str, prefix: &str) -> Result<String, Trouble> {
    let found = apt
        .depends(package)?
        .into_iter()
        .find(|name| name.starts_with(prefix));
    found.ok_or_else(|| Trouble::Missing(format!("`{package}` is not as expected")))
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", package])
        .output()
        .is_ok_and(|output| output.stdout.ends_with(b" installed"))
}

/// apt with the machine's lists, or with lists of our own where those lead to no compiler that serves.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn of_the_machine() -> Apt {
        Apt {
            options: Vec::new(),
        }
    }

    /// Its lists lie in this folder and are read now.
    fn up_to_date(state: &Path) -> Result<Apt, Trouble> {
        fs::create_dir_all(state.join("lists/partial"))?;
        let own = Apt {
            options: vec![
                format!("-oDir::State={}", state.display()),
                format!("-oDir::Cache={}", state.display()),
                "-oDir::State::status=/var/lib/dpkg/status".into(),
            ],
        };
        quietly(
            "reading Debian's package lists",
            own.command("apt-get").arg("update"),
        )?;
        Ok(own)
    }

    /// It speaks English: its answers are read here.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options).env("LC_ALL", "C");
        command
    }

    /// What a package needs.
    fn depends(&self, package: &str) -> Result<Vec<String>, Trouble> {
        self.ask(&["depends", package], "Depends: ")
    }

    /// The version that would be installed.
    fn version(&self, package: &str) -> Result<String, Trouble> {
        let versions = self.ask(&["show", "--no-all-versions", package], "Version: ")?;
        versions
            .into_iter()
            .next()
            .ok_or_else(|| Trouble::Missing(format!("apt knows no version of `{package}`")))
    }

    /// What stands behind a word in the lines of an answer.
    fn ask(&self, question: &[&str], word: &str) -> Result<Vec<String>, Trouble> {
        let mut ask = self.command("apt-cache");
        let output = quietly("asking apt", ask.args(question))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text.lines();
        let found = lines.filter_map(|line| line.trim().strip_prefix(word));
        Ok(found.map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_is_too_old_is_told_by_its_version() {
        for old in ["1.94.1", "1.85.0+dfsg3-1~deb12u3", "0.100.0", "1", ""] {
            assert!(is_older(old, "1.95"), "{old}");
        }
        for new in ["1.95", "1.95.0", "1.96.0+dfsg1-1~deb12u2", "1.100.0", "2.0"] {
            assert!(!is_older(new, "1.95"), "{new}");
        }
    }
}
