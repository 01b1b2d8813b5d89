//! What the whole server shares.

mod kept;

use std::error::Error;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tributary_core::Salt;

use crate::auth::{AdminSecret, LastUses};
use crate::config::Config;
use crate::fetch::{FetchConfig, Fetcher, Reach};
use crate::import::rotation::Rotation;
use crate::import::{Schedule, Syncs};
use crate::metrics::Metrics;
use crate::store::{Store, StoreOptions, meta};

pub use kept::Kept;

/// Plans that are made at the same time, each in a thread with a connection of its own.
const PLANS_AT_ONCE: usize = 2;

/// What every request may use. Shared as `Arc<App>`.
pub struct App {
    /// What the server was told at its start.
    pub config: Config,
    /// The administrator's secret.
    pub admin: AdminSecret,
    /// The uses of keys that are being noted.
    pub last_uses: LastUses,
    /// The pool, the sources, the jobs and the keys.
    pub store: Store,
    /// What keys the pool's fingerprints.
    pub salt: Salt,
    /// Asks sources.
    pub fetcher: Fetcher,
    /// The syncs under way.
    pub syncs: Syncs,
    /// Turns of sealing everything anew.
    pub rotation: Rotation,
    /// Wakes whoever syncs sources at their intervals.
    pub schedule: Schedule,
    /// Turns of plans, which look at the pool for long.
    pub planning: Arc<Semaphore>,
    /// The list of sources as it was last told.
    pub source_list: Kept,
    /// What is counted.
    pub metrics: Metrics,
}

impl App {
    /// Takes the data folder for itself and makes ready what requests use. The error says what to do.
    pub fn open(config: Config) -> Result<App, Box<dyn Error>> {
        let fetcher = Fetcher::new(fetching(&config))?;
        let store = Store::open(
            &config.data.dir,
            StoreOptions::default(),
            &config.master_key,
        )?;
        if let Some(about) = store.about_new_key() {
            tracing::warn!("{about}");
        }
        let metrics = Metrics::new(store.meters())?;
        let salt = Salt::new(*meta::salt(&store.reader_connection()?)?);
        // After the store, because the lock on the folder keeps two servers from making two secrets.
        let admin = AdminSecret::settle(&config.admin, &config.data.dir)?;
        Ok(App {
            config,
            admin,
            last_uses: LastUses::default(),
            store,
            salt,
            fetcher,
            syncs: Syncs::default(),
            rotation: Rotation::default(),
            schedule: Schedule::default(),
            planning: Arc::new(Semaphore::new(PLANS_AT_ONCE)),
            source_list: Kept::default(),
            metrics,
        })
    }
}

fn fetching(config: &Config) -> FetchConfig {
    FetchConfig {
        connect_timeout: config.upstream.connect_timeout,
        total_timeout: config.upstream.upstream_timeout,
        max_body: config.bodies.max_upstream_body,
        max_redirects: config.upstream.max_redirects,
        ca_file: config.upstream.upstream_ca.clone(),
        reach: Reach {
            deny_private: config.upstream.deny_private_upstreams,
            hosts: config.upstream.allow_upstream.clone(),
        },
    }
}
