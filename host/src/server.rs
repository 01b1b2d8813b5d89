//! Takes connections until it is told to stop, then lets what is under way end.

mod connection;
mod cors;
mod crowd;
mod descriptors;
mod exchange;
mod guarded;
mod headers;
mod host;
mod lines;
pub mod listener;
mod patient;
mod request;
pub mod threads;
pub mod tls;

use std::io;
use std::net::{self, IpAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::auth::Failures;
use crate::import::{retention, rotation, schedule};
use crate::metrics::RequestTimes;
use crate::routes;
pub use crate::routes::METRICS;
use crowd::{Crowd, Guest};
pub use request::RequestBody;
use threads::Threads;

/// Pause after a connection could not be taken, or while no place is free, so that neither turns into a busy loop.
const BREATH: Duration = Duration::from_millis(100);

/// Most connections at a time of those that ask for metrics by a listener of their own.
const SCRAPERS: u32 = 64;

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
    /// Most connections at a time.
    places: u32,
    tls: Option<TlsAcceptor>,
    failures: Failures,
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
pub async fn serve(
    listeners: Listeners,
    threads: Threads,
    app: Arc<App>,
    shutdown: impl Future<Output = ()>,
) {
    let (closing, closed) = watch::channel(());
    let times = Arc::new(app.metrics.request_times(routes::names()));
    let places = descriptors::places(app.config.max_connections, threads.descriptors());
    let behind = |door, tls| Served {
        app: Arc::clone(&app),
        places: match door {
            Door::Api => places,
            Door::Metrics => places.min(SCRAPERS),
        },
        door,
        tls,
        failures: Failures::default(),
        times: Arc::clone(&times),
    };
    let scrapes = async {
        match listeners.metrics {
            Some(listener) => {
                take(
                    listener,
                    behind(Door::Metrics, None),
                    &threads,
                    closed.clone(),
                )
                .await
            }
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
        &threads,
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
    threads: &Threads,
    mut closed: watch::Receiver<()>,
) -> JoinSet<()> {
    let (served, crowd) = (Arc::new(served), Arc::new(Crowd::default()));
    let places = Arc::new(Semaphore::new(served.places as usize));
    let mut connections = JoinSet::new();
    let (mut knocking, mut not_before) = (None, Instant::now());
    loop {
        tokio::select! {
            _ = closed.changed() => return connections,
            accepted = accept(&listener, &crowd, &mut not_before), if knocking.is_none() => knocking = Some(accepted),
            place = place(&places, &crowd), if knocking.is_some() => {
                let Some((stream, from)) = knocking.take() else { continue };
                let guest = Guest::new(&crowd, from);
                let (served, closed) = (Arc::clone(&served), closed.clone());
                threads.serve(&mut connections, |held| async move {
                    connection::serve(stream, guest, served, closed).await;
                    drop((place, held));
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Waits for the next connection, from a moment on, and tells where it comes from. It is not registered with a runtime yet. Where
/// the system has no room for it, one that waits gives way.
async fn accept(
    listener: &TcpListener,
    crowd: &Crowd,
    not_before: &mut Instant,
) -> (net::TcpStream, IpAddr) {
    loop {
        sleep_until(*not_before).await;
        let accepted = listener.accept().await;
        let accepted = accepted.and_then(|(stream, from)| Ok((stream.into_std()?, from.ip())));
        match accepted {
            Ok(accepted) => return accepted,
            Err(error) if is_about_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                *not_before = Instant::now() + BREATH;
                if is_about_descriptors(&error) {
                    crowd.send_one_away();
                }
            }
        }
    }
}

/// Waits for a free place for a connection that knocks; where there is none, those that wait give way one by one.
async fn place(places: &Arc<Semaphore>, crowd: &Crowd) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        crowd.send_one_away();
        // The semaphore is never closed, so a place always comes in the end.
        if let Ok(place) = timeout(BREATH, Arc::clone(places).acquire_owned()).await {
            return place.ok();
        }
    }
}

fn is_about_descriptors(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
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
