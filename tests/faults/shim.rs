//! The shim between a server and its disk and clock, and how it is told what to do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::service::harness::{Home, Server};
use crate::service::program::program;

/// `ENOSPC`, `EIO` and `EROFS` of Linux.
pub(super) const NO_SPACE: i32 = 28;
pub(super) const IO: i32 = 5;
pub(super) const READ_ONLY: i32 = 30;

/// The shim, compiled once a run.
fn shim() -> &'static PathBuf {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let target = std::env::current_exe().expect("a test knows its path");
        let shim = target.with_file_name("tributary-shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/faults/shim.c");
        let built = Command::new("cc")
            .args([
                "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
            ])
            .args([&shim, &PathBuf::from(source)])
            .output()
            .expect("SQLite has needed a C compiler already");
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        shim
    })
}

/// What is the matter from now on, in the words of the shim.
pub(super) fn tell(home: &Home, words: &str) {
    // In one step: a server that reads meanwhile reads the old words or the new ones.
    let draft = home.file("faults.new");
    fs::write(&draft, words).expect("a file");
    fs::rename(draft, home.file("faults")).expect("a file");
}

/// A server in a home whose disk can fail.
pub(super) fn start_in(home: Home) -> Server {
    let command = command(&home);
    Server::spawn(home, command)
}

/// Its command line.
pub(super) fn command(home: &Home) -> Command {
    let mut command = home.serve();
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_DIR", home.data())
        .env("FAULT_CONTROL", home.file("faults"));
    command
}

/// The program with these arguments, beneath which all of its home can fail.
pub(super) fn shimmed(home: &Home, args: &[&str]) -> Command {
    let mut command = program();
    command
        .args(args)
        .env("LD_PRELOAD", shim())
        .env("FAULT_DIR", home.root())
        .env("FAULT_CONTROL", home.file("faults"));
    command
}
