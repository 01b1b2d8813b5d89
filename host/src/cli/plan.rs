//! `tributary plan`: what an import would change, without changing it.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use tributary_core::{PlanHash, Provider, Strategy};

use crate::config::{MasterKeyOptions, read_switch};

/// What to plan. `crate::preview` does it.
#[derive(Args)]
pub struct PlanArgs {
    /// File with the payload, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the payload would meet the pool: `merge` or `replace`
    #[arg(long, value_name = "STRATEGY", env = "TRIBUTARY_STRATEGY", default_value = "merge", value_parser = strategy)]
    pub strategy: Strategy,
    /// Whose accounts they would be; without one, local
    #[arg(long, value_name = "ID", env = "TRIBUTARY_SOURCE_ID")]
    pub source_id: Option<String>,
    /// Provider of entries that name none: `gpt` or `grok`
    #[arg(long, value_name = "PROVIDER", env = "TRIBUTARY_PROVIDER", default_value = "gpt", value_parser = provider)]
    pub provider: Provider,
    /// Folder of the pool that the payload would meet; without one, an empty pool
    #[arg(long, value_name = "DIR", env = "TRIBUTARY_DATA")]
    pub data: Option<PathBuf>,
    /// What opens that pool.
    #[command(flatten)]
    pub master_key: MasterKeyOptions,
    /// Print the plan as JSON
    #[arg(long, env = "TRIBUTARY_JSON", value_parser = read_switch, action = ArgAction::SetTrue)]
    pub json: bool,
}

/// The hash of a plan, as it is typed.
pub(super) fn plan_hash(typed: &str) -> Result<String, &'static str> {
    let hash = PlanHash::from_hex(typed.trim());
    hash.map(|hash| hash.to_string())
        .ok_or("write the plan hash that --plan shows: 64 hex digits")
}

pub(super) fn strategy(name: &str) -> Result<Strategy, &'static str> {
    Strategy::from_exact(name).ok_or("write `merge` or `replace`")
}

pub(super) fn provider(name: &str) -> Result<Provider, &'static str> {
    Provider::from_exact(name).ok_or("write `gpt` or `grok`")
}
