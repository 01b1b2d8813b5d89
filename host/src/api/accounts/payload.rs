//! The pool as a payload, for whoever imports it next.

use hyper::header::{CACHE_CONTROL, ETAG, HeaderValue};
use hyper::{Method, StatusCode};
use tributary_core::{Provider, Salt};

use super::stream::{answer, note_handing_out};
use crate::api::query::Query;
use crate::api::{Answer, Request, Response, etag, whole, with_type};
use crate::store::export::{Exporter, Format};
use crate::store::filter::Filter;
use crate::store::meta;

const JSON: &str = "application/json";
/// Filters that a payload can be asked with.
const KNOWN: [&str; 3] = ["provider", "source_id", "status"];

/// `GET /api/accounts/payload`: every account that is meant, secrets included, in the very format that a source answers;
/// 304 to whoever has it.
pub async fn payload(request: Request) -> Answer {
    let query = Query::parse(request.uri(), &KNOWN)?;
    query.none_is_empty()?;
    let filter = query.filter()?;
    // The revision is read first: a payload that is newer than its tag is asked for again, an older one never kept.
    let pool = request.app.store.read(meta::read).await?;
    let tag = tag(&request.app.salt, pool.revision, &filter);
    let mut response = if etag::is_known(&request.head.headers, &tag) {
        with_type(StatusCode::NOT_MODIFIED, JSON, whole(""))
    } else if request.head.method == Method::HEAD {
        // Nothing is handed out.
        with_type(StatusCode::OK, JSON, whole(""))
    } else {
        note_handing_out(&request, "payload", &query).await?;
        let db = request.app.store.passing_connection()?;
        answer(Exporter::new(db, filter, Format::Payload), JSON).await?
    };
    mark(&mut response, &tag);
    Ok(response)
}

/// Names the pool, its revision and what is asked of it, and tells none of them.
fn tag(salt: &Salt, revision: i64, filter: &Filter) -> String {
    let asked = format!(
        "payload 1 {revision} {:?} {:?} {:?}",
        filter.provider.map(Provider::as_str),
        filter.source_id,
        filter.status
    );
    // No secret value is such text: theirs is JSON.
    format!("W/\"{}\"", salt.of_secret(&asked))
}

/// It may be kept to be asked for anew, by the one who asked alone.
fn mark(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    // Hex digits in quotes are always a valid value.
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
}
