//! Takes connections until it is told to stop, then lets what is under way end.

mod exchange;
mod patient;
mod request;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::app::App;
use crate::config::Config;
use patient::Patient;
pub use request::RequestBody;

/// Largest request line and headers together, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Pause after a connection could not be taken, so that a lack of file descriptors does not turn into a busy loop.
const BREATH: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` is ready; then takes no more connections, lets open requests end within
/// the drain timeout, cuts the others and closes the store.
pub async fn serve(listener: TcpListener, app: Arc<App>, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(app.config.max_connections as usize));
    let (closing, closed) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (place, stream) = accept(&listener, &places) => {
                connections.spawn(converse(stream, place, Arc::clone(&app), closed.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    drop(closing);
    let deadline = Instant::now() + app.config.patience.drain_timeout;
    drain(connections, deadline).await;
    app.store
        .close(deadline.saturating_duration_since(Instant::now()))
        .await;
}

/// Waits for a free place, then for a connection to take it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    // The semaphore is never closed, so the place is always there.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (place, stream),
            Err(error) if is_about_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                sleep(BREATH).await;
            }
        }
    }
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Speaks HTTP/1 on one connection until either side ends it; `closed` ends it after the request under way.
async fn converse(
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
    app: Arc<App>,
    mut closed: watch::Receiver<()>,
) {
    // Answers are small and whole: waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Patient::new(stream, app.config.patience.body_timeout));
    let builder = builder(&app.config);
    let service = service_fn(move |request| exchange::answer(Arc::clone(&app), request));
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke off");
    }
}

fn builder(config: &Config) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(config.patience.header_timeout)
        .max_header_size(MAX_HEAD)
        // A client that has sent all it wants to say may close its half and still reads the answer.
        .half_close(true);
    builder
}

/// Waits for the connections to end; those still open at the deadline are cut.
async fn drain(mut connections: JoinSet<()>, deadline: Instant) {
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout_at(deadline, all_ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "cut connections that did not end in time"
        );
        connections.shutdown().await;
    }
}

#[cfg(test)]
mod tests;
