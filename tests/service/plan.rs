//! `POST /api/remote-account/plan` and `…/sources/{id}/plan`: what an import would change; and `Tributary-Expect-Plan`.

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::{check, check_error, check_refused};
use super::harness::{INJECT, SOURCES, Server};
use super::sync::FAILED;
use super::upstream::{Reply, Upstream};

const PLAN: &str = "/api/remote-account/plan";

/// A hash of no plan.
const OTHER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn plan(server: &Server, body: &str) -> Value {
    let answer = server.post(PLAN, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["plan"].clone()
}

fn hash_of(plan: &Value) -> String {
    plan["plan_hash"].as_str().expect("a hash").to_owned()
}

/// A pool in which `s` owns two accounts, and one of them a person, too.
fn start() -> Server {
    let server = Server::start();
    server.post(INJECT, r#"{"accounts": [{"token": "example-1", "password": "example-password-1"}, "example-2"], "source_id": "s", "source_name": "S"}"#);
    server.post(INJECT, r#"{"tokens": ["example-2"]}"#);
    server
}

const REPLACE: &str = r#"{"accounts": [
    {"token": "example-3", "status": 7},
    {"token": "example-1", "password": "example-password-2", "quota": 5},
    {"token": "example-3"}, 5, null
], "strategy": "merge", "source_id": "s"}"#;

#[test]
fn a_plan_tells_every_change_and_every_skip_and_changes_nothing() {
    let server = start();
    let (before, job) = (server.export(), server.last_job());
    let answer = server.post(PLAN, REPLACE);
    check(
        &answer,
        200,
        &format!(
            r#"{{"plan": {{"strategy": "merge", "source_id": "s", "source_name": "S", "provider": "gpt", "shape": "accounts", "pool_revision": 2,
            "plan_hash": "{}",
            "counts": {{"total": 2, "added": 1, "updated": 1, "unchanged": 0, "skipped": 1, "released": 0, "disabled": 0, "removed": 0}},
            "guard": null, "guarded": false,
            "changes": [
                {{"change": "add", "index": 0, "span": [19, 35], "fingerprint": "{}", "token": "e…3",
                "provider": {{"before": null, "after": "gpt"}}, "owners": {{"before": null, "after": {{"local": false, "sources": ["s"]}}}},
                "fields": [{{"name": "type", "before": null, "after": "free"}}, {{"name": "status", "before": null, "after": "正常"}},
                {{"name": "quota", "before": null, "after": 0}}, {{"name": "success", "before": null, "after": 0}},
                {{"name": "fail", "before": null, "after": 0}}]}},
                {{"change": "update", "index": 1, "span": [60, 68], "fingerprint": "{}", "token": "e…1",
                "provider": {{"before": "gpt", "after": "gpt"}}, "owners": {{"before": {{"local": false, "sources": ["s"]}}, "after": {{"local": false, "sources": ["s"]}}}},
                "fields": [{{"name": "password", "before": "…", "after": "…"}}, {{"name": "quota", "before": 0, "after": 5}}]}}
            ], "changes_more": 0,
            "skips": [
                {{"index": 2, "pointer": "/accounts/2", "offset": 134, "line": 4, "reason": "duplicate", "error": "the token is that of entry 0"}},
                {{"index": 3, "pointer": "/accounts/3", "offset": 158, "line": 4, "reason": "entry_type", "error": "an entry must be a token or an object"}},
                {{"index": 4, "pointer": "/accounts/4", "offset": 161, "line": 4, "reason": "blank", "error": "the entry is blank"}}
            ], "skips_more": 0,
            "notes": [{{"code": "field_ignored", "index": 0, "field": "status"}}], "notes_more": 0}}}}"#,
            hash_of(&answer.json()["plan"]),
            server.id_of("example-3"),
            server.id_of("example-1"),
        ),
    );
    assert!(!answer.body.contains("example-password"), "{answer:?}");
    assert_eq!(server.export(), before);
    assert_eq!(server.last_job(), job, "a plan is no job");
}

#[test]
fn lists_are_cut_and_the_rest_is_counted() {
    let server = Server::start();
    let entries: Vec<Value> = (0..30)
        .map(|n| match n % 3 {
            0 => json!(7),
            1 => json!({"token": format!("example-{n}"), "quota": "x"}),
            _ => json!(format!("example-{n}")),
        })
        .collect();
    let body = json!({ "payload": entries }).to_string();
    let answer = server.post(&format!("{PLAN}?limit=4"), &body).json();
    let cut = &answer["plan"];
    for (list, more) in [("changes", 16), ("skips", 6), ("notes", 6)] {
        assert_eq!(cut[list].as_array().map(Vec::len), Some(4), "{list}");
        assert_eq!(cut[format!("{list}_more")], json!(more), "{list}");
    }
    assert_eq!(cut["skips"][1]["pointer"], json!("/payload/3"));
    assert_eq!(cut["counts"]["added"], json!(20));
    let whole = plan(&server, &body);
    assert_eq!(
        whole["plan_hash"], cut["plan_hash"],
        "what is cut still counts"
    );
    check_refused(&server.post(&format!("{PLAN}?limit=0"), &body), 422);
}

