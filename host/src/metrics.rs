//! What the server tells of itself, in Prometheus' text format: units stand in the names.
//!
//! What is counted lives as long as the program; what the store knows is read when somebody asks.

mod gauges;
mod requests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Error, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use tributary_core::Strategy;

use crate::job::JobKind;
use crate::store::meters::Meters;
use crate::store::numbers::Numbers;
pub use gauges::Moment;
pub use prometheus::TEXT_FORMAT;
pub use requests::{Ending, RequestTimes};

/// Upper bounds of the classes of request durations, in seconds: from a look-up in memory to a sync that waits for its source.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The counters of one server.
pub struct Metrics {
    registry: Registry,
    imports: IntCounterVec,
    requests: HistogramVec,
    /// How long the last sync of each source took, by its id.
    syncs: Mutex<BTreeMap<String, Duration>>,
}

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Success,
    /// What was given could not be imported.
    Refused,
    /// The source or the store let it down.
    Failed,
}

impl Metrics {
    /// Counts from zero; `writer` is told beside them. The error is a mistake in a name.
    pub fn new(writer: &Meters) -> Result<Metrics, Error> {
        let metrics = Metrics {
            registry: Registry::new(),
            imports: IntCounterVec::new(
                Opts::new(
                    "tributary_imports_total",
                    "Imports since the start, by what made them, their strategy and how they ended.",
                ),
                &["kind", "strategy", "outcome"],
            )?,
            requests: HistogramVec::new(
                HistogramOpts::new(
                    "tributary_http_request_duration_seconds",
                    "Seconds from the head of a request to the head of its answer, by method, route and class of status; \
                     `gone` where the client left before.",
                )
                .buckets(SECONDS.to_vec()),
                &["method", "route", "status"],
            )?,
            syncs: Mutex::default(),
        };
        metrics.begin_imports();
        let all: [Box<dyn Collector>; 4] = [
            Box::new(metrics.imports.clone()),
            Box::new(metrics.requests.clone()),
            Box::new(writer.queue.clone()),
            Box::new(writer.groups.clone()),
        ];
        for collector in all {
            metrics.registry.register(collector)?;
        }
        Ok(metrics)
    }

    /// What will be counted is there at 0 from the start, so that the first of its kind is seen as an increase.
    fn begin_imports(&self) {
        let (merge, replace) = (Strategy::Merge, Strategy::Replace);
        for (kind, strategy) in [
            (JobKind::Add, merge),
            (JobKind::Inject, merge),
            (JobKind::Inject, replace),
            (JobKind::Sync, merge),
            (JobKind::Sync, replace),
        ] {
            for outcome in [Outcome::Success, Outcome::Refused, Outcome::Failed] {
                // A source that gives what cannot be imported is a sync that failed.
                if (kind, outcome) != (JobKind::Sync, Outcome::Refused) {
                    self.counter(kind, strategy, outcome);
                }
            }
        }
    }

    fn counter(
        &self,
        kind: JobKind,
        strategy: Strategy,
        outcome: Outcome,
    ) -> prometheus::IntCounter {
        let labels = [kind.as_str(), strategy.as_str(), outcome.as_str()];
        self.imports.with_label_values(&labels)
    }

    /// Counts an import that ended.
    pub fn count_import(&self, kind: JobKind, strategy: Strategy, outcome: Outcome) {
        self.counter(kind, strategy, outcome).inc();
    }

    /// Notes how long the latest sync of a source took.
    pub fn note_sync(&self, source_id: &str, took: Duration) {
        self.syncs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(source_id.to_owned(), took);
    }

    /// Where the durations of requests to these routes are noted, each a method and a pattern.
    pub fn request_times(
        &self,
        routes: impl Iterator<Item = (&'static str, &'static str)>,
    ) -> RequestTimes {
        RequestTimes::new(&self.requests, routes)
    }

    /// Everything counted so far, and what the store tells at this moment.
    pub fn text(&self, numbers: &Numbers, moment: &Moment) -> Result<String, Error> {
        let syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        let gauges = gauges::gather(numbers, moment, &syncs)?;
        drop(syncs);
        let mut families = self.registry.gather();
        families.extend(gauges);
        families.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }
}
