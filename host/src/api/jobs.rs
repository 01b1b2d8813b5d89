//! The jobs: what was imported, and what was changed by hand.

use serde::Serialize;

use super::cursor::{Cursor, List};
use super::query::Query;
use super::shape::JobShape;
use super::{Answer, Request, ok};
use crate::error::ApiError;
use crate::job::{ImportJob, JobKind, JobStatus};
use crate::store::jobs::{self, JobFilter};

/// What may be asked for.
const KNOWN: [&str; 5] = ["source_id", "kind", "outcome", "after", "limit"];

/// `GET /api/remote-account/jobs`: a page of the jobs that are meant, the newest first.
pub async fn list(request: Request) -> Answer {
    let (app, query) = (&request.app, Query::parse(request.uri(), &KNOWN)?);
    let filter = filter(&query)?;
    let limit = query.limit()?;
    let after = query.after(List::Jobs, &app.salt)?;
    let mut found: Vec<(i64, ImportJob)> = Vec::new();
    let mut next = Some(after.map_or(i64::MAX, |Cursor(row)| row));
    // One more than asked for tells whether something follows.
    while let Some(before) = next
        && found.len() <= limit
    {
        let (filter, wanted) = (filter.clone(), limit + 1 - found.len());
        let read = app
            .store
            .read(move |db| jobs::list(db, &filter, before, wanted));
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
            .map(|(_, job)| JobShape::with_kind(job))
            .collect(),
        next: last.map(|(row, _)| Cursor(*row).write(List::Jobs, &app.salt)),
    })
}

fn filter(query: &Query) -> Result<JobFilter, ApiError> {
    let kinds = JobKind::ALL
        .map(|kind| format!("`{}`", kind.as_str()))
        .join(", ");
    let outcomes = "`success`, `failed` or `running`";
    Ok(JobFilter {
        source_id: query.text("source_id").map(str::to_owned),
        kind: query.one_of("kind", &format!("one of {kinds}"), JobKind::from_exact)?,
        outcome: query.one_of("outcome", outcomes, JobStatus::from_exact)?,
    })
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<JobShape<'a>>,
    /// The `after` of the next page; null at the end.
    next: Option<String>,
}
