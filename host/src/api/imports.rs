//! Imports: inject, sync, and the state of the latest sync.

use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tributary_core::{Form, ImportOptions, Member, PlanHash, Provider, SourceId, Strategy};

use super::query::Query;
use super::shape::{JobShape, SourceShape};
use super::{Answer, Request, json, ok};
use crate::body::Sink;
use crate::error::ApiError;
use crate::import::{self, Failure, InjectRequest, NotInjected, SyncRequest, Synced};
use crate::intake::{Intake, IntakeError};
use crate::job::{Actor, Asker, ImportJob, JobKind};
use crate::store::decide::Received;
use crate::store::{jobs, sources};

/// The job behind an answer.
const JOB: HeaderName = HeaderName::from_static("tributary-job");
/// Entries that were not taken, when there are any.
const SKIPPED: HeaderName = HeaderName::from_static("tributary-skipped");

/// The plan that was approved: nothing else is applied.
const EXPECT_PLAN: HeaderName = HeaderName::from_static("tributary-expect-plan");

/// `POST /api/remote-account/inject`: imports a payload that the body holds.
pub async fn inject(mut request: Request) -> Answer {
    // Who writes `?plan=true` must not change the pool by it.
    Query::parse(request.uri(), &[])?;
    let expected = expected_plan(&request.head.headers)?;
    let arrived = receive(&mut request).await?;
    // The fields are judged before the payload, whatever their order in the body.
    let asked = InjectRequest {
        actor: request.asker(),
        expected,
        receiving: arrived.took,
        ..asked(&arrived.members)?
    };
    let injected = import::inject(&request.app, asked, arrived.received).await;
    let injected = injected.map_err(not_injected)?;
    let mut answer = ok(&Counted::of(&injected.job))?;
    tell(answer.headers_mut(), &injected.job, injected.not_taken);
    Ok(answer)
}

/// The plan that a request approves; 422 for a header that holds no hash.
fn expected_plan(headers: &HeaderMap) -> Result<Option<PlanHash>, ApiError> {
    let mut values = headers.get_all(EXPECT_PLAN).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let hash = value.to_str().ok().and_then(PlanHash::from_hex);
    match (hash, values.next()) {
        (Some(hash), None) => Ok(Some(hash)),
        _ => Err(ApiError::unprocessable(
            "`Tributary-Expect-Plan` must be the `plan_hash` of a plan: 64 hex digits, once",
        )),
    }
}

/// What an inject body held.
pub(super) struct Arrived {
    /// What stood beside the payload.
    pub(super) members: Vec<Member>,
    /// The payload, or why it cannot be imported.
    pub(super) received: Result<Received, Failure>,
    /// How long it took.
    pub(super) took: Duration,
}

/// Reads an inject body. A body that cannot be read to its end holds no import.
pub(super) async fn receive(request: &mut Request) -> Result<Arrived, ApiError> {
    let (app, began) = (&request.app, Instant::now());
    let max = app.config.bodies.max_body;
    let declared = request.body.declared_len();
    if declared.is_some_and(|len| len > max) {
        return Ok(Arrived {
            members: Vec::new(),
            received: Err(IntakeError::TooLarge(max).into()),
            took: began.elapsed(),
        });
    }
    let mut intake = Intake::new(app, Form::InjectBody, max);
    intake.expect(declared.unwrap_or_default());
    let whole = loop {
        let next = tokio::select! {
            biased;
            next = request.body.next() => next,
            () = intake.stopped() => Ok(None),
        };
        let taken = match next {
            Ok(Some(piece)) => intake.push(piece).await.is_ok(),
            Ok(None) => false,
            // What is wrong with what came is said, not that no more came.
            Err(error) => break Err(intake.refusal().await.ok_or(error)?),
        };
        if !taken {
            break intake.end().await;
        }
    };
    let (members, received) = match whole {
        Ok((members, received)) => (members, received.map_err(Failure::from)),
        Err(error) => (Vec::new(), Err(error.into())),
    };
    Ok(Arrived {
        members,
        received,
        took: began.elapsed(),
    })
}

/// What whoever gave a payload is told that changed nothing; its job stands in a header.
pub(super) fn not_injected(not: NotInjected) -> ApiError {
    let error = ApiError::from(not.failure);
    match not.job_id.as_deref().map(HeaderValue::from_str) {
        Some(Ok(id)) => error.with_header(JOB, id),
        _ => error,
    }
}

/// The answer of an inject: counts only.
#[derive(Serialize)]
struct Counted<'a> {
    strategy: &'static str,
    source_id: &'a str,
    source_name: &'a str,
    total: u64,
    added: u64,
    skipped: u64,
    removed: u64,
}

