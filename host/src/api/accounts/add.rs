//! Accounts given by hand: an import whose owner is Local.

use std::time::Duration;

use serde::Serialize;
use tributary_core::{Batch, Counts, ImportOptions, Member, Reason, Skip};

use crate::api::query::{Query, unknown};
use crate::api::{Answer, Request, imports, ok};
use crate::error::ApiError;
use crate::import::{self, InjectRequest};
use crate::job::{Asker, JobKind};

/// What a body may hold.
const KNOWN: [&str; 4] = ["tokens", "accounts", "payload", "provider"];
/// Entries that were not taken, of which an answer tells at most.
const MOST_TOLD: usize = 100;

/// `POST /api/accounts`: adds accounts that a person gives, or updates those that are there.
pub async fn add(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let arrived = imports::receive(&mut request).await?;
    let asked = asked(&arrived.members, request.asker(), arrived.took)?;
    let received = arrived.received;
    let not_taken = received.as_ref().map(|received| not_taken(&received.batch));
    let not_taken = not_taken.unwrap_or_default();
    let added = import::inject(&request.app, asked, received).await;
    let added = added.map_err(imports::not_injected)?;
    let mut answer = ok(&Added::new(&added.counts, not_taken))?;
    imports::tell(answer.headers_mut(), &added.job, added.not_taken);
    Ok(answer)
}

/// The fields beside the payload: the provider alone.
fn asked(members: &[Member], actor: Asker, receiving: Duration) -> Result<InjectRequest, ApiError> {
    if let Some(other) = members.iter().find(|member| member.name != "provider") {
        return Err(unknown("field", &other.name, "body", &KNOWN));
    }
    Ok(InjectRequest {
        kind: JobKind::Add,
        options: ImportOptions {
            provider: imports::provider(members)?,
            ..ImportOptions::default()
        },
        source_name: String::new(),
        actor,
        expected: None,
        receiving,
    })
}

#[derive(Serialize)]
struct Added {
    total: u64,
    added: u64,
    updated: u64,
    unchanged: u64,
    /// Those that were there already.
    skipped: u64,
    not_taken: Vec<NotTaken>,
}

/// An entry that was not taken, by its place in the list from 0, and why.
#[derive(Serialize)]
struct NotTaken {
    index: u64,
    reason: &'static str,
    error: String,
}

impl Added {
    fn new(counts: &Counts, not_taken: Vec<NotTaken>) -> Added {
        Added {
            total: counts.total(),
            added: counts.added,
            updated: counts.updated,
            unchanged: counts.unchanged,
            skipped: counts.skipped(),
            not_taken,
        }
    }
}

/// The first of them; blanks are passed over without ado.
fn not_taken(batch: &Batch) -> Vec<NotTaken> {
    let told = |skip: &Skip| NotTaken {
        index: skip.index,
        reason: skip.reason.code(),
        error: skip.reason.to_string(),
    };
    let skips = batch.skips.iter();
    let skips = skips.filter(|skip| skip.reason != Reason::Blank);
    skips.take(MOST_TOLD).map(told).collect()
}
