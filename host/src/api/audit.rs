//! What administrators did.

use serde::Serialize;
use serde_json::value::RawValue;

use super::cursor::{Cursor, List};
use super::query::Query;
use super::{Answer, Request, ok};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::store::audit::{self, Entry};

/// `GET /api/audit`: a page of what was done, the newest first.
pub async fn list(request: Request) -> Answer {
    let (app, query) = (
        &request.app,
        Query::parse(request.uri(), &["after", "limit"])?,
    );
    let limit = query.limit()?;
    let after = query.after(List::Audit, &app.salt)?;
    let before = after.map_or(i64::MAX, |Cursor(row)| row);
    // One more than asked for tells whether something follows.
    let found = app.store.read(move |db| audit::list(db, before, limit + 1));
    let mut found: Vec<Entry> = found.await.map_err(ApiError::from)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| Cursor(last.seq).write(List::Audit, &app.salt));
    let items = found.iter().map(Shape::new).collect::<Result<_, _>>()?;
    ok(&Page { items, next })
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<Shape<'a>>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Shape<'a> {
    seq: i64,
    at: String,
    by: &'a str,
    address: &'a str,
    act: &'a str,
    target: &'a str,
    counts: &'a RawValue,
}

impl<'a> Shape<'a> {
    fn new(entry: &'a Entry) -> Result<Shape<'a>, ApiError> {
        let counts = serde_json::from_str(&entry.counts);
        Ok(Shape {
            seq: entry.seq,
            at: rfc3339(entry.at),
            by: &entry.actor,
            address: &entry.address,
            act: &entry.act,
            target: &entry.target,
            counts: counts
                .map_err(|_| ApiError::internal("a row of the audit is not as it was written"))?,
        })
    }
}
