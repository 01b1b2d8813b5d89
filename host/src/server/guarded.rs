//! Puts the headers of every answer on those that hyper gives by itself, before any request is there: empty ones, to heads
//! that are no HTTP or too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::headers::guard;

/// No answer of hyper's own is longer, in bytes.
const LONGEST: usize = 512;

/// A stream on which answers without our headers get them.
pub(super) struct Guarded<S> {
    stream: S,
    https: bool,
    /// What is left of an answer that was written anew.
    left: Vec<u8>,
    /// How long it was before.
    told: usize,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, https: bool) -> Guarded<S> {
        Guarded {
            stream,
            https,
            left: Vec::new(),
            told: 0,
        }
    }
}

/// The answer with our headers, where it is one of hyper's own: an error without a body that names no request.
fn guarded(answer: &[u8], https: bool) -> Option<Vec<u8>> {
    let line = answer.strip_prefix(b"HTTP/1.")?.get(2..)?;
    let is_error = matches!(line.first(), Some(b'4' | b'5'));
    let head = answer.strip_suffix(b"\r\n\r\n")?;
    let ours = b"x-request-id";
    if !is_error || answer.len() > LONGEST || head.windows(ours.len()).any(|part| part == ours) {
        return None;
    }
    let mut headers = HeaderMap::new();
    guard(&mut headers, https);
    let mut whole = head.to_vec();
    for (name, value) in &headers {
        for part in [b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()] {
            whole.extend_from_slice(part);
        }
    }
    whole.extend_from_slice(b"\r\n\r\n");
    Some(whole)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.left.is_empty() {
            let Some(whole) = guarded(buf, this.https) else {
                return Pin::new(&mut this.stream).poll_write(cx, buf);
            };
            (this.left, this.told) = (whole, buf.len());
        }
        while !this.left.is_empty() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.left))?;
            if written == 0 {
                return Poll::Ready(Ok(0));
            }
            this.left.drain(..written);
        }
        Poll::Ready(Ok(this.told))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut full = bufs.iter().filter(|buf| !buf.is_empty());
        if let (Some(only), None) = (full.next(), full.next()) {
            return self.poll_write(cx, only);
        }
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn answers_of_hypers_own_get_the_headers_and_others_stay() {
        let bare = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let ours = "HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n";
        let good = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        for (answer, changes) in [(bare, true), (ours, false), (good, false), ("400", false)] {
            // So narrow that it is written in many pieces.
            let (mut client, server) = duplex(7);
            let writing = tokio::spawn(async move {
                let mut stream = Guarded::new(server, true);
                stream.write_all(answer.as_bytes()).await
            });
            let mut read = String::new();
            client.read_to_string(&mut read).await.unwrap();
            writing.await.unwrap().unwrap();
            assert_eq!(read != answer, changes, "{read}");
            if changes {
                assert!(read.starts_with("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"));
                assert!(
                    read.contains("x-content-type-options: nosniff\r\n"),
                    "{read}"
                );
                assert!(read.contains("strict-transport-security: ") && read.ends_with("\r\n\r\n"));
            }
        }
    }
}
