//! The order of the house: which part may know which, what the core never does, and that the README tells the truth.

mod secrets;
mod supply;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What may lie at the top beside hidden files. A part that is not there yet is not missed.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "core",
    "host",
    "web",
    "tests",
    "README.md",
    "target",
];

/// Which package may depend on which: tests → host → core ← web.
const PACKAGES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("host", &["core"]),
    ("web", &["core"]),
    ("tests", &["core", "host", "web"]),
];

/// Which module of the host may use which others of it, besides what all share.
const HOST: &[(&str, &str)] = &[
    ("main", "cli preview"),
    ("cli", "app client config log output preview server store"),
    ("preview", "cli output store"),
    ("client", "certificates output"),
    ("certificates", "output"),
    ("output", ""),
    (
        "server",
        "api app auth config error import log metrics routes",
    ),
    ("routes", "api auth error"),
    ("api", "app body error import intake metrics server store"),
    ("auth", "app config error store"),
    ("app", "auth config fetch import metrics store"),
    ("import", "app body config error fetch intake metrics store"),
    ("intake", "app body store"),
    ("fetch", "body certificates"),
    ("store", "body config lock"),
    ("error", "api config store"),
    ("config", ""),
    ("log", "config"),
    ("metrics", "store"),
];

/// What every module may use.
const SHARED: &[&str] = &["clock", "random", "priority", "source", "job"];

/// What never stands in the core outside its tests, and why.
const NEVER_IN_CORE: &[(&str, &str)] = &[
    ("std::fs", "the core has no files"),
    ("std::net", "the core has no network"),
    ("std::time", "time comes in as an argument"),
    ("std::env", "options come in as arguments"),
    ("std::thread", "the core does not decide who runs it"),
    ("std::process", "the core starts and ends nothing"),
    ("std::io", "the core reads and writes nothing"),
    ("println!", "the core says nothing but its answer"),
    ("eprintln!", "the core says nothing but its answer"),
    ("HashMap::new", "its order differs from run to run"),
    ("HashSet::new", "its order differs from run to run"),
    ("RandomState", "its order differs from run to run"),
    (
        "serde_json::Value",
        "its behaviour depends on features that another crate may switch on",
    ),
    (
        "serde_json::Map",
        "its behaviour depends on features that another crate may switch on",
    ),
    ("f32", "no floats"),
    ("f64", "no floats"),
    ("unsafe {", "memory safety is given, not argued"),
];

/// Lines of a file that still is a subject, its tests not counted.
const LONGEST_FILE: usize = 490;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All Rust files below a folder, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The same without files of unit tests.
fn proper_sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = sources(folder);
    found.retain(|path| !path.ends_with("tests.rs"));
    found
}

/// The lines of a file before its unit tests, without what stands in comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    before_tests
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default()))
}

#[test]
fn the_top_level_is_as_fixed() {
    for entry in fs::read_dir(root()).expect("the workspace") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            name.starts_with('.') || TOP.contains(&name.as_str()),
            "`{name}` does not belong at the top"
        );
    }
    for name in [
        "Cargo.toml",
        "Cargo.lock",
        "core",
        "host",
        "web",
        "tests",
        "README.md",
    ] {
        assert!(root().join(name).exists(), "`{name}` is missing");
    }
}

#[test]
fn packages_depend_along_the_arrows() {
    for (folder, allowed) in PACKAGES {
        let Ok(manifest) = fs::read_to_string(root().join(folder).join("Cargo.toml")) else {
            continue;
        };
        let own: BTreeSet<&str> = dependencies(&manifest)
            .filter_map(|name| name.strip_prefix("tributary-"))
            .collect();
        for name in own {
            assert!(
                allowed.contains(&name),
                "`{folder}` must not depend on `{name}`"
            );
        }
    }
}

