//! Where things are.

use crate::trouble::Trouble;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// The workspace, and the folder that outlives it.
pub(crate) struct Place {
    root: PathBuf,
    cache: PathBuf,
}

impl Place {
    pub(crate) fn find() -> Place {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap_or(Path::new("."));
        let cache = env::var_os("XDG_CACHE_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
            .unwrap_or_else(env::temp_dir);
        Place {
            root: root.to_owned(),
            cache: cache.join("tributary"),
        }
    }

    /// The workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What other programs and the server read.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("target/web")
    }

    /// The builder's own target directory: another compiler must not unmake what the workspace's made.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("target/wasm")
    }

    /// What was fetched once and serves every clone.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A folder of the cache, which is whole once it has `file`. Where it has not, it is made now: `make` is told where, and where
    /// that will be moved last.
    pub(crate) fn fetched(
        &self,
        name: &str,
        file: &str,
        make: impl FnOnce(&Path, &Path) -> Result<(), Trouble>,
    ) -> Result<PathBuf, Trouble> {
        let folder = self.cache.join(name);
        if folder.join(file).is_file() {
            return Ok(folder);
        }
        let beside = self.cache.join(format!("{name}.{}", process::id()));
        fs::create_dir_all(&beside)?;
        let made = make(&beside, &folder).and_then(|()| settle(&beside, &folder, file));
        fs::remove_dir_all(&beside).ok();
        made.map(|()| folder)
    }

    /// A cargo with a clean environment: what the caller set for builds of the host does not fit wasm.
    pub(crate) fn clean_cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root).env_clear();
        command.envs(env::vars_os().filter(|(name, _)| is_kept(&name.to_string_lossy())));
        command
    }

    /// A cargo with the caller's environment, without what the cargo that runs this builder added.
    pub(crate) fn caller_s_cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let added = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
            if added.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// `--manifest-path` of the workspace: the caller may stand in another folder, and paths it gives count from there.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }
}

/// Moves what is whole into its place, unless another builder was faster: then its folder serves.
fn settle(beside: &Path, folder: &Path, file: &str) -> Result<(), Trouble> {
    let is_whole = || folder.join(file).is_file();
    if is_whole() {
        return Ok(());
    }
    // What was begun there and never ended.
    fs::remove_dir_all(folder).ok();
    match fs::rename(beside, folder) {
        Err(error) if !is_whole() => Err(error.into()),
        _ => Ok(()),
    }
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What a clean build still needs: where tools and caches are, and how to reach registries.
fn is_kept(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "CARGO_HOME",
        "XDG_CACHE_HOME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];
    const PREFIXES: [&str; 5] = [
        "RUSTUP_",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
    ];
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.to_ascii_lowercase().ends_with("_proxy")
}
