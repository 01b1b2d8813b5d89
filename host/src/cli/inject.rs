//! `tributary inject`: imports a payload into the pool of a running server.

mod payload;

use std::error::Error;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tributary_core::{Provider, Strategy};

use super::plan::{plan_hash, provider, strategy};
use super::remote::Remote;
use super::{Outcome, counts};
use crate::output::{Object, Progress, cannot_read};
use payload::Payload;

/// What is imported, how, and where.
#[derive(Args)]
pub struct InjectArgs {
    /// File with the payload, or `-` for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the payload meets the pool: `merge` adds and updates, `replace` makes it all that the source has
    #[arg(long, value_name = "STRATEGY", env = "TRIBUTARY_STRATEGY", default_value = "merge", value_parser = strategy)]
    strategy: Strategy,
    /// Whose accounts they are; without one, local
    #[arg(long, value_name = "ID", env = "TRIBUTARY_SOURCE_ID")]
    source_id: Option<String>,
    /// What the source is called
    #[arg(long, value_name = "NAME", env = "TRIBUTARY_SOURCE_NAME")]
    source_name: Option<String>,
    /// Provider of entries that name none: `gpt` or `grok`
    #[arg(long, value_name = "PROVIDER", env = "TRIBUTARY_PROVIDER", value_parser = provider)]
    provider: Option<Provider>,
    /// Show what the server would change, and change nothing
    #[arg(long, conflicts_with = "expect")]
    plan: bool,
    /// Import only if that does what this plan says: the hash that --plan shows
    #[arg(long, value_name = "HASH", value_parser = plan_hash)]
    expect: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Where payloads are given, and where they are only looked at.
const INJECT: &[&str] = &["api", "remote-account", "inject"];
const PLAN: &[&str] = &["api", "remote-account", "plan"];
/// What stands before the payload in the body.
const BEFORE: &str = r#"{"payload":"#;

/// Sends the payload as it is read and prints the counts.
pub fn run(args: &InjectArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    let payload = Payload::open(&args.file).map_err(|error| cannot_read(&args.file, &error))?;
    let place = payload.place();
    let after = format!(",{}", args.fields()?);
    let around = (BEFORE.len() + after.len()) as u64;
    let length = payload.length.map(|length| length + around);
    let mut whole = Cursor::new(BEFORE)
        .chain(payload.bytes)
        .chain(Cursor::new(after));
    let progress = Progress::bytes("sending the payload", length);
    let (path, then) = match args.plan {
        true => (PLAN, "planning"),
        false => (INJECT, "importing"),
    };
    let mut body = progress.counted(&mut whole, then);
    let answer = client.upload(path, &mut body, length, args.expect.as_deref());
    drop(progress);
    let answer = answer.map_err(|error| {
        match error.said().and_then(|said| place.told(said, BEFORE.len())) {
            Some(told) => told.into(),
            None => Box::<dyn Error>::from(error),
        }
    })?;
    if args.plan {
        let compared = format!("Compared with the pool of {}.", client.server());
        return Ok(output.plan(&answer.text, &compared, place.shift(BEFORE.len()))?);
    }
    if output.is_json() {
        output.json(&answer.text)?;
        counts::remark_on(&answer);
        return Ok(());
    }
    let said = Object::read(&answer.text).unwrap_or_default();
    Ok(output.record(&counts::fields(&said, &answer))?)
}

impl InjectArgs {
    /// The fields that follow the payload. All of them are there, so that nothing in the file can stand in for one.
    fn fields(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Fields<'a> {
            strategy: &'static str,
            source_id: &'a str,
            source_name: &'a str,
            provider: &'static str,
        }
        let fields = serde_json::to_string(&Fields {
            strategy: self.strategy.as_str(),
            source_id: self.source_id.as_deref().unwrap_or_default(),
            source_name: self.source_name.as_deref().unwrap_or_default(),
            provider: self.provider.map_or("", Provider::as_str),
        })?;
        Ok(fields.trim_start_matches('{').to_owned())
    }
}
