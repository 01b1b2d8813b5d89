//! Long work on stderr: a bar where its end is known, a spinner where it is not, and nothing where no terminal is.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is under way. It leaves the terminal as it was when it is dropped.
pub struct Progress {
    bar: ProgressBar,
}

const SPINNER: &str = "{spinner} {msg} {elapsed}";
const BYTES: &str = "{spinner} {msg} {bytes} {bytes_per_sec}";
const BYTES_OF: &str = "{msg} [{wide_bar}] {bytes} of {total_bytes} {bytes_per_sec} {eta} left";

impl Progress {
    /// Work of which nothing is known but that it goes on.
    pub fn waiting(what: &str) -> Progress {
        Progress::new(None, SPINNER, what)
    }

    /// Work that is measured in bytes; `end` is how many there will be, if that is known.
    pub fn bytes(what: &str, end: Option<u64>) -> Progress {
        Progress::new(end, if end.is_some() { BYTES_OF } else { BYTES }, what)
    }

    fn new(end: Option<u64>, template: &str, what: &str) -> Progress {
        let target = match io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(end, target).with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress { bar }
    }

    /// Counts what is read through the answer. At its end goes on what `then` says.
    pub fn counted<R: Read>(&self, from: R, then: &'static str) -> Counted<R> {
        Counted {
            from,
            then,
            bar: self.bar.clone(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A reader whose bytes are counted.
pub struct Counted<R> {
    from: R,
    then: &'static str,
    bar: ProgressBar,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.bar.inc(read as u64);
        let over = self.bar.length() == Some(self.bar.position()) || read == 0;
        if let (true, Ok(style)) = (over, ProgressStyle::with_template(SPINNER)) {
            self.bar.set_style(style);
            self.bar.set_message(self.then);
        }
        Ok(read)
    }
}
