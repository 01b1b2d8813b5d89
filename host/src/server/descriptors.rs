//! File descriptors: each connection takes one, and systems give programs fewer than they would.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but connections of the API's clients: the store, sources, the log, those that ask for metrics.
const OTHERS: u64 = 192;

/// Takes as many as the system gives, and warns when they are too few for `connections`.
pub fn take(connections: u32) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it is refused, what there was is there still.
    let _ = setrlimit(Resource::Nofile, raised);
    let given = getrlimit(Resource::Nofile).current;
    let needed = u64::from(connections) + OTHERS;
    if let Some(given) = given.filter(|given| *given < needed) {
        tracing::warn!(
            given,
            needed,
            "the system gives too few file descriptors for all connections: raise its limit (`ulimit -n`), or lower --max-connections"
        );
    }
}
