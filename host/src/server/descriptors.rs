//! File descriptors: each connection takes one, and systems give programs fewer than they would.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but connections of the API's clients: the store, sources, the log, those that ask for metrics.
const OTHERS: u64 = 192;

/// Fewest connections at a time, whatever the system gives.
const FEWEST: u32 = 16;

/// Takes as many as the system gives.
pub(super) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it is refused, what there was is there still.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// How many of `connections` there are enough for, beside those of the threads that serve them. Says so when those are not all.
pub(super) fn places(connections: u32, of_threads: u64) -> u32 {
    let given = getrlimit(Resource::Nofile).current;
    let others = OTHERS + of_threads;
    let needed = u64::from(connections) + others;
    let Some(given) = given.filter(|given| *given < needed) else {
        return connections;
    };
    let room = u32::try_from(given.saturating_sub(others)).unwrap_or(connections);
    let taken = room.max(FEWEST).min(connections);
    tracing::warn!(
        given,
        needed,
        taken,
        "the system gives too few file descriptors for all connections, so fewer are taken at a time: raise its limit (`ulimit -n`), or lower --max-connections"
    );
    taken
}
