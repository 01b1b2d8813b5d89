//! A text that is there as a whole.

use super::error::{TextError, TextFault};
use super::scan::{Event, Scanner};

/// The one value that `text` is, without a byte order mark or white space around it.
pub(crate) fn root(text: &[u8]) -> Result<&str, TextError> {
    let mut scanner = Scanner::new();
    scanner.watch = 0;
    let mut rest = text;
    let mut root = scanner.next(&mut rest)?;
    while !rest.is_empty() {
        scanner.next(&mut rest)?;
    }
    root = root.or(scanner.finish()?);
    let value = match root {
        Some(Event::Value(_, span, _)) => std::str::from_utf8(span.of(text)).ok(),
        _ => None,
    };
    // INVARIANT: with nothing to watch the scanner gives the root whole, and has checked that it is UTF-8.
    value.ok_or(TextError {
        fault: TextFault::Syntax,
        offset: 0,
    })
}
