//! One thing, a line for each of its fields.

use unicode_width::UnicodeWidthStr;

use super::cell::{Cell, pieces, tame};
use super::paint::Paint;
use super::table::GAP;

/// The least room for values beside their titles.
const NARROW: usize = 12;

/// One thing, a line for each field. Values that are too long go on below themselves; nothing is cut.
pub fn record(fields: &[(&str, Cell)], room: Option<usize>, paint: Paint) -> String {
    let mut out = String::new();
    let titles = fields.iter().map(|(title, _)| tame(title).width());
    let titles = titles.max().unwrap_or_default();
    for (title, cell) in fields {
        field(&mut out, title, titles, cell, room, paint);
    }
    out
}

pub(super) fn field(
    out: &mut String,
    title: &str,
    titles: usize,
    cell: &Cell,
    room: Option<usize>,
    paint: Paint,
) {
    let title = tame(title);
    out.push_str(&paint.bold(&title));
    let room = room.unwrap_or(usize::MAX);
    let mut indent = titles + GAP;
    let mut spaces = indent.saturating_sub(title.width());
    if room.saturating_sub(indent) < NARROW {
        // Below its title a value has more room than beside it.
        indent = GAP;
        spaces = GAP;
        out.push_str(if cell.is_empty() { "" } else { "\n" });
    }
    for piece in pieces(&cell.text, room.saturating_sub(indent)) {
        if !piece.is_empty() {
            out.extend(std::iter::repeat_n(' ', spaces));
            out.push_str(&cell.paint(paint, piece));
        }
        out.push('\n');
        spaces = indent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_of_a_record_goes_on_below_itself() {
        let fields = [("id", Cell::new("abcdefghijklmnop")), ("b", Cell::new(""))];
        let shown = record(&fields, Some(16), Paint::plain());
        assert_eq!(shown, "id  abcdefghijkl\n    mnop\nb\n");
        let shown = record(&fields, Some(12), Paint::plain());
        assert_eq!(shown, "id\n  abcdefghij\n  klmnop\nb\n");
    }
}
