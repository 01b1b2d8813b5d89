//! Sources: list, create, update, delete.

mod edit;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Serialize;
use tributary_core::{Leftover, Secret, Strategy};

use super::fields::max_body;
use super::query::Query;
use super::shape::SourceShape;
use super::{Answer, Request, Response, ok, whole, with_type};
use crate::error::ApiError;
use crate::import::hand;
use crate::job::ImportJob;
use crate::random;
use crate::source::{Method, Source};
use crate::store::audit::{self, Act};
use crate::store::db::Db;
use crate::store::{jobs, sources};
use edit::Edit;

/// A source with its latest sync, as the store gives it.
type Listed = (Source, Option<ImportJob>);

/// `GET /api/remote-account/sources`: all sources, the oldest first.
pub async fn list(request: Request) -> Answer {
    let app = &request.app;
    let edition = app.store.sources_edition();
    if let Some(text) = app.source_list.of(edition) {
        return Ok(as_json(text));
    }
    let all = app.store.read(sources::list).await;
    let all = all.map_err(ApiError::from)?;
    let text = serde_json::to_vec(&All {
        sources: shapes(&all),
    });
    let text = Bytes::from(text.map_err(|error| ApiError::internal(error.to_string()))?);
    app.source_list.keep(edition, text.clone());
    Ok(as_json(text))
}

fn as_json(text: Bytes) -> Response {
    with_type(StatusCode::OK, "application/json", whole(text))
}

/// `POST /api/remote-account/sources`: adds a source.
pub async fn create(mut request: Request) -> Answer {
    let body = request.body.read_all(max_body(&request.app)).await?;
    let edit = Edit::parse(&body)?;
    let url = edit.url.clone().ok_or_else(edit::url_is_required)?;
    let (weight, by) = (body.len() as u64, request.asker());
    let changed = request.app.store.write(weight, move |db| {
        let mut source = blank(unused_id(db)?, edit::host_of(&url));
        edit.apply(&mut source)?;
        sources::insert(db, &source)?;
        audit::append(db, &Act::new(by, "source.create", &source.id))?;
        Ok::<_, ApiError>(Changed {
            one: (source, None),
            all: sources::list(db)?,
        })
    });
    let changed = changed.await?;
    request.app.schedule.wake();
    changed.answer()
}

/// `POST /api/remote-account/sources/{id}`: changes the fields that are present and not null.
pub async fn update(mut request: Request) -> Answer {
    let body = request.body.read_all(max_body(&request.app)).await?;
    let edit = Edit::parse(&body)?;
    let by = request.asker();
    let (id, weight) = (request.id, body.len() as u64);
    let changed = request.app.store.write(weight, move |db| {
        let mut source = sources::get(db, &id)?.ok_or_else(ApiError::source_not_found)?;
        // What changes nothing is no edit: a sync under way need not be told.
        if edit.apply(&mut source)? {
            sources::update(db, &source)?;
            audit::append(db, &Act::new(by, "source.update", &id))?;
        }
        let job = jobs::latest_sync(db, &id)?;
        Ok::<_, ApiError>(Changed {
            one: (source, job),
            all: sources::list(db)?,
        })
    });
    let changed = changed.await?;
    request.app.schedule.wake();
    changed.answer()
}

/// `DELETE /api/remote-account/sources/{id}`: forgets a source. `?accounts=` says what becomes of its accounts: `keep`
/// leaves them as they are, `release` and `remove` take the source off them at once.
pub async fn delete(request: Request) -> Answer {
    let query = Query::parse(request.uri(), &["accounts"])?;
    let leftover = query.one_of("accounts", "`keep`, `release` or `remove`", leftover)?;
    let actor = request.asker();
    let left = hand::delete_source(&request.app, request.id, leftover.flatten(), actor).await?;
    let left = left.ok_or_else(ApiError::source_not_found)?;
    ok(&All {
        sources: shapes(&left),
    })
}

/// Reads what becomes of accounts that only a deleted source owns; the inner `None` leaves even the source with them.
fn leftover(name: &str) -> Option<Option<Leftover>> {
    match name {
        "keep" => Some(None),
        "release" => Some(Some(Leftover::Keep)),
        "remove" => Some(Some(Leftover::Remove)),
        _ => None,
    }
}

/// A changed source and all there are then.
struct Changed {
    one: Listed,
    all: Vec<Listed>,
}

impl Changed {
    fn answer(&self) -> Answer {
        #[derive(Serialize)]
        struct OneAndAll<'a> {
            source: SourceShape<'a>,
            sources: Vec<SourceShape<'a>>,
        }
        let (source, job) = &self.one;
        ok(&OneAndAll {
            source: SourceShape::new(source, job.as_ref()),
            sources: shapes(&self.all),
        })
    }
}

#[derive(Serialize)]
struct All<'a> {
    sources: Vec<SourceShape<'a>>,
}

fn shapes(all: &[Listed]) -> Vec<SourceShape<'_>> {
    all.iter()
        .map(|(source, job)| SourceShape::new(source, job.as_ref()))
        .collect()
}

/// A source before its first edit, with the defaults of everything that an edit may leave out.
fn blank(id: String, name: String) -> Source {
    Source {
        id,
        name,
        enabled: true,
        url: String::new(),
        method: Method::default(),
        auth_header: String::new(),
        auth_token: Secret::default(),
        bearer_token: Secret::default(),
        provider: None,
        strategy: Strategy::default(),
        interval_seconds: None,
        revision: 1,
        last_sync_at: None,
    }
}

/// 12 hex digits that name neither a source nor an owner of accounts.
fn unused_id(db: &Db) -> Result<String, ApiError> {
    loop {
        let id = random::hex::<6>().map_err(|error| ApiError::internal(error.to_string()))?;
        if !sources::is_taken(db, &id)? {
            return Ok(id);
        }
    }
}
