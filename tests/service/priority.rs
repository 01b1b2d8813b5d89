//! Which threads of the program let others go first.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use super::harness::{INJECT, Server};

/// Threads that go first, and those that let them: how much lower.
const LOWER: [(&str, i32); 4] = [
    ("checkpoint", 10),
    ("reading", 10),
    ("tokio-rt-worker", 0),
    ("writer", 0),
];

#[test]
fn threads_of_long_work_let_those_that_answer_go_first() {
    let server = Server::start();
    let mut stream = server.connect();
    // A body of which the last byte never comes is read by a thread of its own until it is broken off.
    let part = format!("[{}", r#""example-token","#.repeat(200_000));
    write!(
        stream,
        "POST {INJECT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{part}",
        part.len() + 1
    )
    .expect("it reads");
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
