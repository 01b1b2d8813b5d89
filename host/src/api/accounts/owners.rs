//! Who owns how many accounts.

use serde::Serialize;
use tributary_core::Owner;

use crate::api::query::Query;
use crate::api::{Answer, Request, ok};
use crate::error::ApiError;
use crate::store::owners::{self, Owned, OwnerKind};

/// `GET /api/accounts/owners`: Local, sources, deleted sources and the labels of injects, with the accounts of each.
pub async fn list(request: Request) -> Answer {
    #[derive(Serialize)]
    struct Owners<'a> {
        owners: Vec<Shape<'a>>,
    }
    Query::parse(request.uri(), &[])?;
    let owners = request.app.store.read(owners::list).await;
    ok(&Owners {
        owners: owners
            .map_err(ApiError::from)?
            .iter()
            .map(Shape::new)
            .collect(),
    })
}

#[derive(Serialize)]
struct Shape<'a> {
    owner: String,
    kind: &'static str,
    source_id: Option<&'a str>,
    source_name: &'a str,
    enabled: Option<bool>,
    accounts: u64,
}

impl<'a> Shape<'a> {
    fn new(owned: &'a Owned) -> Shape<'a> {
        Shape {
            owner: owned.owner.to_string(),
            kind: owned.kind.as_str(),
            source_id: match &owned.owner {
                Owner::Local => None,
                Owner::Source(id) => Some(id.as_str()),
            },
            source_name: &owned.name,
            enabled: match owned.kind {
                OwnerKind::Source { enabled } => Some(enabled),
                OwnerKind::Local | OwnerKind::DeletedSource | OwnerKind::InjectLabel => None,
            },
            accounts: owned.accounts,
        }
    }
}
