//! `tributary sources add` and `edit`.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tributary_core::Secret;
use zeroize::Zeroizing;

use super::super::{Mistyped, Outcome};
use super::{SOURCES, id, one};
use crate::client::Client;
use crate::output::{Object, Output, cannot_read};

/// Stands below the help of both commands.
pub(super) const SECRETS: &str = "Tokens come from files or from TRIBUTARY_SOURCE_BEARER_TOKEN and TRIBUTARY_SOURCE_AUTH_TOKEN, never from the command line.";

/// A new source.
#[derive(Args)]
pub(super) struct AddArgs {
    /// Address that answers JSON
    #[arg(long, value_name = "URL")]
    url: String,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    tokens: Tokens,
}

/// A source, and what is to be different.
#[derive(Args)]
pub(super) struct EditArgs {
    /// Id of the source
    #[arg(value_parser = id)]
    id: String,
    /// Address that answers JSON
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    tokens: Tokens,
    /// Forget the bearer token
    #[arg(long, conflicts_with = "bearer_token_file")]
    no_bearer_token: bool,
    /// Forget the auth token
    #[arg(long, conflicts_with = "auth_token_file")]
    no_auth_token: bool,
}

/// What can be set when a source is added, and later.
#[derive(Args, Serialize)]
struct Fields {
    /// What to call it; by default the host of its address
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether it may be synced
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// How it is asked: `GET` or `POST`
    #[arg(long, value_name = "METHOD", value_parser = ["GET", "POST"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Provider of entries that name none: `gpt`, `grok`, or an empty text for the default
    #[arg(long, value_name = "PROVIDER", value_parser = ["gpt", "grok", ""])]
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// How a sync meets the pool: `merge` or `replace`
    #[arg(long, value_name = "STRATEGY", value_parser = ["merge", "replace"])]
    #[serde(rename = "sync_strategy", skip_serializing_if = "Option::is_none")]
    strategy: Option<String>,
    /// Time between syncs, in seconds; kept and shown
    #[arg(long, value_name = "SECONDS")]
    #[serde(rename = "interval_seconds", skip_serializing_if = "Option::is_none")]
    interval: Option<u32>,
    /// Header that carries the auth token, such as `X-Api-Key`; an empty text clears it
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_header: Option<String>,
}

/// What the source is asked with.
#[derive(Args)]
struct Tokens {
    /// File with the bearer token, or `-` for stdin
    #[arg(long, value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,
    /// File with the value of the auth header, or `-` for stdin
    #[arg(long, value_name = "FILE")]
    auth_token_file: Option<PathBuf>,
}

/// The body of both requests.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(flatten)]
    fields: &'a Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
}

pub(super) fn add(wanted: &AddArgs, client: &Client, output: Output) -> Outcome {
    let (bearer_token, auth_token) = wanted.tokens.read()?;
    let body = Body {
        url: Some(&wanted.url),
        fields: &wanted.fields,
        bearer_token: bearer_token.as_ref().map(Secret::reveal),
        auth_token: auth_token.as_ref().map(Secret::reveal),
    };
    show(&client.post(SOURCES, &body)?.text, output)
}

pub(super) fn edit(wanted: &EditArgs, client: &Client, output: Output) -> Outcome {
    let (bearer_token, auth_token) = wanted.tokens.read()?;
    let body = Body {
        url: wanted.url.as_deref(),
        fields: &wanted.fields,
        bearer_token: or_none(bearer_token.as_ref(), wanted.no_bearer_token),
        auth_token: or_none(auth_token.as_ref(), wanted.no_auth_token),
    };
    show(
        &client.post(&[SOURCES, &[&wanted.id]].concat(), &body)?.text,
        output,
    )
}

/// A token, or the empty text that takes it away.
fn or_none(token: Option<&Secret>, none: bool) -> Option<&str> {
    if none {
        Some("")
    } else {
        token.map(Secret::reveal)
    }
}

fn show(answer: &str, output: Output) -> Outcome {
    if output.is_json() {
        return Ok(output.json(answer)?);
    }
    one(
        &Object::read(answer).unwrap_or_default().object("source"),
        output,
    )
}

impl Tokens {
    /// The bearer token and the auth token, each from its file or else from its variable.
    fn read(&self) -> Result<(Option<Secret>, Option<Secret>), Box<dyn std::error::Error>> {
        let stdin = |file: &Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
        if stdin(&self.bearer_token_file) && stdin(&self.auth_token_file) {
            return Err(
                Mistyped("only one token can come from stdin; put the other into a file").into(),
            );
        }
        Ok((
            token(
                self.bearer_token_file.as_deref(),
                "TRIBUTARY_SOURCE_BEARER_TOKEN",
            )?,
            token(
                self.auth_token_file.as_deref(),
                "TRIBUTARY_SOURCE_AUTH_TOKEN",
            )?,
        ))
    }
}

fn token(file: Option<&Path>, variable: &str) -> Result<Option<Secret>, String> {
    let Some(file) = file else {
        let token = env::var(variable).ok().filter(|token| !token.is_empty());
        return Ok(token.map(Secret::new));
    };
    let mut text = Zeroizing::new(String::new());
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().read_to_string(&mut text).map(|_| ()),
        false => fs::read_to_string(file).map(|read| *text = read),
    };
    read.map_err(|error| cannot_read(file, &error))?;
    match text.trim() {
        "" => Err(format!("`{}` holds no token", file.display())),
        token => Ok(Some(Secret::new(token.to_owned()))),
    }
}
