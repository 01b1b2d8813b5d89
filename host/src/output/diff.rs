//! A plan for a person: one sentence, then a line for each account that changes and each entry that is not taken.

use std::fmt::Write;

use super::cell::tame;
use super::object::{Object, text_of};
use super::paint::{Colour, Paint};

/// Lines of one kind that are shown; the rest is counted.
const MOST: usize = 50;
/// Characters of a value that are shown.
const WIDTH: usize = 40;

/// The whole page of a `plan`, as `plan_json` and the server write it; `compared` says with what. `owned` is how many
/// accounts the source owns now, where the plan itself does not say so; `before` is how many bytes that are not the
/// payload's its offsets count.
pub fn diff(plan: &Object<'_>, owned: u64, compared: &str, before: u64, paint: Paint) -> String {
    let mut out = paint.bold(&sentence(plan, owned));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n{compared}");
    let lines = |list: &str, line: &dyn Fn(&Object<'_>) -> String| {
        let objects = plan.objects(list);
        let more = plan.count(&format!("{list}_more"));
        let count = objects.len() as u64 + more;
        let shown = objects.iter().take(MOST).map(line).collect::<Vec<_>>();
        (shown, count)
    };
    block(
        &mut out,
        "changes",
        lines("changes", &|change| change_line(change, paint)),
    );
    block(
        &mut out,
        "not taken",
        lines("skips", &|skip| skip_line(skip, before, paint)),
    );
    block(
        &mut out,
        "left as it is",
        lines("left", &|left| left_line(left, paint)),
    );
    block(&mut out, "notes", lines("notes", &note_line));
    guard(&mut out, plan, paint);
    let hash = tame(&plan.text("plan_hash"));
    if !hash.is_empty() {
        let _ = writeln!(out, "\nplan hash {hash}");
    }
    out
}

/// `Replace would add 2, keep 14, release 1 and remove 1 of 15 (6.7 %).`
fn sentence(plan: &Object<'_>, owned: u64) -> String {
    let (counts, guard) = (plan.object("counts"), plan.object("guard"));
    let (what, whose) = match plan.text("undoes").as_str() {
        "" => (
            if plan.text("strategy") == "replace" {
                "Replace"
            } else {
                "Merge"
            },
            match plan.text("source_id").as_str() {
                "" => String::new(),
                source => format!(" for `{}`", tame(source)),
            },
        ),
        job => ("Undo", format!(" of job {}", tame(job))),
    };
    let mut parts = vec![format!("add {}", counts.count("added"))];
    for (verb, name) in [
        ("update", "updated"),
        ("keep", "unchanged"),
        ("release", "released"),
        ("disable", "disabled"),
    ] {
        if counts.count(name) > 0 {
            parts.push(format!("{verb} {}", counts.count(name)));
        }
    }
    let owned = owned.max(guard.count("owned"));
    parts.push(match counts.count("removed") {
        0 => "remove none".to_owned(),
        removed if owned == 0 => format!("remove {removed}"),
        // A share of a count that fits a screen; the precise numbers stand before it.
        removed => format!("remove {removed} of {owned} ({})", percent(removed, owned)),
    });
    let last = parts.pop().unwrap_or_default();
    format!("{what}{whose} would {} and {last}.", parts.join(", "))
}

/// In tenths, rounded half up, without a float.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (part.saturating_mul(2000) / whole.max(1)).div_ceil(2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn block(out: &mut String, title: &str, (lines, count): (Vec<String>, u64)) {
    if count == 0 {
        return;
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "\n{title}\n");
    for line in &lines {
        let _ = writeln!(out, "  {line}");
    }
    let more = count - lines.len() as u64;
    if more > 0 {
        let _ = writeln!(out, "  … and {more} more");
    }
}

fn change_line(change: &Object<'_>, paint: Paint) -> String {
    let kind = tame(&change.text("change"));
    let (mark, colour) = match kind.as_str() {
        "add" => ("+", Colour::Green),
        "update" => ("~", Colour::Yellow),
        "release" => ("<", Colour::Blue),
        "disable" => ("!", Colour::Red),
        _ => ("-", Colour::Red),
    };
    let head = paint.colour(colour, &format!("{mark} {kind:<7}"));
    let entry = match change.text("index").as_str() {
        "" => String::new(),
        index => format!("#{index}"),
    };
    let provider = change.object("provider");
    let provider = match provider.text("after") {
        none if none.is_empty() => provider.text("before"),
        after => after,
    };
    let provider = tame(&provider);
    let token = tame(&change.text("token"));
    format!(
        "{head} {entry:<6} {token:<12} {provider:<5} {}",
        what_changes(change)
    )
    .trim_end()
    .to_owned()
}

/// What becomes another on an account that is there before and after.
fn what_changes(change: &Object<'_>) -> String {
    let (provider, owners) = (change.object("provider"), change.object("owners"));
    let stays = owners.json("before").is_some() && owners.json("after").is_some();
    if !stays {
        return String::new();
    }
    let mut parts = Vec::new();
    let (before, after) = (provider.text("before"), provider.text("after"));
    if before != after {
        parts.push(format!("provider: {before} → {after}"));
    }
    let (before, after) = (
        people(&owners.object("before")),
        people(&owners.object("after")),
    );
    if before != after {
        parts.push(format!("owners: {before} → {after}"));
    }
    parts.extend(change.objects("fields").iter().map(|field| {
        let side = |name: &str| {
            field
                .json(name)
                .map_or_else(|| "(none)".to_owned(), clipped)
        };
        let name = tame(&field.text("name"));
        format!("{name}: {} → {}", side("before"), side("after"))
    }));
    parts.join(", ")
}

