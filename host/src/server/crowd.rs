//! Who gives way when all places are taken: the connection that has waited longest without having shown a key.
//!
//! Nobody can keep an administrator out by holding connections open, with requests or without. A connection with an
//! admitted request under way is never cut.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::Notify;

use crate::api::ResponseBody;

/// The connections of one listener that wait, by the order in which they began to.
#[derive(Default)]
pub(super) struct Crowd {
    waiting: Mutex<BTreeMap<u64, Arc<Notify>>>,
    next: AtomicU64,
}

impl Crowd {
    /// Makes the one that has waited longest go, where one waits.
    pub(super) fn send_one_away(&self) {
        let longest = self.waiting().pop_first();
        if let Some((_, told)) = longest {
            told.notify_one();
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a crowd.
pub(super) struct Guest {
    /// Its other end.
    pub(super) from: IpAddr,
    crowd: Arc<Crowd>,
    told: Arc<Notify>,
    /// Its number among those that wait; 0 while it does not.
    number: AtomicU64,
    /// Whether it waits again once what it was answered has gone out.
    answered: AtomicBool,
}

impl Guest {
    /// One that has just come and waits.
    pub(super) fn new(crowd: &Arc<Crowd>, from: IpAddr) -> Guest {
        let guest = Guest {
            // A listener for both takes an IPv4 address for an IPv6 one.
            from: from.to_canonical(),
            crowd: Arc::clone(crowd),
            told: Arc::default(),
            number: AtomicU64::new(0),
            answered: AtomicBool::new(false),
        };
        guest.wait();
        guest
    }

    /// Ready when it has to go.
    pub(super) async fn sent_away(&self) {
        self.told.notified().await;
    }

    /// Whether nothing admitted is under way.
    pub(super) fn waits(&self) -> bool {
        self.number.load(Ordering::Relaxed) != 0
    }

    /// Stays while what was admitted is under way; does not return when it has to go already.
    pub(super) async fn admitted(&self) {
        self.answered.store(false, Ordering::Relaxed);
        let number = self.number.swap(0, Ordering::Relaxed);
        if number != 0 && self.crowd.waiting().remove(&number).is_none() {
            std::future::pending().await
        }
    }

    /// The body of an answer; once that has [gone out](Guest::flushed), an admitted connection waits again.
    pub(super) fn until_sent(self: &Arc<Guest>, body: ResponseBody) -> Sending {
        let guest = (!self.waits()).then(|| Arc::clone(self));
        Sending { body, guest }
    }

    /// Everything that was written has gone out.
    pub(super) fn flushed(&self) {
        if self.answered.swap(false, Ordering::Relaxed) {
            self.wait();
        }
    }

    /// Waits behind all others.
    fn wait(&self) {
        let number = self.crowd.next.fetch_add(1, Ordering::Relaxed) + 1;
        self.number.store(number, Ordering::Relaxed);
        self.crowd.waiting().insert(number, Arc::clone(&self.told));
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.crowd.waiting().remove(self.number.get_mut());
    }
}

/// A body on its way to a connection.
pub(super) struct Sending {
    body: ResponseBody,
    /// The connection, when it was admitted.
    guest: Option<Arc<Guest>>,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(guest) = &self.guest {
            // Much of it may still have to go out.
            guest.answered.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;
    use tokio::time::timeout;

    fn guests(crowd: &Arc<Crowd>) -> [Arc<Guest>; 3] {
        std::array::from_fn(|_| Arc::new(Guest::new(crowd, Ipv4Addr::LOCALHOST.into())))
    }

    async fn is_told(guest: &Guest) -> bool {
        let moment = Duration::from_millis(10);
        timeout(moment, guest.sent_away()).await.is_ok()
    }

    #[tokio::test]
    async fn the_one_that_waits_longest_goes_and_an_admitted_one_never() {
        let crowd = Arc::default();
        let [first, second, third] = guests(&crowd);
        first.admitted().await;
        crowd.send_one_away();
        assert!(is_told(&second).await && !is_told(&first).await && !is_told(&third).await);
        drop(first.until_sent(crate::api::whole("[]")));
        assert!(!first.waits(), "its answer has yet to go out");
        first.flushed();
        crowd.send_one_away();
        assert!(
            is_told(&third).await && !is_told(&first).await,
            "it waits behind the third"
        );
        crowd.send_one_away();
        assert!(is_told(&first).await);
        crowd.send_one_away();
    }

    #[tokio::test]
    async fn who_has_to_go_begins_nothing() {
        let crowd = Arc::default();
        let [first, ..] = guests(&crowd);
        crowd.send_one_away();
        let begun = timeout(Duration::from_millis(10), first.admitted()).await;
        assert!(begun.is_err());
    }

    #[test]
    fn an_ipv4_address_is_told_as_one() {
        let guest = |from: &str| Guest::new(&Arc::default(), from.parse().unwrap());
        for (from, told) in [("::ffff:192.0.2.1", "192.0.2.1"), ("::1", "::1")] {
            assert_eq!(guest(from).from.to_string(), told);
        }
    }

    #[test]
    fn who_has_left_is_not_kept() {
        let crowd = Arc::default();
        drop(guests(&crowd));
        assert!(crowd.waiting().is_empty());
    }
}
