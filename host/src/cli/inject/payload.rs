//! A payload that is sent as it is read.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The mark that some editors put before text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A payload as it lies there, but for a byte order mark.
pub(super) struct Payload {
    pub(super) bytes: Box<dyn Read>,
    /// In bytes; `None` where only the end will tell.
    pub(super) length: Option<u64>,
    place: Place,
}

impl Payload {
    /// The file of that name, or stdin for `-`.
    pub(super) fn open(file: &Path) -> io::Result<Payload> {
        if file.as_os_str() == "-" {
            return Payload::new(io::stdin(), None, None);
        }
        let opened = File::open(file)?;
        let kind = opened.metadata()?;
        let length = kind.is_file().then_some(kind.len());
        Payload::new(opened, length, Some(file.to_owned()))
    }

    fn new(
        from: impl Read + 'static,
        length: Option<u64>,
        file: Option<PathBuf>,
    ) -> io::Result<Payload> {
        let (bytes, cut) = without_mark(from)?;
        let length = length.map(|length| length.saturating_sub(cut));
        // A file that grows meanwhile is read as long as it was.
        let bytes = Box::new(bytes.take(length.unwrap_or(u64::MAX)));
        let place = Place {
            file: file.filter(|_| length.is_some()),
            length,
            cut,
        };
        Ok(Payload {
            bytes,
            length,
            place,
        })
    }

    /// Where its bytes lie.
    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }
}

/// Where a payload lies, so that what the server says of a byte can be said of a line.
#[derive(Clone)]
pub(super) struct Place {
    /// A file that can be read once more.
    file: Option<PathBuf>,
    length: Option<u64>,
    cut: u64,
}

impl Place {
    /// How many bytes further a byte of the file stands in the body, in which `before` bytes stand before the payload.
    pub(super) fn shift(&self, before: usize) -> u64 {
        (before as u64).saturating_sub(self.cut)
    }

    /// What the server `said` of a byte of the body, told of the file, of which `before` bytes stand before it.
    /// `None` when it said something else.
    pub(super) fn told(&self, said: &str, before: usize) -> Option<String> {
        let (what, at) = said.rsplit_once(" at byte ")?;
        let what = what
            .strip_prefix("body ")
            .or(what.strip_prefix("payload "))?;
        let at = at.parse::<u64>().ok()?.checked_sub(before as u64)?;
        if self.length == Some(0) {
            return Some("the payload is empty".to_owned());
        }
        if self.length.is_some_and(|length| at >= length) {
            return Some(format!(
                "the payload {what}: it closes less than it opens, or more"
            ));
        }
        let line = self
            .file
            .as_deref()
            .and_then(|file| line_at(file, self.cut, at).ok());
        let told = match line {
            Some((line, column)) => format!("the payload {what} at line {line}, column {column}"),
            None => format!("the payload {what} at byte {}", at + self.cut),
        };
        // Where a second document begins on a line of its own, the file is likely an export.
        Some(match line {
            Some((2.., 1)) => told + "; lines of an export are restored with `tributary import`",
            _ => told,
        })
    }
}

/// Line and column, as editors count them, of a byte that stands `at` bytes behind the first `skip`.
fn line_at(file: &Path, skip: u64, at: u64) -> io::Result<(u64, u64)> {
    let mut file = BufReader::new(File::open(file)?);
    file.seek(SeekFrom::Start(skip))?;
    let (mut line, mut column) = (1, 1);
    for byte in file.take(at).bytes() {
        match byte? {
            b'\n' => (line, column) = (line + 1, 1),
            // Further bytes of a character are no column of their own.
            0x80..0xc0 => {}
            _ => column += 1,
        }
    }
    Ok((line, column))
}

/// `from` without a byte order mark at its beginning, and how many bytes that mark has.
fn without_mark(mut from: impl Read) -> io::Result<(impl Read, u64)> {
    let mut first = Vec::new();
    from.by_ref()
        .take(BOM.len() as u64)
        .read_to_end(&mut first)?;
    let cut = if first == BOM { first.len() } else { 0 };
    Ok((Cursor::new(first.split_off(cut)).chain(from), cut as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_cut_and_nothing_else() {
        for (given, left, cut) in [
            ("\u{feff}[1]", "[1]", 3),
            ("[1]", "[1]", 0),
            ("\u{feff}", "", 3),
            ("", "", 0),
            ("\u{fefe}x", "\u{fefe}x", 0),
        ] {
            let (mut bytes, marked) = without_mark(given.as_bytes()).unwrap();
            let mut text = String::new();
            bytes.read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), marked), (left, cut), "{given:?}");
        }
    }

    #[test]
    fn a_byte_of_the_body_is_told_as_a_line_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("payload.json");
        std::fs::write(&file, "\u{feff}[\n\"\u{e9}\" x]").unwrap();
        let place = Payload::open(&file).unwrap().place();
        let told = |said: &str| place.told(said, 11).unwrap_or_default();
        assert_eq!(
            told("body is not valid JSON at byte 18"),
            "the payload is not valid JSON at line 2, column 5"
        );
        assert_eq!(
            told("payload is not valid JSON at byte 11"),
            "the payload is not valid JSON at line 1, column 1"
        );
        assert!(
            told("body is not valid JSON at byte 40")
                .contains("it closes less than it opens, or more")
        );
        assert_eq!(
            told("source is disabled") + &told("body is not valid JSON at byte 3"),
            ""
        );
    }
}
