//! A connection that does not wait for ever for a client to take what it asked for, and that takes little from a stranger.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::crowd::Guest;
use super::lines::Lines;

/// Bytes that are read of a stranger at once: what it sends further stays with the system.
const LITTLE: usize = 4 * 1024;

/// A stream whose writes fail once they have waited for `patience`. Reads wait: requests have limits of their own.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    alarm: Pin<Box<Sleep>>,
    waiting: bool,
    guest: Arc<Guest>,
    /// Sees what is read.
    pub(super) lines: Arc<Lines>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration, guest: Arc<Guest>) -> Patient<S> {
        Patient {
            lines: Arc::default(),
            stream,
            patience,
            alarm: Box::pin(sleep(patience)),
            waiting: false,
            guest,
        }
    }

    /// Passes on what a write said; one that has been pending for too long fails.
    fn limit<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        if !self.waiting {
            self.waiting = true;
            self.alarm.as_mut().reset(Instant::now() + self.patience);
        }
        ready!(self.alarm.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "client stopped reading",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let stream = Pin::new(&mut this.stream);
        let read = match this.guest.waits() && buf.remaining() > LITTLE {
            true => {
                let mut room = [MaybeUninit::uninit(); LITTLE];
                let mut little = ReadBuf::uninit(&mut room);
                let read = stream.poll_read(cx, &mut little);
                buf.put_slice(little.filled());
                read
            }
            false => stream.poll_read(cx, buf),
        };
        this.lines
            .see(buf.filled().get(before..).unwrap_or_default());
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.limit(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.limit(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            this.guest.flushed();
        }
        this.limit(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.limit(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn guest() -> Arc<Guest> {
        let from = std::net::Ipv4Addr::LOCALHOST.into();
        Arc::new(Guest::new(&Arc::default(), from))
    }

    #[tokio::test]
    async fn a_stranger_is_read_little_by_little() {
        let (mut client, server) = duplex(4 * LITTLE);
        let mut patient = Patient::new(server, Duration::from_secs(1), guest());
        client.write_all(&[7; 3 * LITTLE]).await.unwrap();
        let mut piece = [0; 4 * LITTLE];
        assert_eq!(patient.read(&mut piece).await.unwrap(), LITTLE);
        patient.guest.admitted().await;
        assert_eq!(patient.read(&mut piece).await.unwrap(), 2 * LITTLE);
        assert_eq!(piece[..2 * LITTLE], [7; 2 * LITTLE]);
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_is_cut() {
        let (_client, server) = duplex(8);
        let mut patient = Patient::new(server, Duration::from_millis(20), guest());
        let error = patient
            .write_all(&[0; 64])
            .await
            .map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::TimedOut));
    }

    #[tokio::test]
    async fn a_client_that_reads_slowly_is_served() {
        let (mut client, server) = duplex(8);
        let mut patient = Patient::new(server, Duration::from_millis(200), guest());
        let reader = tokio::spawn(async move {
            let mut piece = [0; 8];
            for _ in 0..8 {
                sleep(Duration::from_millis(40)).await;
                client.read_exact(&mut piece).await?;
            }
            io::Result::Ok(())
        });
        assert!(patient.write_all(&[0; 64]).await.is_ok());
        assert!(matches!(reader.await, Ok(Ok(()))));
    }
}
