//! Which threads of the program let others go first.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::harness::{INJECT, Server};
use super::sync::{source_of, sync_of};
use super::upstream::{Reply, Upstream};

/// Threads that go first, and those that let them: how much lower.
const LOWER: [(&str, i32); 5] = [
    ("checkpoint", 10),
    ("reading", 10),
    ("serve", 0),
    ("tokio-rt-worker", 0),
    ("writer", 0),
];

/// The front of a body whose last byte never comes: a thread of its own reads it until it is broken off.
fn front() -> String {
    format!("[{}", r#""example-token","#.repeat(200_000))
}

#[test]
fn threads_of_long_work_let_those_that_answer_go_first() {
    let server = Server::start();
    let front = front();
    let mut stream = server.connect();
    write!(
        stream,
        "POST {INJECT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{front}",
        front.len() + 1
    )
    .expect("it reads");
    wait_for_lower(&server);
}

#[test]
fn what_a_source_answers_is_read_by_a_thread_that_lets_others_go_first() {
    let server = Server::start();
    let front = front();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        front.len() + 1
    );
    let answer = [head, front].concat().into_bytes();
    let upstream = Upstream::start(move |_| Reply::Stall(answer.clone()));
    let source = source_of(&server, &upstream, &json!({}));
    let mut stream = server.connect();
    write!(
        stream,
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\n\r\n",
        sync_of(&source)
    )
    .expect("it reads");
    wait_for_lower(&server);
}

/// Until all threads are there, each as low as it should be.
fn wait_for_lower(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    let ordinary = threads("/proc/self/task").into_values().flatten().min();
    let ordinary = ordinary.expect("this one");
    loop {
        let nice = threads(&format!("/proc/{}/task", server.pid()));
        let all_lower = |(name, by): &(&str, i32)| {
            let wanted = (ordinary + by).min(19);
            let those = nice.get(*name);
            those.is_some_and(|those| those.iter().all(|nice| *nice == wanted))
        };
        if LOWER.iter().all(all_lower) {
            return;
        }
        assert!(Instant::now() < until, "{ordinary}: {nice:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The nice values of a program's threads by name.
fn threads(folder: &str) -> BTreeMap<String, Vec<i32>> {
    let mut threads: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for thread in fs::read_dir(folder).expect("it runs") {
        let stat = thread.expect("a thread").path().join("stat");
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(stat) else {
            continue;
        };
        let (named, rest) = stat.rsplit_once(')').expect("a name");
        let name = named.split_once('(').expect("a name").1.to_owned();
        let nice = rest.split(' ').nth(17).expect("a nice value");
        let nice = nice.parse().expect("a number");
        threads.entry(name).or_default().push(nice);
    }
    threads
}
