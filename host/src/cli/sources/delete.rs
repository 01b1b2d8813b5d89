//! `tributary sources delete`.

use clap::Args;

use super::super::Outcome;
use super::super::confirm::Yes;
use super::super::owners::accounts_of;
use super::{SOURCES, id};
use crate::client::{Client, ClientError, Query};
use crate::output::{self, Object, Output};

/// Which source goes, and what becomes of its accounts.
#[derive(Args)]
pub(super) struct DeleteArgs {
    /// Id of the source
    #[arg(value_parser = id)]
    id: String,
    /// Its accounts: `keep` leaves them to it, `release` makes local what nobody else owns, `remove` removes that
    #[arg(long, value_name = "WHAT", default_value = "keep", value_parser = ["keep", "release", "remove"])]
    accounts: String,
    #[command(flatten)]
    yes: Yes,
}

pub(super) fn run(wanted: &DeleteArgs, client: &Client, output: Output) -> Outcome {
    wanted.yes.or_ask(|| Ok(question(wanted, client)?))?;
    let query = match wanted.accounts.as_str() {
        "keep" => Query::new(),
        accounts => vec![("accounts", accounts.to_owned())],
    };
    let answer = client.delete(&[SOURCES, &[&wanted.id]].concat(), &query)?;
    if output.is_json() {
        return Ok(output.json(&answer.text)?);
    }
    let left = Object::read(&answer.text).unwrap_or_default();
    let left = match left.list("sources").len() {
        1 => "1 source is left".to_owned(),
        count => format!("{count} sources are left"),
    };
    Ok(output::print(&format!(
        "deleted source {}; {left}\n",
        wanted.id
    ))?)
}

/// Names the source as a person knows it, and how many accounts are at stake.
fn question(wanted: &DeleteArgs, client: &Client) -> Result<String, ClientError> {
    let all = client.get(SOURCES, &Query::new())?;
    let all = Object::read(&all.text).unwrap_or_default();
    let sources = all.objects("sources");
    let name = sources.iter().find(|source| source.text("id") == wanted.id);
    let name = name.map(|source| source.text("name")).unwrap_or_default();
    let rest = match wanted.accounts.as_str() {
        "keep" => {
            return Ok(format!(
                "delete source {name} ({}) and keep its accounts",
                wanted.id
            ));
        }
        "release" => "release its",
        _ => "remove for good, where nobody else owns them, its",
    };
    let owners = client.get(&["api", "accounts", "owners"], &Query::new())?;
    let count = accounts_of(&owners.text, &format!("source:{}", wanted.id));
    Ok(format!(
        "delete source {name} ({}) and {rest} {count} accounts",
        wanted.id
    ))
}
