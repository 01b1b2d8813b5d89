//! The threads that serve connections: one for each processor, with a runtime of its own. A connection stays on the thread it is
//! given to. Where threads share what is ready they wake each other for it, and lists take 18 % longer.

use std::io;
use std::num::NonZero;
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::descriptors;

/// Tasks that run one after the other before a thread looks for new requests, and for what other threads have made ready: a piece
/// of a large body takes one of them a tenth of a millisecond or more.
const IN_A_ROW: u32 = 8;

/// They end when this is dropped, with what they still do.
pub struct Threads(Vec<Thread>);

struct Thread {
    runtime: Handle,
    /// Held by each of its connections, too.
    held: Arc<()>,
    /// Nothing is ever sent: the thread ends when this is dropped.
    end: oneshot::Sender<()>,
}

impl Threads {
    /// One for each processor, once the system has given all the descriptors that it gives. The error says what it has too few of.
    pub fn start() -> io::Result<Threads> {
        descriptors::raise();
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Threads::of(processors).map_err(|error| {
            let told = format!(
                "the system gives too few threads or file descriptors to serve connections: {error}; raise its limits (`ulimit -u`, `ulimit -n`)"
            );
            io::Error::new(error.kind(), told)
        })
    }

    fn of(count: usize) -> io::Result<Threads> {
        let threads = (0..count).map(|_| Thread::start());
        threads.collect::<io::Result<_>>().map(Threads)
    }

    /// How many descriptors they take: of each the queue of its events, twice, what wakes it, and what tells it of signals.
    pub(super) fn descriptors(&self) -> u64 {
        4 * self.0.len() as u64
    }

    /// Lets the thread with fewest connections serve one more, as one of `all`; what it is made with is to be held until it ends.
    pub(super) fn serve<C>(&self, all: &mut JoinSet<()>, connection: impl FnOnce(Arc<()>) -> C)
    where
        C: Future<Output = ()> + Send + 'static,
    {
        let alive = self.0.iter().filter(|thread| !thread.end.is_closed());
        if let Some(thread) = alive.min_by_key(|thread| Arc::strong_count(&thread.held)) {
            all.spawn_on(connection(Arc::clone(&thread.held)), &thread.runtime);
        }
    }
}

impl Thread {
    fn start() -> io::Result<Thread> {
        let (tell, told) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let named = thread::Builder::new().name("serve".to_owned());
        named.spawn(move || match runtime() {
            Ok(runtime) => {
                let _ = tell.send(Ok(runtime.handle().clone()));
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        })?;
        Ok(Thread {
            runtime: told.recv().map_err(io::Error::other)??,
            held: Arc::default(),
            end,
        })
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(IN_A_ROW)
        .global_queue_interval(IN_A_ROW)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::ThreadId;
    use std::time::Duration;
    use tokio::time::timeout;

    type End = oneshot::Sender<()>;

    /// Serves connections that stay until they are told to end; on which threads.
    async fn serve(threads: &Threads, all: &mut JoinSet<()>, count: usize) -> Vec<(ThreadId, End)> {
        let mut served = Vec::new();
        for _ in 0..count {
            let ((tell, told), (end, ended)) = (oneshot::channel(), oneshot::channel());
            threads.serve(all, |held| async move {
                tell.send(thread::current().id()).unwrap();
                ended.await.unwrap_or_default();
                drop(held);
            });
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
            let ended = timeout(Duration::from_secs(10), all.join_next()).await;
            assert!(ended.unwrap().unwrap().unwrap_err().is_cancelled());
        }
    }
}
