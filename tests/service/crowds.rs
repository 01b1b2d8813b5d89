//! Strangers by the thousand: who has a key is answered in time, and what strangers send is not kept.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::harness::{EXPORT, Home, INJECT, SOURCES, Server};
use super::program::program;

/// Takes as many file descriptors as the system gives, which must be `needed` at least: each connection is one here, too.
fn descriptors(needed: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    assert!(
        maximum.is_none_or(|maximum| maximum >= needed),
        "this test needs {needed} file descriptors and the system gives {maximum:?}: raise the hard limit (`ulimit -Hn`)"
    );
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the limit can be raised");
}

/// Sends a byte on each connection now and then, until it is dropped.
struct Dripping(Arc<AtomicBool>);

impl Dripping {
    fn on(mut streams: Vec<TcpStream>) -> Dripping {
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                for stream in &mut streams {
                    // Those that were cut are done with.
                    let _ = stream.write(b"x");
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Dripping(ended)
    }
}

impl Drop for Dripping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Connections that have sent `start`.
fn crowd(server: &Server, count: usize, start: &str) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = server.connect();
        stream.write_all(start.as_bytes()).expect("it listens");
        stream
    };
    (0..count).map(connect).collect()
}

/// What an administrator is answered on a new connection: one that was kept may have had to go while nothing was asked on it.
fn answer_to_an_administrator(server: &Server, line: &str) -> String {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer admin\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = server.wire(request.as_bytes(), Duration::from_secs(20));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// How long an administrator waits, on a connection of its own each time: the longest of nine.
fn longest_wait_of_an_administrator(server: &Server) -> Duration {
    let waits = (0..9).map(|_| {
        let began = Instant::now();
        answer_to_an_administrator(server, &format!("GET {SOURCES}"));
        began.elapsed()
    });
    waits.max().unwrap_or_default()
}

fn slow_head() -> String {
    format!("POST {INJECT} HTTP/1.1\r\nHost: x\r\nX-Slow: ")
}

fn slow_body(secret: &str) -> String {
    format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: 100000\r\n\r\n{{"
    )
}

#[test]
fn an_administrator_is_answered_beside_2000_idle_and_400_slow_connections() {
    descriptors(4_000);
    let server = Server::start();
    let _idle = crowd(&server, 2_000, "");
    let mut slow = crowd(&server, 200, &slow_head());
    slow.extend(crowd(&server, 100, &slow_body("wrong")));
    slow.extend(crowd(&server, 100, &slow_body("admin")));
    let _slow = Dripping::on(slow);
    let wait = longest_wait_of_an_administrator(&server);
    println!("{wait:?}");
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    assert!(server.pool().is_empty());
}

#[test]
fn more_connections_than_there_are_places_keep_no_administrator_out() {
    // Nobody is cut for being slow: only by giving way can a place become free.
    let patience = ["--header-timeout", "10m", "--body-timeout", "10m"];
    let server = Server::start_with(&[&patience[..], &["--max-connections", "64"]].concat());
    let _idle = crowd(&server, 100, "");
    let _unread = crowd(&server, 50, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut slow = crowd(&server, 50, &slow_head());
    slow.extend(crowd(&server, 16, &slow_body("admin")));
    let _slow = Dripping::on(slow);
    let wait = longest_wait_of_an_administrator(&server);
    println!("{wait:?}");
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
}

/// A server that may open so many files at a time.
fn with_descriptors(most: u32, home: &Home) -> std::process::Command {
    let mut shell = std::process::Command::new("sh");
    let limited = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
    shell.args(["-c", &limited]).arg(program().get_program());
    home.serve_by(shell)
}

#[test]
fn where_descriptors_are_few_enough_are_left_for_what_an_administrator_asks_for() {
    let home = Home::new();
    let command = with_descriptors(256, &home);
    let server = Server::spawn(home, command);
    server.post(INJECT, r#"{"tokens": ["few-1"]}"#);
    let _idle = crowd(&server, 150, "");
    let export = answer_to_an_administrator(&server, &format!("POST {EXPORT}"));
    assert!(export.contains("few-1"), "{export}");
    // Each thread that serves takes four.
    let threads = std::thread::available_parallelism().expect("processors");
    let taken = 64_usize.saturating_sub(4 * threads.get()).max(16);
    let taken = format!("taken={taken}\n");
    assert!(server.home().log().contains(&taken), "{taken}");
}

#[test]
fn without_descriptors_for_a_thread_nothing_is_made_and_the_error_says_what_to_raise() {
    let home = Home::new();
    let ended = with_descriptors(4, &home).output().expect("it runs");
    let error = home.log();
    assert!(
        !ended.status.success() && error.contains("`ulimit -n`"),
        "{error}"
    );
    assert!(!home.data().exists());
}

#[cfg(target_os = "linux")]
#[test]
fn more_connections_than_the_system_has_room_for_keep_no_administrator_out() {
    let server = Server::start_with(&["--header-timeout", "10m"]);
    // Once it answers it has read its limit, and does not see that it is lowered.
    assert_eq!(server.get("/health").status, 200);
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("a process");
    let few = Some(open.count() as u64 + 30);
    let lowered = Rlimit {
        current: few,
        maximum: few,
    };
    let pid = rustix::process::Pid::from_raw(server.pid().cast_signed());
    rustix::process::prlimit(pid, Resource::Nofile, lowered).expect("the limit can be lowered");
    let _idle = crowd(&server, 40, "");
    let wait = longest_wait_of_an_administrator(&server);
    println!("{wait:?}");
    assert!(server.home().log().contains("could not take a connection"));
}

#[test]
fn hundreds_that_come_at_once_are_heard_though_none_is_taken_yet() {
    descriptors(1_000);
    let server = Server::start();
    server.signal(Signal::STOP);
    let connect = |_| TcpStream::connect_timeout(&server.addr, Duration::from_secs(10));
    let crowd: Result<Vec<_>, _> = (0..300).map(connect).collect();
    server.signal(Signal::CONT);
    crowd.expect("all are heard");
    assert_eq!(server.get("/health").status, 200);
}

/// Strangers of one kind.
const STRANGERS: usize = 200;

/// What one stranger does on a connection of its own; what must live on for as long as it stays.
type Stranger<'a> = dyn Fn(&Server) -> Box<dyn Send> + 'a;

/// The most memory that each of many strangers of a kind makes the server hold, beyond what it holds after a few of them.
fn held_for_each(server: &Server, stranger: &Stranger<'_>) -> u64 {
    drop((0..20).map(|_| stranger(server)).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_millis(100));
    let before = server.anonymous_memory();
    let most = AtomicU64::new(before);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(server.anonymous_memory(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let strangers: Vec<_> = (0..STRANGERS).map(|_| stranger(server)).collect();
        std::thread::sleep(Duration::from_millis(400));
        done.store(true, Ordering::Relaxed);
        drop(strangers);
    });
    (most.into_inner() - before) / STRANGERS as u64
}

/// Sends as much of this as the server takes within a moment.
fn push(server: &Server, start: &[u8], more: &[u8]) -> Box<dyn Send> {
    let mut stream = server.connect();
    let patience = Some(Duration::from_millis(20));
    stream.set_write_timeout(patience).expect("a timeout");
    let _ = stream
        .write_all(start)
        .and_then(|()| stream.write_all(more));
    Box::new(stream)
}

/// Counts a kind, on a server of its own.
fn check_kind(name: &str, server: &Server, stranger: &Stranger<'_>) {
    let each = held_for_each(server, stranger);
    // A figure of the README; `--nocapture` shows it.
    println!("{each} bytes for each of {STRANGERS} strangers: {name}");
    assert!(each <= 64 * 1024, "{each} bytes for each stranger: {name}");
    assert!(server.get("/health").status == 200);
}

#[test]
fn what_strangers_send_is_not_kept() {
    descriptors(1_000);
    let body = format!(
        "POST {INJECT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{{\"tokens\": [\"{}",
        "x".repeat(10_000)
    );
    let long = "x".repeat(23 * 1024);
    let unfinished = format!("{}{long}", slow_head());
    let whole = format!("{unfinished}\r\nAuthorization: Bearer wrong\r\nContent-Length: 9\r\n\r\n");
    let unread = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4_000);
    let more = vec![b'x'; 1 << 20];
    check_kind("a body without a key", &Server::start(), &|server| {
        push(server, body.as_bytes(), &more)
    });
    check_kind("a head that does not end", &Server::start(), &|server| {
        push(server, unfinished.as_bytes(), b"")
    });
    let server = Server::start();
    let failing =
        format!("GET {SOURCES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n");
    // So many failures that each further one waits for 250 ms.
    drop(crowd(&server, 300, &failing));
    check_kind("a long head whose 401 is held back", &server, &|server| {
        push(server, whole.as_bytes(), b"")
    });
    check_kind("answers that nobody reads", &Server::start(), &|server| {
        push(server, unread.as_bytes(), unread.as_bytes())
    });
}

#[test]
fn what_strangers_send_over_https_is_not_kept() {
    descriptors(1_000);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let start = || {
        let home = Home::new();
        let (cert, key) = (home.file("own.pem"), home.file("own.key"));
        std::fs::write(&cert, made.cert.pem()).expect("a file");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        let mut command = home.serve();
        command
            .arg("--tls-cert")
            .arg(cert)
            .arg("--tls-key")
            .arg(key);
        Server::spawn(home, command)
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    // A record of 16 KB that does not end.
    let greeting = [&[0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc][..], &[7; 16_000]].concat();
    let head = format!("{}{}", slow_head(), "x".repeat(23 * 1024));
    for (name, start_of_http) in [
        ("a greeting that does not end", None),
        ("a head over https that does not end", Some(head)),
    ] {
        let server = start();
        let each = held_for_each(&server, &|server| {
            let mut stream = server.connect();
            let Some(head) = &start_of_http else {
                stream.write_all(&greeting).expect("it listens");
                return Box::new(stream);
            };
            let name = rustls::pki_types::ServerName::try_from("127.0.0.1").expect("a name");
            let client =
                rustls::ClientConnection::new(Arc::clone(&config), name).expect("a client");
            let mut stream = rustls::StreamOwned::new(client, stream);
            stream.write_all(head.as_bytes()).expect("it is trusted");
            Box::new(stream)
        });
        println!("{each} bytes for each of {STRANGERS} strangers: {name}");
        assert!(each <= 64 * 1024, "{each} bytes for each stranger: {name}");
    }
}