impl<'a> Counted<'a> {
    fn of(job: &'a ImportJob) -> Counted<'a> {
        Counted {
            strategy: job.strategy.as_str(),
            source_id: &job.source_id,
            source_name: &job.source_name,
            total: job.total,
            added: job.added,
            skipped: job.skipped,
            removed: job.removed,
        }
    }
}

/// The fields beside the payload; 422 for one of the wrong type.
pub(super) fn asked(members: &[Member]) -> Result<InjectRequest, ApiError> {
    let strategy: Option<String> = field(members, "strategy")?;
    let strategy = match strategy.as_deref() {
        None => Strategy::default(),
        Some(name) => Strategy::from_exact(name)
            .ok_or_else(|| ApiError::unprocessable("`strategy` must be `merge` or `replace`"))?,
    };
    let provider = provider(members)?;
    let source_id: Option<String> = field(members, "source_id")?;
    let source_name: Option<String> = field(members, "source_name")?;
    Ok(InjectRequest {
        kind: JobKind::Inject,
        options: ImportOptions {
            strategy,
            source_id: source_id.as_deref().and_then(SourceId::new),
            provider,
            ..ImportOptions::default()
        },
        source_name: source_name.unwrap_or_default().trim().to_owned(),
        actor: Asker::default(),
        expected: None,
        receiving: Duration::ZERO,
    })
}

/// The provider of accounts that do not name their own; 422 for one that nobody knows.
pub(super) fn provider(members: &[Member]) -> Result<Option<Provider>, ApiError> {
    let provider: Option<String> = field(members, "provider")?;
    match provider.as_deref() {
        None | Some("") => Ok(None),
        Some(name) => Provider::from_exact(name)
            .map(Some)
            .ok_or_else(|| ApiError::unprocessable("`provider` must be empty, `gpt` or `grok`")),
    }
}

/// A member of the body as text; `None` when it is absent or null.
fn field<T: DeserializeOwned>(members: &[Member], name: &str) -> Result<Option<T>, ApiError> {
    let Some(member) = members.iter().find(|member| member.name == name) else {
        return Ok(None);
    };
    let raw = member.raw.as_deref();
    let raw = raw
        .ok_or_else(|| ApiError::unprocessable(format!("`{name}` must be shorter than 64 KiB")))?;
    serde_json::from_slice(raw)
        .map_err(|_| ApiError::unprocessable(format!("`{name}` must be a string")))
}

/// `POST /api/remote-account/sources/{id}/sync`: fetches a source and imports what it answers. The body is not read.
pub async fn sync(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let asked = SyncRequest {
        id: request.id,
        // A route for administrators lets nobody else in.
        actor: request.actor.unwrap_or(Actor::Admin),
        address: request.address.to_string(),
        expected: expected_plan(&request.head.headers)?,
    };
    match import::sync(&request.app, asked).await? {
        Synced::Applied {
            job,
            source,
            not_taken,
        } => {
            let mut answer = ok(&JobAndSource {
                import_job: JobShape::new(&job),
                source: SourceShape::new(&source, Some(&job)),
            })?;
            tell(answer.headers_mut(), &job, not_taken);
            Ok(answer)
        }
        Synced::Failed(job) => {
            let mut answer = ApiError::sync_failed().into_response();
            tell(answer.headers_mut(), &job, 0);
            Ok(answer)
        }
        Synced::PlanDiffers(job) => {
            let mut answer = ApiError::from(Failure::PlanDiffers).into_response();
            tell(answer.headers_mut(), &job, 0);
            Ok(answer)
        }
        Synced::NotFound => Err(ApiError::source_not_found()),
        Synced::Disabled => Err(ApiError::source_is_disabled()),
        Synced::Unavailable(why) => Err(ApiError::unavailable(why)),
    }
}

#[derive(Serialize)]
struct JobAndSource<'a> {
    import_job: JobShape<'a>,
    source: SourceShape<'a>,
}

/// `GET /api/remote-account/sources/{id}/sync`: the latest sync of a source; null before the first.
pub async fn latest_sync(request: Request) -> Answer {
    #[derive(Serialize)]
    struct Latest<'a> {
        import_job: Option<JobShape<'a>>,
    }
    let id = request.id;
    let job = request
        .app
        .store
        .read(move |db| match sources::get(db, &id)? {
            Some(_) => Ok(jobs::latest_sync(db, &id)?),
            None => Err(ApiError::source_not_found()),
        });
    let job = job.await?;
    Ok(json(
        StatusCode::OK,
        &Latest {
            import_job: job.as_ref().map(JobShape::new),
        },
    ))
}

/// Says in headers what the described body has no place for.
pub(super) fn tell(headers: &mut HeaderMap, job: &ImportJob, not_taken: usize) {
    // Hex digits are always a valid value.
    if let Ok(id) = HeaderValue::from_str(&job.id) {
        headers.insert(JOB, id);
    }
    if not_taken > 0 {
        headers.insert(SKIPPED, HeaderValue::from(not_taken));
    }
}