fn people(owners: &Object<'_>) -> String {
    let mut names: Vec<String> = owners.list("sources").into_iter().map(text_of).collect();
    if owners.is("local") {
        names.insert(0, "local".to_owned());
    }
    match names.is_empty() {
        true => "nobody".to_owned(),
        false => tame(&names.join("+")),
    }
}

fn clipped(json: &str) -> String {
    let value = tame(json);
    match value.chars().count() > WIDTH {
        true => value.chars().take(WIDTH).chain(['…']).collect(),
        false => value,
    }
}

fn skip_line(skip: &Object<'_>, before: u64, paint: Paint) -> String {
    let head = paint.colour(Colour::Yellow, &format!("{:<9}", "skip"));
    // The core tells the span of an entry, the server where that begins.
    let span = skip.list("span");
    let offset = span.first().copied().or_else(|| skip.json("offset"));
    let offset = offset.and_then(|offset| offset.parse::<u64>().ok());
    let byte = format!("byte {}", offset.unwrap_or_default().saturating_sub(before));
    let place = match skip.json("line") {
        Some(line) => format!("line {line}, {byte}"),
        None => byte,
    };
    format!("{head} #{:<5} {} ({place})", skip.text("index"), why(skip))
}

fn why(skip: &Object<'_>) -> String {
    let why = match skip.text("reason").as_str() {
        "blank" => "blank",
        "entry_type" => "neither a string nor an object",
        "token_missing" => "no access_token or token",
        "token_type" => "its token is no string",
        "entry_too_long" => "it is longer than 1 MiB",
        "token_too_long" => "its token is longer than 64 KiB",
        "provider_unknown" => "its provider is neither gpt nor grok",
        "duplicate" => match skip.json("first") {
            Some(first) => return format!("the same token as entry #{first}"),
            None => "the same token as an earlier entry",
        },
        other => return tame(other),
    };
    why.to_owned()
}

fn left_line(left: &Object<'_>, paint: Paint) -> String {
    let id: String = left.text("fingerprint").chars().take(12).collect();
    let head = paint.colour(Colour::Yellow, &format!("{:<9}", "left"));
    format!("{head} {id} {}", tame(&left.text("error")))
}

fn note_line(note: &Object<'_>) -> String {
    let (index, field) = (note.text("index"), note.text("field"));
    match note.text("code").as_str() {
        "field_ignored" if field == "…" => {
            format!("entry #{index} is taken without a field whose name is itself a secret")
        }
        "field_ignored" => {
            format!("entry #{index} is taken without `{field}`: its value has the wrong type")
        }
        "accounts_ignored" => "`accounts` was not read: `payload` stands beside it".to_owned(),
        "tokens_ignored" => "`tokens` was not read: another list stands beside it".to_owned(),
        other => tame(other),
    }
}

/// What the guard says, where it has something to say.
fn guard(out: &mut String, plan: &Object<'_>, paint: Paint) {
    let guard = plan.object("guard");
    if !guard.is("blocked") {
        return;
    }
    let said = format!(
        "the source would own {} of the {} accounts that it owned within a day, as {} decide",
        guard.count("would_own"),
        guard.count("most_owned"),
        tame(&guard.text("setting")),
    );
    let stops = match plan.is("guarded") {
        true => "a sync is blocked",
        false => "a sync would be blocked",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n{}: {said}", paint.colour(Colour::Red, stops));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(plan: &str) -> String {
        sentence(&Object::read(plan).unwrap(), 15)
    }

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
    fn what_is_not_taken_has_a_place() {
        for (place, before, told) in [
            (r#""span":[88,1]"#, 0, "byte 88"),
            (r#""offset":88,"line":2"#, 11, "line 2, byte 77"),
        ] {
            let skip = format!(r#"{{"index":3,"reason":"blank",{place}}}"#);
            let line = skip_line(&Object::read(&skip).unwrap(), before, Paint::plain());
            assert_eq!(line, format!("skip      #3     blank ({told})"));
        }
    }

    #[test]
    fn the_sentence_names_what_would_happen() {
        let counts = r#""counts":{"added":2,"unchanged":14,"released":1,"removed":1}"#;
        assert_eq!(
            said(&format!(
                r#"{{"strategy":"replace","source_id":null,{counts}}}"#
            )),
            "Replace would add 2, keep 14, release 1 and remove 1 of 15 (6.7 %)."
        );
        assert_eq!(
            said(&format!(
                r#"{{"strategy":"replace","source_id":"s",{counts},"guard":{{"owned":20}}}}"#
            )),
            "Replace for `s` would add 2, keep 14, release 1 and remove 1 of 20 (5.0 %)."
        );
        assert_eq!(
            said(r#"{"strategy":"merge"}"#),
            "Merge would add 0 and remove none."
        );
        assert_eq!(
            said(r#"{"undoes":"01","counts":{"removed":3}}"#),
            "Undo of job 01 would add 0 and remove 3 of 15 (20.0 %)."
        );
    }
}
