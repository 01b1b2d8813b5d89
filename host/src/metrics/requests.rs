//! How long requests take. What a request writes to is found by its route's number: no look-up by names, no lock.

use std::sync::OnceLock;
use std::time::Duration;

use hyper::StatusCode;
use prometheus::{Histogram, HistogramVec};

/// The classes of endings, in the order of their labels.
const ENDINGS: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "gone"];

/// The durations of requests by route and ending.
pub struct RequestTimes {
    times: HistogramVec,
    /// By the route's number; the last row is of requests that met no route.
    rows: Vec<Row>,
}

/// A route's histograms. One is made with the first request that ends like that, so that nothing is told of the others.
struct Row {
    method: &'static str,
    route: &'static str,
    endings: [OnceLock<Histogram>; ENDINGS.len()],
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer of this status.
    Answered(StatusCode),
    /// The connection was cut before.
    Gone,
}

impl RequestTimes {
    pub(super) fn new(
        times: &HistogramVec,
        routes: impl Iterator<Item = (&'static str, &'static str)>,
    ) -> RequestTimes {
        let unmatched = ("any", "unmatched");
        let rows = routes.chain([unmatched]).map(|(method, route)| Row {
            method,
            route,
            endings: Default::default(),
        });
        RequestTimes {
            times: times.clone(),
            rows: rows.collect(),
        }
    }

    /// Notes a request to the route with this number, or to none.
    pub fn note(&self, route: Option<usize>, ending: Ending, took: Duration) {
        let unmatched = self.rows.len() - 1;
        let row = &self.rows[route.unwrap_or(unmatched).min(unmatched)];
        let ending = ending.class();
        let time = row.endings[ending].get_or_init(|| {
            let labels = [row.method, row.route, ENDINGS[ending]];
            self.times.with_label_values(&labels)
        });
        time.observe(took.as_secs_f64());
    }
}

impl Ending {
    /// Its place in [`ENDINGS`].
    fn class(self) -> usize {
        match self {
            Ending::Answered(status) => usize::from(status.as_u16() / 100).clamp(1, 5) - 1,
            Ending::Gone => ENDINGS.len() - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::core::Collector;
    use prometheus::{HistogramOpts, proto::MetricFamily};

    /// The labels and counts of all that is told.
    fn told(vec: &HistogramVec) -> Vec<(Vec<String>, u64)> {
        let metrics = vec
            .collect()
            .first()
            .map_or(Vec::new(), |family: &MetricFamily| {
                family.get_metric().to_vec()
            });
        let mut told: Vec<_> = metrics
            .iter()
            .map(|metric| {
                let labels = metric.get_label().iter();
                let labels = labels.map(|label| label.value().to_owned()).collect();
                (labels, metric.get_histogram().get_sample_count())
            })
            .collect();
        told.sort();
        told
    }

    #[test]
    fn requests_are_told_by_route_and_ending() {
        let opts = HistogramOpts::new("x", "X.");
        let vec = HistogramVec::new(opts, &["method", "route", "status"]).unwrap();
        let times = RequestTimes::new(&vec, [("GET", "/a"), ("POST", "/b/{id}")].into_iter());
        let second = Duration::from_secs(1);
        for status in [200, 204, 304, 404, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            times.note(Some(0), Ending::Answered(status), second);
        }
        times.note(Some(1), Ending::Gone, second);
        times.note(None, Ending::Answered(StatusCode::NOT_FOUND), second);
        let row = |method: &str, route: &str, status: &str, count| {
            let labels = [method, route, status].map(str::to_owned);
            (labels.to_vec(), count)
        };
        assert_eq!(
            told(&vec),
            [
                row("GET", "/a", "2xx", 2),
                row("GET", "/a", "3xx", 1),
                row("GET", "/a", "4xx", 1),
                row("GET", "/a", "5xx", 1),
                row("POST", "/b/{id}", "gone", 1),
                row("any", "unmatched", "4xx", 1),
            ]
        );
    }
}
