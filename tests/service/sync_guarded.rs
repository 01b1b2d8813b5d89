//! The guard against a broken source: a replace that would take too much is blocked until a person approves it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client::Answer;
use super::examples::check_error;
use super::harness::{INJECT, SOURCES, Server};
use super::sync::FAILED;
use super::upstream::{Reply, Upstream};

/// A server with a source of strategy replace, which answers whatever tokens it is told.
struct Guarded {
    server: Server,
    upstream: Upstream,
    body: Arc<Mutex<String>>,
    id: String,
}

impl Guarded {
    fn start(options: &[&str]) -> Guarded {
        let body = Arc::new(Mutex::new(String::new()));
        let answered = Arc::clone(&body);
        let upstream = Upstream::start(move |_| Reply::json(&answered.lock().expect("a body")));
        let server = Server::start_with(options);
        let source = json!({"name": "S", "url": upstream.url("/"), "sync_strategy": "replace"});
        let id = server.source(&source.to_string());
        Guarded {
            server,
            upstream,
            body,
            id,
        }
    }

    /// From now on the source has the tokens of these numbers.
    fn has(&self, numbers: std::ops::Range<u32>) {
        let tokens: Vec<String> = numbers.map(|n| format!("example-{n:03}")).collect();
        *self.body.lock().expect("a body") = json!({ "tokens": tokens }).to_string();
    }

    fn sync(&self) -> Answer {
        self.server.post(&format!("{SOURCES}/{}/sync", self.id), "")
    }

    #[track_caller]
    fn syncs(&self, numbers: std::ops::Range<u32>) {
        self.has(numbers);
        let answer = self.sync();
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A sync that is blocked and leaves the pool as it was; what the history tells of it.
    #[track_caller]
    fn is_blocked(&self, numbers: std::ops::Range<u32>) -> Value {
        self.has(numbers);
        let (before, revision) = (self.server.export(), self.server.revision());
        let answer = self.sync();
        check_error(&answer, 502, FAILED);
        assert_eq!(self.server.export(), before);
        assert_eq!(self.server.revision(), revision);
        self.server
            .job(answer.header("tributary-job").expect("a job"))
    }
}

#[test]
fn a_replace_that_would_take_too_much_is_blocked_and_then_approved() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    let job = guarded.is_blocked(0..13);
    assert_eq!(
        (
            &job["status"],
            &job["cause"],
            &job["total"],
            &job["removed"],
            &job["undoable"]
        ),
        (
            &json!("blocked"),
            &json!("blocked"),
            &json!(0),
            &json!(0),
            &json!(false)
        )
    );
    assert_eq!(
        job["guard"],
        json!({
            "blocked": true, "most_owned": 20, "owned": 20, "would_own": 13, "loss": 7, "percent": 30, "floor": 5,
            "setting": "`--guard-percent` and `--guard-floor`",
            "approve": "sync with the plan's hash in the header `Tributary-Expect-Plan`",
        })
    );
    // In the answers that are described it is a failed one.
    let path = format!("{SOURCES}/{}/sync", guarded.id);
    let latest = guarded.server.get(&path).json();
    assert_eq!(
        (
            &latest["import_job"]["status"],
            &latest["import_job"]["failed"]
        ),
        (&json!("failed"), &json!(1))
    );
    assert_eq!(latest["import_job"]["errors"], json!([FAILED]));
    let blocked = guarded
        .server
        .get("/api/remote-account/jobs?outcome=blocked")
        .json();
    assert_eq!(blocked["items"][0]["job_id"], job["job_id"]);

    let hash = job["plan_hash"].as_str().expect("a hash");
    let plan = guarded
        .server
        .post(&format!("{SOURCES}/{}/plan", guarded.id), "")
        .json();
    assert_eq!(plan["plan"]["plan_hash"], json!(hash));
    assert_eq!(plan["plan"]["guard"]["blocked"], json!(true));
    let asked = guarded.upstream.asked().len();
    let answer = guarded.server.post_expecting(&path, "", hash);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["import_job"]["removed"], json!(7));
    assert_eq!(
        guarded.upstream.asked().len(),
        asked + 1,
        "it was fetched again"
    );
    // What was approved is where the guard begins to count again.
    guarded.syncs(0..12);
    guarded.is_blocked(0..8);
}

