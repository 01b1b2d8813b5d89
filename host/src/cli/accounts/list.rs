//! `tributary accounts list`.

use clap::Args;

use super::super::Outcome;
use super::super::pages::{List, Paging};
use super::{ACCOUNTS, Filters, owners, status};
use crate::client::{Client, ClientError};
use crate::output::{self, Cell, Column, Object, Output};

/// Which accounts, and how many.
#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    paging: Paging,
    /// Print how many there are instead
    #[arg(long, conflicts_with_all = ["limit", "all", "after"])]
    count: bool,
}

const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::text("TOKEN", 8),
    Column::whole("PROVIDER").spare(),
    Column::text("TYPE", 4).spare(),
    Column::text("STATUS", 4),
    Column::count("QUOTA").spare(),
    Column::text("OWNERS", 8),
];

pub(super) fn run(wanted: &ListArgs, client: &Client, output: Output) -> Outcome {
    if wanted.count {
        return count(&wanted.filters, client);
    }
    let list = List {
        path: ACCOUNTS,
        filters: wanted.filters.query(),
        columns: COLUMNS,
        row,
        things: "accounts",
    };
    wanted.paging.show(client, output, &list)
}

fn row(account: &Object<'_>) -> Vec<Cell> {
    // The beginning of an id is enough for every command, and leaves room for what a person looks for.
    let id: String = account.text("id").chars().take(12).collect();
    vec![
        Cell::new(&id),
        Cell::new(&account.text("token")),
        Cell::new(&account.text("provider")),
        Cell::new(&account.text("type")),
        status(&account.text("status")),
        Cell::new(&account.text("quota")),
        Cell::new(&owners(account)),
    ]
}

/// A bare number is JSON, too.
fn count(filters: &Filters, client: &Client) -> Outcome {
    let mut query = filters.query();
    query.push(("limit", "1".to_owned()));
    query.push(("count", "true".to_owned()));
    let answer = client.get(ACCOUNTS, &query)?;
    let page = Object::read(&answer.text).unwrap_or_default();
    let total = page
        .json("total")
        .ok_or_else(|| ClientError::foreign(client.server()))?;
    Ok(output::print(&format!("{total}\n"))?)
}
