//! The history: what was imported, and what was changed by hand; and the undo of it.

use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::cursor::{Cursor, List};
use super::fields::{Fields, max_body};
use super::plan::{CountsShape, raw_list};
use super::query::Query;
use super::shape::HistoryShape;
use super::{Answer, Request, imports, ok};
use crate::error::ApiError;
use crate::import::{self, NotUndone};
use crate::job::{ImportJob, JobKind, JobStatus, LeftReport};
use crate::store::jobs::{self, JobFilter};

/// What may be asked for.
const KNOWN: [&str; 5] = ["source_id", "kind", "outcome", "after", "limit"];

/// `GET /api/remote-account/jobs`: a page of the jobs that are meant, the newest first.
pub async fn list(request: Request) -> Answer {
    let (app, query) = (&request.app, Query::parse(request.uri(), &KNOWN)?);
    let filter = filter(&query)?;
    let limit = query.limit()?;
    let after = query.after(List::Jobs, &app.salt)?;
    let undo = import::limits(&app.config.history);
    let mut found: Vec<(i64, ImportJob, bool)> = Vec::new();
    let mut next = Some(after.map_or(i64::MAX, |Cursor(row)| row));
    // One more than asked for tells whether something follows.
    while let Some(before) = next
        && found.len() <= limit
    {
        let (filter, wanted) = (filter.clone(), limit + 1 - found.len());
        let read = app
            .store
            .read(move |db| jobs::list(db, &filter, before, wanted, undo));
        let (more, on) = read.await?;
        found.extend(more);
        next = on;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    ok(&Page {
        items: found
            .iter()
            .map(|(_, job, undoable)| HistoryShape::new(job, *undoable))
            .collect(),
        next: last.map(|(row, ..)| Cursor(*row).write(List::Jobs, &app.salt)),
    })
}

/// `GET /api/remote-account/jobs/{id}`: one job.
pub async fn show(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let (id, undo) = (request.id, import::limits(&request.app.config.history));
    let job = request.app.store.read(move |db| {
        let (number, job) = jobs::get(db, &id)?.ok_or_else(job_not_found)?;
        let undoable = jobs::is_undoable(db, number, &job, undo)?;
        Ok::<_, ApiError>((job, undoable))
    });
    let (job, undoable) = job.await?;
    ok(&One {
        job: HistoryShape::new(&job, undoable),
    })
}

/// `POST /api/remote-account/jobs/{id}/undo`: takes back what a job changed, or with `?plan=true` tells what that would
/// change. It takes no fields: whoever writes `plan` there must not undo the job by it.
pub async fn undo(mut request: Request) -> Answer {
    let query = Query::parse(request.uri(), &["plan", "limit"])?;
    let (plan, limit) = (query.flag("plan")?, query.limit()?);
    let max = max_body(&request.app);
    Fields::read_any(&mut request, max).await?.end(&[])?;
    let actor = request.asker();
    if plan {
        let planned = import::plan_undo(&request.app, request.id, limit).await?;
        return ok(&Planned {
            plan: UndoShape {
                undoes: &planned.job.id,
                counts: CountsShape::of(&planned.left.counts),
                changes: raw_list(&planned.changes)?,
                changes_more: planned.changes.more,
                left: &planned.left.listed,
                left_more: planned.left.more,
            },
        });
    }
    let undone = import::undo(&request.app, request.id, actor).await?;
    let mut answer = ok(&One {
        job: HistoryShape::new(&undone.job, undone.job.trace.is_some()),
    })?;
    imports::tell(answer.headers_mut(), &undone.job, 0);
    Ok(answer)
}

fn job_not_found() -> ApiError {
    ApiError::not_found("job not found")
}

impl From<NotUndone> for ApiError {
    fn from(not: NotUndone) -> ApiError {
        let conflict = |why: String| ApiError::new(StatusCode::CONFLICT, why);
        match not {
            NotUndone::NotFound => job_not_found(),
            NotUndone::Running => conflict("the job still runs; undo it when it has ended".into()),
            NotUndone::Nothing => conflict("the job changed nothing".into()),
            NotUndone::Already(by) => conflict(format!(
                "the job is undone by job `{by}`; undo that one to have it again"
            )),
            NotUndone::Expired => conflict(
                "what it takes to undo this job is kept no longer: see --undo-keep and --undo-for"
                    .into(),
            ),
            NotUndone::Failed(failure) => failure.into(),
        }
    }
}

fn filter(query: &Query) -> Result<JobFilter, ApiError> {
    let kinds = JobKind::ALL
        .map(|kind| format!("`{}`", kind.as_str()))
        .join(", ");
    let outcomes = "`success`, `failed`, `blocked` or `running`";
    Ok(JobFilter {
        source_id: query.text("source_id").map(|id| id.trim().to_owned()),
        kind: query.one_of("kind", &format!("one of {kinds}"), JobKind::from_exact)?,
        outcome: query.one_of("outcome", outcomes, JobStatus::from_exact)?,
    })
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<HistoryShape<'a>>,
    /// The `after` of the next page; null at the end.
    next: Option<String>,
}

#[derive(Serialize)]
struct One<'a> {
    job: HistoryShape<'a>,
}

#[derive(Serialize)]
struct Planned<'a> {
    plan: UndoShape<'a>,
}

/// What an undo would do.
#[derive(Serialize)]
struct UndoShape<'a> {
    undoes: &'a str,
    counts: CountsShape,
    changes: Vec<Box<RawValue>>,
    changes_more: u64,
    left: &'a [LeftReport],
    left_more: u64,
}
