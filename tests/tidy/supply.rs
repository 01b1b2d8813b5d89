//! What comes from others: from where, in how many versions, under which licences, and that the core is built alike.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::{read, root};

/// Packages of which the lock holds two major versions, and why the second cannot go yet.
const TWICE: &[(&str, &str)] = &[
    (
        "allocator-api2",
        "regalloc2's bumpalo, of the tests' wasmtime, has an older one than talc, which is in the wasm alone",
    ),
    (
        "base64",
        "wasm-bindgen-cli-support, of the builder alone, has an older one than ureq",
    ),
    (
        "bit-vec",
        "rcgen's yasna has an older one than proptest; both are of tests alone",
    ),
    (
        "block-buffer",
        "sha2, of the tests' wasmtime, has an older one than aes-gcm-siv",
    ),
    (
        "cpufeatures",
        "sha2, of the tests' wasmtime, has an older one than blake3",
    ),
    (
        "crypto-common",
        "sha2, of the tests' wasmtime, has an older one than aes-gcm-siv",
    ),
    (
        "embedded-io",
        "postcard, of the tests' wasmtime, names two; neither is built",
    ),
    ("getrandom", "ring has an older one than we"),
    (
        "gimli",
        "walrus, of the builder alone, has an older one than wasmtime",
    ),
    (
        "hashbrown",
        "walrus, of the builder alone, has an older one than rusqlite",
    ),
    (
        "syn",
        "some macros have moved to 3, others not; none is in the program",
    ),
    ("synstructure", "goes with the two of syn"),
    (
        "wasm-encoder",
        "walrus, of the builder alone, has an older one than wasmtime",
    ),
    (
        "wasmparser",
        "walrus, of the builder alone, has an older one than wasmtime",
    ),
    (
        "windows-sys",
        "ring has an older one than tokio; neither is built on Unix",
    ),
];

/// Licences that ask for no more than to be named. Of several that are offered, one is enough.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "Unicode-3.0",
];

/// Packages that the fuzz targets alone have, and why.
const FUZZING: &[(&str, &str)] = &[
    ("tributary-fuzz", "the targets"),
    ("libfuzzer-sys", "the fuzzer"),
    ("jobserver", "cc of the fuzzer compiles at once"),
];

/// The locks: of the program, its tests and its builder, and of the fuzz targets.
const LOCKS: [&str; 2] = ["Cargo.lock", "tests/fuzz/Cargo.lock"];

/// Name, version and source of each package of a lock; ours have no source.
fn locked(lock: &str) -> Vec<(String, String, Option<String>)> {
    let lock = read(&root().join(lock));
    let packages = lock.split("[[package]]\n").skip(1);
    let value = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    packages
        .map(|package| {
            let name = value(package, "name = ").expect("a name");
            let version = value(package, "version = ").expect("a version");
            (name, version, value(package, "source = "))
        })
        .collect()
}

/// The part of a version that says what goes with what: `1`, `0.4` or `0.0.3`.
fn major(version: &str) -> String {
    let mut parts = Vec::new();
    for part in version.split(['.', '+', '-']).take(3) {
        parts.push(part);
        if part != "0" {
            break;
        }
    }
    parts.join(".")
}

#[test]
fn every_package_comes_from_the_registry() {
    let packages: Vec<_> = LOCKS.into_iter().flat_map(locked).collect();
    assert!(packages.len() > 50, "the lock is read");
    for (name, _, source) in packages {
        let Some(source) = source else {
            assert!(name.starts_with("tributary-"), "`{name}` has no source");
            continue;
        };
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(source, registry, "`{name}`");
    }
}

#[test]
fn no_package_is_there_in_two_major_versions_without_a_reason() {
    let mut majors = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, version, _) in locked("Cargo.lock") {
        majors.entry(name).or_default().insert(major(&version));
    }
    let twice: BTreeSet<&str> = majors
        .iter()
        .filter(|(_, majors)| majors.len() > 1)
        .map(|(name, _)| name.as_str())
        .collect();
    let named: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    let new: Vec<_> = twice.difference(&named).collect();
    assert!(
        new.is_empty(),
        "in two versions, for no named reason: {new:?}"
    );
    let gone: Vec<_> = named.difference(&twice).collect();
    assert!(
        gone.is_empty(),
        "in one version again, take off the list: {gone:?}"
    );
    for name in twice {
        assert_eq!(majors[name].len(), 2, "`{name}`: {:?}", majors[name]);
    }
}

