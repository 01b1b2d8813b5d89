//! `tributary sources`: the sources of a running server.

mod delete;
mod edit;
mod policy;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::owners::enabled;
use super::plan::plan_hash;
use super::remote::Remote;
use super::{Outcome, counts, jobs};
use crate::client::{Client, Query};
use crate::output::{Cell, Colour, Column, Object, Output, Progress, minute, time};

/// Where sources are asked for.
const SOURCES: &[&str] = &["api", "remote-account", "sources"];

/// Where it is asked how they stand in the schedule.
const SCHEDULE: &[&str] = &["api", "remote-account", "schedule"];

/// What is done, and where.
#[derive(Args)]
pub struct SourcesArgs {
    #[command(subcommand)]
    command: SourcesCommand,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum SourcesCommand {
    /// List sources with their latest sync, without their tokens
    List,
    /// Add a source
    #[command(after_help = edit::SECRETS)]
    Add(Box<edit::AddArgs>),
    /// Change the fields of a source that are named
    #[command(after_help = edit::SECRETS)]
    Edit(Box<edit::EditArgs>),
    /// Forget a source, and say what becomes of its accounts
    Delete(delete::DeleteArgs),
    /// Fetch a source now and import what it answers
    Sync(SyncArgs),
    /// Show or set what a source may do to the pool
    Policy(policy::PolicyArgs),
}

#[derive(Args)]
struct SyncArgs {
    /// Id of the source
    #[arg(value_parser = id)]
    id: String,
    /// Show what a sync would change, and change nothing
    #[arg(long, conflicts_with = "expect")]
    plan: bool,
    /// Sync only if that does what this plan says, even where the guard would block it: the hash that --plan shows
    #[arg(long, value_name = "HASH", value_parser = plan_hash)]
    expect: Option<String>,
}

/// Does what was asked. The error is for the person who typed it.
pub fn run(args: &SourcesArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    match &args.command {
        SourcesCommand::List => list(&client, output),
        SourcesCommand::Add(wanted) => edit::add(wanted, &client, output),
        SourcesCommand::Edit(wanted) => edit::edit(wanted, &client, output),
        SourcesCommand::Delete(wanted) => delete::run(wanted, &client, output),
        SourcesCommand::Sync(wanted) => sync(wanted, &client, output),
        SourcesCommand::Policy(wanted) => policy::run(wanted, &client, output),
    }
}

const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::text("NAME", 8),
    Column::whole("ENABLED"),
    Column::whole("PROVIDER").spare(),
    Column::whole("STRATEGY").spare(),
    Column::whole("SYNCED (UTC)"),
    Column::whole("OUTCOME"),
    Column::whole("NEXT (UTC)"),
    Column::text("URL", 20).spare(),
];

fn list(client: &Client, output: Output) -> Outcome {
    let answer = client.get(SOURCES, &Query::new())?;
    if output.is_json() {
        return Ok(output.json(&answer.text)?);
    }
    let schedule = match client.get(SCHEDULE, &Query::new()) {
        Err(error) if error.is_unknown_request() => String::new(),
        schedule => schedule?.text,
    };
    let (all, schedule) = (Object::read(&answer.text), Object::read(&schedule));
    let schedule = schedule.unwrap_or_default().objects("schedule");
    let stands = schedule.iter().map(|one| (one.text("source_id"), one));
    let stands: BTreeMap<_, _> = stands.collect();
    let sources = all.unwrap_or_default().objects("sources");
    let next = |source: &Object<'_>| stands.get(&source.text("id")).map(|one| next_sync(one));
    let rows: Vec<_> = sources
        .iter()
        .map(|source| row(source, next(source).unwrap_or_else(|| Cell::new(""))))
        .collect();
    output.rows(COLUMNS, &rows)?;
    if rows.is_empty() {
        crate::output::remark("no sources yet; `tributary sources add --url URL` adds one");
    }
    Ok(())
}

fn row(source: &Object<'_>, next: Cell) -> Vec<Cell> {
    let job = source.object("import_job");
    vec![
        Cell::new(&source.text("id")),
        Cell::new(&source.text("name")),
        enabled(source),
        Cell::new(&source.text("provider")),
        Cell::new(&source.text("sync_strategy")),
        Cell::new(&minute(&job.text("updated_at"))),
        jobs::outcome(&job.text("status")),
        next,
        Cell::new(&shown_url(&source.text("url"))),
    ]
}

/// When the schedule asks a source next, or that it does not any more.
fn next_sync(stands: &Object<'_>) -> Cell {
    match stands.is("quarantined") {
        true => Cell::coloured(Colour::Red, "quarantined"),
        false => Cell::new(&minute(&stands.text("next_sync_at"))),
    }
}

/// An address without what stands behind its `?`: that may be a secret.
fn shown_url(url: &str) -> String {
    match url.split_once('?') {
        Some((address, _)) => format!("{address}?…"),
        None => url.to_owned(),
    }
}

/// Prints one source, a line for each of its fields.
fn one(source: &Object<'_>, output: Output) -> Outcome {
    let text = |name: &str| Cell::new(&source.text(name));
    let token = |name: &str| Cell::new(if source.is(name) { "set" } else { "none" });
    let fields = [
        ("id", text("id")),
        ("name", text("name")),
        ("enabled", enabled(source)),
        ("url", Cell::new(&shown_url(&source.text("url")))),
        ("method", text("method")),
        ("provider", text("provider")),
        ("strategy", text("sync_strategy")),
        ("interval (s)", text("interval_seconds")),
        ("auth header", text("auth_header")),
        ("auth token", token("has_auth_token")),
        ("bearer token", token("has_bearer_token")),
        (
            "last success",
            Cell::new(&time(&source.text("last_sync_at"))),
        ),
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    Ok(output.record(&fields)?)
}

fn sync(wanted: &SyncArgs, client: &Client, output: Output) -> Outcome {
    let (what, waiting) = match wanted.plan {
        true => ("plan", "fetching and planning"),
        false => ("sync", "syncing"),
    };
    let progress = Progress::waiting(waiting);
    let path = [SOURCES, &[&wanted.id, what]].concat();
    let answer = client.post_expecting(&path, &Query::new(), wanted.expect.as_deref());
    drop(progress);
    let answer = answer?;
    if wanted.plan {
        let compared = format!("Compared with the pool of {}.", client.server());
        return Ok(output.plan(&answer.text, &compared, 0)?);
    }
    if output.is_json() {
        output.json(&answer.text)?;
        counts::remark_on(&answer);
        return Ok(());
    }
    let job = Object::read(&answer.text)
        .unwrap_or_default()
        .object("import_job");
    Ok(output.record(&counts::fields(&job, &answer))?)
}

/// An id as it is typed; nothing that would lead to another address.
fn id(typed: &str) -> Result<String, &'static str> {
    match typed.is_empty() || typed.bytes().all(|byte| byte == b'.') {
        true => Err("write the id that `tributary sources list` shows"),
        false => Ok(typed.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_an_address_is_not_shown() {
        assert_eq!(shown_url("https://a.test/x?key=b-1"), "https://a.test/x?…");
        assert_eq!(shown_url("https://a.test/x"), "https://a.test/x");
    }

    #[test]
    fn an_id_is_a_part_of_an_address() {
        assert!(id("").is_err() && id(".").is_err() && id("..").is_err());
        assert_eq!(id("a1b2c3d4e5f6"), Ok("a1b2c3d4e5f6".to_owned()));
    }
}
