//! What a removal did, by one answer of the server or by several.

use serde::{Deserialize, Serialize};

use crate::client::ClientError;
use crate::output::tame;

/// The answers so far, as if they were one.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Removed {
    removed: u64,
    unknown_ids: Vec<String>,
    unknown_tokens: Vec<usize>,
    returning: Vec<Returning>,
}

/// A source that will bring accounts back.
#[derive(Serialize, Deserialize)]
struct Returning {
    source_id: String,
    source_name: String,
    accounts: u64,
}

impl Removed {
    /// Adds an answer whose tokens were counted from `tokens`.
    pub(super) fn also(&mut self, answer: &str, tokens: usize) -> Result<(), String> {
        let more: Removed = serde_json::from_str(answer).map_err(|_| {
            "the server removed accounts and answered what this program does not know; it may be newer".to_owned()
        })?;
        self.removed += more.removed;
        self.unknown_ids.extend(more.unknown_ids);
        let positions = more.unknown_tokens.iter().map(|at| at + tokens);
        self.unknown_tokens.extend(positions);
        for source in more.returning {
            let known = |known: &&mut Returning| known.source_id == source.source_id;
            match self.returning.iter_mut().find(known) {
                Some(known) => known.accounts += source.accounts,
                None => self.returning.push(source),
            }
        }
        Ok(())
    }

    /// An error that says what was removed before it.
    pub(super) fn before(&self, error: ClientError) -> Box<dyn std::error::Error> {
        match self.removed {
            0 => error.into(),
            removed => format!("{error}; {} were removed before that", accounts(removed)).into(),
        }
    }

    /// As the server writes it.
    pub(super) fn document(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// For a person. A token is named by its line: `lines` has their numbers.
    pub(super) fn told(&self, lines: &[usize]) -> String {
        let mut told = format!("removed {}\n", accounts(self.removed));
        for id in &self.unknown_ids {
            told.push_str(&format!("not there: id {}\n", tame(id)));
        }
        for line in self.unknown_tokens.iter().filter_map(|at| lines.get(*at)) {
            told.push_str(&format!("not there: the token in line {line}\n"));
        }
        for source in &self.returning {
            let (name, id) = (tame(&source.source_name), tame(&source.source_id));
            let back = accounts(source.accounts);
            told.push_str(&format!(
                "{name} ({id}) will bring {back} back when it is synced; `tributary sources edit {id} --enabled false` prevents it\n"
            ));
        }
        told
    }
}

pub(super) fn accounts(count: u64) -> String {
    match count {
        1 => "1 account".to_owned(),
        _ => format!("{count} accounts"),
    }
}
