//! What the system is really asked to do before an answer leaves: the calls of the running server, seen by `strace`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::service::client::{agent, ask};
use crate::service::harness::{Home, INJECT, Server};
use crate::service::program::binary;

/// What matters of a call, in the order of its beginning or its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The WAL was written to: the call ended.
    Write,
    /// A sync of the WAL ended.
    Sync,
    /// An answer began to leave.
    Answer,
}

#[test]
fn a_sync_of_the_wal_lies_between_its_last_write_and_each_answer() {
    const IMPORTS: usize = 20;
    let steps = traced(|server| {
        for n in 0..IMPORTS {
            let answer = server.post(
                INJECT,
                &format!(r#"{{"tokens": ["traced-{n}-a", "traced-{n}-b"], "source_id": "s"}}"#),
            );
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
    let mut answers = 0;
    for import in steps.split_inclusive(|step| *step == Step::Answer) {
        if import.last() != Some(&Step::Answer) {
            continue;
        }
        answers += 1;
        let last_write = import
            .iter()
            .rposition(|step| *step == Step::Write)
            .expect("an import writes to the WAL");
        assert!(
            import[last_write..].contains(&Step::Sync),
            "answer {answers} left before a sync: {import:?}"
        );
    }
    assert_eq!(answers, IMPORTS);
}

#[test]
fn clients_at_once_share_syncs() {
    const CLIENTS: usize = 64;
    const IMPORTS: usize = 4;
    const TOTAL: usize = CLIENTS * IMPORTS;
    let steps = traced(|server| {
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let addr = server.addr;
                scope.spawn(move || {
                    let agent = agent();
                    for n in 0..IMPORTS {
                        let body = format!(r#"{{"tokens": ["shared-{client}-{n}"]}}"#);
                        let answer = ask(&agent, addr, "POST", INJECT, Some("Bearer admin"), &body)
                            .expect("an answer");
                        assert_eq!(answer.status, 200, "{answer:?}");
                    }
                });
            }
        });
    });
    let syncs = steps.iter().filter(|step| **step == Step::Sync).count();
    assert!(
        syncs > 0 && syncs < TOTAL,
        "{syncs} syncs for {TOTAL} imports"
    );
}

/// Runs `work` against a traced server and returns the steps from its first import to its end.
fn traced(work: impl FnOnce(&Server)) -> Vec<Step> {
    let home = Home::new();
    let trace = home.file("trace");
    let mut command = Command::new("strace");
    command.args([
        "-D",
        "-f",
        "-yy",
        "-s",
        "24",
        "-e",
        "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,sync_file_range",
        "-o",
    ]);
    command
        .arg(&trace)
        .arg(binary())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-secret",
            "admin",
            "--data",
        ])
        .arg(home.data());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(home.file("log")).expect("a file"));
    assert!(
        Command::new("strace")
            .arg("-V")
            .output()
            .is_ok_and(|o| o.status.success()),
        "`strace` is missing: install it, or run `.ci/run`"
    );
    let server = Server::spawn(home, command);
    let before = whole_lines(&trace);
    work(&server);
    let _home = server.stop();
    steps(ended(&trace).lines().skip(before))
}

fn whole_lines(trace: &std::path::Path) -> usize {
    std::fs::read_to_string(trace)
        .expect("a trace")
        .lines()
        .count()
}

/// The trace once its last line says that the server has ended.
fn ended(trace: &std::path::Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = std::fs::read_to_string(trace).expect("a trace");
        if text
            .lines()
            .last()
            .is_some_and(|line| line.contains("+++ exited"))
        {
            return text;
        }
        assert!(Instant::now() < deadline, "the trace does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The steps in the lines of a trace. A call that others interrupt has two lines: an answer counts at its first line, a write at
/// its last, and a sync at its last when it is of the thread that wrote and no write has ended since its first.
fn steps<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Step> {
    let (mut steps, mut open, mut writes, mut writer) = (Vec::new(), BTreeMap::new(), 0, "");
    for line in lines {
        let (thread, call) = line.split_once(char::is_whitespace).unwrap_or_default();
        let call = call.trim_start();
        let (step, began_at) = if call.starts_with("<...") {
            open.remove(thread).unwrap_or((None, 0))
        } else {
            (begun(call), writes)
        };
        if call.ends_with("<unfinished ...>") && step != Some(Step::Answer) {
            open.insert(thread, (step, began_at));
            continue;
        }
        let counts = match step {
            Some(Step::Write) => true,
            Some(Step::Sync) => call.ends_with("= 0") && began_at == writes && thread == writer,
            Some(Step::Answer) => true,
            None => false,
        };
        if step == Some(Step::Write) {
            (writes, writer) = (writes + 1, thread);
        }
        steps.extend(step.filter(|_| counts));
    }
    steps
}

/// What a call writes that makes room in the WAL ahead of frames, none of whose headers begins so.
const ZEROS: &str = r#""\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"..., "#;

/// The step that a call begins.
fn begun(call: &str) -> Option<Step> {
    let name = call.split('(').next().unwrap_or_default();
    let file = call.split('>').next().unwrap_or_default();
    match name {
        "fsync" | "fdatasync" if file.ends_with("-wal") => Some(Step::Sync),
        "pwrite64" | "pwritev" | "write" if file.ends_with("-wal") && !call.contains(ZEROS) => {
            Some(Step::Write)
        }
        "write" | "writev" | "sendto" | "sendmsg"
            if call.contains("<TCP") && call.contains("\"HTTP/1.1 ") =>
        {
            Some(Step::Answer)
        }
        _ => None,
    }
}

#[test]
fn a_trace_is_read_call_by_call() {
    let trace = [
        "7 pwrite64(5</d/a.db-wal>, \"x\", 24, 0) = 24",
        "8 fdatasync(5</d/a.db-wal> <unfinished ...>",
        "7 pwrite64(5</d/a.db-wal>, \"x\", 24, 24 <unfinished ...>",
        "7 <... pwrite64 resumed>) = 24",
        "8 <... fdatasync resumed>) = 0",
        "6 fdatasync(5</d/a.db-wal>) = 0",
        "7 fdatasync(5</d/a.db-wal>) = 0",
        r#"6 pwrite64(6</d/a.db-wal>, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"..., 131072, 48) = 131072"#,
        "9 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, \"HTTP/1.1 200 OK\"..., 99 <unfinished ...>",
        "9 <... sendto resumed>) = 99",
        "7 fdatasync(4</d/a.db>) = 0",
    ];
    assert_eq!(
        steps(trace.into_iter()),
        [Step::Write, Step::Write, Step::Sync, Step::Answer]
    );
}
