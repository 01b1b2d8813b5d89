//! `tributary accounts`: the accounts of a running server.

mod delete;
mod export;
mod list;
mod show;
mod update;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::Outcome;
use super::remote::Remote;
use crate::client::{Client, Query};
use crate::output::{Cell, Colour, Object};

/// Where accounts are asked for.
const ACCOUNTS: &[&str] = &["api", "accounts"];

/// What is done, and where.
#[derive(Args)]
pub struct AccountsArgs {
    #[command(subcommand)]
    command: AccountsCommand,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum AccountsCommand {
    /// List accounts in the order they came, without their secrets
    List(list::ListArgs),
    /// Show all fields of an account, without its secrets
    Show(show::ShowArgs),
    /// Change the state of an account
    Update(Box<update::UpdateArgs>),
    /// Remove accounts from the pool, whoever owns them
    Delete(delete::DeleteArgs),
    /// Write accounts out as lines of JSON, tokens included
    Export(export::ExportArgs),
}

/// Which accounts; all conditions must hold.
#[derive(Args)]
struct Filters {
    /// Only accounts of this provider: `gpt` or `grok`
    #[arg(long, value_name = "PROVIDER", value_parser = not_empty())]
    provider: Option<String>,
    /// Only accounts that this source owns
    #[arg(long, value_name = "ID", value_parser = not_empty())]
    source_id: Option<String>,
    /// Only accounts of this owner: `local`, `source:ID`, or `none`
    #[arg(long, value_name = "OWNER", value_parser = not_empty())]
    owner: Option<String>,
    /// Only accounts with exactly this status
    #[arg(long, value_name = "TEXT", value_parser = not_empty())]
    status: Option<String>,
    /// Only accounts of exactly this type
    #[arg(long = "type", value_name = "TEXT", value_parser = not_empty())]
    kind: Option<String>,
    /// Only accounts whose id begins with this, or whose masked token or shown fields contain it
    #[arg(long, short, value_name = "TEXT", value_parser = not_empty())]
    q: Option<String>,
}

/// An empty value, as of a variable that is not set, would not narrow anything.
fn not_empty() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

impl Filters {
    fn query(&self) -> Query<'static> {
        let all = [
            ("provider", &self.provider),
            ("source_id", &self.source_id),
            ("owner", &self.owner),
            ("status", &self.status),
            ("type", &self.kind),
            ("q", &self.q),
        ];
        let named = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        named.collect()
    }
}

/// Does what was asked. The error is for the person who typed it.
pub fn run(args: &AccountsArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    match &args.command {
        AccountsCommand::List(wanted) => list::run(wanted, &client, output),
        AccountsCommand::Show(wanted) => show::run(wanted, &client, output),
        AccountsCommand::Update(wanted) => update::run(wanted, &client, output),
        AccountsCommand::Delete(wanted) => delete::run(wanted, &client, output),
        AccountsCommand::Export(wanted) => export::run(wanted, &client),
    }
}

/// Digits of a whole id.
const WHOLE: usize = 32;
/// Digits of an id that are enough where no other id begins with them.
const ENOUGH: usize = 8;

/// An id as it is typed: all of it, or enough of its beginning.
fn id(typed: &str) -> Result<String, String> {
    let digits = typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    match digits && (ENOUGH..=WHOLE).contains(&typed.len()) {
        true => Ok(typed.to_ascii_lowercase()),
        false => Err(format!(
            "an id has {WHOLE} hex digits, of which the first {ENOUGH} or more are enough"
        )),
    }
}

/// The whole id that begins so.
fn whole_id(client: &Client, typed: &str) -> Result<String, Box<dyn std::error::Error>> {
    if typed.len() == WHOLE {
        return Ok(typed.to_owned());
    }
    let mut found: Vec<String> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("q", typed.to_owned()), ("limit", "1000".to_owned())];
        query.extend(after.map(|after| ("after", after)));
        let answer = client.get(ACCOUNTS, &query)?;
        let page = Object::read(&answer.text).unwrap_or_default();
        let ids = page
            .objects("items")
            .into_iter()
            .map(|item| item.text("id"));
        found.extend(ids.filter(|id| id.starts_with(typed)));
        after = page.json("next").map(|_| page.text("next"));
        if after.is_none() || found.len() > 1 {
            break;
        }
    }
    Ok(only(typed, found)?)
}

/// The one id among those `found` to begin so.
fn only(typed: &str, found: Vec<String>) -> Result<String, String> {
    match <[String; 1]>::try_from(found) {
        Ok([id]) => Ok(id),
        Err(none) if none.is_empty() => Err(format!(
            "no account has an id that begins with `{typed}`; `tributary accounts list` shows them all"
        )),
        Err(several) => Err(format!(
            "several ids begin with `{typed}`, such as {}; write more digits",
            several.join(" and ")
        )),
    }
}

/// The owners of an account, local first.
fn owners(account: &Object<'_>) -> String {
    let owners = account.object("owners");
    let sources = owners.list("sources").into_iter();
    let mut names: Vec<String> = sources.map(crate::output::text_of).collect();
    if owners.is("local") {
        names.insert(0, "local".to_owned());
    }
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

/// A status in the colour of what it means; the words are those of the pool.
fn status(text: &str) -> Cell {
    match text {
        "正常" => Cell::coloured(Colour::Green, text),
        "限流" => Cell::coloured(Colour::Yellow, text),
        "异常" => Cell::coloured(Colour::Red, text),
        "禁用" => Cell::coloured(Colour::Faint, text),
        _ => Cell::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_of_an_id_are_enough() {
        assert_eq!(id("ABCDEF01"), Ok("abcdef01".to_owned()));
        assert!(id(&"a".repeat(32)).is_ok());
        for typed in ["", "abcdef0", "abcdefgh", &"a".repeat(33), "正常正常"] {
            assert!(id(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_beginning_must_belong_to_one_id_alone() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(only("a", ids(&["ab"])), Ok("ab".to_owned()));
        assert!(only("a", ids(&[])).is_err_and(|error| error.contains("no account")));
        let several = only("a", ids(&["ab", "ac"]));
        assert!(several.is_err_and(|error| error.contains("ab and ac; write more digits")));
    }

    #[test]
    fn owners_are_named_local_first() {
        for (account, shown) in [
            (
                r#"{"owners":{"local":true,"sources":["b","a"]}}"#,
                "local, b, a",
            ),
            (r#"{"owners":{"local":false,"sources":["local"]}}"#, "local"),
            (r#"{"owners":{"local":false,"sources":[]}}"#, "none"),
        ] {
            assert_eq!(owners(&Object::read(account).unwrap()), shown);
        }
    }
}
