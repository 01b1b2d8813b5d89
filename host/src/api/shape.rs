//! How sources and jobs look in answers: the fields and their order are those of `spec.txt`.

use serde::Serialize;
use tributary_core::Provider;

use crate::clock::rfc3339;
use crate::error::SYNC_FAILED;
use crate::job::{Findings, ImportJob, JobStatus};
use crate::source::Source;

/// A source without its tokens.
#[derive(Serialize)]
pub struct SourceShape<'a> {
    id: &'a str,
    name: &'a str,
    enabled: bool,
    url: &'a str,
    method: &'static str,
    auth_header: &'a str,
    provider: &'static str,
    sync_strategy: &'static str,
    interval_seconds: Option<i64>,
    last_sync_at: String,
    import_job: Option<JobShape<'a>>,
    has_auth_token: bool,
    has_bearer_token: bool,
}

/// An import job.
#[derive(Serialize)]
pub struct JobShape<'a> {
    job_id: &'a str,
    status: &'static str,
    created_at: String,
    updated_at: String,
    source_id: &'a str,
    source_name: &'a str,
    strategy: &'static str,
    total: u64,
    added: u64,
    skipped: u64,
    removed: u64,
    failed: u64,
    errors: &'static [&'static str],
}

impl<'a> SourceShape<'a> {
    /// The shape of a source and its latest sync.
    pub fn new(source: &'a Source, latest_sync: Option<&'a ImportJob>) -> SourceShape<'a> {
        SourceShape {
            id: &source.id,
            name: &source.name,
            enabled: source.enabled,
            url: &source.url,
            method: source.method.as_str(),
            auth_header: &source.auth_header,
            provider: source.provider.map_or("", Provider::as_str),
            sync_strategy: source.strategy.as_str(),
            interval_seconds: source.interval_seconds,
            last_sync_at: source.last_sync_at.map(rfc3339).unwrap_or_default(),
            import_job: latest_sync.map(JobShape::new),
            has_auth_token: !source.auth_token.reveal().is_empty(),
            has_bearer_token: !source.bearer_token.reveal().is_empty(),
        }
    }
}

impl<'a> JobShape<'a> {
    /// The shape of a job. A failed or blocked one counts 1 as failed and tells the fixed text only.
    pub fn new(job: &'a ImportJob) -> JobShape<'a> {
        let failed = job.status.is_failure();
        let status = match failed {
            true => JobStatus::Failed,
            false => job.status,
        };
        JobShape {
            job_id: &job.id,
            status: status.as_str(),
            created_at: rfc3339(job.created_at),
            updated_at: rfc3339(job.updated_at),
            source_id: &job.source_id,
            source_name: &job.source_name,
            strategy: job.strategy.as_str(),
            total: job.total,
            added: job.added,
            skipped: job.skipped,
            removed: job.removed,
            failed: u64::from(failed),
            errors: if failed { &[SYNC_FAILED] } else { &[] },
        }
    }
}

/// A job as the history tells it: blocked is blocked, and why it failed is said.
#[derive(Serialize)]
pub struct HistoryShape<'a> {
    #[serde(flatten)]
    job: JobShape<'a>,
    kind: &'static str,
    updated: u64,
    unchanged: u64,
    released: u64,
    disabled: u64,
    by: &'a str,
    bytes: u64,
    /// One word; null where it did not fail.
    cause: Option<&'a str>,
    #[serde(flatten)]
    findings: &'a Findings,
    /// Whether an undo can take it back at present.
    undoable: bool,
    undoes: Option<&'a str>,
    undone_by: Option<&'a str>,
}

impl<'a> HistoryShape<'a> {
    /// The shape of a job, which can be taken back or not.
    pub fn new(job: &'a ImportJob, undoable: bool) -> HistoryShape<'a> {
        let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
        HistoryShape {
            job: JobShape {
                status: job.status.as_str(),
                ..JobShape::new(job)
            },
            kind: job.kind.as_str(),
            updated: job.updated,
            unchanged: job.unchanged,
            released: job.released,
            disabled: job.disabled,
            by: &job.actor,
            bytes: job.bytes,
            cause: some(&job.cause),
            findings: &job.findings,
            undoable,
            undoes: some(&job.undoes),
            undone_by: some(&job.undone_by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobKind;
    use crate::source::Method;
    use tributary_core::{Secret, Strategy};

    fn source() -> Source {
        Source {
            id: "a1b2c3d4e5f6".to_owned(),
            name: "Team GPT Source".to_owned(),
            enabled: true,
            url: "https://accounts.example.test/webchat2api.json".to_owned(),
            method: Method::Get,
            auth_header: String::new(),
            auth_token: Secret::default(),
            bearer_token: Secret::new("example-bearer".to_owned()),
            provider: Some(Provider::Gpt),
            strategy: Strategy::Merge,
            interval_seconds: Some(3600),
            revision: 1,
            last_sync_at: Some(1_779_531_330),
        }
    }

    fn job(status: JobStatus) -> ImportJob {
        ImportJob {
            id: "11112222333344445555666677778888".to_owned(),
            kind: JobKind::Sync,
            status,
            created_at: 1_779_531_329,
            updated_at: 1_779_531_330,
            source_id: "a1b2c3d4e5f6".to_owned(),
            source_name: "Team GPT Source".to_owned(),
            strategy: Strategy::Merge,
            total: 2,
            added: 1,
            skipped: 1,
            ..ImportJob::default()
        }
    }

    #[test]
    fn a_source_shows_its_latest_sync_and_no_token() {
        let (source, job) = (source(), job(JobStatus::Success));
        let text = serde_json::to_string(&SourceShape::new(&source, Some(&job))).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"id":"a1b2c3d4e5f6","name":"Team GPT Source","enabled":true,"#,
                r#""url":"https://accounts.example.test/webchat2api.json","method":"GET","auth_header":"","#,
                r#""provider":"gpt","sync_strategy":"merge","interval_seconds":3600,"#,
                r#""last_sync_at":"2026-05-23T10:15:30+00:00","import_job":{"#,
                r#""job_id":"11112222333344445555666677778888","status":"success","#,
                r#""created_at":"2026-05-23T10:15:29+00:00","updated_at":"2026-05-23T10:15:30+00:00","#,
                r#""source_id":"a1b2c3d4e5f6","source_name":"Team GPT Source","strategy":"merge","total":2,"#,
                r#""added":1,"skipped":1,"removed":0,"failed":0,"errors":[]},"#,
                r#""has_auth_token":false,"has_bearer_token":true}"#,
            )
        );
    }

    #[test]
    fn a_failed_job_tells_the_fixed_text_only() {
        let text = serde_json::to_string(&JobShape::new(&job(JobStatus::Failed))).unwrap();
        assert!(
            text.ends_with(r#""failed":1,"errors":["remote account sync failed"]}"#),
            "{text}"
        );
    }
}