#[test]
fn the_fuzz_targets_have_no_package_that_the_tests_have_not() {
    let names = |lock: &str| -> BTreeSet<String> {
        let packages = locked(lock).into_iter();
        packages
            .map(|(name, version, _)| format!("{name} {}", major(&version)))
            .collect()
    };
    let (known, mut others) = (names("Cargo.lock"), names("tests/fuzz/Cargo.lock"));
    others.retain(|package| {
        let named = |(name, _): &(&str, &str)| package.starts_with(&format!("{name} "));
        !known.contains(package) && !FUZZING.iter().any(named)
    });
    assert_eq!(others, BTreeSet::new());
}

#[test]
fn a_major_version_is_what_goes_together() {
    for (version, expected) in [
        ("1.2.3", "1"),
        ("0.23.46", "0.23"),
        ("0.0.3", "0.0.3"),
        ("0.2.17+wasi-0.2", "0.2"),
    ] {
        assert_eq!(major(version), expected);
    }
}

/// What cargo says of this workspace, asking nobody.
fn cargo(args: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).args(["--offline", "--locked"]);
    let said = cargo.current_dir(root()).output().expect("cargo runs");
    let why = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "cargo {args:?}: {why}");
    String::from_utf8(said.stdout).expect("cargo writes text")
}

/// The machine that these tests are built on, whose packages are all there.
fn host() -> String {
    let told = Command::new("rustc")
        .arg("-vV")
        .current_dir(root())
        .output();
    let told = String::from_utf8(told.expect("rustc runs").stdout).expect("text");
    let line = told.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("rustc tells its host").to_owned()
}

/// Whether an expression such as `(MIT OR Apache-2.0) AND Unicode-3.0` can be kept with the licences of the list.
fn is_fine(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    let one_of = |all: &str| all.split(" OR ").any(|one| LICENCES.contains(&one.trim()));
    expression.split(" AND ").all(one_of)
}

#[test]
fn every_licence_is_one_of_the_list() {
    let metadata = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        &host(),
    ]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let used: BTreeSet<String> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| node["id"].to_string())
        .collect();
    let packages = list(&metadata["packages"]);
    assert!(packages.len() > 50);
    for package in packages {
        if used.contains(&package["id"].to_string()) {
            let licence = package["license"].as_str().unwrap_or("none");
            assert!(is_fine(licence), "{}: `{licence}`", package["name"]);
        }
    }
}

#[test]
fn a_licence_is_read() {
    for fine in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
    ] {
        assert!(is_fine(fine), "{fine}");
    }
    for other in ["none", "GPL-3.0", "MIT AND GPL-3.0", "MITX", ""] {
        assert!(!is_fine(other), "{other}");
    }
}

/// Packages that others ask for more of than the core does, where that changes nothing of what the core has.
const GROWN: &[(&str, &str)] = &[(
    "hashbrown",
    "rusqlite has its hasher and wasmtime its serde; the core has its table, which knows of neither",
)];

/// Packages that `package` is built with, each with its version and, but for those that others have grown, its features.
fn built(package: &str, edges: &str) -> BTreeSet<String> {
    let tree = ["tree", "--prefix", "none", "--format", "{p} [{f}]"];
    let tree = cargo(&[&tree[..], &["--package", package, "--edges", edges]].concat());
    let without_features = |line: &str| {
        let (package, _) = line.split_once(" [")?;
        let is_grown = |(name, _): &(&str, &str)| package.split(' ').next() == Some(name);
        GROWN.iter().any(is_grown).then(|| package.to_owned())
    };
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    lines
        .map(|line| without_features(line).unwrap_or_else(|| line.to_owned()))
        .collect()
}

#[test]
fn the_core_is_built_alike_in_host_and_tests() {
    let alone = built("tributary-core", "normal");
    assert!(
        alone.iter().any(|line| line.starts_with("blake3 ")),
        "{alone:?}"
    );
    for (package, edges) in [
        ("tributary-host", "normal"),
        ("tributary-tests", "normal,dev"),
    ] {
        let there = built(package, edges);
        let differs: Vec<_> = alone.difference(&there).collect();
        assert!(differs.is_empty(), "not so in `{package}`: {differs:?}");
    }
    let with_features = [
        "tree",
        "--package",
        "tributary-core",
        "--edges",
        "features,normal",
    ];
    let tree = cargo(&with_features);
    assert!(
        !tree.contains("serde_json"),
        "the core reads JSON by itself"
    );
}
