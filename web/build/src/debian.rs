//! Debian's wasm compiler, fetched as packages and unpacked in the cache: nothing is installed, no right is needed.

use crate::place::Place;
use crate::trouble::{Trouble, quietly};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The compiler in the cache, or fetched into it now.
pub(crate) fn find(place: &Place) -> Result<Compiler, Trouble> {
    let root = place.cache().join("rust-web");
    if !root.join("rustc").is_file() {
        eprintln!("fetching Debian's wasm compiler, once (140 MB)");
        fetch(place, &root)?;
    }
    let compiler = Compiler { root };
    quietly(
        "asking it for its version",
        Command::new(compiler.root.join("rustc")).arg("-vV"),
    )?;
    Ok(compiler)
}

/// Everything is made ready beside its place and moved there last: what is there is whole.
fn fetch(place: &Place, root: &Path) -> Result<(), Trouble> {
    let beside = place
        .cache()
        .join(format!("rust-web.{}", std::process::id()));
    let made = fill(&beside, root);
    if made.is_ok() && fs::rename(&beside, root).is_ok() {
        return Ok(());
    }
    // Another builder may have been faster; then its folder serves.
    fs::remove_dir_all(&beside).ok();
    made
}

fn fill(folder: &Path, root: &Path) -> Result<(), Trouble> {
    let packages = folder.join("packages");
    fs::create_dir_all(&packages)?;
    let apt = Apt::ready(folder)?;
    let wanted = wanted(&apt)?;
    let mut download = apt.command("apt-get");
    download
        .arg("download")
        .args(&wanted)
        .current_dir(&packages);
    quietly("downloading Debian's packages", &mut download)?;
    for package in fs::read_dir(&packages)? {
        let mut unpack = Command::new("dpkg");
        unpack.arg("-x").arg(package?.path()).arg(folder);
        quietly("unpacking a package", &mut unpack)?;
    }
    fs::remove_dir_all(&packages)?;
    // Wrappers name the place where all will be.
    write_wrapper(folder, root, "rustc", "usr/bin/rustc")?;
    let linker = fs::read_dir(folder.join("usr/bin"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.starts_with("wasm-ld-"))
        .ok_or_else(|| Trouble::Missing("its packages have no wasm-ld".into()))?;
    write_wrapper(folder, root, "wasm-ld", &format!("usr/bin/{linker}"))
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

/// apt with the machine's lists, or with lists of our own where the machine has none.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn ready(folder: &Path) -> Result<Apt, Trouble> {
        let machine_s = Apt {
            options: Vec::new(),
        };
        if machine_s.depends("rustc-web").is_ok_and(|d| !d.is_empty()) {
            return Ok(machine_s);
        }
        let state = folder.join("apt");
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

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options);
        command
    }

    /// What a package needs.
    fn depends(&self, package: &str) -> Result<Vec<String>, Trouble> {
        let mut ask = self.command("apt-cache");
        ask.args(["depends", package]).env("LC_ALL", "C");
        let output = quietly("asking apt", &mut ask)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let names = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }
}
