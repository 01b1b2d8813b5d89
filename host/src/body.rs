//! A body too large to hold: pieces go in, and any part of them can be read again.
//!
//! Small bodies stay in memory; larger ones go to a file that has no name any more, so that a crash leaves nothing behind.

use std::fmt::{self, Display};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

/// What a fetched or received body is pushed into, piece by piece.
pub trait Sink: Send {
    /// Says how many bytes may come.
    fn expect(&mut self, len: u64);
    /// Takes the next piece; after an error nothing more is read or pushed.
    fn push(&mut self, piece: Bytes) -> impl Future<Output = Result<(), Unwanted>> + Send;
    /// Ready when no further piece is wanted, because of what came before.
    fn stopped(&self) -> impl Future<Output = ()> + Send;
}

/// A sink wants no more. It knows why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwanted;

/// How much a body may hold, and where it goes.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// Most bytes a body may have.
    pub max: u64,
    /// Bytes kept in memory; a larger body goes to a file.
    pub spool_above: u64,
    /// The folder of that file.
    pub spool_dir: PathBuf,
}

/// Gathers a body: in memory up to `spool_above`, then in an unlinked file of mode 0600. One that says that it is larger goes
/// there from its first part on.
pub struct Collector {
    limits: BodyLimits,
    len: u64,
    kept: Kept,
}

/// Where the bytes gathered so far are.
enum Kept {
    Memory(Vec<u8>),
    Spool(Spool),
}

impl Collector {
    /// Starts empty.
    pub fn new(limits: &BodyLimits) -> Self {
        Collector {
            limits: limits.clone(),
            len: 0,
            kept: Kept::Memory(Vec::new()),
        }
    }

    /// Says how many bytes may come, which saves copying; no limit depends on it.
    pub fn expect(&mut self, len: u64) {
        let expected = len.min(self.limits.max);
        if expected > self.limits.spool_above {
            // The body need not fill the memory first.
            self.limits.spool_above = self.limits.spool_above.min(WRITTEN_AT_ONCE as u64);
        }
        let reserve = usize::try_from(expected.min(self.limits.spool_above));
        if let Kept::Memory(memory) = &mut self.kept {
            memory.reserve_exact(reserve.unwrap_or(0));
        }
    }

    /// Adds a piece. Fails when the body gets larger than `max`, or when the file cannot be written.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        let len = self.len.saturating_add(piece.len() as u64);
        if len > self.limits.max {
            return Err(BodyError::TooLarge {
                max: self.limits.max,
            });
        }
        match &mut self.kept {
            Kept::Spool(spool) => spool.push(piece)?,
            Kept::Memory(memory) if len > self.limits.spool_above => {
                let mut spool = Spool::begin(&self.limits.spool_dir, std::mem::take(memory))?;
                spool.push(piece)?;
                self.kept = Kept::Spool(spool);
            }
            Kept::Memory(memory) => memory.extend_from_slice(piece),
        }
        self.len = len;
        Ok(())
    }

    /// Moves a part of what is still in memory to the file that takes it over: whether more is left.
    pub fn take_over(&mut self) -> Result<bool, BodyError> {
        let Kept::Spool(spool) = &mut self.kept else {
            return Ok(false);
        };
        spool.take_over(TAKEN_OVER_AT_ONCE)?;
        Ok(!spool.memory.is_empty())
    }

    /// Ends the body, which can be read from now on.
    pub fn finish(self) -> Result<Body, BodyError> {
        let place = match self.kept {
            Kept::Memory(memory) => Place::Memory(memory),
            Kept::Spool(spool) => Place::Spool(spool.end()?, Mutex::default()),
        };
        Ok(Body {
            len: self.len,
            place,
        })
    }
}

/// A file that takes a body over from the memory, a part with each piece: whoever pushes would else wait for all of it.
struct Spool {
    file: BufWriter<File>,
    /// What came before there was a file, and how much of it has gone there.
    memory: Vec<u8>,
    moved: usize,
}

impl Spool {
    fn begin(folder: &Path, memory: Vec<u8>) -> io::Result<Spool> {
        let mut file = nameless_file(folder)?;
        file.seek(SeekFrom::Start(memory.len() as u64))?;
        Ok(Spool {
            file: BufWriter::with_capacity(WRITTEN_AT_ONCE, file),
            memory,
            moved: 0,
        })
    }

    fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.take_over(TAKEN_OVER_AT_ONCE)?;
        self.file.write_all(piece)
    }

    /// Moves the next bytes of the memory, this many at most.
    fn take_over(&mut self, most: usize) -> io::Result<()> {
        let end = self.memory.len().min(self.moved.saturating_add(most));
        let part = self.memory.get(self.moved..end).unwrap_or_default();
        self.file.get_ref().write_all_at(part, self.moved as u64)?;
        self.moved = end;
        if end == self.memory.len() {
            (self.memory, self.moved) = (Vec::new(), 0);
        }
        Ok(())
    }

    fn end(mut self) -> io::Result<File> {
        self.take_over(usize::MAX)?;
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
    }
}

/// A whole body. Reading needs no exclusive access.
pub struct Body {
    len: u64,
    place: Place,
}

enum Place {
    Memory(Vec<u8>),
    Spool(File, Mutex<Window>),
}

/// The part of the file that was read last, with what follows it.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

/// Bytes read ahead: large enough that entries of a kilobyte cost a system call per hundreds.
const WINDOW: usize = 256 * 1024;

/// Smaller pieces are gathered to so many bytes for a write.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// Bytes of the memory that go to the file with each piece.
const TAKEN_OVER_AT_ONCE: usize = 1024 * 1024;

impl Body {
    /// Bytes in it.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The `len` bytes from `offset`: borrowed from memory, or read into `scratch`. Ascending small reads share system calls.
    /// Fails with `UnexpectedEof` when the body has no such bytes.
    pub fn slice<'a>(
        &'a self,
        offset: u64,
        len: usize,
        scratch: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        match &self.place {
            Place::Memory(memory) => part(memory, offset, len).ok_or_else(beyond_the_end),
            Place::Spool(file, window) => {
                if offset
                    .checked_add(len as u64)
                    .is_none_or(|end| end > self.len)
                {
                    return Err(beyond_the_end());
                }
                read_into(scratch, file, window, offset, len)?;
                Ok(scratch)
            }
        }
    }
}

/// Fills `scratch` with a part of the file that exists.
fn read_into(
    scratch: &mut Vec<u8>,
    file: &File,
    window: &Mutex<Window>,
    offset: u64,
    len: usize,
) -> io::Result<()> {
    if len >= WINDOW {
        // What is there already need not be zeroed first.
        scratch.resize(len, 0);
        return file.read_exact_at(scratch, offset);
    }
    scratch.clear();
    // A panic elsewhere cannot leave a wrong window: `refill` empties it before it reads.
    let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
    if window.part(offset, len).is_none() {
        window.refill(file, offset)?;
    }
    scratch.extend_from_slice(window.part(offset, len).ok_or_else(beyond_the_end)?);
    Ok(())
}

impl Window {
    fn part(&self, offset: u64, len: usize) -> Option<&[u8]> {
        part(&self.bytes, offset.checked_sub(self.start)?, len)
    }

    fn refill(&mut self, file: &File, offset: u64) -> io::Result<()> {
        self.bytes.clear();
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(WINDOW, 0);
        let mut filled = 0;
        while filled < WINDOW {
            match file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        *self = Window {
            start: offset,
            bytes,
        };
        Ok(())
    }
}

fn part(bytes: &[u8], offset: u64, len: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(len)?)
}

fn beyond_the_end() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the body ends before this part of it",
    )
}

/// A file of mode 0600 whose name is gone before the first byte is in it: when the program ends, so does the file.
fn nameless_file(folder: &Path) -> io::Result<File> {
    let random = getrandom::u64().map_err(io::Error::other)?;
    let path = folder.join(format!("spool-{random:016x}"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Why a body cannot be gathered.
#[derive(Debug)]
pub enum BodyError {
    /// It has more than `max` bytes.
    TooLarge {
        /// The limit, in bytes.
        max: u64,
    },
    /// The spool file cannot be written.
    Io(io::Error),
}

impl Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLarge { max } => write!(f, "the body is larger than {max} bytes"),
            BodyError::Io(error) => {
                write!(f, "cannot keep a large body in the data folder: {error}")
            }
        }
    }
}

impl std::error::Error for BodyError {}

impl From<io::Error> for BodyError {
    fn from(error: io::Error) -> Self {
        BodyError::Io(error)
    }
}

#[cfg(test)]
mod tests;
