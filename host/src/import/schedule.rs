//! Syncs sources at their intervals, when the server is told to: the core says when each is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tributary_core::{Attempts, Due, due_at};

use super::syncs::{SyncRequest, Synced, sync};
use crate::app::App;
use crate::clock;
use crate::job::Actor;
use crate::store::standing::{self, SourceStanding, Standing};
use crate::store::{StoreError, sources};

/// Sources that are asked at the same time.
const AT_ONCE: usize = 4;
/// The longest pause between two looks at what is due: a clock may be set meanwhile.
const PAUSE: Duration = Duration::from_secs(30);

/// Tells whoever syncs sources that something about them has changed.
#[derive(Default)]
pub struct Schedule(Notify);

impl Schedule {
    /// Lets it look again at what is due.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// When a source with this interval (in seconds) is due; `None` without one.
pub fn due(source_id: &str, interval: Option<i64>, standing: &Standing) -> Option<Due> {
    let attempts = Attempts {
        source_id,
        interval: interval?.unsigned_abs(),
        last: standing.attempted_at,
        failures: standing.failures,
        transient: standing.transient,
        not_before: standing.not_before,
    };
    Some(due_at(&attempts, clock::now()))
}

/// Syncs what is due until `closed`.
pub async fn run(app: Arc<App>, mut closed: watch::Receiver<()>) {
    let (places, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    // A source that was never asked keeps the time at which it was first seen to be due.
    let mut firsts = BTreeMap::new();
    let mut busy: BTreeSet<String> = BTreeSet::new();
    loop {
        let pause = match look(&app, &mut firsts).await {
            Ok(all) => start(&app, all, &mut busy, &places, &mut running),
            Err(error) => {
                tracing::warn!(%error, "could not look at what is due");
                PAUSE
            }
        };
        tokio::select! {
            _ = closed.changed() => return,
            () = tokio::time::sleep(pause) => {}
            () = app.schedule.0.notified() => {}
            Some(ended) = running.join_next() => {
                // A sync that panicked is a failed job; its source is only forgotten here.
                match ended {
                    Ok(id) => drop(busy.remove(&id)),
                    Err(_) => busy.clear(),
                }
            }
        }
    }
}

/// Enabled sources with the times at which they are due, in seconds since the epoch.
async fn look(
    app: &App,
    firsts: &mut BTreeMap<String, i64>,
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut known = BTreeMap::new();
    let mut all = Vec::new();
    let sources = app.store.read(standing::all).await?.into_iter();
    for source in sources.filter(|source| source.enabled) {
        let SourceStanding {
            id,
            interval_seconds,
            standing,
            ..
        } = source;
        if let Some(Due::At(at)) = due(&id, interval_seconds, &standing) {
            let at = match standing.attempted_at {
                Some(_) => at,
                None => *known
                    .entry(id.clone())
                    .or_insert(firsts.get(&id).copied().unwrap_or(at)),
            };
            all.push((id, at));
        }
    }
    *firsts = known;
    Ok(all)
}

/// Starts what is due and not under way; how long nothing else is.
fn start(
    app: &Arc<App>,
    all: Vec<(String, i64)>,
    busy: &mut BTreeSet<String>,
    places: &Arc<Semaphore>,
    running: &mut JoinSet<String>,
) -> Duration {
    let now = clock::now();
    let mut pause = PAUSE;
    for (id, at) in all {
        if busy.contains(&id) {
            continue;
        }
        if at > now {
            pause = pause.min(Duration::from_secs(at.abs_diff(now)));
            continue;
        }
        busy.insert(id.clone());
        running.spawn(turn(Arc::clone(app), Arc::clone(places), id));
    }
    pause
}

/// Syncs one source when there is a place for it, if it still is due then.
async fn turn(app: Arc<App>, places: Arc<Semaphore>, id: String) -> String {
    // The semaphore is never closed, so the place is always there.
    let place = places.acquire_owned().await.ok();
    let Err(why) = sync_if_due(&app, &id).await else {
        return id;
    };
    tracing::warn!(source_id = id, why, "could not sync a source that is due");
    // It may still be due, if nothing could be noted of it: not at once.
    drop(place);
    tokio::time::sleep(PAUSE).await;
    id
}

/// Syncs a source that waited for its place, if it still is due; the error says why the store did not serve.
async fn sync_if_due(app: &Arc<App>, id: &str) -> Result<(), String> {
    if !is_due(app, id).await.map_err(|error| error.to_string())? {
        return Ok(());
    }
    let request = SyncRequest {
        id: id.to_owned(),
        actor: Actor::Schedule,
        address: String::new(),
        expected: None,
    };
    match sync(app, request).await {
        Ok(Synced::Unavailable(why)) => Err(why),
        Err(error) => Err(error.message().to_owned()),
        Ok(_) => Ok(()),
    }
}

/// Whether a source that waited for its place has not been synced, or put off, meanwhile.
async fn is_due(app: &App, id: &str) -> Result<bool, StoreError> {
    let asked = id.to_owned();
    let read = app.store.read(move |db| {
        let source = sources::get(db, &asked)?.filter(|source| source.enabled);
        let standing = standing::read(db, &asked)?;
        Ok::<_, StoreError>(source.map(|source| (source.interval_seconds, standing)))
    });
    let Some((interval, standing)) = read.await? else {
        return Ok(false);
    };
    Ok(match due(id, interval, &standing) {
        Some(Due::At(at)) => standing.attempted_at.is_none() || at <= clock::now(),
        Some(Due::Quarantined) | None => false,
    })
}
