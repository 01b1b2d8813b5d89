//! `--history-keep` and `--undo-keep`: what is kept of jobs no longer is dropped while the server runs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::examples::check_refused;
use super::harness::{INJECT, JOBS, Server};

fn jobs(server: &Server) -> Vec<Value> {
    let answer = server.get(&format!("{JOBS}?limit=50")).json();
    answer["items"].as_array().expect("a list").clone()
}

#[test]
fn old_jobs_leave_the_history_and_the_latest_can_still_be_undone() {
    let server = Server::start();
    for number in 0..6 {
        let body = json!({"tokens": [format!("example-{number}")], "source_id": "s"});
        server.post(INJECT, &body.to_string());
    }
    let (all, pool) = (jobs(&server), server.export());
    assert_eq!(all.len(), 6);
    let options = ["--history-keep", "2", "--undo-keep", "1"];
    let server = Server::start_in(server.stop(), &options);
    let deadline = Instant::now() + Duration::from_secs(30);
    while jobs(&server).len() > 2 {
        assert!(Instant::now() < deadline, "{:?}", jobs(&server));
        std::thread::sleep(Duration::from_millis(5));
    }
    let left = jobs(&server);
    let facts = |job: &Value| (job["job_id"].clone(), job["undoable"].clone());
    assert_eq!(facts(&left[0]), (all[0]["job_id"].clone(), json!(true)));
    assert_eq!(facts(&left[1]), (all[1]["job_id"].clone(), json!(false)));
    assert_eq!(server.export(), pool, "accounts are not of the history");
    let id = |job: &Value| job["job_id"].as_str().expect("an id").to_owned();
    check_refused(&server.get(&format!("{JOBS}/{}", id(&all[5]))), 404);
    check_refused(
        &server.post(&format!("{JOBS}/{}/undo", id(&all[1])), ""),
        409,
    );
    assert_eq!(
        server
            .post(&format!("{JOBS}/{}/undo", id(&all[0])), "")
            .status,
        200
    );
    assert_eq!(server.tokens().len(), 5);
}
