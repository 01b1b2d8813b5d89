//! What the store tells when it is asked: made anew each time, so that nothing stays that is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Error, GaugeVec, IntGaugeVec, Opts, Registry};

use crate::store::numbers::Numbers;

/// What is known without a read of the database.
pub struct Moment {
    /// Seconds since the epoch.
    pub now: i64,
    /// Whether `/ready` says so.
    pub ready: bool,
    /// The length of the WAL's file.
    pub wal_bytes: u64,
}

/// The gauges of this moment. `syncs` has the duration of each source's latest sync.
pub(super) fn gather(
    numbers: &Numbers,
    moment: &Moment,
    syncs: &BTreeMap<String, Duration>,
) -> Result<Vec<MetricFamily>, Error> {
    let registry = Registry::new();
    of_the_pool(&registry, numbers)?;
    of_the_sources(&registry, numbers, moment.now, syncs)?;
    of_the_server(&registry, moment)?;
    Ok(registry.gather())
}

fn of_the_pool(registry: &Registry, numbers: &Numbers) -> Result<(), Error> {
    let accounts = gauge(
        registry,
        "tributary_accounts",
        "Accounts in the pool by provider and status; statuses beyond the 20 most frequent are counted as `other`.",
        &["provider", "status"],
    )?;
    for kind in &numbers.accounts {
        let labels = [kind.provider.as_str(), kind.status.as_str()];
        accounts
            .with_label_values(&labels)
            .set(whole(kind.accounts));
    }
    let owned = gauge(
        registry,
        "tributary_owned_accounts",
        "Accounts by the kind of their owners; an account counts once for each of its owners.",
        &["owner_kind"],
    )?;
    for (kind, accounts) in &numbers.owned {
        owned.with_label_values(&[kind]).set(whole(*accounts));
    }
    Ok(())
}

fn of_the_sources(
    registry: &Registry,
    numbers: &Numbers,
    now: i64,
    syncs: &BTreeMap<String, Duration>,
) -> Result<(), Error> {
    let labels = ["source_id", "source_name"];
    let enabled = gauge(
        registry,
        "tributary_source_enabled",
        "Whether a source is enabled: 1 or 0.",
        &labels,
    )?;
    let age = gauge(
        registry,
        "tributary_source_sync_age_seconds",
        "Seconds since a source was last synced with success; absent before the first time.",
        &labels,
    )?;
    let duration = registered(
        registry,
        GaugeVec::new(
            Opts::new(
                "tributary_source_sync_duration_seconds",
                "Seconds that the latest sync of a source took, whatever came of it; absent until the first since the start.",
            ),
            &labels,
        )?,
    )?;
    for source in &numbers.sources {
        let labels = [source.id.as_str(), source.name.as_str()];
        enabled
            .with_label_values(&labels)
            .set(source.enabled.into());
        if let Some(at) = source.last_sync_at {
            age.with_label_values(&labels)
                .set(now.saturating_sub(at).max(0));
        }
        if let Some(took) = syncs.get(&source.id) {
            duration.with_label_values(&labels).set(took.as_secs_f64());
        }
    }
    Ok(())
}

fn of_the_server(registry: &Registry, moment: &Moment) -> Result<(), Error> {
    let none: &[&str] = &[];
    let ready = "Whether the last write reached the disk and there is room for more, as `/ready` says: 1 or 0.";
    gauge(registry, "tributary_ready", ready, none)?
        .with_label_values(none)
        .set(moment.ready.into());
    let wal = "Bytes of the WAL's file. Up to 16 MiB of it stay when nothing in it waits to be copied into the database.";
    gauge(registry, "tributary_wal_bytes", wal, none)?
        .with_label_values(none)
        .set(whole(moment.wal_bytes));
    let build = "The running program: always 1.";
    gauge(registry, "tributary_build_info", build, &["version"])?
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
    Ok(())
}

/// A gauge of whole numbers in this registry.
fn gauge(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, Error> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// A count as a gauge has it. Bytes and accounts are far from its end.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
