//! A plan for a person: one sentence, then a line for each account that changes and each entry that is not taken.

use std::fmt::Write;
use std::path::Path;

use tributary_core::{
    Change, ChangeKind, Counts, ImportOptions, Note, Owners, Plan, Reason, Skip, SourceId, Strategy,
};

use crate::output::{Colour, Paint};

/// Lines of one kind that are shown; the rest is counted.
const MOST: usize = 50;

/// The whole page; `pool` is the folder it was compared with. `owned` is how many accounts the source owns now, as far as the plan looked.
pub(super) fn page(
    plan: &Plan<'_>,
    options: &ImportOptions,
    owned: usize,
    pool: Option<&Path>,
    paint: Paint,
) -> String {
    let mut out = paint.bold(&sentence(&plan.counts, options, owned));
    // Writing to a String cannot fail.
    let _ = match pool {
        Some(folder) => writeln!(out, "\nCompared with the pool in `{}`.", folder.display()),
        None => writeln!(
            out,
            "\nCompared with an empty pool; `--data DIR` compares with the pool in DIR."
        ),
    };
    let changes = plan.changes.iter().map(|change| change_line(change, paint));
    block(&mut out, "changes", changes);
    block(
        &mut out,
        "not taken",
        plan.skips.iter().map(|skip| skip_line(skip, paint)),
    );
    block(&mut out, "notes", plan.notes.iter().map(note_line));
    out
}

/// `Replace would add 2, keep 14, release 1 and remove 1 of 15 (6.7 %).`
fn sentence(counts: &Counts, options: &ImportOptions, owned: usize) -> String {
    let strategy = match options.strategy {
        Strategy::Merge => "Merge",
        Strategy::Replace => "Replace",
    };
    let mut parts = vec![format!("add {}", counts.added)];
    let mut also = |verb: &str, count: u64| {
        if count > 0 {
            parts.push(format!("{verb} {count}"));
        }
    };
    also("update", counts.updated);
    also("keep", counts.unchanged);
    also("release", counts.released);
    also("disable", counts.disabled);
    match counts.removed {
        0 => parts.push("remove none".to_owned()),
        // A share of a count that fits a screen; the precise numbers stand before it.
        removed => parts.push(format!(
            "remove {removed} of {owned} ({})",
            percent(removed, owned)
        )),
    }
    let last = parts.pop().unwrap_or_default();
    let whose = match options.source_id.as_ref().map(SourceId::as_str) {
        Some(source) => format!(" for `{source}`"),
        None => String::new(),
    };
    format!("{strategy}{whose} would {} and {last}.", parts.join(", "))
}

/// In tenths, rounded half up, without a float.
fn percent(part: u64, whole: usize) -> String {
    let tenths = (part * 2000 / (whole as u64).max(1)).div_ceil(2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn block(out: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "\n{title}\n");
    for line in lines.take(MOST) {
        let _ = writeln!(out, "  {line}");
    }
    if count > MOST {
        let _ = writeln!(out, "  … and {} more (all with --json)", count - MOST);
    }
}

fn change_line(change: &Change<'_>, paint: Paint) -> String {
    let (mark, colour) = match change.kind {
        ChangeKind::Add => ("+", Colour::Green),
        ChangeKind::Update => ("~", Colour::Yellow),
        ChangeKind::Release => ("<", Colour::Blue),
        ChangeKind::Disable => ("!", Colour::Red),
        ChangeKind::Remove => ("-", Colour::Red),
    };
    let head = paint.colour(colour, &format!("{mark} {:<7}", change.kind.as_str()));
    let entry = change
        .item
        .map_or_else(String::new, |item| format!("#{}", item.index));
    let account = change.after.as_ref().or(change.before);
    let (token, provider) = account.map_or(("", ""), |a| (&a.masked, a.provider.as_str()));
    let what = what_changes(change);
    format!("{head} {entry:<6} {token:<12} {provider:<5} {what}")
        .trim_end()
        .to_owned()
}

fn what_changes(change: &Change<'_>) -> String {
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (change.before, &change.after) {
        if before.provider != after.provider {
            parts.push(format!(
                "provider: {} → {}",
                before.provider, after.provider
            ));
        }
        if before.owners != after.owners {
            parts.push(format!(
                "owners: {} → {}",
                people(&before.owners),
                people(&after.owners)
            ));
        }
        let fields = change.fields();
        parts.extend(fields.iter().map(|field| {
            let before = field.before.map_or_else(|| "(none)".to_owned(), clipped);
            format!(
                "{}: {before} → {}",
                field.name.trim_matches('"'),
                field.after.map_or_else(|| "(none)".to_owned(), clipped)
            )
        }));
    }
    parts.join(", ")
}

fn people(owners: &Owners) -> String {
    let mut names: Vec<&str> = owners.sources().iter().map(SourceId::as_str).collect();
    if owners.local() {
        names.insert(0, "local");
    }
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join("+")
    }
}

fn clipped(value: &str) -> String {
    const WIDTH: usize = 40;
    match value.chars().count() > WIDTH {
        true => value.chars().take(WIDTH).chain(['…']).collect(),
        false => value.to_owned(),
    }
}

fn skip_line(skip: &Skip, paint: Paint) -> String {
    let why = match skip.reason {
        Reason::Blank => "blank".to_owned(),
        Reason::EntryType => "neither a string nor an object".to_owned(),
        Reason::TokenMissing => "no access_token or token".to_owned(),
        Reason::TokenType => "its token is no string".to_owned(),
        Reason::TokenTooLong => "its token is longer than 64 KiB".to_owned(),
        Reason::ProviderUnknown => "its provider is neither gpt nor grok".to_owned(),
        Reason::Duplicate { first } => format!("the same token as entry #{first}"),
    };
    let head = paint.colour(Colour::Yellow, &format!("{:<9}", "skip"));
    format!(
        "{head} #{:<5} {why} (byte {})",
        skip.index, skip.span.offset
    )
}

fn note_line(note: &Note) -> String {
    match note {
        Note::FieldIgnored {
            index,
            field: Some(field),
        } => {
            let field = field.name();
            format!("entry #{index} is taken without `{field}`: its value has the wrong type")
        }
        Note::FieldIgnored { index, field: None } => {
            format!("entry #{index} is taken without a field whose name is itself a secret")
        }
        Note::AccountsIgnored => "`accounts` was not read: `payload` stands beside it".to_owned(),
        Note::TokensIgnored => "`tokens` was not read: another list stands beside it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_a_tenth() {
        for (part, whole, text) in [
            (1, 15, "6.7 %"),
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (5, 5, "100.0 %"),
            (0, 0, "0.0 %"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }

    #[test]
    fn the_sentence_names_what_would_happen() {
        let counts = Counts {
            added: 2,
            unchanged: 14,
            released: 1,
            removed: 1,
            ..Counts::default()
        };
        let options = ImportOptions {
            strategy: Strategy::Replace,
            ..ImportOptions::default()
        };
        let said = sentence(&counts, &options, 15);
        assert_eq!(
            said,
            "Replace would add 2, keep 14, release 1 and remove 1 of 15 (6.7 %)."
        );
        let said = sentence(&Counts::default(), &ImportOptions::default(), 0);
        assert_eq!(said, "Merge would add 0 and remove none.");
    }
}
