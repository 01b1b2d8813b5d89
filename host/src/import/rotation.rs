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
/// nothing.
pub async fn rotate(app: &Arc<App>, by: Asker) -> Result<(), NotRotated> {
    let app = Arc::clone(app);
    let rotating = tokio::spawn(async move {
        let _turn = app.rotation.0.try_lock().map_err(|_| NotRotated::Running)?;
        app.store.turn_to_new_key().map_err(NotRotated::NoKey)?;
        let id = app.store.key_ids().into_iter().next().unwrap_or_default();
        let noted = app.store.write(0, move |db| {
            audit::append(db, &Act::new(by, "master-key.rotate", &id))
        });
        noted.await.map_err(NotRotated::Store)?;
        seal_all(&app).await
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
        sealed = seal_all(&app) => match sealed {
            Ok(()) => tracing::info!("the pool is sealed with its current master key alone"),
            Err(_) => tracing::warn!("could not seal the pool anew; it is tried again at the next start"),
        }
    }
}

/// Passes over everything until one pass finds nothing left: an undo may have brought back what an older key sealed.
async fn seal_all(app: &App) -> Result<(), NotRotated> {
    let mut place = Some(SealingPlace::default());
    while let Some(here) = place {
        place = app.store.seal_more(here).await.map_err(NotRotated::Store)?;
    }
    app.store.forget_older_keys().map_err(NotRotated::NoKey)
}
