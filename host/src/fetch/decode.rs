//! Decoding a body as it arrives: gzip, deflate or brotli, a bounded step at a time.
//!
//! A few bytes can stand for gigabytes, so every step yields at most one buffer, counts it, and lets others run
//! (and the time limit strike) before the next.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use tokio::task::yield_now;

use super::error::{Cause, FetchError};
use crate::body::{Sink, Unwanted};

/// Bytes decoded at once.
const STEP: usize = 64 << 10;

/// Decoded bytes that one encoded byte may stand for, on average. Text of accounts stays far below; a bomb does not.
const MOST_PER_BYTE: u64 = 200;

/// Decoded bytes that are not held to it: short texts of one letter are no bombs.
const UNJUDGED: u64 = 1 << 20;

/// How far gzip looks back: 2^15 bytes, the most there is.
const GZIP_WINDOW_BITS: u8 = 15;

/// Turns the bytes of an answer into those of its content.
pub(super) struct Decoder {
    coding: Option<Box<dyn Coding>>,
    buffer: Vec<u8>,
    /// Bytes before and after decoding, so far.
    read: u64,
    written: u64,
}

impl Decoder {
    /// The decoder that an answer asks for. An unknown encoding is refused, and so are several on top of each other.
    pub(super) fn of(headers: &HeaderMap) -> Result<Decoder, FetchError> {
        let mut names = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let value = value.to_str().map_err(|_| unknown())?;
            names.extend(
                value
                    .split(',')
                    .map(|name| name.trim().to_ascii_lowercase()),
            );
        }
        names.retain(|name| !name.is_empty() && name != "identity");
        let coding: Option<Box<dyn Coding>> = match names.as_slice() {
            [] => None,
            [one] => Some(coding(one)?),
            _ => {
                return Err(FetchError::new(
                    Cause::Encoding,
                    "the answer is encoded more than once",
                ));
            }
        };
        let buffer = vec![0; if coding.is_some() { STEP } else { 0 }];
        Ok(Decoder {
            coding,
            buffer,
            read: 0,
            written: 0,
        })
    }

    /// Whether the bytes are taken as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.coding.is_none()
    }

    /// Decodes a piece into the gate.
    pub(super) async fn decode(
        &mut self,
        piece: Bytes,
        gate: &mut Gate<'_, impl Sink>,
    ) -> Result<(), FetchError> {
        let Some(coding) = &mut self.coding else {
            return gate.push(piece).await;
        };
        let mut rest = &*piece;
        loop {
            let step = coding.step(rest, &mut self.buffer).ok_or_else(broken)?;
            if step.read == 0 && step.written == 0 {
                return if rest.is_empty() {
                    Ok(())
                } else {
                    Err(broken())
                };
            }
            rest = rest.get(step.read..).unwrap_or_default();
            self.read += step.read as u64;
            self.written += step.written as u64;
            if self.written > UNJUDGED.max(self.read.saturating_mul(MOST_PER_BYTE)) {
                return Err(bomb());
            }
            let decoded = self.buffer.get(..step.written).unwrap_or_default();
            gate.push(Bytes::copy_from_slice(decoded)).await?;
            yield_now().await;
        }
    }

    /// Ends the body, which must be whole. No byte at all is an empty body in every encoding.
    pub(super) fn finish(&self) -> Result<(), FetchError> {
        match &self.coding {
            Some(coding) if !coding.is_whole() => Err(FetchError::new(
                Cause::Encoding,
                "the encoded answer ends early",
            )),
            _ => Ok(()),
        }
    }
}

fn coding(name: &str) -> Result<Box<dyn Coding>, FetchError> {
    match name {
        "gzip" | "x-gzip" => Ok(Box::new(Gzip(None))),
        "deflate" => Ok(Box::new(Deflate::default())),
        "br" => Ok(Box::new(Brotli::new())),
        _ => Err(unknown()),
    }
}

fn unknown() -> FetchError {
    FetchError::new(
        Cause::Encoding,
        "the answer's content encoding is none of gzip, deflate and br",
    )
}

fn bomb() -> FetchError {
    FetchError::new(
        Cause::TooLarge,
        format!("the answer decodes to more than {MOST_PER_BYTE} times its bytes"),
    )
}

fn broken() -> FetchError {
    FetchError::new(Cause::Encoding, "the answer is not encoded as it says")
}

/// Counts decoded bytes on their way into the sink.
pub(super) struct Gate<'a, S> {
    sink: &'a mut S,
    left: u64,
    max: u64,
}

