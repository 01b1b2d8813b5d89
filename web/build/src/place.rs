//! Where things are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

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
