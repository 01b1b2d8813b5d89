//! Runs a script of this folder with Node and a real browser.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A browser and the program that runs it here, found in the search path.
pub(crate) struct Browser {
    pub(crate) name: &'static str,
    program: PathBuf,
}

/// The browser of this name with the first of `programs` that is installed. CI has every browser; elsewhere one may be
/// missing, or the page may not be built, and the test says what it skipped.
pub(crate) fn browser(name: &'static str, programs: &[&str]) -> Option<Browser> {
    let missing = if !web().join("tributary_web_bg.wasm").exists() {
        "the page is not built: `cargo prove` builds it".to_owned()
    } else if found("node").is_none() || found("npm").is_none() {
        "node and npm are not installed".to_owned()
    } else {
        match programs.iter().find_map(|program| found(program)) {
            Some(program) => return Some(Browser { name, program }),
            None => format!("{} is not installed", programs[0]),
        }
    };
    assert!(env::var_os("CI").is_none(), "{name}: {missing}");
    eprintln!("skipped {name}: {missing}");
    None
}

/// What the builder left.
pub(crate) fn web() -> PathBuf {
    workspace().join("target/web")
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

fn found(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

impl Browser {
    /// Does a task of `run.mjs`, told and answered in JSON.
    pub(crate) fn run(&self, task: &str, told: &Value) -> Value {
        let mut node = Command::new("node")
            .arg(folder().join("run.mjs"))
            .arg(task)
            .env("BROWSER", self.name)
            .env("BROWSER_PROGRAM", &self.program)
            .env("BROWSER_PACKAGES", packages())
            .env("SCREENSHOTS", workspace().join("target/screenshots"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut stdin = node.stdin.take().expect("stdin is piped");
        let text = told.to_string();
        let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let answered = node.wait_with_output().expect("node ends");
        // A script that ends early closes its end; its status tells why.
        let _ = writer.join().expect("the writer ends");
        assert!(
            answered.status.success(),
            "{task} in {}: {}",
            self.name,
            answered.status
        );
        serde_json::from_slice(&answered.stdout).expect("an answer in JSON")
    }

    /// Does a task whose answer tells what became of behaviours, of which there are at least `fewest`.
    pub(crate) fn behaves(&self, task: &str, told: &Value, fewest: usize) {
        let done = self.run(task, told);
        let outcomes = done["outcomes"].as_array().expect("a list");
        assert!(outcomes.len() >= fewest, "only {}", outcomes.len());
        let mut wrong = Vec::new();
        for outcome in outcomes {
            let name = outcome["name"].as_str().unwrap_or_default();
            println!("{:>7} ms  {name}", outcome["ms"]);
            if let Some(why) = outcome["wrong"].as_str() {
                wrong.push(format!("{name}\n  {why}"));
            }
        }
        let version = &done["version"];
        assert!(wrong.is_empty(), "in {version}:\n{}", wrong.join("\n"));
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

/// The folder in which the pinned packages are installed, once for each lock file.
fn packages() -> &'static Path {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    PACKAGES.get_or_init(install)
}

fn install() -> PathBuf {
    let lock = fs::read(folder().join("package-lock.json")).expect("the lock file");
    let name = format!("browser-tests-{:016x}", hash(&lock));
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))
        .expect("a cache folder")
        .join("tributary");
    let home = cache.join(name);
    if home.exists() {
        return home;
    }
    fs::create_dir_all(&cache).expect("a cache folder");
    // Installed beside and then named, so that what is there is whole.
    let part = tempfile::tempdir_in(&cache).expect("a folder in the cache");
    for file in ["package.json", "package-lock.json"] {
        fs::copy(folder().join(file), part.path().join(file)).expect("a copy");
    }
    let installed = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(part.path())
        .stdout(Stdio::null())
        .status()
        .expect("npm runs");
    assert!(installed.success(), "npm ci failed");
    // Whoever else was first has the same.
    if fs::rename(part.path(), &home).is_ok() {
        let _gone = part.keep();
    }
    home
}

/// FNV-1a: it only tells one lock file from another.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