#[test]
fn a_plan_is_refused_like_its_import() {
    let server = Server::start();
    for (body, status) in [
        (r#"{"strategy": "replace", "tokens": ["example-1"]}"#, 400),
        (
            r#"{"strategy": "replace", "source_id": "s", "tokens": []}"#,
            400,
        ),
        (r#"{"strategy": "append", "tokens": []}"#, 422),
        (r#"{"x": 1}"#, 400),
        ("[", 422),
    ] {
        let (planned, injected) = (server.post(PLAN, body), server.post(INJECT, body));
        assert_eq!((planned.status, &planned.body), (status, &injected.body));
    }
    for (authorization, status) in [(None, 401), (Some("Bearer nobody"), 401)] {
        let answer = server.send("POST", PLAN, authorization, "{}");
        assert_eq!(answer.status, status);
    }
}

#[test]
fn what_is_planned_is_then_applied_exactly() {
    let server = start();
    for body in [
        REPLACE.to_owned(),
        REPLACE.replace("merge", "replace").replace(", 5, null", ""),
        r#"{"tokens": ["example-9"], "source_id": "t", "provider": "grok"}"#.to_owned(),
    ] {
        let planned = plan(&server, &body);
        let answer = server.post_expecting(INJECT, &body, &hash_of(&planned));
        assert_eq!(answer.status, 200, "{answer:?}");
        let job = server.job(&server.last_job());
        for count in [
            "total",
            "added",
            "updated",
            "unchanged",
            "skipped",
            "released",
            "disabled",
            "removed",
        ] {
            assert_eq!(job[count], planned["counts"][count], "{count}: {body}");
        }
        assert_eq!(job["plan_hash"], planned["plan_hash"]);
        let again = plan(&server, &body);
        assert_eq!(again["changes"], json!([]), "nothing is left to change");
        assert_ne!(again["plan_hash"], planned["plan_hash"]);
    }
}

#[test]
fn another_plan_than_was_approved_changes_nothing() {
    let server = start();
    let approved = hash_of(&plan(&server, REPLACE));
    server.post(INJECT, r#"{"tokens": ["example-3"]}"#);
    let before = server.export();
    let answer = server.post_expecting(INJECT, REPLACE, &approved);
    check_error(
        &answer,
        409,
        "the plan is another one than was approved: look at it again",
    );
    assert_eq!(server.export(), before);
    let job = server.job(answer.header("tributary-job").expect("a job"));
    assert_eq!(
        (&job["status"], &job["cause"], &job["plan_hash"]),
        (&json!("failed"), &json!("plan_differs"), &json!(approved))
    );
    for wrong in [
        "",
        "abc",
        &OTHER[1..],
        &format!("{OTHER}0"),
        &OTHER.replace('0', "g"),
    ] {
        let answer = server.post_expecting(INJECT, REPLACE, wrong);
        check_refused(&answer, 422);
        assert!(answer.body.contains("plan_hash"), "{answer:?}");
    }
    assert_eq!(server.export(), before);
}

#[test]
fn a_source_is_planned_and_then_synced_as_approved() {
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-1", "example-2"]}"#);
    let source = |url: &str| {
        server.source(&json!({"name": "S", "url": url, "sync_strategy": "replace"}).to_string())
    };
    let id = source(&upstream.url("/"));
    let path = format!("{SOURCES}/{id}");
    let planned = server.post(&format!("{path}/plan"), "").json()["plan"].clone();
    assert_eq!(
        (
            &planned["source_id"],
            &planned["source_name"],
            &planned["counts"]["added"],
            &planned["guarded"]
        ),
        (&json!(id), &json!("S"), &json!(2), &json!(true))
    );
    assert_eq!(planned["guard"]["blocked"], json!(false));
    assert_eq!(server.export(), "");
    let jobs = server.get("/api/remote-account/jobs").json();
    assert_eq!(jobs["items"], json!([]), "a plan makes no job");
    let sync = format!("{path}/sync");
    let refused: Answer = server.post_expecting(&sync, "", OTHER);
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(server.export(), "");
    let done = server.post_expecting(&sync, "", &hash_of(&planned));
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(server.tokens(), ["example-1", "example-2"]);

    check_error(
        &server.post(&format!("{SOURCES}/none/plan"), ""),
        404,
        "source not found",
    );
    server.post(&path, r#"{"enabled": false}"#);
    check_error(
        &server.post(&format!("{path}/plan"), ""),
        400,
        "source is disabled",
    );
}

#[test]
fn a_source_that_cannot_be_planned_tells_the_fixed_text() {
    let server = Server::start();
    let upstream = Upstream::start(|asked| match asked.path.as_str() {
        "/500" => Reply::status(500, "canary"),
        _ => Reply::json("canary"),
    });
    for path in ["/500", "/text"] {
        let id = server.source(&json!({ "url": upstream.url(path) }).to_string());
        let answer = server.post(&format!("{SOURCES}/{id}/plan"), "");
        check_error(&answer, 502, FAILED);
    }
}
