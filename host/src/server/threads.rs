//! The threads that serve connections: one for each processor, with a runtime of its own. A connection stays on the thread it is
//! given to. Where threads share what is ready they wake each other for it, and lists take a fifth longer.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// Tasks that run one after the other before a runtime looks for new requests: a piece of a large body takes one of them a
/// tenth of a millisecond or more.
const IN_A_ROW: u32 = 8;

/// A runtime of the calling thread alone.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(IN_A_ROW)
        .build()
}

/// They end when this is dropped, with what they still do.
pub(super) struct Threads {
    first: Thread,
    others: Vec<Thread>,
}

pub(super) struct Thread {
    pub(super) runtime: Handle,
    /// To be held by each of its connections.
    pub(super) held: Arc<()>,
    /// Nothing is ever sent: it ends the thread when it is dropped.
    _end: oneshot::Sender<()>,
}

impl Threads {
    /// One for each processor. The error says that the system has no thread, or no descriptor, for one.
    pub(super) fn start() -> io::Result<Threads> {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Threads::of(processors).map_err(|error| {
            let told = format!("the system gives no thread to serve connections: {error}");
            io::Error::new(error.kind(), told)
        })
    }

    fn of(count: usize) -> io::Result<Threads> {
        Ok(Threads {
            first: Thread::start()?,
            others: (1..count)
                .map(|_| Thread::start())
                .collect::<io::Result<_>>()?,
        })
    }

    /// How many descriptors they take: of each the queue of its events, what wakes it, and what tells it of signals.
    pub(super) fn descriptors(&self) -> u64 {
        3 * (1 + self.others.len() as u64)
    }

    /// The one with fewest connections.
    pub(super) fn freest(&self) -> &Thread {
        let freest = self.others.iter().min_by_key(|other| other.connections());
        freest
            .filter(|other| other.connections() < self.first.connections())
            .unwrap_or(&self.first)
    }
}

impl Thread {
    fn start() -> io::Result<Thread> {
        let (runtime, (end, ended)) = (runtime()?, oneshot::channel());
        let thread = Thread {
            runtime: runtime.handle().clone(),
            held: Arc::default(),
            _end: end,
        };
        let named = thread::Builder::new().name("serve".to_owned());
        named.spawn(move || {
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(thread)
    }

    /// How many it serves, and one.
    fn connections(&self) -> usize {
        Arc::strong_count(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::ThreadId;
    use tokio::task::JoinSet;

    type End = oneshot::Sender<()>;

    /// Serves connections that stay until they are told to end; on which threads.
    async fn serve(threads: &Threads, all: &mut JoinSet<()>, count: usize) -> Vec<(ThreadId, End)> {
        let mut served = Vec::new();
        for _ in 0..count {
            let ((tell, told), (end, ended)) = (oneshot::channel(), oneshot::channel());
            let thread = threads.freest();
            let held = Arc::clone(&thread.held);
            let connection = async move {
                tell.send(thread::current().id()).unwrap();
                ended.await.unwrap_or_default();
                drop(held);
            };
            all.spawn_on(connection, &thread.runtime);
            served.push((told.await.unwrap(), end));
        }
        served
    }

    #[tokio::test]
    async fn a_connection_goes_to_the_thread_that_has_fewest() {
        let (threads, mut all) = (Threads::of(3).unwrap(), JoinSet::new());
        let mut served = serve(&threads, &mut all, 6).await;
        let (one, _) = served.remove(0);
        let same = served.iter().filter(|(thread, _)| *thread == one).count();
        assert_eq!(same, 1, "the first connection has ended already");
        all.join_next().await.unwrap().unwrap();
        for (thread, end) in served.extract_if(.., |(thread, _)| *thread == one) {
            drop((thread, end));
            all.join_next().await.unwrap().unwrap();
        }
        let more = serve(&threads, &mut all, 2).await;
        assert!(more.iter().all(|(thread, _)| *thread == one), "{more:?}");
    }

    #[tokio::test]
    async fn connections_end_with_their_threads() {
        let (threads, mut all) = (Threads::of(2).unwrap(), JoinSet::new());
        let served = serve(&threads, &mut all, 4).await;
        drop(threads);
        for _ in &served {
            let ended = all.join_next().await.unwrap();
            assert!(ended.unwrap_err().is_cancelled());
        }
    }
}
