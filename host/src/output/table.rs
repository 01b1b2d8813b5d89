//! Rows in columns, as wide as the terminal at most; on a narrow one, each row as a block.

use unicode_width::UnicodeWidthStr;

use super::cell::{Cell, cut};
use super::paint::{Colour, Paint};
use super::record::field;

/// Spaces between columns.
pub(super) const GAP: usize = 2;

/// A column of a table.
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Whether its cells are counts, which end where the column ends.
    pub count: bool,
    /// The least width to which its cells may be cut; 0 where they are never cut.
    pub least: usize,
    /// Whether it may be left out where there is no room.
    pub spare: bool,
}

impl Column {
    /// Text that may be cut, but not below `least`.
    pub const fn text(title: &'static str, least: usize) -> Column {
        Column {
            title,
            count: false,
            least,
            spare: false,
        }
    }

    /// Text that is never cut.
    pub const fn whole(title: &'static str) -> Column {
        Column::text(title, 0)
    }

    /// A count.
    pub const fn count(title: &'static str) -> Column {
        Column {
            count: true,
            ..Column::whole(title)
        }
    }

    /// The same, left out where there is no room. The last ones go first.
    pub const fn spare(self) -> Column {
        Column {
            spare: true,
            ..self
        }
    }
}

/// Rows under common titles. They may come in several pages; the columns of later ones are at least as wide.
pub struct Table {
    columns: &'static [Column],
    widths: Vec<usize>,
    begun: bool,
    room: Option<usize>,
    paint: Paint,
}

impl Table {
    /// A table for a terminal with that many columns of characters; without a number nothing is cut.
    pub fn new(columns: &'static [Column], room: Option<usize>, paint: Paint) -> Table {
        Table {
            columns,
            widths: columns.iter().map(|column| column.title.width()).collect(),
            begun: false,
            room,
            paint,
        }
    }

    /// The lines of some more rows, with the titles above the first.
    pub fn page(&mut self, rows: &[Vec<Cell>]) -> String {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        match self.fitted() {
            Some(widths) => self.lines(rows, &widths),
            None => self.blocks(rows),
        }
    }

    /// The widths that fit the room, 0 for columns that are left out; `None` where even the least do not fit.
    fn fitted(&self) -> Option<Vec<usize>> {
        let mut widths = self.widths.clone();
        let Some(room) = self.room else {
            return Some(widths);
        };
        loop {
            if let Some(fitted) = self.cut_to(room, widths.clone()) {
                return Some(fitted);
            }
            let spare = |at: &usize| self.columns[*at].spare && widths[*at] > 0;
            let last = (0..widths.len()).rev().find(spare)?;
            widths[last] = 0;
        }
    }

    /// Cuts the widest columns first; `None` where that is not enough.
    fn cut_to(&self, room: usize, mut widths: Vec<usize>) -> Option<Vec<usize>> {
        let shown = widths.iter().filter(|width| **width > 0).count();
        let room = room.checked_sub(GAP * shown.saturating_sub(1))?;
        let over = widths.iter().sum::<usize>().saturating_sub(room);
        for _ in 0..over {
            let columns = widths.iter_mut().zip(self.columns);
            let can_be_cut = |width: &usize, column: &Column| {
                column.least > 0 && *width > column.least.max(column.title.width())
            };
            let (widest, _) = columns
                .filter(|(width, column)| can_be_cut(width, column))
                .max_by_key(|(width, _)| **width)?;
            *widest -= 1;
        }
        Some(widths)
    }

    fn lines(&mut self, rows: &[Vec<Cell>], widths: &[usize]) -> String {
        let mut out = String::new();
        if !self.begun {
            let title = |column: &Column| Cell::coloured(Colour::Bold, column.title);
            let titles: Vec<Cell> = self.columns.iter().map(title).collect();
            self.line(&mut out, &titles, widths);
            self.begun = true;
        }
        for row in rows {
            self.line(&mut out, row, widths);
        }
        out
    }

