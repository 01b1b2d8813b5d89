//! `tributary jobs show`.

use clap::Args;

use super::super::Outcome;
use super::{JOBS, id, outcome};
use crate::client::{Client, Query};
use crate::output::{Cell, Colour, Object, Output, text_of, time};

/// Which job.
#[derive(Args)]
pub(super) struct ShowArgs {
    /// Id of the job
    #[arg(value_parser = id)]
    id: String,
}

pub(super) fn run(wanted: &ShowArgs, client: &Client, output: Output) -> Outcome {
    let answer = client.get(&[JOBS, &[&wanted.id]].concat(), &Query::new())?;
    job(&answer.text, output)
}

/// Prints an answer with a `job`: a line for each thing that is told of it.
pub(super) fn job(answer: &str, output: Output) -> Outcome {
    if output.is_json() {
        return Ok(output.json(answer)?);
    }
    let job = Object::read(answer).unwrap_or_default().object("job");
    let members = job.members().filter(|(name, json)| is_told(name, json));
    let mut fields = Vec::new();
    for (name, json) in members {
        match (name, Object::read(json)) {
            (_, Some(inner)) => {
                let cells = inner.members().map(|(part, json)| line(name, part, json));
                fields.extend(cells);
            }
            ("left", None) => fields.extend(left(&job)),
            (name, None) => fields.push((name.to_owned(), cell(name, json))),
        }
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, cell)| (name.as_str(), cell.clone()))
        .collect();
    Ok(output.record(&fields)?)
}

/// What is empty, or said by another line, is left out.
fn is_told(name: &str, json: &str) -> bool {
    let empty = matches!(json, "null" | "\"\"" | "[]" | "{}" | "0");
    !empty && !matches!(name, "failed" | "errors")
}

fn line(name: &str, part: &str, json: &str) -> (String, Cell) {
    let cell = match part.strip_suffix("_us") {
        Some(_) => Cell::new(&format!("{} ms", milliseconds(json))),
        None => Cell::new(&text_of(json)),
    };
    let part = part.strip_suffix("_us").unwrap_or(part).replace('_', " ");
    let name = match name {
        "phases" => part,
        "skips" => format!("not taken: {part}"),
        other => format!("{other}: {part}"),
    };
    (name, cell)
}

/// Microseconds in milliseconds, to a tenth, without a float.
fn milliseconds(json: &str) -> String {
    let tenths = json.parse::<u64>().unwrap_or_default().div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn left(job: &Object<'_>) -> Vec<(String, Cell)> {
    let line = |left: &Object<'_>| {
        let id: String = left.text("fingerprint").chars().take(12).collect();
        (format!("left: {id}"), Cell::new(&left.text("error")))
    };
    job.objects("left").iter().map(line).collect()
}

fn cell(name: &str, json: &str) -> Cell {
    let text = text_of(json);
    match name {
        "status" => outcome(&text),
        "created_at" | "updated_at" => Cell::new(&time(&text)),
        "cause" | "error" => Cell::coloured(Colour::Red, &text),
        _ => Cell::new(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_told_in_tenths_of_milliseconds() {
        for (micros, text) in [
            ("0", "0.0"),
            ("1", "0.1"),
            ("100", "0.1"),
            ("12345", "12.4"),
        ] {
            assert_eq!(milliseconds(micros), text);
        }
    }
}
