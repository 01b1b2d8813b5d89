//! Drops what is kept of jobs no longer than it is meant to be, bit by bit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::undoing::limits;
use crate::app::App;
use crate::clock;
use crate::store::{StoreError, prune};

/// Between two looks, and between two bits.
const PAUSE: Duration = Duration::from_secs(60);
const BREATH: Duration = Duration::from_millis(20);

/// Drops it until `closed`.
pub async fn run(app: Arc<App>, mut closed: watch::Receiver<()>) {
    loop {
        let bit = async {
            let pause = match step(&app).await {
                Ok(true) => BREATH,
                Ok(false) => PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "could not drop old jobs");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            _ = closed.changed() => return,
            () = bit => {}
        }
    }
}

/// One bit; whether there is more. Looks first, so that nothing is written where nothing is to be dropped.
async fn step(app: &App) -> Result<bool, StoreError> {
    let history = &app.config.history;
    let kept_for = i64::try_from(history.history_for.as_secs()).unwrap_or(i64::MAX);
    let limits = prune::Limits {
        undo: limits(history),
        jobs: history.history_keep,
        since: clock::now().saturating_sub(kept_for),
    };
    let bit = app.store.read(move |db| prune::next(db, limits)).await?;
    match bit {
        None => Ok(false),
        Some(bit) => {
            for part in bit.parts() {
                app.store
                    .write(0, move |db| prune::drop_bit(db, &part))
                    .await?;
            }
            Ok(true)
        }
    }
}
