//! The server as a client on a plain socket sees it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::threads::Threads;
use super::{Listeners, listener, serve};
use crate::app::App;
use crate::cli::config_of;

const SOURCES: &str = "/api/remote-account/sources";

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// A server of its own, with short patience, in a folder that goes away with it.
struct Server {
    address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    folder: PathBuf,
}

impl Server {
    async fn start(options: &[&str]) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tributary-server-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        let data = folder.to_string_lossy().into_owned();
        let mut all = vec!["--data", &data, "--admin-secret", "example-admin"];
        all.extend(options);
        let app = App::open(config_of(&all)).unwrap();
        let api = listener::bind("127.0.0.1:0").await.unwrap();
        let address = api.local_addr().unwrap();
        let listeners = Listeners {
            api,
            metrics: None,
            tls: None,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            serve(listeners, Threads::start().unwrap(), app.into(), stopped).await;
        });
        Server {
            address,
            stop: Some(stop),
            served: Some(served),
            folder,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `text` and reads until the server closes.
    async fn talk(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }

    /// Stops the server and waits for its end.
    async fn stop(&mut self) {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

fn post(length: &str, secret: &str) -> String {
    format!(
        "POST {SOURCES} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n{length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_client_that_sends_a_large_body_first_still_sees_the_401() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    stream
        .write_all(post("Content-Length: 50000000", "wrong").as_bytes())
        .await
        .unwrap();
    let piece = vec![b'x'; 64 * 1024];
    // Until the server will have no more of it.
    while stream.write_all(&piece).await.is_ok() {}
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn the_401_waits_for_nothing_of_the_body() {
    let server = Server::start(&[]).await;
    let begun = Instant::now();
    let answer = server
        .talk(&post("Content-Length: 50000000", "wrong"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "the connection was kept open"
    );
}

#[tokio::test]
async fn a_client_that_asks_for_leave_is_answered_without_it() {
    let server = Server::start(&[]).await;
    let answer = server
        .talk(&post(
            "Content-Length: 50000000\r\nExpect: 100-continue",
            "wrong",
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_connection_lives_on_after_a_small_unread_body() {
    let server = Server::start(&[]).await;
    let refused = post("Content-Length: 5", "wrong") + "{\"a\":";
    let asked = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = server.talk(&(refused + asked)).await;
    assert!(
        answers.starts_with("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 200 OK"),
        "{answers}"
    );
}

#[tokio::test]
async fn a_stalled_body_is_408_and_cut() {
    let server = Server::start(&["--body-timeout", "100ms"]).await;
    let answer = server
        .talk(&(post("Content-Length: 10", "example-admin") + "{"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("body stalled"),
        "{answer}"
    );
}

#[tokio::test]
async fn headers_that_do_not_end_are_cut() {
    let server = Server::start(&["--header-timeout", "100ms"]).await;
    let begun = Instant::now();
    assert!(
        !server
            .talk("GET /health HTTP/1.1\r\nHost:")
            .await
            .contains("200")
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_whether_it_says_so_or_not() {
    let server = Server::start(&[]).await;
    let declared = server
        .talk(&post("Content-Length: 1048577", "example-admin"))
        .await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1_048_577, "x".repeat(1_048_577));
    let chunked = server
        .talk(&(post("Transfer-Encoding: chunked", "example-admin") + &chunk))
        .await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_server_does() {
    let mut server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    let body = r#"{"url":"http://a.test"}"#;
    stream
        .write_all(post(&format!("Content-Length: {}", body.len()), "example-admin").as_bytes())
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    let client = tokio::spawn(async move {
        sleep(Duration::from_millis(100)).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    });
    server.stop().await;
    let answer = client.await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"url\":\"http://a.test\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let mut server = Server::start(&["--drain-timeout", "200ms"]).await;
    let mut stream = server.connect().await;
    stream
        .write_all(post("Content-Length: 10", "example-admin").as_bytes())
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn further_connections_wait_while_all_places_are_at_work() {
    let server = Server::start(&["--max-connections", "1"]).await;
    let mut first = server.connect().await;
    let begun = post("Content-Length: 10", "example-admin");
    first.write_all(begun.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let mut second = server.connect().await;
    second.write_all(HEALTH.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), second.readable()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    let answer = read_to_end(&mut second).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn who_waits_without_a_key_gives_its_place_to_the_next() {
    let server = Server::start(&["--max-connections", "2"]).await;
    let mut held = Vec::new();
    for sent in ["", "GET /health HTTP/1.1\r\nHost:", HEALTH, ""] {
        let mut stream = server.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let answer = server.talk(HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let cut = tokio::time::timeout(Duration::from_secs(5), read_to_end(&mut held[0])).await;
    assert_eq!(cut.as_deref(), Ok(""), "the first has made room");
}

#[tokio::test]
async fn wrong_keys_are_held_back_and_right_ones_are_not() {
    let server = Server::start(&[]).await;
    let asked = |secret| {
        format!(
            "GET {SOURCES} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\r\n"
        )
    };
    let (wrong, right) = (asked("wrong"), asked("example-admin"));
    // Many at once, so that the delays do not add up.
    let many = std::iter::repeat_n(wrong.as_str(), 300).map(|text| server.talk(text));
    for answer in futures(many).await {
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    let begun = Instant::now();
    assert!(server.talk(&wrong).await.starts_with("HTTP/1.1 401 "));
    let late = begun.elapsed();
    assert!(
        late >= Duration::from_millis(250) && late < Duration::from_secs(5),
        "{late:?}"
    );
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let begun = Instant::now();
        assert!(server.talk(&right).await.starts_with("HTTP/1.1 200 "));
        quickest = quickest.min(begun.elapsed());
    }
    assert!(quickest < Duration::from_millis(200), "{quickest:?}");
}

/// What all of these give, run side by side.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(given) => {
                done.push(given);
                false
            }
            std::task::Poll::Pending => true,
        });
        match waiting.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}
