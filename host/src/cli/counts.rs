//! What an import did, in numbers.

use crate::client::Answer;
use crate::output::{self, Cell, Colour, Object};

/// A line for each of the counts that an answer has, and for what its headers say.
pub(super) fn fields(counts: &Object<'_>, answer: &Answer) -> Vec<(&'static str, Cell)> {
    let (id, name) = (counts.text("source_id"), counts.text("source_name"));
    let source = match (name.as_str(), id.as_str()) {
        ("", "") => "local".to_owned(),
        ("", id) => id.to_owned(),
        (name, id) => format!("{name} ({id})"),
    };
    let count = |name: &str, colour| match counts.count(name) {
        0 => Cell::new("0"),
        count => Cell::coloured(colour, &count.to_string()),
    };
    let mut fields = vec![
        ("strategy", Cell::new(&counts.text("strategy"))),
        ("source", Cell::new(&source)),
        ("total", Cell::new(&counts.text("total"))),
        ("added", count("added", Colour::Green)),
        ("skipped", Cell::new(&counts.text("skipped"))),
        ("removed", count("removed", Colour::Red)),
    ];
    if answer.not_taken > 0 {
        let not_taken = Cell::coloured(Colour::Yellow, &answer.not_taken.to_string());
        fields.push(("not taken", not_taken));
    }
    fields.extend(answer.job.as_ref().map(|job| ("job", Cell::new(job))));
    fields
}

/// Says beside a JSON answer what stands in its headers only.
pub(super) fn remark_on(answer: &Answer) {
    let not_taken = match answer.not_taken {
        0 => String::new(),
        1 => ", 1 entry was not taken".to_owned(),
        count => format!(", {count} entries were not taken"),
    };
    if let Some(job) = &answer.job {
        output::remark(&format!("job {job}{not_taken}"));
    }
}
