//! Accounts that a person removes, whoever owns them.

use std::collections::BTreeSet;

use serde::Serialize;
use tributary_core::{Fingerprint, Salt};

use crate::api::fields::Fields;
use crate::api::query::Query;
use crate::api::{Answer, Request, ok};
use crate::error::ApiError;
use crate::import::hand::{self, Gone};

/// Accounts that one request may name.
const MOST_NAMED: usize = 10_000;

/// `DELETE /api/accounts`: removes the accounts that `ids` and `tokens` name, in one transaction.
pub async fn remove(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let named = Named::take(Fields::read(&mut request).await?, &request.app.salt)?;
    let gone = hand::remove(&request.app, named.all(), request.asker()).await?;
    ok(&Answered::new(&named, &gone))
}

/// The accounts that a request names, in its order.
struct Named {
    ids: Vec<Fingerprint>,
    tokens: Vec<Fingerprint>,
}

impl Named {
    fn take(mut fields: Fields, salt: &Salt) -> Result<Named, ApiError> {
        let (ids, tokens) = (fields.texts("ids")?, fields.texts("tokens")?);
        fields.end(&["ids", "tokens"])?;
        if ids.is_none() && tokens.is_none() {
            return Err(ApiError::unprocessable("`ids` or `tokens` is required"));
        }
        let (ids, tokens) = (ids.unwrap_or_default(), tokens.unwrap_or_default());
        if ids.len() + tokens.len() > MOST_NAMED {
            return Err(ApiError::unprocessable(format!(
                "`ids` and `tokens` must be at most {MOST_NAMED} in all; remove in parts"
            )));
        }
        let read = |(at, id): (usize, &String)| {
            Fingerprint::from_hex(id).ok_or_else(|| {
                ApiError::unprocessable(format!("`ids[{at}]` must be 32 hex digits"))
            })
        };
        Ok(Named {
            ids: ids.iter().enumerate().map(read).collect::<Result<_, _>>()?,
            tokens: tokens.iter().map(|t| salt.of_token(t.trim())).collect(),
        })
    }

    fn all(&self) -> BTreeSet<Fingerprint> {
        self.ids.iter().chain(&self.tokens).copied().collect()
    }
}

#[derive(Serialize)]
struct Answered<'a> {
    removed: u64,
    /// Ids that were not there.
    unknown_ids: Vec<String>,
    /// Places in `tokens`, from 0, of those that were not there.
    unknown_tokens: Vec<usize>,
    /// Enabled sources whose next sync brings accounts back.
    returning: Vec<Returning<'a>>,
}

#[derive(Serialize)]
struct Returning<'a> {
    source_id: &'a str,
    source_name: &'a str,
    accounts: u64,
}

impl<'a> Answered<'a> {
    fn new(named: &Named, gone: &'a Gone) -> Answered<'a> {
        let unknown = &gone.removed.unknown;
        let ids = named.ids.iter().filter(|id| unknown.contains(id));
        let tokens = named.tokens.iter().enumerate();
        let tokens = tokens.filter(|(_, token)| unknown.contains(token));
        let returning = gone.returning.iter().map(|(source, accounts)| Returning {
            source_id: &source.id,
            source_name: &source.name,
            accounts: *accounts,
        });
        Answered {
            removed: gone.removed.removed,
            unknown_ids: ids.map(Fingerprint::to_string).collect(),
            unknown_tokens: tokens.map(|(at, _)| at).collect(),
            returning: returning.collect(),
        }
    }
}
