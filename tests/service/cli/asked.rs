//! The program as a client of a running server, with pipes or in a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;

use crate::service::harness::Server;
use crate::service::program::program;

/// How a command ended and what it said. In a terminal `out` is all that one sees.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    /// What stdout has, of a command that did what was asked.
    #[track_caller]
    pub(super) fn fine(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.out
    }

    /// The same as one JSON document.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.fine()).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// What stderr has, of a command that ended so and answered nothing.
    #[track_caller]
    pub(super) fn refused(&self, code: i32) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        let said = self.err.strip_prefix("error: ").unwrap_or(&self.err);
        let rusts = ["panicked", "Err(", "os error", "entity"];
        assert!(
            !said.is_empty() && !rusts.iter().any(|word| said.contains(word)),
            "{self:?}"
        );
        said.trim_end()
    }
}

/// The command line that asks `server` as the administrator.
pub(super) fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = program();
    command
        .args(args)
        .env("TRIBUTARY_URL", format!("http://{}", server.addr))
        .env("TRIBUTARY_KEY", "admin")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .current_dir(server.home().file("."));
    command
}

/// Asks `server`, with nothing on stdin.
pub(super) fn ask(server: &Server, args: &[&str]) -> Said {
    said(&mut command(server, args), "")
}

/// Asks `server`, with this on stdin.
pub(super) fn ask_with(server: &Server, args: &[&str], input: &str) -> Said {
    said(&mut command(server, args), input)
}

/// Runs a command with pipes to its end.
pub(super) fn said(command: &mut Command, input: &str) -> Said {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A command that does not read its stdin may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Asks `server` in a terminal of that many columns, in which `typed` is typed ahead.
pub(super) fn ask_in_terminal(server: &Server, columns: u16, typed: &str, args: &[&str]) -> Said {
    in_terminal(command(server, args), columns, typed)
}

/// Runs a command in a terminal to its end.
pub(super) fn in_terminal(mut command: Command, columns: u16, typed: &str) -> Said {
    let (terminal, inner) = open_terminal(columns);
    let another = || inner.try_clone().expect("another end");
    command.stdin(another()).stdout(another()).stderr(another());
    let mut child = command.spawn().expect("the program starts");
    // The terminal hangs up when the last of its inner ends is closed, those of the command among them.
    drop((command, inner));
    let mut terminal = File::from(terminal);
    terminal.write_all(typed.as_bytes()).expect("it is typed");
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut piece) {
        seen.extend_from_slice(&piece[..read]);
    }
    let seen = String::from_utf8(seen).expect("text");
    Said {
        code: child.wait().expect("it ended").code(),
        out: seen.replace("\r\n", "\n"),
        err: String::new(),
    }
}

/// The outer and the inner end of a new terminal.
fn open_terminal(columns: u16) -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let outer = openpt(flags).expect("a terminal");
    grantpt(&outer).expect("it is ours");
    unlockpt(&outer).expect("it opens");
    let inner = ioctl_tiocgptpeer(&outer, flags).expect("its inner end");
    let size = Winsize {
        ws_row: 40,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&inner, size).expect("a size");
    (outer, inner)
}
