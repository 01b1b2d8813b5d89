//! Fields of a document by name.

use super::{Document, Field};
use std::collections::BTreeMap;

/// Finds fields by name, each of them once. Two documents of one source mostly have the same fields in the same order, so
/// the field after the last one found is tried first.
pub(crate) struct FieldIndex<'a> {
    document: &'a Document,
    /// By name. A map like that of [`crate::names::Names`]: two kinds would be much code.
    numbers: BTreeMap<String, usize>,
    last: Option<usize>,
    /// Whether those found so far are the first ones in their order.
    in_order: bool,
}

impl<'a> FieldIndex<'a> {
    pub(crate) fn new(document: &'a Document) -> FieldIndex<'a> {
        FieldIndex {
            document,
            numbers: BTreeMap::new(),
            last: None,
            in_order: true,
        }
    }

    pub(crate) fn find(&mut self, name: &str) -> Option<Field<'a>> {
        let next = self.last.map_or(0, |last| last.saturating_add(1));
        let number = match self.document.field(next) {
            Some(field) if field.name == name => next,
            // All were found: a document has no name twice.
            None if self.in_order => return None,
            _ => self.search(name)?,
        };
        self.in_order &= number == next;
        self.last = Some(number);
        self.document.field(number)
    }

    fn search(&mut self, name: &str) -> Option<usize> {
        if self.numbers.is_empty() {
            for (field, number) in self.document.fields().zip(0..) {
                self.numbers.insert(field.name.to_owned(), number);
            }
        }
        self.numbers.get(name).copied()
    }

    /// How many secrets stand before the field that was found last.
    pub(crate) fn marks_before(&self) -> usize {
        let before = self.last.and_then(|last| last.checked_sub(1));
        before
            .and_then(|before| self.document.fields.get(before))
            .map_or(0, |place| place.marks_end as usize)
    }
}
