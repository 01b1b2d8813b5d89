//! The command line: `serve`, `key`, `plan`, and what they say when they cannot. The commands that ask a server are below.

mod accounts;
mod asked;
mod export;
mod inject;
mod jobs;
mod owners;
mod planned;
mod readme;
mod remote;
mod removal;
mod sources;
mod terminal;

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::auth::key_id;
use super::harness::{Home, INJECT, SOURCES, Server, wait};
use super::program::program;

fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

/// It ends with this code and says something on stderr in a line or more, without Rust's own words.
fn check_exit(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(
        !said.trim().is_empty() && !said.contains("panicked") && !said.contains("Err("),
        "{said}"
    );
    said
}

#[test]
fn version() {
    let output = run(program().arg("--version"));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        format!("tributary {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn every_option_says_its_default_and_its_variable() {
    let help = run(program().args(["serve", "--help"]));
    let help = String::from_utf8(help.stdout).expect("text");
    for word in [
        "--listen",
        "127.0.0.1:8083",
        "TRIBUTARY_LISTEN",
        "--data",
        "TRIBUTARY_DATA",
        "--admin-secret",
        "TRIBUTARY_ADMIN_SECRET",
        "--max-body",
        "256MiB",
        "--max-upstream-body",
        "--spool-above",
        "32MiB",
        "--upstream-ca",
        "--admin-secret-file",
        "--metrics-listen",
        "TRIBUTARY_METRICS_LISTEN",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn a_mistyped_command_is_2() {
    let home = Home::new();
    for args in [
        &["serv"][..],
        &["serve", "--nothing"],
        &["key"],
        &["key", "create"],
        &["key", "create", "--role", "king", "--name", "x"],
        &["serve", "--max-body", "5 apples"],
    ] {
        check_exit(&run(program().args(args).current_dir(home.file("."))), 2);
    }
}

#[test]
fn a_port_in_use_is_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let home = Home::new();
    let output = run(program()
        .args([
            "serve",
            "--listen",
            &address,
            "--admin-secret",
            "admin",
            "--data",
        ])
        .arg(home.data()));
    assert!(check_exit(&output, 1).contains(&address));
}

#[test]
fn serve_is_the_default_command_and_the_environment_configures_it() {
    let home = Home::new();
    let log = std::fs::File::create(home.file("log")).expect("a file");
    let mut command = program();
    command
        .env("TRIBUTARY_LISTEN", "127.0.0.1:0")
        .env("TRIBUTARY_DATA", home.data())
        .env("TRIBUTARY_ADMIN_SECRET", "from-variable-1");
    command.stdout(Stdio::piped()).stderr(log);
    let server = Server::spawn(home, command);
    assert_eq!(
        server
            .send("GET", SOURCES, Some("Bearer from-variable-1"), "")
            .status,
        200
    );
    assert!(server.home().data().is_dir());
}

#[test]
fn the_listening_line_is_all_that_stdout_carries() {
    let mut server = Server::start();
    server.get(SOURCES);
    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait(Duration::from_secs(5)).success());
    assert_eq!(server.rest_of_stdout(), "");
}

#[test]
fn the_secret_of_the_option_wins_over_the_variable_and_this_over_the_file() {
    let home = Home::new();
    let file = home.file("secret");
    std::fs::write(&file, "from-file-1\n").expect("a file");
    let mut command = home.serve();
    command
        .env("TRIBUTARY_ADMIN_SECRET", "from-variable-1")
        .arg("--admin-secret-file")
        .arg(&file);
    let server = Server::spawn(home, command);
    let statuses = ["admin", "from-variable-1", "from-file-1"].map(|secret| {
        server
            .send("GET", SOURCES, Some(&format!("Bearer {secret}")), "")
            .status
    });
    assert_eq!(statuses, [200, 401, 401]);
    let home = server.stop();
    let command = without_secret(
        &home,
        &[(
            "TRIBUTARY_ADMIN_SECRET_FILE",
            file.to_str().expect("a path"),
        )],
    );
    assert_eq!(
        Server::spawn(home, command)
            .send("GET", SOURCES, Some("Bearer from-file-1"), "")
            .status,
        200
    );
}

/// A server that is given no secret but what `variables` name.
fn without_secret(home: &Home, variables: &[(&str, &str)]) -> Command {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(home.file("log"))
        .expect("a file");
    let mut command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(home.data())
        .envs(variables.iter().copied());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    command
}

#[test]
fn without_a_secret_one_is_made_and_kept() {
    let home = Home::new();
    let file = home.data().join("admin-secret");
    let command = without_secret(&home, &[]);
    let mut server = Server::spawn(home, command);
    let secret = std::fs::read_to_string(&file).expect("a file");
    let secret = secret.trim();
    assert!(secret.len() >= 16, "it is not to be guessed");
    assert_eq!(
        std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(
        server
            .send("GET", SOURCES, Some(&format!("Bearer {secret}")), "")
            .status,
        200
    );
    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait(Duration::from_secs(5)).success());
    let said = server.rest_of_stdout() + &server.home().log();
    assert!(
        said.contains(file.to_str().expect("a path")) && !said.contains(secret),
        "{said}"
    );
    let home = server.crash();
    let command = without_secret(&home, &[]);
    let again = Server::spawn(home, command);
    assert_eq!(
        again
            .send("GET", SOURCES, Some(&format!("Bearer {secret}")), "")
            .status,
        200
    );
}

#[test]
fn an_empty_secret_is_an_error() {
    let home = Home::new();
    let file = home.file("secret");
    std::fs::write(&file, "\n").expect("a file");
    for variable in [
        ("TRIBUTARY_ADMIN_SECRET", ""),
        (
            "TRIBUTARY_ADMIN_SECRET_FILE",
            file.to_str().expect("a path"),
        ),
    ] {
        let mut child = without_secret(&home, &[variable])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        if wait(&mut child, Duration::from_secs(5)).is_none() {
            child.kill().expect("it runs");
        }
        let output = child.wait_with_output().expect("its output");
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{variable:?}: {output:?}"
        );
    }
}

