//! Plans: what an inject or a sync would change, and nothing changed.

use serde::Serialize;
use serde_json::value::RawValue;
use tributary_core::{Counts, Note, Provider, Skip, SourceId};

use super::query::Query;
use super::{Answer, Request, imports, ok};
use crate::error::ApiError;
use crate::import::{self, Cut, Planned};
use crate::job::GuardReport;
use crate::store::sources;

/// `POST /api/remote-account/plan`: what an inject with this body would change.
pub async fn inject(mut request: Request) -> Answer {
    let limit = Query::parse(request.uri(), &["limit"])?.limit()?;
    let arrived = imports::receive(&mut request).await?;
    let asked = imports::asked(&arrived.members)?;
    let (options, name) = (asked.options, asked.source_name);
    let planned = import::plan(&request.app, options, name, arrived.received?, limit).await?;
    ok(&PlanAnswer::of(&planned, false)?)
}

/// `POST /api/remote-account/sources/{id}/plan`: fetches a source, and tells what a sync would change.
pub async fn sync(request: Request) -> Answer {
    let limit = Query::parse(request.uri(), &["limit"])?.limit()?;
    let id = request.id;
    let source = request.app.store.read(move |db| sources::get(db, &id));
    let source = source.await?.ok_or_else(ApiError::source_not_found)?;
    if !source.enabled {
        return Err(ApiError::source_is_disabled());
    }
    let planned = import::plan_source(&request.app, &source, limit).await;
    // The core's refusals, too, are of what the source answered: only the history and the log tell them.
    let planned = planned.map_err(|failure| match failure {
        import::Failure::Store(error) => ApiError::from(error),
        other => ApiError::sync_failed().because(other.to_string()),
    })?;
    ok(&PlanAnswer::of(&planned, true)?)
}

#[derive(Serialize)]
struct PlanAnswer<'a> {
    plan: PlanShape<'a>,
}

/// What an import would change, beside what the core's own plan tells.
#[derive(Serialize)]
struct PlanShape<'a> {
    strategy: &'static str,
    source_id: Option<&'a str>,
    source_name: &'a str,
    provider: &'static str,
    shape: &'static str,
    pool_revision: i64,
    plan_hash: &'a str,
    counts: CountsShape,
    /// What the guard says; null for a merge.
    guard: Option<&'a GuardReport>,
    /// Whether the import would be stopped where the guard says so: a sync is, an inject is not.
    guarded: bool,
    changes: Vec<Box<RawValue>>,
    changes_more: u64,
    skips: Vec<SkipShape>,
    skips_more: u64,
    notes: Vec<NoteShape>,
    notes_more: u64,
}

/// Accounts by what happens to them.
#[derive(Serialize)]
pub(super) struct CountsShape {
    total: u64,
    added: u64,
    updated: u64,
    unchanged: u64,
    skipped: u64,
    released: u64,
    disabled: u64,
    removed: u64,
}

/// An entry that is not taken.
#[derive(Serialize)]
struct SkipShape {
    index: u64,
    /// Where it stands: a JSON pointer into what was sent.
    pointer: String,
    /// Where it begins, in bytes from 0.
    offset: u64,
    /// The line on which it begins, from 1.
    line: u64,
    reason: &'static str,
    error: String,
}

#[derive(Serialize)]
struct NoteShape {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

impl<'a> PlanAnswer<'a> {
    fn of(planned: &'a Planned, guarded: bool) -> Result<PlanAnswer<'a>, ApiError> {
        let options = &planned.options;
        let skip = |(skip, line): &(Skip, u64)| SkipShape {
            index: skip.index,
            pointer: format!("{}/{}", planned.pointer, skip.index),
            offset: skip.span.offset,
            line: *line,
            reason: skip.reason.code(),
            error: skip.reason.to_string(),
        };
        Ok(PlanAnswer {
            plan: PlanShape {
                strategy: options.strategy.as_str(),
                source_id: options.source_id.as_ref().map(SourceId::as_str),
                source_name: &planned.source_name,
                provider: options.provider.map_or("gpt", Provider::as_str),
                shape: planned.shape,
                pool_revision: planned.revision,
                plan_hash: &planned.hash,
                counts: CountsShape::of(&planned.counts),
                guard: planned.guard.as_ref(),
                guarded,
                changes: raw_list(&planned.changes)?,
                changes_more: planned.changes.more,
                skips: planned.skips.first.iter().map(skip).collect(),
                skips_more: planned.skips.more,
                notes: planned.notes.first.iter().map(NoteShape::of).collect(),
                notes_more: planned.notes.more,
            },
        })
    }
}

impl CountsShape {
    /// The shape of counts.
    pub(super) fn of(counts: &Counts) -> CountsShape {
        CountsShape {
            total: counts.total(),
            added: counts.added,
            updated: counts.updated,
            unchanged: counts.unchanged,
            skipped: counts.skipped(),
            released: counts.released,
            disabled: counts.disabled,
            removed: counts.removed,
        }
    }
}

impl NoteShape {
    fn of(note: &Note) -> NoteShape {
        let (index, field) = match note {
            Note::FieldIgnored { index, field } => {
                (Some(*index), Some(field.map_or("…", |field| field.name())))
            }
            Note::AccountsIgnored | Note::TokensIgnored => (None, None),
        };
        NoteShape {
            code: note.code(),
            index,
            field,
        }
    }
}

/// JSON texts as they are: numbers are kept as their text.
pub(super) fn raw_list(cut: &Cut<String>) -> Result<Vec<Box<RawValue>>, ApiError> {
    let raw = |text: &String| RawValue::from_string(text.clone());
    let list = cut.first.iter().map(raw).collect::<Result<_, _>>();
    list.map_err(|error| ApiError::internal(error.to_string()))
}
