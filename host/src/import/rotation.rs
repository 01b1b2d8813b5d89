//! A new master key: everything is sealed anew with it while imports go on, and a restart goes on where this one stopped.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use crate::app::App;
use crate::job::Asker;
use crate::store::audit::{self, Act};
use crate::store::{SealingPlace, StoreError, TurnError};

/// Lets one rotation run at a time.
#[derive(Default)]
pub struct Rotation(Mutex<()>);

/// Why a rotation did not end.
pub enum NotRotated {
    /// Another one is under way.
    Running,
    /// There is no new key.
    NoKey(TurnError),
    /// The store cannot be used; a later attempt, or a restart, goes on.
    Store(StoreError),
}

/// Turns to a new master key and seals everything with it; when this returns, the older keys are gone. Hanging up cancels
/// nothing. One that was broken off is gone on with, and makes no further key. The audit tells first who asked for it, and
/// that it has ended in the transaction that ends it.
pub async fn rotate(app: &Arc<App>, by: Asker) -> Result<(), NotRotated> {
    let app = Arc::clone(app);
    let rotating = tokio::spawn(async move {
        let _turn = app.rotation.0.try_lock().map_err(|_| NotRotated::Running)?;
        let new = app.store.new_key().map_err(NotRotated::NoKey)?;
        let goes_on = app.store.key_ids().len() > 1;
        let id = if goes_on {
            app.store.key_id()
        } else {
            new.id()
        };
        let act = Act::new(by.clone(), "master-key.rotate", &id);
        let noted = app.store.write(0, move |db| audit::append(db, &act));
        noted.await.map_err(NotRotated::Store)?;
        if !goes_on {
            app.store.turn_to(&new).map_err(NotRotated::NoKey)?;
        }
        seal_all(&app, by).await
    });
    let gone = |_| {
        let why = "the rotation was cut off; it goes on at the next start";
        Err(NotRotated::Store(StoreError::Unavailable(why.to_owned())))
    };
    rotating.await.unwrap_or_else(gone)
}

/// Goes on with a rotation that a restart cut short, until `closed`.
pub async fn go_on(app: Arc<App>, mut closed: watch::Receiver<()>) {
    if app.store.key_ids().len() < 2 {
        return;
    }
    let _turn = app.rotation.0.lock().await;
    tokio::select! {
        _ = closed.changed() => {}
        sealed = seal_all(&app, Asker::beside_http(audit::SERVER)) => match sealed {
            Ok(()) => tracing::info!("the pool is sealed with its current master key alone"),
            Err(_) => tracing::warn!("could not seal the pool anew; it is tried again at the next start"),
        }
    }
}

/// Passes over everything once: whatever else is written meanwhile is sealed with the new key.
async fn seal_all(app: &App, by: Asker) -> Result<(), NotRotated> {
    let mut place = Some(SealingPlace::default());
    while let Some(here) = place {
        let more = app.store.seal_more(here, by.clone());
        place = more.await.map_err(NotRotated::Store)?;
    }
    app.store.forget_older_keys().map_err(NotRotated::NoKey)
}
