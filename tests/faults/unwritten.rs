//! What cannot be written while the disk is full is written when there is room.

use std::time::{Duration, Instant};

use serde_json::json;

use super::crash::check_whole;
use super::disk::{ready_again, working};
use super::shim::{NO_SPACE, tell};
use crate::service::harness::JOBS;
use crate::service::sync::sync_while;
use crate::service::upstream::Upstream;

#[test]
fn a_sync_whose_failure_cannot_be_written_does_not_run_for_ever() {
    let server = working();
    let (upstream, go) = Upstream::held(r#"["a-1"]"#);
    let id = server.source(&json!({"url": upstream.url("/")}).to_string());
    let full = format!("errno {NO_SPACE} 0");
    let answer = sync_while(&server, &id, &go, || tell(server.home(), &full));
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
