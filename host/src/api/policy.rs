//! What a source may do to the pool, and where it stands in the schedule.

use serde::Serialize;
use tributary_core::Removal;

use super::fields::Fields;
use super::query::Query;
use super::schedule::ScheduleShape;
use super::{Answer, Request, ok};
use crate::error::ApiError;
use crate::source::Source;
use crate::store::audit::{self, Act};
use crate::store::db::Db;
use crate::store::policies::{self, Policy};
use crate::store::standing::{self, Standing};
use crate::store::{StoreError, sources};

/// What a body may hold.
const KNOWN: [&str; 3] = ["removal", "guard_percent", "guard_floor"];

/// `GET /api/remote-account/sources/{id}/policy`
pub async fn show(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let (id, auto_sync) = (request.id, request.app.config.history.auto_sync);
    let found = request.app.store.read(move |db| Found::read(db, &id));
    ok(&found.await?.answer(auto_sync))
}

/// `POST /api/remote-account/sources/{id}/policy`: changes what is present; null gives the guard's numbers back to the
/// server's.
pub async fn update(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let mut fields = Fields::read(&mut request).await?;
    let percents = "a whole number from 0 to 100, or null for the server's";
    let counts = "a whole number from 0 on, or null for the server's";
    let removal = fields.one_of("removal", "`remove` or `disable`", Removal::from_exact)?;
    let percent = fields.count_or_null("guard_percent", percents, 100)?;
    let floor = fields.count_or_null("guard_floor", counts, u64::MAX >> 1)?;
    fields.end(&KNOWN)?;
    let by = request.asker();
    let (id, auto_sync) = (request.id, request.app.config.history.auto_sync);
    let changed = request.app.store.write(0, move |db| {
        let found = Found::read(db, &id)?;
        let policy = Policy {
            removal: removal.unwrap_or(found.policy.removal),
            guard_percent: percent.unwrap_or(found.policy.guard_percent),
            guard_floor: floor.unwrap_or(found.policy.guard_floor),
        };
        if policy != found.policy {
            policies::write(db, &id, &policy)?;
            sources::touch(db, &id)?;
            audit::append(db, &Act::new(by, "source.policy", &id))?;
        }
        Found::read(db, &id)
    });
    let changed: Found = changed.await?;
    request.app.schedule.wake();
    ok(&changed.answer(auto_sync))
}

struct Found {
    source: Source,
    policy: Policy,
    standing: Standing,
}

impl Found {
    fn read(db: &Db, id: &str) -> Result<Found, ApiError> {
        let source = sources::get(db, id)?.ok_or_else(ApiError::source_not_found)?;
        let beside = || {
            let policy = policies::read(db, id)?;
            Ok::<_, StoreError>((policy, standing::read(db, id)?))
        };
        let (policy, standing) = beside()?;
        Ok(Found {
            source,
            policy,
            standing,
        })
    }

    fn answer(&self, auto_sync: bool) -> Answered<'_> {
        let Source {
            id,
            interval_seconds,
            enabled,
            ..
        } = &self.source;
        Answered {
            policy: PolicyShape {
                source_id: id,
                removal: self.policy.removal.as_str(),
                guard_percent: self.policy.guard_percent,
                guard_floor: self.policy.guard_floor,
            },
            schedule: ScheduleShape::of(
                id,
                *interval_seconds,
                &self.standing,
                auto_sync && *enabled,
            ),
        }
    }
}

#[derive(Serialize)]
struct Answered<'a> {
    policy: PolicyShape<'a>,
    schedule: ScheduleShape,
}

#[derive(Serialize)]
struct PolicyShape<'a> {
    source_id: &'a str,
    removal: &'static str,
    guard_percent: Option<u64>,
    guard_floor: Option<u64>,
}
