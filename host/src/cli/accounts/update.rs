//! `tributary accounts update`.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::Outcome;
use super::{ACCOUNTS, id, show, whole_id};
use crate::client::Client;
use crate::output::{self, Object, Output};

/// Which account, and what is to be different.
#[derive(Args)]
#[command(override_usage = "tributary accounts update [OPTIONS] <ID>")]
pub(super) struct UpdateArgs {
    /// Id of the account, or its first 8 digits or more
    #[arg(value_parser = id)]
    id: String,
    #[command(flatten)]
    state: State,
}

/// The fields that are changed.
#[derive(Args, Serialize)]
#[group(required = true, multiple = true)]
struct State {
    /// Its status, such as `正常`, `限流`, `异常` or `禁用`
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Its type, such as `free` or `plus`
    #[arg(long = "type", value_name = "TEXT")]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What is left of its quota, as a count
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<u64>,
    /// Its successful uses, as a count
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<u64>,
    /// Its failed uses, as a count
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    fail: Option<u64>,
    /// When it recovers; an empty text clears it
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_at: Option<String>,
    /// When it was last used; an empty text clears it
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    /// Whether its quota of images is unknown
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    image_quota_unknown: Option<bool>,
    /// What is known of its limits, as a JSON list
    #[arg(long, value_name = "JSON", value_parser = json_list)]
    #[serde(skip_serializing_if = "Option::is_none")]
    limits_progress: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Update<'a> {
    id: &'a str,
    #[serde(flatten)]
    state: &'a State,
}

pub(super) fn run(wanted: &UpdateArgs, client: &Client, output: Output) -> Outcome {
    let id = whole_id(client, &wanted.id)?;
    let update = Update {
        id: &id,
        state: &wanted.state,
    };
    let answer = client.post(&[ACCOUNTS, &["update"]].concat(), &update)?;
    show::item(&answer.text, output)?;
    if !Object::read(&answer.text).unwrap_or_default().is("changed") {
        output::remark("nothing is different: it was so already");
    }
    Ok(())
}

fn json_list(typed: &str) -> Result<Box<RawValue>, &'static str> {
    let list: Result<Vec<serde::de::IgnoredAny>, _> = serde_json::from_str(typed);
    let raw = RawValue::from_string(typed.to_owned());
    match (list, raw) {
        (Ok(_), Ok(raw)) => Ok(raw),
        _ => Err("write a JSON list, such as []"),
    }
}
