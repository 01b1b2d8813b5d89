//! `tributary audit`: what administrators did, and whether the record of it is as it was written.

use clap::{Args, Subcommand};

use super::Outcome;
use super::pages::{List, Paging};
use super::remote::Remote;
use crate::client::Query;
use crate::config::{Data, MasterKeyOptions};
use crate::output::{self, Cell, Column, Object, minute};
use crate::store::Store;
use crate::store::audit::{Mac, Verdict, verify};

/// What is done with the record.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// List what was done, asked of a running server, the newest first
    List(ListArgs),
    /// Follow the chain of rows in the data folder, beside a running server or without one
    Verify(VerifyArgs),
}

/// How much is listed, and where it is asked for.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    remote: Remote,
}

/// What is looked for, and where.
#[derive(Args)]
pub struct VerifyArgs {
    /// A head that the log told earlier, 64 hex digits: without it, an older copy of all files does not show
    #[arg(long, value_name = "HEX", value_parser = read_head)]
    head: Option<Mac>,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

const COLUMNS: &[Column] = &[
    Column::count("ROW"),
    Column::whole("AT (UTC)"),
    Column::text("BY", 8),
    Column::whole("ADDRESS").spare(),
    Column::whole("ACT"),
    Column::text("TARGET", 12),
];

/// Does what was asked. The error is for the person who typed it.
pub fn run(command: &AuditCommand) -> Outcome {
    match command {
        AuditCommand::List(args) => list(args),
        AuditCommand::Verify(args) => follow(args),
    }
}

fn list(args: &ListArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    let list = List {
        path: &["api", "audit"],
        filters: Query::new(),
        columns: COLUMNS,
        row,
        things: "acts",
    };
    args.paging.show(&client, output, &list)
}

fn row(act: &Object<'_>) -> Vec<Cell> {
    vec![
        Cell::new(&act.text("seq")),
        Cell::new(&minute(&act.text("at"))),
        Cell::new(&act.text("by")),
        Cell::new(&act.text("address")),
        Cell::new(&act.text("act")),
        Cell::new(&act.text("target")),
    ]
}

fn follow(args: &VerifyArgs) -> Outcome {
    let db = Store::peek_opened(&args.data.dir, &args.master_key)?;
    let verdict = db.on_one_snapshot(|db| verify(db, args.head.as_ref()))??;
    match verdict {
        Verdict::Whole(end, waiting) => {
            let head = blake3::Hash::from(end.mac).to_hex();
            let mut said = format!("{} rows are as they were written, head {head}\n", end.rows);
            if waiting > 0 {
                said.push_str(&format!("{waiting} of commands beside the server wait to be chained\n"));
            }
            Ok(output::print(&said)?)
        }
        Verdict::Broken(row, why) => Err(format!("row {row} of the audit cannot be trusted: {why}").into()),
        Verdict::Cut(end) => Err(format!(
            "the chain of {} rows does not reach its end or the head: rows were cut off, or the pool is an older copy",
            end.rows
        )
        .into()),
    }
}

fn read_head(text: &str) -> Result<Mac, &'static str> {
    let hash = blake3::Hash::from_hex(text.trim());
    hash.map(|hash| *hash.as_bytes())
        .map_err(|_| "write the 64 hex digits that the log told")
}