#[test]
fn a_key_is_printed_once_and_alone() {
    let home = Home::new();
    let made = home.run(&["key", "create", "--role", "admin", "--name", "deploy"]);
    let key = String::from_utf8(made.stdout).expect("text");
    assert!(
        made.status.success()
            && key.starts_with("sk-")
            && key.ends_with('\n')
            && key.lines().count() == 1,
        "{key}"
    );
    assert!(key.trim_end().len() >= 35, "it is not to be guessed");
    let listed = home.run(&["key", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(
        listed.contains("deploy") && listed.contains("admin") && !listed.contains(key.trim_end()),
        "{listed}"
    );
}

#[test]
fn a_key_that_does_not_exist_is_1() {
    let home = Home::new();
    home.key("user", "x");
    for command in ["disable", "enable", "delete"] {
        check_exit(&home.run(&["key", command, "nothing"]), 1);
        // In a folder without a pool it is the folder that was mistyped, and none is made there.
        let elsewhere = home.file("elsewhere");
        let mut beside = program();
        beside.args(["key", command, "nothing", "--data"]);
        let said = check_exit(&run(beside.arg(&elsewhere)), 1);
        assert!(said.contains("there is no database at"), "{said}");
        assert!(!elsewhere.exists());
    }
}

#[test]
fn a_key_that_nobody_saw_is_told_by_its_id() {
    let home = Home::new();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut create = program();
    create.args(["key", "create", "--role", "admin", "--name", "unseen"]);
    create.arg("--data").arg(home.data());
    create
        .stdout(full.expect("a device"))
        .stderr(Stdio::piped());
    let made = create.spawn().expect("it runs").wait_with_output();
    let said = check_exit(&made.expect("it ends"), 1);
    let listed = home.run(&["key", "list"]);
    let id = key_id(&String::from_utf8_lossy(&listed.stdout), "unseen");
    let told = format!("delete it with `tributary key delete {id}`");
    assert!(said.contains(&told), "{said}");
}

#[test]
fn a_master_key_that_is_named_must_be_there() {
    let home = Server::start().stop();
    let create = ["key", "create", "--role", "user", "--name", "unchained"];
    let made = home.run(&[&create[..], &["--master-key-file", "/nowhere/key"]].concat());
    let said = check_exit(&made, 1);
    assert!(said.contains("/nowhere/key"), "{said}");
    let listed = home.run(&["key", "list"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("unchained"));
    let file = home.file("pool.backup");
    let args = [
        "backup",
        &file.to_string_lossy(),
        "--master-key-file",
        "/nowhere/key",
    ];
    check_exit(&home.run(&args), 1);
    assert!(!file.exists(), "a backup that the audit does not tell of");
}

#[test]
fn half_of_what_https_needs_leaves_nothing_behind() {
    let home = Home::new();
    let mut serve = program();
    serve.args(["serve", "--tls-cert", "/nowhere/cert.pem", "--data"]);
    let said = check_exit(&run(serve.arg(home.data())), 1);
    assert!(said.contains("--tls-key"), "{said}");
    assert!(!home.data().join("tributary.db").exists() && !home.data().join("master-key").exists());
}

#[test]
fn plan_tells_what_a_file_would_change() {
    let server = Server::start();
    server.post(
        INJECT,
        r#"{"tokens": ["canary-1", "canary-2"], "source_id": "s"}"#,
    );
    let before = server.pool();
    let file = server.home().file("payload.json");
    std::fs::write(&file, r#"["canary-2", "canary-3", 7]"#).expect("a file");
    let file = file.to_str().expect("a path");
    let readable = server.home().run(&["plan", file, "--source-id", "s"]);
    assert!(readable.status.success(), "{readable:?}");
    let said = String::from_utf8(readable.stdout).expect("text");
    assert!(!said.contains("canary-3") && said.contains('1'), "{said}");
    let planned = server.home().run(&[
        "plan",
        file,
        "--strategy",
        "merge",
        "--source-id",
        "s",
        "--provider",
        "gpt",
        "--json",
    ]);
    let planned: Value = serde_json::from_slice(&planned.stdout).expect("JSON");
    assert!(planned.to_string().contains("\"added\":1"), "{planned}");
    assert!(!planned.to_string().contains("canary-3"), "{planned}");
    assert_eq!(server.pool(), before, "a plan changes nothing");
    let refused = server.home().run(&["plan", file, "--strategy", "replace"]);
    assert!(check_exit(&refused, 1).contains("source"), "{refused:?}");
}

#[test]
fn plan_tells_an_entry_that_comes_again_from_an_account_that_was_changed_since() {
    let server = Server::start();
    let payload = r#"[{"token": "a-1", "quota": 3}, {"token": "a-2"}]"#;
    let imported = server.post(INJECT, &format!(r#"{{"payload": {payload}}}"#));
    assert_eq!(imported.status, 200, "{imported:?}");
    let file = server.home().file("payload.json");
    std::fs::write(&file, payload).expect("a file");
    let counts = || {
        let file = file.to_str().expect("a path");
        let planned = server.home().run(&["plan", file, "--json"]);
        let planned: Value = serde_json::from_slice(&planned.stdout).expect("JSON");
        let counts = &planned["plan"]["counts"];
        (counts["updated"].clone(), counts["unchanged"].clone())
    };
    assert_eq!(counts(), (0.into(), 2.into()));
    let edited = server.post(
        "/api/accounts/update",
        r#"{"access_token": "a-1", "quota": 4}"#,
    );
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(counts(), (1.into(), 1.into()));
}

#[test]
fn plan_reads_stdin_and_needs_no_pool() {
    use std::io::Write;
    let mut child = program()
        .args(["plan", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("stdin is piped")
        .write_all(br#"{"tokens": ["a-1", "a-2"]}"#)
        .expect("it reads");
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .replace(' ', "")
            .contains("\"added\":2"),
        "{output:?}"
    );
}
