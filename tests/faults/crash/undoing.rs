//! What is undone while the server is killed, and rotations that are cut off.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::{Import, Random, Sent};
use crate::service::client::{Answer, agent, ask};
use crate::service::harness::{INJECT, JOBS};

/// An import that is undone as soon as it is acknowledged.
pub(super) struct Undoing {
    pub(super) import: Import,
    /// Whether its undo was asked for.
    asked: bool,
    /// Whether that was acknowledged.
    pub(super) undone: bool,
}

impl Undoing {
    /// Whether nobody was told how it ended.
    pub(super) fn is_open(&self) -> bool {
        !self.import.acknowledged || (self.asked && !self.undone)
    }

    /// Holds it against how many of its accounts are there.
    pub(super) fn check(&self, found: Option<usize>, moment: &str) {
        let name = &self.import.name;
        match found {
            Some(size) => {
                assert_eq!(size, self.import.size, "{moment}: {name} is there in part");
                assert!(!self.undone, "{moment}: {name} was undone and is there");
            }
            None => assert!(
                self.asked || !self.import.acknowledged,
                "{moment}: {name} was acknowledged and is gone"
            ),
        }
    }
}

/// Imports and undoes until the server is gone.
pub(super) fn until_killed(addr: SocketAddr, record: &Mutex<&mut Sent>, random: &mut Random) {
    let agent = agent();
    let post = |path: &str, body: &str| {
        let answer = ask(&agent, addr, "POST", path, Some("Bearer admin"), body).ok();
        answer.filter(|answer: &Answer| answer.status == 200)
    };
    let mut alive = true;
    while alive {
        let mut undoing = Undoing {
            import: Import::new(random),
            asked: false,
            undone: false,
        };
        // A source of its own, by which its job is found.
        let name = undoing.import.name.clone();
        let body = undoing
            .import
            .body(&name)
            .replace(&format!(r#""strategy":"{name}""#), r#""strategy":"merge""#);
        undoing.import.acknowledged = post(INJECT, &body).is_some();
        let jobs = format!("{JOBS}?source_id={name}");
        let job = ask(&agent, addr, "GET", &jobs, Some("Bearer admin"), "").ok();
        let job = job
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.json());
        if let Some(id) = job
            .as_ref()
            .and_then(|job| job["items"][0]["job_id"].as_str())
        {
            undoing.asked = true;
            undoing.undone = post(&format!("{JOBS}/{id}/undo"), "").is_some();
        }
        alive = undoing.undone;
        record
            .lock()
            .expect("no client panicked")
            .undone
            .push(undoing);
    }
}

/// Has the pool sealed anew, again and again, and counts how often that ended.
pub(super) fn rotate_until_killed(addr: SocketAddr, record: &Mutex<&mut Sent>) {
    const ROTATE: &str = "/api/master-key/rotate";
    let agent = agent();
    while let Ok(answer) = ask(&agent, addr, "POST", ROTATE, Some("Bearer admin"), "") {
        let mut record = record.lock().expect("no client panicked");
        match answer.status {
            200 => record.rotations += 1,
            // The one that a restart goes on with is waited for.
            409 => {}
            _ => return record.refusals.push(answer),
        }
        drop(record);
        std::thread::sleep(Duration::from_millis(5));
    }
}