/// The names in all dependency tables of a manifest.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            in_table = line.trim_end().ends_with("dependencies]");
            return None;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        (in_table && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

#[test]
fn modules_of_the_host_use_each_other_along_the_arrows() {
    let folder = root().join("host/src");
    for file in proper_sources(&folder) {
        let module = module_of(file.strip_prefix(&folder).expect("below it"));
        let row = HOST.iter().find(|(name, _)| *name == module);
        let allowed: Vec<&str> = row.map_or("", |(_, used)| used).split(' ').collect();
        let text = read(&file);
        for (line, code) in code(&text) {
            let open = code.trim_end().ends_with("crate::{");
            assert!(
                !open,
                "{}:{line}: one `use` for each module",
                file.display()
            );
            for used in used_modules(code) {
                let fine = used == module
                    || allowed.contains(&used.as_str())
                    || SHARED.contains(&used.as_str());
                assert!(
                    fine,
                    "{}:{line}: `{module}` must not use `{used}`",
                    file.display()
                );
            }
        }
    }
}

/// The module at the top that a file of the host belongs to.
fn module_of(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .unwrap_or_default();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a line names through `crate::`.
fn used_modules(line: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, path) in line.match_indices("crate::") {
        let rest = &line[at + path.len()..];
        let whole = line[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let names = rest
            .strip_prefix('{')
            .and_then(|list| list.split('}').next())
            .unwrap_or_else(|| rest.split(',').next().unwrap_or_default());
        let first = |path: &str| {
            path.trim()
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        used.extend(
            names
                .split(',')
                .map(first)
                .filter(|name| whole && !name.is_empty()),
        );
    }
    used
}

#[test]
fn a_use_is_read() {
    assert_eq!(
        used_modules("use crate::store::{Store, sources};"),
        ["store"]
    );
    assert_eq!(
        used_modules("use crate::{job, source::Source};"),
        ["job", "source"]
    );
    assert_eq!(
        used_modules("pub(crate) fn f(a: &crate::app::App) -> crate::error::ApiError"),
        ["app", "error"]
    );
    assert_eq!(used_modules("use other_crate::x;"), Vec::<String>::new());
}

#[test]
fn the_core_keeps_its_promises() {
    let folder = root().join("core/src");
    for file in proper_sources(&folder) {
        let text = read(&file);
        for (line, code) in code(&text) {
            for (never, why) in NEVER_IN_CORE {
                let stands = code.match_indices(never).any(|(at, _)| {
                    code[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|c| !c.is_alphanumeric() && c != '_')
                });
                assert!(!stands, "{}:{line}: `{never}`: {why}", file.display());
            }
        }
    }
    let library = read(&folder.join("lib.rs"));
    for lint in [
        "unwrap_used",
        "expect_used",
        "panic",
        "indexing_slicing",
        "arithmetic_side_effects",
    ] {
        assert!(
            library.contains(lint) || read(&root().join("core/Cargo.toml")).contains(lint),
            "the core denies `clippy::{lint}`"
        );
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    assert!(read(&root().join("Cargo.toml")).contains("unsafe_code = \"forbid\""));
    for package in ["core", "host", "web/build", "tests"] {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "`{package}` takes the workspace's lints"
        );
    }
    // The one exception, in the one file that other programs' memory reaches.
    assert!(read(&root().join("web/Cargo.toml")).contains("unsafe_code = \"deny\""));
    for file in sources(&root().join("web")) {
        let unsafe_here = read(&file).contains("unsafe_code");
        assert_eq!(
            unsafe_here,
            file.ends_with("web/src/abi.rs"),
            "{}: unsafe code stands in `web/src/abi.rs` alone",
            file.display()
        );
    }
}

#[test]
fn a_file_is_a_subject() {
    for package in ["core", "host", "web", "tests"] {
        for file in sources(&root().join(package)) {
            let lines = code(&read(&file)).count();
            assert!(lines <= LONGEST_FILE, "{}: {lines} lines", file.display());
        }
    }
}

#[test]
fn nothing_is_left_behind() {
    for package in ["core", "host", "web", "tests"] {
        for file in sources(&root().join(package)) {
            let text = read(&file);
            for leftover in [
                concat!("#[", "ignore"),
                concat!("TO", "DO"),
                concat!("FIX", "ME"),
                concat!("XX", "X:"),
            ] {
                assert!(!text.contains(leftover), "{}: `{leftover}`", file.display());
            }
        }
    }
}

#[test]
fn the_readme_says_why_each_dependency_is_there() {
    let readme = read(&root().join("README.md"));
    let named: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
        .map(|(name, _)| name)
        .collect();
    let manifest = read(&root().join("Cargo.toml"));
    let used: BTreeSet<&str> = dependencies(&manifest)
        .filter(|name| !name.starts_with("tributary-"))
        .collect();
    let missing: Vec<_> = used.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "the README does not say why these are there: {missing:?}"
    );
    for package in ["core", "host", "web", "web/build", "tests"] {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        for name in dependencies(&manifest).filter(|name| !name.starts_with("tributary-")) {
            assert!(
                used.contains(name),
                "`{name}` of `{package}` belongs into the workspace's table"
            );
        }
    }
    let dependencies = readme
        .split("## Dependencies")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a chapter on dependencies");
    for name in dependencies
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once('`'))
        .map(|(name, _)| name)
    {
        assert!(used.contains(name), "`{name}` is told of and not used");
    }
}

#[test]
fn the_readme_names_what_exists() {
    let readme = read(&root().join("README.md"));
    let chapter = readme
        .split("## An import, step by step")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next());
    let chapter = chapter.expect("a chapter on an import");
    let all = ["core/src", "host/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)));
    let all: String = all.map(|file| read(&file)).collect();
    let is_name = |name: &&str| {
        name.chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    for name in chapter.split('`').skip(1).step_by(2).filter(is_name) {
        let last = name.rsplit("::").next().unwrap_or_default();
        let kinds = ["fn ", "struct ", "enum ", "mod "];
        let exists = kinds.iter().any(|kind| {
            all.match_indices(&format!("{kind}{last}"))
                .any(|(at, found)| {
                    all[at + found.len()..].starts_with(|c: char| !c.is_alphanumeric() && c != '_')
                })
        });
        assert!(exists, "the README names `{name}`, which is not there");
    }
}

#[test]
fn the_readme_s_commands_are_the_aliases() {
    let readme = read(&root().join("README.md"));
    let config = read(&root().join(".cargo/config.toml"));
    for command in ["start", "prove"] {
        assert!(
            readme.contains(&format!("cargo {command}")),
            "the README tells of `cargo {command}`"
        );
        assert!(
            config
                .lines()
                .any(|line| line.starts_with(&format!("{command} = "))),
            "`cargo {command}` is an alias"
        );
    }
    assert!(
        read(&root().join(".ci/run")).contains("cargo prove"),
        "CI runs the README's own command"
    );
}
