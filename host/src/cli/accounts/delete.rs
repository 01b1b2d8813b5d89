//! `tributary accounts delete`.

mod removed;

use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::Outcome;
use super::super::confirm::Yes;
use super::{ACCOUNTS, id, whole_id};
use crate::client::Client;
use crate::output::{self, Output, cannot_read};
use removed::{Removed, accounts};

/// Accounts that one request may name, and bytes of what names them.
const MOST_NAMED: usize = 10_000;
const MOST_BYTES: usize = 512 << 10;

/// Which accounts go.
#[derive(Args)]
pub(super) struct DeleteArgs {
    /// Ids of the accounts, or their first 8 digits or more
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "tokens_from")]
    ids: Vec<String>,
    /// File with tokens of accounts, one a line, or `-` for stdin
    #[arg(long, value_name = "FILE")]
    tokens_from: Option<PathBuf>,
    #[command(flatten)]
    yes: Yes,
}

/// What one request names.
#[derive(Default, Serialize)]
struct Named {
    ids: Vec<String>,
    tokens: Vec<String>,
}

pub(super) fn run(wanted: &DeleteArgs, client: &Client, output: Output) -> Outcome {
    let lines = wanted.tokens_from.as_deref().map(read_lines).transpose()?;
    let (lines, tokens): (Vec<usize>, Vec<String>) = lines.unwrap_or_default().into_iter().unzip();
    let ids = wanted.ids.iter().map(|id| whole_id(client, id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let count = ids.len() + tokens.len();
    if count == 0 {
        return Err("the file names no tokens; write one a line".into());
    }
    wanted.yes.or_ask(|| {
        let (what, server) = (accounts(count as u64), client.server());
        Ok(format!("remove {what} for good from the pool at {server}"))
    })?;
    let removed = remove(client, &parts(ids, tokens))?;
    match output.is_json() {
        true => Ok(output.json(&removed.document()?)?),
        false => Ok(output::print(&removed.told(&lines))?),
    }
}

/// Tokens with the numbers of their lines, which are what is said of them.
fn read_lines(file: &Path) -> Result<Vec<(usize, String)>, String> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().read_to_string(&mut text).map(|_| ()),
        false => fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| cannot_read(file, &error))?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let tokens = lines.map(|(at, line)| (at + 1, line.trim().to_owned()));
    Ok(tokens.filter(|(_, token)| !token.is_empty()).collect())
}

/// As few requests as can name all of them, ids first.
fn parts(ids: Vec<String>, tokens: Vec<String>) -> Vec<Named> {
    let mut parts = vec![Named::default()];
    let mut bytes = 0;
    let ids = ids.into_iter().map(|id| (true, id));
    for (is_id, name) in ids.chain(tokens.into_iter().map(|token| (false, token))) {
        let full = |part: &Named| part.ids.len() + part.tokens.len() == MOST_NAMED;
        if parts.last().is_some_and(full) || (bytes > 0 && bytes + name.len() > MOST_BYTES) {
            parts.push(Named::default());
            bytes = 0;
        }
        bytes += name.len();
        if let Some(part) = parts.last_mut() {
            let names = if is_id {
                &mut part.ids
            } else {
                &mut part.tokens
            };
            names.push(name);
        }
    }
    parts
}

/// Asks for one part after the other. Where one is refused, what the earlier ones removed is said, too.
fn remove(client: &Client, parts: &[Named]) -> Result<Removed, Box<dyn Error>> {
    let mut removed = Removed::default();
    let mut tokens = 0;
    for part in parts {
        let answer = client.delete_named(ACCOUNTS, part);
        let answer = answer.map_err(|error| removed.before(error))?;
        removed.also(&answer.text, tokens)?;
        tokens += part.tokens.len();
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(ids: usize, tokens: usize, length: usize) -> Vec<(usize, usize)> {
        let token = "t".repeat(length);
        let parts = parts(vec![String::new(); ids], vec![token; tokens]);
        let size = |part: &Named| (part.ids.len(), part.tokens.len());
        parts.iter().map(size).collect()
    }

    #[test]
    fn requests_are_as_few_as_the_server_allows() {
        assert_eq!(sizes(1, 2, 10), [(1, 2)]);
        assert_eq!(sizes(9_999, 10_002, 10), [(9_999, 1), (0, 10_000), (0, 1)]);
        assert_eq!(sizes(0, 3, MOST_BYTES / 2), [(0, 2), (0, 1)]);
        assert_eq!(sizes(0, 1, MOST_BYTES * 2), [(0, 1)]);
    }
}
