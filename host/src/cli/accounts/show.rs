//! `tributary accounts show`.

use clap::Args;

use super::super::Outcome;
use super::{ACCOUNTS, id, owners, status, whole_id};
use crate::client::{Client, Query};
use crate::output::{Cell, Object, Output, text_of, time};

/// Which account.
#[derive(Args)]
pub(super) struct ShowArgs {
    /// Id of the account, or its first 8 digits or more
    #[arg(value_parser = id)]
    id: String,
}

pub(super) fn run(wanted: &ShowArgs, client: &Client, output: Output) -> Outcome {
    let id = whole_id(client, &wanted.id)?;
    let answer = client.get(&[ACCOUNTS, &[&id]].concat(), &Query::new())?;
    item(&answer.text, output)
}

/// Prints an answer with an `item`: a line for each of its fields, in their order.
pub(super) fn item(answer: &str, output: Output) -> Outcome {
    if output.is_json() {
        return Ok(output.json(answer)?);
    }
    let item = Object::read(answer).unwrap_or_default().object("item");
    let cell = |name: &str, json: &str| match name {
        "owners" => Cell::new(&owners(&item)),
        "status" | "earlier_status" => status(&text_of(json)),
        "remote_injected_at" => Cell::new(&time(&text_of(json))),
        _ => Cell::new(&text_of(json)),
    };
    let members = item.members();
    let fields: Vec<_> = members
        .map(|(name, json)| (name, cell(name, json)))
        .collect();
    Ok(output.record(&fields)?)
}
