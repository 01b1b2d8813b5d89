//! An owner that is dropped from all its accounts.

use serde::Serialize;
use tributary_core::{Leftover, Owner};

use crate::api::fields::Fields;
use crate::api::query::{OWNER, Query};
use crate::api::{Answer, Request, ok};
use crate::error::ApiError;
use crate::import::hand;

/// `POST /api/accounts/release`: takes `owner` off all its accounts; `accounts` says what becomes of those that nobody
/// else owns.
pub async fn release(mut request: Request) -> Answer {
    #[derive(Serialize)]
    struct Answered {
        owner: String,
        released: u64,
        kept: u64,
        removed: u64,
    }
    Query::parse(request.uri(), &[])?;
    let mut fields = Fields::read(&mut request).await?;
    let owner = fields.text("owner")?.as_deref().and_then(Owner::from_text);
    let leftover = fields.one_of("accounts", "`keep` or `remove`", Leftover::from_exact)?;
    fields.end(&["owner", "accounts"])?;
    let owner = owner.ok_or_else(|| ApiError::unprocessable(format!("`owner` must be {OWNER}")))?;
    let name = owner.to_string();
    let (leftover, actor) = (leftover.unwrap_or_default(), request.asker());
    let released = hand::release(&request.app, owner, leftover, actor).await?;
    let released = released.ok_or_else(|| ApiError::not_found("owner not found"))?;
    ok(&Answered {
        owner: name,
        released: released.released,
        kept: released.kept,
        removed: released.removed,
    })
}
