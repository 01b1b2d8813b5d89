//! Where a list goes on, as text that says nothing to its reader.

use tributary_core::Salt;

/// The row after which a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor(pub(super) i64);

/// A list that is answered in pages.
#[derive(Clone, Copy)]
pub(super) enum List {
    /// Accounts in the order of insertion.
    Accounts,
    /// Jobs, the newest first.
    Jobs,
    /// The audit, the newest first.
    Audit,
}

impl Cursor {
    /// The text of it: the row, and a keyed hash by which this pool knows its own cursors of this list.
    pub(super) fn write(self, list: List, salt: &Salt) -> String {
        let Cursor(row) = self;
        format!("{row:x}.{}", mark(row, list, salt))
    }

    /// Reads what [`Cursor::write`] gave for the same list; `None` for anything else.
    pub(super) fn read(text: &str, list: List, salt: &Salt) -> Option<Cursor> {
        let (row, _) = text.split_once('.')?;
        let cursor = Cursor(i64::from_str_radix(row, 16).ok()?);
        (cursor.write(list, salt) == text).then_some(cursor)
    }
}

fn mark(row: i64, list: List, salt: &Salt) -> String {
    let list = match list {
        List::Accounts => "accounts",
        List::Jobs => "jobs",
        List::Audit => "audit",
    };
    // No secret value is such text: theirs is JSON.
    let mut mark = salt
        .of_secret(&format!("cursor 1 {list} {row}"))
        .to_string();
    mark.truncate(8);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_by_its_own_list_and_pool_alone() {
        let salt = Salt::new([7; 32]);
        for row in [0, 1, 255, i64::MAX] {
            let text = Cursor(row).write(List::Accounts, &salt);
            assert_eq!(
                Cursor::read(&text, List::Accounts, &salt),
                Some(Cursor(row))
            );
            assert_eq!(Cursor::read(&text, List::Jobs, &salt), None);
            assert_eq!(
                Cursor::read(&text, List::Accounts, &Salt::new([8; 32])),
                None
            );
        }
        let text = Cursor(17).write(List::Jobs, &salt);
        for forged in [
            text.replace("11.", "12."),
            text.replace("11.", "011."),
            text.replace("11.", "+11."),
            text.to_uppercase() + "0",
            "17".to_owned(),
            ".".to_owned(),
            "é.é".to_owned(),
        ] {
            assert_eq!(Cursor::read(&forged, List::Jobs, &salt), None, "{forged}");
        }
    }
}
