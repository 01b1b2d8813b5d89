//! Floors of the server: hyper alone, in a process of its own, which answers the same bytes or inserts one row a request.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use tokio::net::TcpListener;

/// A running floor. Dropping it ends it.
pub(crate) struct Bare {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Bare {
    /// Answers every request with the bytes of this file.
    pub(crate) fn answering(file: &Path) -> Bare {
        Bare::spawn(&["--bare-answering", &file.to_string_lossy()])
    }

    /// Inserts one row of a table in this database for every request, each in a synced transaction.
    pub(crate) fn inserting(database: &Path) -> Bare {
        Bare::spawn(&["--bare-inserting", &database.to_string_lossy()])
    }

    fn spawn(args: &[&str]) -> Bare {
        let mut child = Command::new(std::env::current_exe().expect("a bench knows its path"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where");
        let addr = line.trim().parse().expect("an address");
        Bare { child, addr }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a floor when the arguments ask for one; whether they did.
pub(crate) fn runs(args: &[String]) -> bool {
    match args {
        [_, what, file] if what == "--bare-answering" => {
            let bytes = Bytes::from(std::fs::read(file).expect("a file"));
            serve(move |_| bytes.clone());
            true
        }
        [_, what, file] if what == "--bare-inserting" => {
            let db = Arc::new(Mutex::new(table(Path::new(file))));
            serve(move |body| {
                insert(&db.lock().expect("a connection"), &body);
                Bytes::from_static(b"{}")
            });
            true
        }
        _ => false,
    }
}

/// A database with one table, synced at every commit.
pub(crate) fn table(path: &Path) -> Connection {
    let db = Connection::open(path).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE IF NOT EXISTS row(id INTEGER PRIMARY KEY, text BLOB NOT NULL) STRICT;",
    )
    .expect("a table");
    db
}

/// The same with a WAL that is written over: it has room for more than a benchmark writes.
pub(crate) fn table_with_room(path: &Path) -> Connection {
    let db = table(path);
    db.execute_batch(
        "INSERT INTO row(text) VALUES(zeroblob(33554432)); DELETE FROM row;
         PRAGMA wal_checkpoint(RESTART);",
    )
    .expect("room");
    db
}

/// One row in a transaction of its own.
pub(crate) fn insert(db: &Connection, text: &[u8]) {
    let mut insert = db
        .prepare_cached("INSERT INTO row(text) VALUES(?1)")
        .expect("a statement");
    insert.execute([text]).expect("a row");
}

fn serve(answer: impl Fn(Bytes) -> Bytes + Clone + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let body = request.into_body().collect().await;
                    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
                    Ok::<_, Infallible>(Response::new(Full::new(answer(body))))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
}
