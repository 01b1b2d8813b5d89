//! A panic tells where it happened and nothing of what it tripped over, in the server's log as at the command line.

use std::env;
use std::panic::catch_unwind;
use std::process::Command;

use tributary_host::config::{Log, LogFormat, LogLevel};
use tributary_host::log;

const CANARY: &str = "canary-token-of-a-panic";
/// Set in the process that panics: which of the two it is.
const WHO: &str = "TEST_PANICS_AS";

/// Trips over a token as a mistake in the program would, on this thread and on another.
fn trip() {
    let entry = || -> Result<(), String> { Err(format!("{{\"token\": \"{CANARY}\"}}")) };
    let _ = catch_unwind(|| entry().expect(CANARY));
    let _ = std::thread::spawn(|| panic!("{CANARY}")).join();
}

/// This test again, in a process of its own that panics: all that it writes.
fn told(test: &str, who: &str) -> String {
    let output = Command::new(env::current_exe().expect("a test knows its path"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(WHO, who)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let told = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&told).into_owned()
}

#[test]
fn a_panic_tells_its_place_and_nothing_of_its_message() {
    match env::var(WHO).as_deref() {
        Ok("server") => {
            log::start(&Log {
                log_level: LogLevel::Trace,
                log_format: LogFormat::Json,
            })
            .expect("a thread");
            return trip();
        }
        Ok(_) => {
            log::tell_panics_alone();
            return trip();
        }
        Err(_) => {}
    }
    for who in ["server", "command"] {
        let told = told(
            "service::panics::a_panic_tells_its_place_and_nothing_of_its_message",
            who,
        );
        let places = told.matches("service/panics.rs:").count();
        assert_eq!(places, 2, "{who}: {told}");
        assert!(!told.contains(CANARY), "{who}: {told}");
    }
}
