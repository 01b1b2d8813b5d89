//! The pool as lines that restore it.

use super::stream::{answer, note_handing_out};
use crate::api::fields::Fields;
use crate::api::query::{FILTERS, Query};
use crate::api::{Answer, Request};
use crate::error::ApiError;
use crate::store::export::{Exporter, Format};

/// Largest body, in bytes: filters alone.
const MAX_BODY: u64 = 64 << 10;

/// `POST /api/accounts/export`: every account that is meant as a line of JSON, secrets included, in constant memory.
pub async fn export(mut request: Request) -> Answer {
    let mut query = Query::parse(request.uri(), &FILTERS)?;
    let body = Fields::read_any(&mut request, MAX_BODY).await?;
    add(&mut query, body)?;
    query.none_is_empty()?;
    let filter = query.filter()?;
    note_handing_out(&request, "export", &query).await?;
    let db = request.app.store.passing_connection()?;
    answer(
        Exporter::new(db, filter, Format::Lines),
        "application/x-ndjson",
    )
    .await
}

/// Filters may stand in the body, too, each in one place.
fn add(query: &mut Query, mut body: Fields) -> Result<(), ApiError> {
    for name in FILTERS {
        if let Some(text) = body.text(name)? {
            query.put(name.to_owned(), text, &FILTERS)?;
        }
    }
    body.end(&FILTERS)
}
