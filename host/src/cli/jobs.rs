//! `tributary jobs`: what was imported and changed, the newest first; one job with all that is told of it; and its undo.

mod show;
mod undo;

use clap::{Args, Subcommand};

use super::Outcome;
use super::pages::{List, Paging};
use super::remote::Remote;
use crate::client::{Client, Query};
use crate::output::{Cell, Colour, Column, Object, Output, minute};

/// What is done, and where.
#[derive(Args)]
pub struct JobsArgs {
    #[command(subcommand)]
    command: Option<JobsCommand>,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum JobsCommand {
    /// Show all that is told of a job
    Show(show::ShowArgs),
    /// Take back what a job changed, as far as it still is what the job left
    Undo(undo::UndoArgs),
}

/// Which jobs are listed.
#[derive(Args)]
struct ListArgs {
    /// Only jobs of this source
    #[arg(long, value_name = "ID")]
    source_id: Option<String>,
    /// Only jobs of this kind: `inject`, `sync`, `add`, `edit`, `delete`, `release` or `undo`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only jobs that ended so: `success`, `failed`, `blocked` or `running`
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Where jobs are asked for.
const JOBS: &[&str] = &["api", "remote-account", "jobs"];

const COLUMNS: &[Column] = &[
    Column::whole("JOB"),
    Column::whole("CREATED (UTC)"),
    Column::whole("KIND").spare(),
    Column::whole("OUTCOME"),
    Column::text("SOURCE", 8),
    Column::text("BY", 8).spare(),
    Column::whole("CAUSE").spare(),
    Column::whole("STRATEGY").spare(),
    Column::count("TOTAL"),
    Column::count("ADDED"),
    Column::count("SKIPPED").spare(),
    Column::count("REMOVED"),
];

/// Does what was asked. The error is for the person who typed it.
pub fn run(args: &JobsArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    match &args.command {
        None => list(&args.list, &client, output),
        Some(JobsCommand::Show(wanted)) => show::run(wanted, &client, output),
        Some(JobsCommand::Undo(wanted)) => undo::run(wanted, &client, output),
    }
}

fn list(args: &ListArgs, client: &Client, output: Output) -> Outcome {
    let filters = [
        ("source_id", &args.source_id),
        ("kind", &args.kind),
        ("outcome", &args.outcome),
    ];
    let filters = filters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    let list = List {
        path: JOBS,
        filters: filters.collect::<Query<'_>>(),
        columns: COLUMNS,
        row,
        things: "jobs",
    };
    args.paging.show(client, output, &list)
}

fn row(job: &Object<'_>) -> Vec<Cell> {
    let name = job.text("source_name");
    let source = if name.is_empty() {
        job.text("source_id")
    } else {
        name
    };
    vec![
        Cell::new(&job.text("job_id")),
        Cell::new(&minute(&job.text("created_at"))),
        Cell::new(&job.text("kind")),
        outcome(&job.text("status")),
        Cell::new(&source),
        Cell::new(&job.text("by")),
        Cell::new(&job.text("cause")),
        Cell::new(&job.text("strategy")),
        Cell::new(&job.text("total")),
        Cell::new(&job.text("added")),
        Cell::new(&job.text("skipped")),
        Cell::new(&job.text("removed")),
    ]
}

/// How a job ended, in the colour of what that means.
pub(super) fn outcome(status: &str) -> Cell {
    match status {
        "success" => Cell::coloured(Colour::Green, status),
        "failed" | "blocked" => Cell::coloured(Colour::Red, status),
        "running" => Cell::coloured(Colour::Blue, status),
        _ => Cell::new(status),
    }
}

/// The id of a job as it is typed; nothing that would lead to another address.
fn id(typed: &str) -> Result<String, &'static str> {
    let hex = typed.len() == 32 && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hex {
        true => Ok(typed.to_ascii_lowercase()),
        false => Err("write the id that `tributary jobs` shows: 32 hex digits"),
    }
}
