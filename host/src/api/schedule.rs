//! Where the sources stand in the schedule.

use serde::Serialize;
use tributary_core::Due;

use super::query::Query;
use super::{Answer, Request, ok};
use crate::clock::rfc3339;
use crate::import::due;
use crate::store::standing::{self, SourceStanding, Standing};

/// `GET /api/remote-account/schedule`: all sources, in order of creation.
pub async fn list(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let auto_sync = request.app.config.history.auto_sync;
    let all = request.app.store.read(standing::all).await?;
    ok(&Listed {
        schedule: all.iter().map(|one| Line::of(one, auto_sync)).collect(),
    })
}

#[derive(Serialize)]
struct Listed<'a> {
    schedule: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    source_id: &'a str,
    #[serde(flatten)]
    schedule: ScheduleShape,
}

impl Line<'_> {
    fn of(one: &SourceStanding, auto_sync: bool) -> Line<'_> {
        let SourceStanding {
            id,
            enabled,
            interval_seconds,
            standing,
        } = one;
        Line {
            source_id: id,
            schedule: ScheduleShape::of(id, *interval_seconds, standing, auto_sync && *enabled),
        }
    }
}

/// Where a source stands.
#[derive(Serialize)]
pub(super) struct ScheduleShape {
    /// Attempts in a row that failed.
    failures: u32,
    quarantined: bool,
    /// When `--auto-sync` asks it next; null without that, without an interval, and while it is disabled or quarantined.
    next_sync_at: Option<String>,
}

impl ScheduleShape {
    /// `is_asked` says whether the schedule asks the source at all.
    pub(super) fn of(
        id: &str,
        interval_seconds: Option<i64>,
        standing: &Standing,
        is_asked: bool,
    ) -> ScheduleShape {
        let due = due(id, interval_seconds, standing);
        ScheduleShape {
            failures: standing.failures,
            quarantined: due == Some(Due::Quarantined),
            next_sync_at: match due {
                Some(Due::At(at)) if is_asked => Some(rfc3339(at)),
                _ => None,
            },
        }
    }
}
