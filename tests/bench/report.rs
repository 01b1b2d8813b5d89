//! The rows of a run: printed as they are measured, and kept as JSON.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
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
    Mebibytes,
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
        if fsync < Duration::from_micros(10) {
            println!(
                "what is synced here reaches no disk: name a folder on one in TMPDIR, or the rows of imports say little\n"
            );
        }
        println!(
            "{:<58} {:>14} {:>14} {:>7} {:>8} {:>9}",
            "", "product", "floor", "ratio", "goal", "fsync"
        );
        Report {
            rows: Vec::new(),
            fsync,
        }
    }

    /// Asks the disk anew: what follows is told beside that.
    pub(crate) fn ask_the_disk(&mut self) {
        self.fsync = synced_append();
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
            "{name:<58} {:>14} {:>14} {ratio:>7.3} {told:>8} {:>9}",
            unit.write(product),
            unit.write(floor),
            Unit::Milliseconds.write(milliseconds(self.fsync))
        );
        self.rows.push(json!({
            "name": name, "unit": unit.name(), "product": product, "floor": floor, "ratio": ratio, "goal": told,
            "fsync_ms": milliseconds(self.fsync),
        }));
    }

    /// Writes all of it so far to a file.
    pub(crate) fn write(&self, file: &Path) {
        let all = json!({"rows": self.rows});
        fs::write(file, format!("{all:#}\n")).expect("the file can be written");
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::PerSecond => "1/s",
            Unit::Mebibytes => "MiB",
            Unit::Bytes => "B",
        }
    }

    fn write(self, value: f64) -> String {
        let digits = match self {
            Unit::Milliseconds if value < 10.0 => 3,
            Unit::Milliseconds | Unit::Mebibytes => 1,
            Unit::PerSecond | Unit::Bytes => 0,
        };
        format!("{value:.digits$} {}", self.name())
    }
}

/// The median of 200 appends of 4 KiB, each synced: what the disk takes for the least it can be asked.
fn synced_append() -> Duration {
    let home = Home::new();
    let file = synced_file(&home);
    let mut times: Vec<_> = (0..200).map(|_| timed(|| append_synced(&file))).collect();
    median(&mut times)
}

/// An empty file to append to.
pub(crate) fn synced_file(home: &Home) -> File {
    let (path, mut options) = (home.file("synced"), OpenOptions::new());
    let file = options.create(true).append(true).open(path);
    file.expect("a file")
}

pub(crate) fn append_synced(mut file: &File) {
    file.write_all(&[7; 4096]).expect("room");
    file.sync_data().expect("a disk");
}

/// Says that something has ended, even by a panic: whoever looks on until then goes on for ever otherwise.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
