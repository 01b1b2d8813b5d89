//! `tributary serve`.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use super::Outcome;
use crate::app::App;
use crate::config::Config;
use crate::log;
use crate::server::threads::Threads;
use crate::server::{self, Listeners};

/// Serves until SIGTERM or SIGINT. The error says why it could not start.
pub fn run(config: Config) -> Outcome {
    log::start(&config.log)?;
    // Before anything is made: half of what https needs leaves nothing behind.
    let tls = server::tls::load(&config.tls)?;
    let threads = Threads::start()?;
    let app = Arc::new(App::open(config)?);
    let runtime = Runtime::new()?;
    let served = runtime.block_on(serve(app, threads, tls));
    // What runs on beside the requests has had its time.
    runtime.shutdown_background();
    log::end();
    served
}

async fn serve(app: Arc<App>, threads: Threads, tls: Option<TlsAcceptor>) -> Outcome {
    let listeners = Listeners {
        tls,
        api: bind(&app.config.listen, "--listen").await?,
        metrics: match &app.config.metrics_listen {
            Some(address) => Some(bind(address, "--metrics-listen").await?),
            None => None,
        },
    };
    let shutdown = told_to_stop()?;
    announce(&app, &listeners)?;
    server::serve(listeners, threads, app, shutdown).await;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: &str, option: &str) -> Result<TcpListener, String> {
    server::listener::bind(address).await.map_err(|error| {
        format!("cannot listen on `{address}`: {error}; choose another address with {option}")
    })
}

/// Ready at the first SIGTERM or SIGINT after this call.
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: open requests may end");
    })
}

/// Says on stdout where the server is, then where its secret is; never the secret itself.
fn announce(app: &App, listeners: &Listeners) -> io::Result<()> {
    let address = listeners.api.local_addr()?;
    let mut out = io::stdout().lock();
    // A server goes on serving when nobody reads its output.
    let scheme = match listeners.tls {
        Some(_) => "https",
        None => "http",
    };
    let _ = writeln!(out, "listening on {scheme}://{address}");
    if let Some(metrics) = &listeners.metrics {
        let (address, path) = (metrics.local_addr()?, server::METRICS);
        let _ = writeln!(out, "metrics on http://{address}{path}");
    }
    if let Some(file) = &app.admin.kept_in {
        let _ = writeln!(out, "the admin secret is in {}", file.display());
    }
    let _ = out.flush();
    if app.admin.short && !address.ip().is_loopback() {
        tracing::warn!(
            "the admin secret has under 16 characters and others can reach this address: choose a longer one"
        );
    }
    Ok(())
}
