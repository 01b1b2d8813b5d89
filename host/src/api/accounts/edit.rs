//! The fields of one account, set by hand.

use tributary_core::{Edit, EditError};

use super::list::{json_text, not_found};
use crate::api::fields::max_body;
use crate::api::query::Query;
use crate::api::{Answer, Request};
use crate::error::ApiError;
use crate::import::hand;

/// `POST /api/accounts/update`: sets typed fields of the account that `id` or `access_token` names.
pub async fn update(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let body = request.body.read_all(max_body(&request.app)).await?;
    let edit = Edit::read(&body, &request.app.salt)?;
    let edited = hand::edit(&request.app, edit, request.asker()).await?;
    let edited = edited.ok_or_else(not_found)?;
    let (item, changed) = (edited.item, edited.changed);
    Ok(json_text(format!(
        "{{\"item\":{item},\"changed\":{changed}}}"
    )))
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> ApiError {
        ApiError::unprocessable(error.to_string())
    }
}
