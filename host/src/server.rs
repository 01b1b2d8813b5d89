//! Takes connections until it is told to stop, then lets what is under way end.

mod cors;
mod exchange;
mod headers;
mod patient;
mod request;
pub mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::Config;
use crate::import::{retention, rotation, schedule};
use crate::metrics::RequestTimes;
use crate::routes;
pub use crate::routes::METRICS;
use patient::Patient;
pub use request::RequestBody;

/// Largest request line and headers together, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Pause after a connection could not be taken, so that a lack of file descriptors does not turn into a busy loop.
const BREATH: Duration = Duration::from_millis(100);

/// Where connections come in.
pub struct Listeners {
    /// For everything, with a key where a route asks for one.
    pub api: TcpListener,
    /// For the metrics alone, without a key.
    pub metrics: Option<TcpListener>,
    /// With which the first speaks https; the metrics' own address is always http.
    pub tls: Option<TlsAcceptor>,
}

/// What the connections of one listener share.
struct Served {
    app: Arc<App>,
    door: Door,
    tls: Option<TlsAcceptor>,
    times: Arc<RequestTimes>,
}

impl Served {
    /// The origins whose pages may read what this listener answers.
    fn origins(&self) -> &[String] {
        match self.door {
            Door::Api => &self.app.config.browsers.cors_origin,
            Door::Metrics => &[],
        }
    }
}

/// What a listener leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Api,
    Metrics,
}

/// Serves `app` on `listeners` until `shutdown` is ready; then takes no more connections, lets open requests end within
/// the drain timeout, cuts the others and closes the store.
pub async fn serve(listeners: Listeners, app: Arc<App>, shutdown: impl Future<Output = ()>) {
    let (closing, closed) = watch::channel(());
    let times = Arc::new(app.metrics.request_times(routes::names()));
    let behind = |door, tls| Served {
        app: Arc::clone(&app),
        door,
        tls,
        times: Arc::clone(&times),
    };
    let scrapes = async {
        match listeners.metrics {
            Some(listener) => take(listener, behind(Door::Metrics, None), closed.clone()).await,
            None => JoinSet::new(),
        }
    };
    let told = async {
        shutdown.await;
        drop(closing);
    };
    let api = take(
        listeners.api,
        behind(Door::Api, listeners.tls),
        closed.clone(),
    );
    let tended = tend(&app, closed.clone());
    let (requests, scrapes, (), ()) = tokio::join!(api, scrapes, told, tended);
    let deadline = Instant::now() + app.config.patience.drain_timeout;
    tokio::join!(drain(requests, deadline), drain(scrapes, deadline));
    app.store
        .close(deadline.saturating_duration_since(Instant::now()))
        .await;
}

/// What the server does by itself, until `closed`.
async fn tend(app: &Arc<App>, closed: watch::Receiver<()>) {
    let syncing = async {
        if app.config.history.auto_sync {
            schedule::run(Arc::clone(app), closed.clone()).await;
        }
    };
    tokio::join!(
        syncing,
        retention::run(Arc::clone(app), closed.clone()),
        rotation::go_on(Arc::clone(app), closed.clone()),
    );
}

/// Takes connections, at most so many at a time, until `closed`; those that are then open are handed back.
async fn take(
    listener: TcpListener,
    served: Served,
    mut closed: watch::Receiver<()>,
) -> JoinSet<()> {
    let served = Arc::new(served);
    let places = Arc::new(Semaphore::new(served.app.config.max_connections as usize));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = closed.changed() => return connections,
            (place, stream) = accept(&listener, &places) => {
                connections.spawn(greet(stream, place, Arc::clone(&served), closed.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
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

/// Shakes hands where the listener speaks https, in the time that headers have, then talks.
async fn greet(
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
    served: Arc<Served>,
    mut closed: watch::Receiver<()>,
) {
    // Answers are small and whole: waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &served.tls else {
        return converse(stream, served, closed).await;
    };
    let patience = served.app.config.patience.header_timeout;
    let shaken = tokio::select! {
        shaken = timeout(patience, tls.accept(stream)) => shaken,
        _ = closed.changed() => return,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, served, closed).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

/// Speaks HTTP/1 on one connection until either side ends it; `closed` ends it after the request under way.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    served: Arc<Served>,
    mut closed: watch::Receiver<()>,
) {
    let io = TokioIo::new(Patient::new(
        stream,
        served.app.config.patience.body_timeout,
    ));
    let builder = builder(&served.app.config);
    let service = service_fn(move |request| exchange::answer(Arc::clone(&served), request));
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
