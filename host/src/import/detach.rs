//! Work that is finished although nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs work where it is waited for; once nobody does, what is left of it becomes a task of its own. Were it one from the
/// beginning, it would be woken for its start, and whoever waits again for its end.
pub(super) struct DetachOnDrop<T: Send + 'static>(Option<Work<T>>);

impl<T: Send + 'static> DetachOnDrop<T> {
    /// Nothing of it runs before it is waited for.
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> DetachOnDrop<T> {
        DetachOnDrop(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for DetachOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // What has ended, or panicked, is not put back: nobody may wait for it again.
        let Some(mut work) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for DetachOnDrop<T> {
    fn drop(&mut self) {
        // Without a runtime the program is at its end.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_runs_where_it_is_waited_for() {
        let here = tokio::spawn(async {
            let outside = tokio::task::id();
            DetachOnDrop::new(async move { tokio::task::id() == outside }).await
        });
        assert!(here.await.unwrap());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_finished() {
        let (go_on, told) = oneshot::channel();
        let (finished, seen) = oneshot::channel();
        let waiting = tokio::spawn(DetachOnDrop::new(async move {
            told.await.unwrap();
            finished.send("finished").unwrap();
        }));
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        assert_eq!(seen.await, Ok("finished"));
    }
}