impl<'a, S: Sink> Gate<'a, S> {
    /// Lets at most `max` bytes through.
    pub(super) fn new(sink: &'a mut S, max: u64) -> Self {
        Gate {
            sink,
            left: max,
            max,
        }
    }

    /// Refuses at once when `len` bytes would be too many.
    pub(super) fn expect(&mut self, len: u64) -> Result<(), FetchError> {
        self.check(len)?;
        self.sink.expect(len);
        Ok(())
    }

    /// What comes next, unless the sink wants no more before it has come.
    pub(super) async fn wanted<T>(&self, next: impl Future<Output = T>) -> Result<T, FetchError> {
        tokio::select! {
            biased;
            next = next => Ok(next),
            () = self.sink.stopped() => Err(unwanted(Unwanted)),
        }
    }

    async fn push(&mut self, piece: Bytes) -> Result<(), FetchError> {
        if piece.is_empty() {
            return Ok(());
        }
        let len = piece.len() as u64;
        self.check(len)?;
        self.left -= len;
        self.sink.push(piece).await.map_err(unwanted)
    }

    fn check(&self, len: u64) -> Result<(), FetchError> {
        if len <= self.left {
            return Ok(());
        }
        Err(FetchError::new(
            Cause::TooLarge,
            format!("the answer is larger than {} bytes", self.max),
        ))
    }
}

fn unwanted(Unwanted: Unwanted) -> FetchError {
    FetchError::new(Cause::Sink, "no more of the answer is wanted")
}

/// A content encoding, decoded step by step.
trait Coding: Send {
    /// Reads from `input` and writes into `output`; `None` when the bytes are not of this encoding.
    /// A step that neither reads nor writes wants more input, or is past the end.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step>;

    /// Whether the bytes so far may be all.
    fn is_whole(&self) -> bool;
}

/// Bytes that a step read and wrote.
#[derive(Default)]
struct Step {
    read: usize,
    written: usize,
}

/// One or more members, each with its checksum; the one being read.
struct Gzip(Option<Decompress>);

impl Coding for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        if self.0.is_none() && input.is_empty() {
            return Some(Step::default());
        }
        let member = self
            .0
            .get_or_insert_with(|| Decompress::new_gzip(GZIP_WINDOW_BITS));
        let (step, ended) = inflate(member, input, output)?;
        if ended {
            self.0 = None;
        }
        Some(step)
    }

    fn is_whole(&self) -> bool {
        self.0.is_none()
    }
}

/// The zlib format, or the bare stream that some servers send under the same name.
#[derive(Default)]
struct Deflate {
    stream: Option<Decompress>,
    ended: bool,
}

impl Coding for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        if self.stream.is_none() {
            // A bare stream never starts with the 8 of a zlib header: its first block would be stored, with padding that is not zero.
            let begin = |first: &u8| Decompress::new(first & 0x0f == 8);
            self.stream = input.first().map(begin);
        }
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else {
            return Some(Step::default());
        };
        // Output may be waiting although all input was read, and with it the end.
        let (step, ended) = inflate(stream, input, output)?;
        self.ended = ended;
        Some(step)
    }

    fn is_whole(&self) -> bool {
        self.ended || self.stream.is_none()
    }
}

fn inflate(stream: &mut Decompress, input: &[u8], output: &mut [u8]) -> Option<(Step, bool)> {
    let (read, written) = (stream.total_in(), stream.total_out());
    let status = stream
        .decompress(input, output, FlushDecompress::None)
        .ok()?;
    let step = Step {
        read: usize::try_from(stream.total_in() - read).ok()?,
        written: usize::try_from(stream.total_out() - written).ok()?,
    };
    Some((step, status == Status::StreamEnd))
}

/// One brotli stream.
struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    begun: bool,
    ended: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: windows of at most 16 MiB. A "large window" would let a server reserve a gigabyte.
        Brotli {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            begun: false,
            ended: false,
        }
    }
}

impl Coding for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        if self.ended {
            return Some(Step::default());
        }
        let mut step = Step::default();
        let (mut left, mut room, mut total) = (input.len(), output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut step.read,
            input,
            &mut room,
            &mut step.written,
            output,
            &mut total,
            &mut self.state,
        );
        self.begun |= step.read > 0;
        self.ended = matches!(result, BrotliResult::ResultSuccess);
        if matches!(result, BrotliResult::ResultFailure) {
            None
        } else {
            Some(step)
        }
    }

    fn is_whole(&self) -> bool {
        self.ended || !self.begun
    }
}
