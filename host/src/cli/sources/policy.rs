//! `tributary sources policy`: what a source may do to the pool.

use clap::Args;
use serde_json::{Map, Value};
use tributary_core::Removal;

use super::super::Outcome;
use super::{SOURCES, id};
use crate::client::{Client, Query};
use crate::output::{Cell, Colour, Object, Output, time};

/// What is set; nothing only shows it.
#[derive(Args)]
pub(super) struct PolicyArgs {
    /// Id of the source
    #[arg(value_parser = id)]
    id: String,
    /// What becomes of accounts that lose their last owner: `remove`, or `disable` to keep them out of use
    #[arg(long, value_name = "REMOVAL", value_parser = removal)]
    removal: Option<Removal>,
    /// Share of its accounts that a replace may take, in percent, or `server` for what the server was started with
    #[arg(long, value_name = "PERCENT", value_parser = number)]
    guard_percent: Option<Value>,
    /// Accounts below which a loss blocks nothing, or `server` for what the server was started with
    #[arg(long, value_name = "COUNT", value_parser = number)]
    guard_floor: Option<Value>,
}

fn removal(typed: &str) -> Result<Removal, &'static str> {
    Removal::from_exact(typed).ok_or("write `remove` or `disable`")
}

fn number(typed: &str) -> Result<Value, &'static str> {
    match typed {
        "server" => Ok(Value::Null),
        digits => digits
            .parse::<u64>()
            .map(Value::from)
            .map_err(|_| "write a whole number, or `server`"),
    }
}

pub(super) fn run(wanted: &PolicyArgs, client: &Client, output: Output) -> Outcome {
    let path = [SOURCES, &[&wanted.id, "policy"]].concat();
    let mut fields = Map::new();
    let removal = wanted.removal.map(|removal| removal.as_str().into());
    for (name, value) in [
        ("removal", &removal),
        ("guard_percent", &wanted.guard_percent),
        ("guard_floor", &wanted.guard_floor),
    ] {
        fields.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    let answer = match fields.is_empty() {
        true => client.get(&path, &Query::new())?,
        false => client.post(&path, &fields)?,
    };
    if output.is_json() {
        return Ok(output.json(&answer.text)?);
    }
    let said = Object::read(&answer.text).unwrap_or_default();
    let (policy, schedule) = (said.object("policy"), said.object("schedule"));
    let or_server = |name: &str| match policy.text(name).as_str() {
        "" => Cell::new("the server's"),
        own => Cell::new(own),
    };
    let state = match schedule.is("quarantined") {
        true => Cell::coloured(Colour::Red, "quarantined: sync or edit it to lift that"),
        false => Cell::new(&time(&schedule.text("next_sync_at"))),
    };
    let fields = [
        ("source", Cell::new(&policy.text("source_id"))),
        ("removal", Cell::new(&policy.text("removal"))),
        ("guard percent", or_server("guard_percent")),
        ("guard floor", or_server("guard_floor")),
        ("failures in a row", Cell::new(&schedule.text("failures"))),
        ("next sync", state),
    ];
    let shown: Vec<_> = fields
        .into_iter()
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    Ok(output.record(&shown)?)
}
