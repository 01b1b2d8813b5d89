//! The master key: which one seals the pool, and a new one.

use hyper::StatusCode;
use serde::Serialize;

use super::query::Query;
use super::{Answer, Request, ok};
use crate::error::ApiError;
use crate::import::rotation::{self, NotRotated};
use crate::store::TurnError;

/// `POST /api/master-key/rotate`: makes a new master key and seals everything with it.
pub async fn rotate(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let by = request.asker();
    rotation::rotate(&request.app, by).await?;
    #[derive(Serialize)]
    struct Rotated {
        /// Names the key that seals everything now; it is no secret.
        key_id: String,
    }
    ok(&Rotated {
        key_id: request.app.store.key_id(),
    })
}

impl From<NotRotated> for ApiError {
    fn from(not: NotRotated) -> ApiError {
        let conflict = |why| ApiError::new(StatusCode::CONFLICT, why);
        match not {
            NotRotated::Running => conflict("a rotation is under way; wait until it has ended"),
            NotRotated::NoKey(TurnError::Given) => conflict(
                "the master key came from TRIBUTARY_MASTER_KEY: put a new key in front of it there, and restart the server",
            ),
            NotRotated::NoKey(TurnError::File(error)) => ApiError::unavailable(format!(
                "the master key file cannot be written: {}",
                error.kind()
            )),
            NotRotated::Store(error) => error.into(),
        }
    }
}
