//! The rows of a run: printed as they are measured, and kept as JSON.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Home;

/// What a row's ratio should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// What is measured, in what.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Milliseconds,
    PerSecond,
    Megabytes,
    Bytes,
}

/// Rows as they come.
pub(crate) struct Report {
    rows: Vec<Value>,
    fsync: Duration,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn begin() -> Report {
        let fsync = synced_append();
        println!(
            "4 KiB appended and synced: {:.3} ms (median of 200)\n\n{:<58} {:>14} {:>14} {:>7} {:>8}",
            milliseconds(fsync),
            "",
            "product",
            "floor",
            "ratio",
            "goal"
        );
        Report {
            rows: Vec::new(),
            fsync,
        }
    }

    /// A row of times.
    pub(crate) fn times(&mut self, name: &str, product: Duration, floor: Duration, goal: Goal) {
        let values = (milliseconds(product), milliseconds(floor));
        self.row(name, Unit::Milliseconds, values, Some(goal));
    }

    /// A row; without a goal it stands there to be read beside another.
    pub(crate) fn row(
        &mut self,
        name: &str,
        unit: Unit,
        (product, floor): (f64, f64),
        goal: Option<Goal>,
    ) {
        let ratio = product / floor;
        let told = match goal {
            Some(Goal::AtMost(most)) => format!("<= {most}"),
            Some(Goal::AtLeast(least)) => format!(">= {least}"),
            None => String::new(),
        };
        println!(
            "{name:<58} {:>14} {:>14} {ratio:>7.3} {told:>8}",
            unit.write(product),
            unit.write(floor)
        );
        self.rows.push(json!({
            "name": name, "unit": unit.name(), "product": product, "floor": floor, "ratio": ratio, "goal": told,
        }));
    }

    /// Writes all of it to a file.
    pub(crate) fn write(&self, file: &Path) {
        let all = json!({"fsync_ms": milliseconds(self.fsync), "rows": self.rows});
        fs::write(file, format!("{all:#}\n")).expect("the file can be written");
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::PerSecond => "1/s",
            Unit::Megabytes => "MB",
            Unit::Bytes => "B",
        }
    }

    fn write(self, value: f64) -> String {
        let digits = match self {
            Unit::Milliseconds if value < 10.0 => 3,
            Unit::Milliseconds | Unit::Megabytes => 1,
            Unit::PerSecond | Unit::Bytes => 0,
        };
        format!("{value:.digits$} {}", self.name())
    }
}

/// The median of 200 appends of 4 KiB, each synced: what the disk takes for the least it can be asked.
fn synced_append() -> Duration {
    let home = Home::new();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(home.file("synced"))
        .expect("a file");
    let page = [7; 4096];
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            timed(|| {
                (&file).write_all(&page).expect("room");
                file.sync_data().expect("a disk");
            })
        })
        .collect();
    median(&mut times)
}

/// How long something takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}

pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}
