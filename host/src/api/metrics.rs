//! The metrics, for whoever watches over the server.

use hyper::StatusCode;

use super::query::Query;
use super::{Answer, Request, whole, with_type};
use crate::clock;
use crate::error::ApiError;
use crate::metrics::{Moment, TEXT_FORMAT};
use crate::store::numbers;

/// `GET /metrics`: what was counted and what the store knows, in Prometheus' text format.
pub async fn scrape(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let store = &request.app.store;
    let numbers = store.read(numbers::read).await.map_err(ApiError::from)?;
    let moment = Moment {
        now: clock::now(),
        ready: store.health().is_ready(),
        wal_bytes: store.wal_bytes(),
    };
    let text = request.app.metrics.text(&numbers, &moment);
    let text = text.map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(with_type(StatusCode::OK, TEXT_FORMAT, whole(text)))
}
