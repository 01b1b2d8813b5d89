//! How a command answers: a table for a person, JSON for a program; remarks and progress go to stderr.

mod cell;
mod diff;
mod object;
mod paint;
mod progress;
mod record;
mod table;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::Args;
use rustix::termios::tcgetwinsize;

pub use cell::{Cell, tame};
pub use diff::diff;
pub use object::{Object, text_of};
pub use paint::{Colour, Paint};
pub use progress::Progress;
pub use record::record;
pub use table::{Column, Table};

/// How an answer is shown.
#[derive(Args, Clone, Copy)]
pub struct Form {
    /// Print the server's answer as JSON; without a terminal, or with TRIBUTARY_JSON=1, that is the default
    #[arg(long, global = true, overrides_with = "table", help_heading = "Answer")]
    json: bool,
    /// Print a table; in a terminal that is the default
    #[arg(long, global = true, overrides_with = "json", help_heading = "Answer")]
    table: bool,
}

/// Where a command's answer goes.
#[derive(Clone, Copy)]
pub struct Output {
    json: bool,
    room: Option<usize>,
    paint: Paint,
}

impl Output {
    /// Stdout, in the form that was asked for, or else in the one that suits it, which `wants_json` makes JSON.
    pub fn new(form: Form, wants_json: bool) -> Output {
        let terminal = io::stdout().is_terminal();
        Output {
            json: !form.table && (form.json || !terminal || wants_json),
            room: terminal.then(width).flatten(),
            paint: Paint::of(&io::stdout()),
        }
    }

    /// Prints the `plan` of an answer: for a person as a page that says with what it was compared, and counts bytes
    /// without those that stand `before` the payload.
    pub fn plan(self, answer: &str, compared: &str, before: u64) -> io::Result<()> {
        if self.json {
            return self.json(answer);
        }
        let plan = Object::read(answer).unwrap_or_default().object("plan");
        print(&diff(&plan, 0, compared, before, self.paint))
    }

    /// Whether a program reads it.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints a JSON document as it came.
    pub fn json(self, document: &str) -> io::Result<()> {
        print(&(on_a_line(document) + "\n"))
    }

    /// Prints a part of a JSON document; `json` with its last part ends it.
    pub fn part(self, part: &str) -> io::Result<()> {
        print(&on_a_line(part))
    }

    /// A table as wide as the terminal.
    pub fn table(self, columns: &'static [Column]) -> Table {
        Table::new(columns, self.room, self.paint)
    }

    /// Prints rows under their titles.
    pub fn rows(self, columns: &'static [Column], rows: &[Vec<Cell>]) -> io::Result<()> {
        print(&self.table(columns).page(rows))
    }

    /// Prints one thing, a line for each field.
    pub fn record(self, fields: &[(&str, Cell)]) -> io::Result<()> {
        print(&record(fields, self.room, self.paint))
    }
}

/// The same to the minute, for columns.
pub fn minute(text: &str) -> String {
    match time(text).get(..16) {
        Some(minute) if text.ends_with("+00:00") => minute.to_owned(),
        _ => time(text),
    }
}

/// Prints text on stdout at once.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Says something beside the answer, on stderr, for whoever watches.
pub fn remark(text: &str) {
    let said = Paint::of(&io::stderr()).colour(Colour::Faint, &tame(text));
    // Whoever closed stderr wants no remarks.
    let _ = writeln!(io::stderr(), "{said}");
}

/// A time of an answer to the second, without the offset that all of them share: `2026-05-23 10:15:30`.
pub fn time(text: &str) -> String {
    match text.strip_suffix("+00:00") {
        Some(time) => time.replacen('T', " ", 1),
        None => text.to_owned(),
    }
}

/// A file that cannot be read, said to the person who named it.
pub fn cannot_read(file: &Path, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    };
    format!("cannot read `{}`: {why}", file.display())
}

/// A file that cannot be written, said to the person who named it.
pub fn cannot_write(file: &Path, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        kind => kind.to_string(),
    };
    format!("cannot write `{}`: {why}", file.display())
}

/// The columns of characters of the terminal that stdout is.
fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// JSON has no line breaks of its own in strings; what a terminal would obey is written as the escape that means the same.
fn on_a_line(document: &str) -> String {
    let mut line = String::with_capacity(document.len());
    for c in document.trim_end().chars() {
        match c {
            '\u{7f}'..='\u{9f}' => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_without_their_offset() {
        assert_eq!(time("2026-05-23T10:15:30+00:00"), "2026-05-23 10:15:30");
        assert_eq!(minute("2026-05-23T10:15:30+00:00"), "2026-05-23 10:15");
        assert_eq!(time("soon") + &minute("later") + &time(""), "soonlater");
    }

    #[test]
    fn a_document_means_the_same_and_steers_nothing() {
        assert_eq!(on_a_line("{\"a\": \"b\u{9b}c\"}\n"), r#"{"a": "b\u009bc"}"#);
    }
}