    fn line(&self, out: &mut String, row: &[Cell], widths: &[usize]) {
        // Spaces wait for what follows them, so that no line ends with any.
        let mut spaces = 0;
        let columns = row.iter().zip(self.columns).zip(widths);
        for ((cell, column), width) in columns.filter(|(_, width)| **width > 0) {
            let text = cut(&cell.text, *width);
            let left = width.saturating_sub(text.width());
            let (before, after) = if column.count { (left, 0) } else { (0, left) };
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', spaces + before));
                out.push_str(&cell.paint(self.paint, &text));
                spaces = after + GAP;
            } else {
                spaces += width + GAP;
            }
        }
        out.push('\n');
    }

    /// Each row as lines `title  cell`, with an empty line between rows. Empty cells are left out.
    fn blocks(&mut self, rows: &[Vec<Cell>]) -> String {
        let mut out = String::new();
        let titles = self.columns.iter().map(|column| column.title.width());
        let titles = titles.max().unwrap_or_default();
        for row in rows {
            if self.begun {
                out.push('\n');
            }
            self.begun = true;
            for (cell, column) in row.iter().zip(self.columns) {
                if !cell.text.is_empty() {
                    field(&mut out, column.title, titles, cell, self.room, self.paint);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::whole("ID"),
        Column::text("STATUS", 4),
        Column::count("QUOTA"),
        Column::text("OWNERS", 6),
    ];

    fn row(cells: [&str; 4]) -> Vec<Cell> {
        cells.iter().map(|text| Cell::new(text)).collect()
    }

    fn page(room: Option<usize>, rows: &[[&str; 4]]) -> String {
        let rows: Vec<_> = rows.iter().map(|cells| row(*cells)).collect();
        Table::new(COLUMNS, room, Paint::plain()).page(&rows)
    }

    #[test]
    fn chinese_text_takes_two_columns_and_counts_end_together() {
        let shown = page(
            None,
            &[["a1", "正常", "5", "local"], ["b2", "free", "12", "x, y"]],
        );
        let expected = "ID  STATUS  QUOTA  OWNERS\n\
                        a1  正常        5  local\n\
                        b2  free       12  x, y\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn no_line_ends_with_spaces_and_an_empty_cell_keeps_its_column() {
        let shown = page(None, &[["a1", "", "5", ""], ["b2", "free", "", "x"]]);
        let expected = "ID  STATUS  QUOTA  OWNERS\n\
                        a1              5\n\
                        b2  free           x\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_widest_column_is_cut_first_and_never_within_a_character() {
        let rows = [["a1", "正常", "5", "正常正常正常"]];
        assert!(page(Some(31), &rows).ends_with("正常正常正常\n"));
        assert!(page(Some(30), &rows).ends_with("正常正常正…\n"));
        assert!(page(Some(29), &rows).ends_with("正常正常…\n"));
        for line in page(Some(25), &rows).lines() {
            assert!(line.width() <= 25, "{line}");
        }
    }

    #[test]
    fn spare_columns_are_left_out_before_all_become_blocks() {
        const SPARE: &[Column] = &[
            Column::whole("A").spare(),
            Column::whole("B"),
            Column::count("C").spare(),
        ];
        let rows = [row(["aaaa", "bbbb", "1", ""])];
        for (room, shown) in [
            (13, "A     B     C\naaaa  bbbb  1\n"),
            (12, "A     B\naaaa  bbbb\n"),
            (9, "B\nbbbb\n"),
            (3, "A\n  a\n  a\n  a\n  a\nB\n  b\n  b\n  b\n  b\nC\n  1\n"),
        ] {
            let table = Table::new(SPARE, Some(room), Paint::plain()).page(&rows);
            assert_eq!(table, shown, "{room}");
        }
    }

    #[test]
    fn without_room_for_columns_each_row_is_a_block() {
        let shown = page(
            Some(20),
            &[["a1", "ok", "5", "local"], ["b2", "", "7", "x"]],
        );
        let expected = "ID      a1\nSTATUS  ok\nQUOTA   5\nOWNERS  local\n\n\
                        ID      b2\nQUOTA   7\nOWNERS  x\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn later_pages_have_no_titles_and_at_least_the_same_widths() {
        let mut table = Table::new(COLUMNS, None, Paint::plain());
        let first = table.page(&[row(["a1", "a long one", "5", "x"])]);
        let later = table.page(&[row(["b2", "ok", "5", "y"])]);
        assert!(first.starts_with("ID  STATUS "), "{first}");
        assert_eq!(later, "b2  ok              5  y\n");
    }
}
