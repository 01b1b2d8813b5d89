//! What stands in a row and a column, and how much of it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::paint::{Colour, Paint};

/// What stands in a row and a column.
#[derive(Clone, Debug)]
pub struct Cell {
    pub(super) text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// Text from wherever: what would steer the terminal is shown as a mark.
    pub fn new(text: &str) -> Cell {
        Cell {
            text: tame(text),
            colour: None,
        }
    }

    /// The same in a colour.
    pub fn coloured(colour: Colour, text: &str) -> Cell {
        Cell {
            colour: Some(colour),
            ..Cell::new(text)
        }
    }

    /// Whether there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        match self.colour {
            Some(colour) => paint.colour(colour, text),
            None => text.to_owned(),
        }
    }
}

/// `text` without anything that moves the cursor, changes colours or turns the direction of writing.
pub fn tame(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// `text` in pieces of at most `room` columns; at least one.
pub(super) fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let end = end_within(rest, room);
        // A character wider than the room still has to go somewhere.
        let end = end.max(rest.chars().next().map_or(0, char::len_utf8));
        let (piece, further) = rest.split_at(end);
        pieces.push(piece);
        if further.is_empty() {
            return pieces;
        }
        rest = further;
    }
}

/// `text`, or its beginning and `…` where it is wider than `width`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let end = end_within(text, width.saturating_sub(1));
    format!("{}…", &text[..end])
}

/// Where the longest beginning of `text` ends that takes at most `width` columns.
fn end_within(text: &str, width: usize) -> usize {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or_default();
        if taken > width {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        let cell = Cell::new("a\u{1b}[31mb\nc\u{9b}d\u{202e}e");
        assert_eq!(cell.text, "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}e");
    }
}
