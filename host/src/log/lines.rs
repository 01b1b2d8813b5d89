//! Where lines of the log go: out one by one, but those of requests together. A system call for each of tens of
//! thousands of those a second takes a sixth of the time of their answers. Where the program is killed, those of the last two
//! milliseconds are lost.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// The target of lines that tell of requests.
pub const REQUESTS: &str = "tributary_host::requests";

/// How long such a line waits for others at most.
const PATIENCE: Duration = Duration::from_millis(2);
/// Bytes of them from which on they wait no longer.
const MOST: usize = 64 << 10;

/// Writes lines in the order in which they come. Clones are the same.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    come: Condvar,
    /// Held while lines are taken from those that wait and written, so that none overtakes another.
    out: Mutex<Out>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Whether the thread that writes them is awake, or is being woken: while lines come, it looks again by itself.
    tended: bool,
}

struct Out {
    to: Box<dyn Write + Send>,
    /// Empty, and with room for lines.
    room: Vec<u8>,
}

impl Lines {
    /// To stderr, or elsewhere.
    pub(super) fn to(out: impl Write + Send + 'static) -> Lines {
        Lines(Arc::new(Shared {
            waiting: Mutex::default(),
            come: Condvar::new(),
            out: Mutex::new(Out {
                to: Box::new(out),
                room: Vec::new(),
            }),
        }))
    }

    /// Starts the thread that writes those that have waited; the error says that there is none.
    pub(super) fn start(&self) -> io::Result<()> {
        let lines = self.clone();
        let named = thread::Builder::new().name("log".to_owned());
        named.spawn(move || lines.tend()).map(drop)
    }

    /// Writes those that wait, then one more.
    pub(super) fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut out = locked(&self.0.out);
        let Out { to, room } = &mut *out;
        std::mem::swap(room, &mut locked(&self.0.waiting).lines);
        room.extend_from_slice(line);
        let written = to.write_all(room);
        room.clear();
        written
    }

    fn gather(&self, line: &[u8]) -> io::Result<()> {
        let mut waiting = locked(&self.0.waiting);
        waiting.lines.extend_from_slice(line);
        let tended = std::mem::replace(&mut waiting.tended, true);
        let many = waiting.lines.len() >= MOST;
        // Whoever is woken finds it unlocked.
        drop(waiting);
        if !tended {
            self.0.come.notify_one();
        }
        match many {
            true => self.write(&[]),
            false => Ok(()),
        }
    }

    fn tend(&self) {
        loop {
            let waiting = locked(&self.0.waiting);
            let come = self
                .0
                .come
                .wait_while(waiting, |waiting| !waiting.goes_on());
            drop(come);
            thread::sleep(PATIENCE);
            while locked(&self.0.waiting).goes_on() {
                // There is nobody to tell that nothing can be told.
                let _ = self.write(&[]);
                thread::sleep(PATIENCE);
            }
        }
    }
}

impl Waiting {
    /// Whether the thread that writes lines has some; if not, it rests until the next one wakes it.
    fn goes_on(&mut self) -> bool {
        self.tended = !self.lines.is_empty();
        self.tended
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes one line.
pub(super) struct Line<'l> {
    lines: &'l Lines,
    /// Whether it may wait for others.
    waits: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.waits {
            true => self.lines.gather(line)?,
            false => self.lines.write(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = Line<'l>;

    fn make_writer(&'l self) -> Line<'l> {
        Line {
            lines: self,
            waits: false,
        }
    }

    /// What is told of requests waits, but for causes of errors.
    fn make_writer_for(&'l self, about: &Metadata<'_>) -> Line<'l> {
        let waits = about.target() == REQUESTS && *about.level() == Level::INFO;
        Line { lines: self, waits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// What was written, one call after another.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl Write for Written {
        fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
            locked(&self.0).push(String::from_utf8_lossy(lines).into_owned());
            Ok(lines.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn calls(&self) -> Vec<String> {
            locked(&self.0).clone()
        }
    }

    #[test]
    fn what_waits_is_written_before_what_does_not() {
        let written = Written::default();
        let lines = Lines::to(written.clone());
        for line in ["a\n", "b\n"] {
            lines.gather(line.as_bytes()).unwrap();
        }
        assert_eq!(written.calls(), [""; 0]);
        lines.write(b"c\n").unwrap();
        assert_eq!(written.calls(), ["a\nb\nc\n"]);
    }

    #[test]
    fn many_wait_no_longer() {
        let written = Written::default();
        let lines = Lines::to(written.clone());
        let line = [b'x'; 1_000];
        for _ in 0..MOST / line.len() + 1 {
            assert_eq!(written.calls(), [""; 0]);
            lines.gather(&line).unwrap();
        }
        assert_eq!(written.calls().concat().len(), MOST / 1_000 * 1_000 + 1_000);
    }

    /// Waits for it, for at most ten seconds.
    fn until(what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < end, "{what}");
            thread::sleep(PATIENCE);
        }
    }

    #[test]
    fn a_line_is_written_soon_whether_the_thread_rests_or_not() {
        let written = Written::default();
        let lines = Lines::to(written.clone());
        lines.start().unwrap();
        for (line, rests) in [("a\n", false), ("b\n", false), ("c\n", true), ("d\n", true)] {
            until("it rests", || !rests || !locked(&lines.0.waiting).tended);
            lines.gather(line.as_bytes()).unwrap();
            until(line, || written.calls().concat().ends_with(line));
        }
    }
}
