//! Runtimes that are programs of their own: one process answers all cases, one after the other.

use super::{Absent, built, root, wasm};
use crate::conformance::Runtime;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

/// A process that reads payload and context, each as a length of 4 bytes and the bytes, and writes the answer likewise.
pub(crate) struct Child {
    name: String,
    process: std::process::Child,
    asked: ChildStdin,
    answers: ChildStdout,
}

impl Child {
    fn start(name: String, command: &mut Command) -> Child {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Child {
            asked: process.stdin.take().expect("its input is a pipe"),
            answers: process.stdout.take().expect("its output is a pipe"),
            name,
            process,
        }
    }

    fn ask(&mut self, payload: &[u8], context: &[u8]) -> std::io::Result<Vec<u8>> {
        for text in [payload, context] {
            let length = u32::try_from(text.len()).expect("a case is short");
            self.asked.write_all(&length.to_le_bytes())?;
            self.asked.write_all(text)?;
        }
        self.asked.flush()?;
        let mut length = [0; 4];
        self.answers.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut answer)?;
        Ok(answer)
    }
}

impl Runtime for Child {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn plan(&mut self, payload: &[u8], context: &[u8]) -> Vec<u8> {
        let answer = self.ask(payload, context);
        answer.unwrap_or_else(|error| panic!("{} stopped answering: {error}", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It ends by itself when its input does; whoever hangs instead is not waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The wasm in Node.
pub(crate) fn node() -> Result<Child, Absent> {
    let version = version(Path::new("node"), "install Node.js")?;
    let mut command = Command::new("node");
    command.arg(here("node.mjs")).arg(wasm()?);
    Ok(Child::start(format!("Node {version}"), &mut command))
}

/// The wasm in Python's package wasmtime.
pub(crate) fn python() -> Result<Child, Absent> {
    let python = python_with_wasmtime()?;
    let mut command = Command::new(&python);
    command.arg(here("python.py")).arg(wasm()?);
    let version = version(&python, "install Python 3")?;
    Ok(Child::start(format!("wasmtime in {version}"), &mut command))
}

/// A C program with the native library.
pub(crate) fn c_program(folder: &Path) -> Result<Child, Absent> {
    let program = compile(&here("native.c"), &folder.join("native"))?;
    Ok(Child::start(
        "C with the native library".into(),
        &mut Command::new(program),
    ))
}

/// Compiles a C file with the header and the native library; where the program is.
pub(crate) fn compile(source: &Path, program: &Path) -> Result<PathBuf, Absent> {
    let library = built("target/wasm/native/release/libtributary_web.a")?;
    version(Path::new("cc"), "install a C compiler")?;
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-I"])
        .arg(root().join("web/include"))
        .arg(source)
        .arg(library)
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(program)
        .output()
        .expect("cc runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", source.display());
    Ok(program.to_owned())
}

/// The Python of the cache, which the builder makes, else the machine's when it has the package.
pub(crate) fn python_with_wasmtime() -> Result<PathBuf, Absent> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))
        .unwrap_or_default();
    let candidates = [
        cache.join("tributary/python/bin/python"),
        PathBuf::from("python3"),
    ];
    let has_it = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import wasmtime"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    candidates.into_iter().find(has_it).ok_or_else(|| {
        Absent(
            "Python has no package wasmtime; `cargo prove` installs it where Python 3 has pip"
                .into(),
        )
    })
}

fn here(name: &str) -> PathBuf {
    root().join("tests/runtimes").join(name)
}

/// What a program says of its version, or what to install.
fn version(program: &Path, install: &str) -> Result<String, Absent> {
    let output = Command::new(program).arg("--version").output();
    output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .ok_or_else(|| Absent(install.to_owned()))
}
