//! What cannot be written while the disk is full is written when there is room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::crash::check_whole;
use super::disk::{ready_again, working};
use super::shim::{NO_SPACE, tell};
use crate::service::harness::{JOBS, SOURCES};
use crate::service::sync::running;
use crate::service::upstream::{Reply, Upstream};

#[test]
fn a_sync_whose_failure_cannot_be_written_does_not_run_for_ever() {
    let server = working();
    let go = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&go);
    let upstream = Upstream::start(move |_| Reply::Held(Arc::clone(&held), r#"["a-1"]"#.into()));
    let id = server.source(&json!({"url": upstream.url("/")}).to_string());
    let answer = std::thread::scope(|scope| {
        let caller = scope.spawn(|| server.post(&format!("{SOURCES}/{id}/sync"), ""));
        running(&server, &id);
        tell(server.home(), &format!("errno {NO_SPACE} 0"));
        go.store(true, Ordering::SeqCst);
        caller.join().expect("an answer")
    });
    assert_eq!(answer.status, 503, "{answer:?}");
    tell(server.home(), "none 0 0");
    ready_again(&server);
    let until = Instant::now() + Duration::from_secs(20);
    let outcome = || server.get(&format!("{JOBS}?kind=sync")).json()["items"][0]["status"].clone();
    while outcome() == "running" {
        assert!(Instant::now() < until, "{}", server.home().log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(outcome(), "failed");
    check_whole(server.home());
}
