//! `tributary jobs`: what was imported and changed, the newest first.

use clap::Args;

use super::Outcome;
use super::pages::{List, Paging};
use super::remote::Remote;
use crate::client::Query;
use crate::output::{Cell, Colour, Column, Object, minute};

/// Which jobs, and where.
#[derive(Args)]
pub struct JobsArgs {
    /// Only jobs of this source
    #[arg(long, value_name = "ID")]
    source_id: Option<String>,
    /// Only jobs of this kind: `inject`, `sync`, `add`, `edit`, `delete` or `release`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only jobs that ended so: `success`, `failed` or `running`
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    remote: Remote,
}

const COLUMNS: &[Column] = &[
    Column::whole("JOB").spare(),
    Column::whole("CREATED (UTC)"),
    Column::whole("KIND").spare(),
    Column::whole("OUTCOME"),
    Column::text("SOURCE", 8),
    Column::whole("STRATEGY").spare(),
    Column::count("TOTAL"),
    Column::count("ADDED"),
    Column::count("SKIPPED").spare(),
    Column::count("REMOVED"),
];

/// Prints the jobs. The error is for the person who typed it.
pub fn run(args: &JobsArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    let filters = [
        ("source_id", &args.source_id),
        ("kind", &args.kind),
        ("outcome", &args.outcome),
    ];
    let filters = filters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    let list = List {
        path: &["api", "remote-account", "jobs"],
        filters: filters.collect::<Query<'_>>(),
        columns: COLUMNS,
        row,
        things: "jobs",
    };
    args.paging.show(&client, output, &list)
}

fn row(job: &Object<'_>) -> Vec<Cell> {
    let id: String = job.text("job_id").chars().take(8).collect();
    let name = job.text("source_name");
    let source = if name.is_empty() {
        job.text("source_id")
    } else {
        name
    };
    vec![
        Cell::new(&id),
        Cell::new(&minute(&job.text("created_at"))),
        Cell::new(&job.text("kind")),
        outcome(&job.text("status")),
        Cell::new(&source),
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
        "failed" => Cell::coloured(Colour::Red, status),
        "running" => Cell::coloured(Colour::Blue, status),
        _ => Cell::new(status),
    }
}
