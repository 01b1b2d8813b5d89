//! `tributary owners`: who put accounts there.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::confirm::Yes;
use super::remote::Remote;
use crate::client::{Client, Query};
use crate::output::{self, Cell, Colour, Column, Object, Output};

/// Where owners are asked for.
const OWNERS: &[&str] = &["api", "accounts", "owners"];
/// Where an owner is dropped.
const RELEASE: &[&str] = &["api", "accounts", "release"];

/// What is done, and where. Without a command all owners are listed.
#[derive(Args)]
pub struct OwnersArgs {
    #[command(subcommand)]
    command: Option<OwnersCommand>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum OwnersCommand {
    /// Take an owner away from all its accounts
    Release(ReleaseArgs),
}

#[derive(Args)]
struct ReleaseArgs {
    /// The owner: `local`, or `source:ID`
    owner: String,
    /// What becomes of accounts that nobody else owns: `keep` makes them local, `remove` removes them
    #[arg(long, value_name = "WHAT", default_value = "keep", value_parser = ["keep", "remove"])]
    accounts: String,
    #[command(flatten)]
    yes: Yes,
}

const COLUMNS: &[Column] = &[
    Column::text("OWNER", 12),
    Column::text("KIND", 4),
    Column::text("NAME", 6),
    Column::whole("ENABLED"),
    Column::count("ACCOUNTS"),
];

/// Does what was asked. The error is for the person who typed it.
pub fn run(args: &OwnersArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    match &args.command {
        None => list(&client, output),
        Some(OwnersCommand::Release(wanted)) => release(wanted, &client, output),
    }
}

fn list(client: &Client, output: Output) -> Outcome {
    let answer = client.get(OWNERS, &Query::new())?;
    if output.is_json() {
        return Ok(output.json(&answer.text)?);
    }
    let owners = Object::read(&answer.text).unwrap_or_default();
    let rows: Vec<_> = owners.objects("owners").iter().map(row).collect();
    Ok(output.rows(COLUMNS, &rows)?)
}

fn row(owner: &Object<'_>) -> Vec<Cell> {
    vec![
        Cell::new(&owner.text("owner")),
        Cell::new(&owner.text("kind").replace('_', " ")),
        Cell::new(&owner.text("source_name")),
        enabled(owner),
        Cell::new(&owner.text("accounts")),
    ]
}

/// `yes` or `no`, where a thing can be enabled.
pub(super) fn enabled(thing: &Object<'_>) -> Cell {
    match thing.json("enabled") {
        Some("true") => Cell::coloured(Colour::Green, "yes"),
        Some("false") => Cell::coloured(Colour::Faint, "no"),
        _ => Cell::new(""),
    }
}

fn release(wanted: &ReleaseArgs, client: &Client, output: Output) -> Outcome {
    wanted.yes.or_ask(|| {
        let all = client.get(OWNERS, &Query::new())?;
        let count = accounts_of(&all.text, &wanted.owner);
        let rest = match wanted.accounts.as_str() {
            "keep" => "make local what nobody else owns",
            _ => "remove for good what nobody else owns",
        };
        Ok(format!(
            "take `{}` away from its {count} accounts and {rest}",
            wanted.owner
        ))
    })?;
    #[derive(Serialize)]
    struct Released<'a> {
        owner: &'a str,
        accounts: &'a str,
    }
    let released = Released {
        owner: &wanted.owner,
        accounts: &wanted.accounts,
    };
    let answer = client.post(RELEASE, &released)?;
    if output.is_json() {
        return Ok(output.json(&answer.text)?);
    }
    let counts = Object::read(&answer.text).unwrap_or_default();
    Ok(output::print(&format!(
        "{} have other owners, {} are local now, {} were removed\n",
        counts.count("released"),
        counts.count("kept"),
        counts.count("removed")
    ))?)
}

/// How many accounts an owner has, by the list of all owners.
pub(super) fn accounts_of(owners: &str, owner: &str) -> u64 {
    let owners = Object::read(owners).unwrap_or_default();
    let all = owners.objects("owners");
    all.iter()
        .find(|known| known.text("owner") == owner)
        .map_or(0, |known| known.count("accounts"))
}
