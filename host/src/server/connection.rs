//! One connection, from its greeting to its end.

use std::net;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::crowd::Guest;
use super::guarded::Guarded;
use super::patient::Patient;
use super::{Served, exchange};

/// Largest request line and headers together, in bytes. Those of a stranger, with the 8 KiB that are then asked for, fit into
/// 32 KiB: what holds them grows by doubling.
const MAX_HEAD: usize = 24 * 1024;

/// Most bytes that are read of a body at once, and that wait to be written. Of a stranger there are far fewer: see [`Patient`].
const MAX_BUFFER: usize = 256 * 1024;

/// Serves one connection until either side ends it, `closed` ends it after the request under way, or another needs its place.
pub(super) async fn serve(
    stream: net::TcpStream,
    guest: Guest,
    served: Arc<Served>,
    closed: watch::Receiver<()>,
) {
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "could not listen to a connection"),
    };
    let guest = Arc::new(guest);
    tokio::select! {
        () = greet(stream, Arc::clone(&guest), served, closed) => {}
        () = guest.sent_away() => tracing::debug!(from = %guest.from, "cut a connection that waited, for another"),
    }
}

/// Shakes hands where the listener speaks https, in the time that headers have, then talks.
async fn greet(
    stream: TcpStream,
    guest: Arc<Guest>,
    served: Arc<Served>,
    mut closed: watch::Receiver<()>,
) {
    // Answers are small and whole: waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &served.tls else {
        return converse(stream, guest, served, closed).await;
    };
    let patience = served.app.config.patience.header_timeout;
    let shaken = tokio::select! {
        shaken = timeout(patience, tls.accept(stream)) => shaken,
        _ = closed.changed() => return,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, guest, served, closed).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

/// Speaks HTTP/1.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    guest: Arc<Guest>,
    served: Arc<Served>,
    mut closed: watch::Receiver<()>,
) {
    let patience = &served.app.config.patience;
    let stream = Patient::new(stream, patience.body_timeout, Arc::clone(&guest));
    let lines = Arc::clone(&stream.lines);
    let guarded = Guarded::new(stream, served.tls.is_some());
    let builder = builder(patience.header_timeout);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let last = lines.request(request.body().size_hint().exact());
        exchange::answer(Arc::clone(&served), Arc::clone(&guest), request, last)
    });
    let io = TokioIo::new(guarded);
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

fn builder(header_timeout: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        // A client that has sent all it wants to say may close its half and still reads the answer.
        .half_close(true);
    builder
}
