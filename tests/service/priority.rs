//! Which threads of the program let others go first.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
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
    let mut stream = TcpStream::connect(server.addr).expect("it listens");
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
    let lower = |by: i32| (ordinary + by).min(19);
    while !LOWER
        .iter()
        .all(|(name, by)| seen(&server, name, lower(*by)))
    {
        assert!(Instant::now() < until, "{ordinary}: {:?}", of(&server));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether there are threads of this name, all of this nice value.
fn seen(server: &Server, name: &str, nice: i32) -> bool {
    let all = of(server);
    all.get(name)
        .is_some_and(|those| those.iter().all(|one| *one == nice))
}

fn of(server: &Server) -> BTreeMap<String, Vec<i32>> {
    threads(&format!("/proc/{}/task", server.pid()))
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
