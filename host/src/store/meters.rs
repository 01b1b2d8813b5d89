//! What the writer tells while it works: how much waits for it, and how much it writes at once.

use prometheus::{Error, Histogram, HistogramOpts, IntGauge};

/// Upper bounds of the classes of group sizes, in writes. The last is the size of a full group.
const WRITES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// The writer's meters. Clones are the same.
#[derive(Clone)]
pub struct Meters {
    /// Writes that are queued and not yet in a group.
    pub queue: IntGauge,
    /// The sizes of groups, in writes.
    pub groups: Histogram,
}

impl Meters {
    /// Both at zero. The error is a mistake in a name.
    pub(super) fn new() -> Result<Meters, Error> {
        let groups = HistogramOpts::new(
            "tributary_writer_group_size",
            "Writes that shared a transaction and its sync to disk.",
        );
        Ok(Meters {
            queue: IntGauge::new(
                "tributary_writer_queue",
                "Writes that wait for the writer at this moment.",
            )?,
            groups: Histogram::with_opts(groups.buckets(WRITES.to_vec()))?,
        })
    }

    /// Notes that a write waits.
    pub(super) fn queued(&self) {
        self.queue.inc();
    }

    /// Notes that a write was dropped instead.
    pub(super) fn dropped(&self) {
        self.queue.dec();
    }

    /// Notes that these many are a group now.
    pub(super) fn grouped(&self, writes: u32) {
        self.queue.sub(writes.into());
        self.groups.observe(writes.into());
    }
}