#[test]
fn what_was_approved_must_still_be_the_plan() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    let job = guarded.is_blocked(0..10);
    guarded.has(0..9);
    let path = format!("{SOURCES}/{}/sync", guarded.id);
    let answer =
        guarded
            .server
            .post_expecting(&path, "", job["plan_hash"].as_str().expect("a hash"));
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(guarded.server.tokens().len(), 20);
}

#[test]
fn small_losses_pass_and_add_up_within_a_day() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    guarded.syncs(0..17);
    guarded.syncs(0..14);
    guarded.is_blocked(0..13);
    guarded.syncs(0..14);
    guarded.syncs(0..40);
    guarded.is_blocked(0..27);
}

#[test]
fn what_a_clock_that_was_years_ahead_noted_does_not_count() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    guarded.syncs(0..14);
    guarded.is_blocked(0..12);
    let pool = guarded.server.home().database();
    let ahead = "UPDATE owned_until SET at = at + 10 * 365 * 86400";
    assert_eq!(pool.execute(ahead, []).expect("rows"), 1);
    guarded.syncs(0..12);
}

#[test]
fn a_source_that_renews_all_its_tokens_loses_nothing() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    guarded.syncs(100..120);
    assert_eq!(guarded.server.tokens()[0], "example-100");
    guarded.syncs(200..214);
}

#[test]
fn fewer_accounts_than_the_floor_are_no_loss() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..5);
    guarded.syncs(0..1);
}

#[test]
fn what_others_own_counts_as_lost_by_the_source() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    let tokens: Vec<String> = (0..20).map(|n| format!("example-{n:03}")).collect();
    guarded
        .server
        .post(INJECT, &json!({ "tokens": tokens }).to_string());
    let job = guarded.is_blocked(0..2);
    assert_eq!(job["guard"]["loss"], json!(18));
}

#[test]
fn the_guard_is_set_for_the_server_or_for_one_source() {
    let guarded = Guarded::start(&["--guard-percent", "50", "--guard-floor", "2"]);
    guarded.syncs(0..10);
    guarded.syncs(0..5);
    let policy = format!("{SOURCES}/{}/policy", guarded.id);
    let set = |body: &str| assert_eq!(guarded.server.post(&policy, body).status, 200, "{body}");
    set(r#"{"guard_percent": 10}"#);
    guarded.syncs(0..50);
    let job = guarded.is_blocked(0..44);
    assert_eq!(
        (
            &job["guard"]["setting"],
            &job["guard"]["percent"],
            &job["guard"]["floor"]
        ),
        (
            &json!("`guard_percent` of the source's policy and `--guard-floor`"),
            &json!(10),
            &json!(2)
        )
    );
    set(r#"{"guard_floor": 7}"#);
    guarded.syncs(0..44);
    set(r#"{"guard_percent": 100, "guard_floor": null}"#);
    guarded.syncs(0..1);
}

#[test]
fn an_inject_is_not_guarded_but_told() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    let body = json!({"tokens": ["example-000"], "strategy": "replace", "source_id": guarded.id});
    let body = body.to_string();
    let plan = guarded
        .server
        .post("/api/remote-account/plan", &body)
        .json();
    assert_eq!(
        (&plan["plan"]["guard"]["blocked"], &plan["plan"]["guarded"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(guarded.server.post(INJECT, &body).status, 200);
    assert_eq!(guarded.server.tokens(), ["example-000"]);
}

#[test]
fn what_a_person_removed_is_no_loss_of_the_source() {
    let guarded = Guarded::start(&[]);
    guarded.syncs(0..20);
    let gone: Vec<String> = (10..20).map(|n| format!("example-{n:03}")).collect();
    let body = json!({ "tokens": gone }).to_string();
    assert_eq!(
        guarded.server.delete_with("/api/accounts", &body).status,
        200
    );
    guarded.syncs(0..8);
}
