//! How many instructions the core and one import take: figures that grow only on purpose. They are counted, not timed, so
//! that they are the same on a busy machine.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::conformance::present;
use crate::runtimes::Absent;
use crate::service::harness::{Home, INJECT, Server};
use crate::service::payload;

/// Accounts of the payload.
const COUNT: usize = 2_000;
/// Instructions for each account, in the test profile, when they last changed on purpose: of a plan, and of an import.
const RECORDED: (u64, u64) = (64_621, 81_365);
/// How much more is no accident, in percent.
const SLACK: u64 = 5;

/// The same program under callgrind, which leaves its total in `counted`.
fn under_callgrind(program: &Command, counted: &Path) -> Command {
    let mut command = Command::new("valgrind");
    let mut into = std::ffi::OsString::from("--callgrind-out-file=");
    into.push(counted);
    command.args(["--quiet", "--tool=callgrind"]).arg(into);
    command.arg(program.get_program()).args(program.get_args());
    command
}

/// What callgrind has counted.
fn total(counted: &Path) -> u64 {
    let text = std::fs::read_to_string(counted).expect("callgrind has written");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.expect("a total").trim().parse().expect("a number")
}

/// The instructions of a plan of so many accounts, by the program as people run it.
fn of_a_plan(accounts: usize) -> u64 {
    let home = Home::new();
    let (file, counted) = (home.file("payload"), home.file("counted"));
    std::fs::write(&file, payload::accounts(accounts)).expect("a file");
    let mut plan = crate::service::program::program();
    plan.arg("plan").arg(&file).arg("--json");
    let run = under_callgrind(&plan, &counted)
        .stdout(Stdio::null())
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    total(&counted)
}

/// The instructions of a server that imports so many accounts over HTTP, from its start to its end.
fn of_an_import(accounts: usize) -> u64 {
    let home = Home::new();
    let counted = home.file("counted");
    let log = std::fs::File::create(home.file("log")).expect("a file");
    let mut serve = under_callgrind(&home.serve(), &counted);
    serve
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut server = Server::spawn(home, serve);
    let answer = server.post(INJECT, &payload::accounts(accounts));
    assert_eq!(answer.status, 200, "{answer:?}");
    server.signal(Signal::TERM);
    let status = server.wait(Duration::from_secs(60));
    assert!(status.success(), "{}", server.home().log());
    total(&counted)
}

/// What each account costs: what is the same for all is not counted.
fn for_each(of: impl Fn(usize) -> u64) -> u64 {
    (of(COUNT) - of(1)) / (COUNT as u64 - 1)
}

/// Callgrind, where it is.
fn callgrind() -> Result<(), Absent> {
    let version = Command::new("valgrind").arg("--version").output();
    let absent = |_| Absent("install valgrind".to_owned());
    version.map(drop).map_err(absent)
}

#[test]
fn a_plan_and_an_import_take_no_more_instructions_than_recorded() {
    let Some(()) = present(callgrind(), "the number of instructions") else {
        return;
    };
    let counted = (for_each(of_a_plan), for_each(of_an_import));
    let within = |counted: u64, recorded: u64| counted * 100 <= recorded * (100 + SLACK);
    assert!(
        within(counted.0, RECORDED.0) && within(counted.1, RECORDED.1),
        "{counted:?} is over {SLACK} % more than {RECORDED:?}; when that is meant, record it"
    );
    // Otherwise growth could hide below a figure that nobody has lowered.
    assert!(
        within(RECORDED.0, counted.0) && within(RECORDED.1, counted.1),
        "{counted:?} is over {SLACK} % less than {RECORDED:?}: record it"
    );
}
