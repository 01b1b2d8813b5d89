//! No answer tells a secret: every route is asked, well and badly, with canaries in what it is sent and in what it holds.

use serde_json::{Value, json};

use super::harness::{ACCOUNTS, EXPORT, INJECT, JOBS, SOURCES, Server};
use super::upstream::Upstream;

const TOKEN: &str = "canary-token-of-an-account";
/// What no answer but an export and a payload tells. A masked token shows its first and last 4 characters at most.
const CANARIES: [&str; 4] = [
    TOKEN,
    "canary-password-of-an-account",
    "canary-bearer-of-a-source",
    "canary-header-of-a-source",
];
/// Told by sources alone, whose contract it is to tell their addresses.
const ADDRESS: &str = "canary-query-of-a-source";

/// Asks, and looks for canaries in the status line's company: headers and body.
struct Asking {
    server: Server,
}

impl Asking {
    /// The answer to a request that must end with this status.
    fn ask(&self, status: u16, method: &str, path: &str, body: &Value) -> Value {
        let body = text_of(body);
        let answer = self.server.send(method, path, Some("Bearer admin"), &body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let told = format!("{:?} {}", answer.headers, answer.body);
        let tells_addresses = path.starts_with(SOURCES);
        let secret = CANARIES
            .into_iter()
            .chain((!tells_addresses).then_some(ADDRESS));
        for canary in secret {
            assert!(!told.contains(canary), "{method} {path}: {told}");
        }
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Value {
        self.ask(200, "GET", path, &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask(200, "POST", path, body)
    }
}

fn entry(password: &str) -> Value {
    json!({"token": TOKEN, "password": format!("canary-password-of-an-account{password}"), "email": "a@example.test",
        "n": {"jwt": "canary-password-of-an-account"}})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn no_answer_but_an_export_and_a_payload_tells_a_secret() {
    let asking = Asking {
        server: Server::start(),
    };
    let upstream = Upstream::json(&json!({"accounts": [entry(""), TOKEN]}).to_string());
    let source = json!({"url": upstream.url(&format!("/pool?key={ADDRESS}")), "bearer_token": CANARIES[2],
        "auth_header": "X-Key", "auth_token": CANARIES[3]});
    let created = asking.post(SOURCES, &source);
    let source = format!("{SOURCES}/{}", text(&created["source"]["id"]));
    asking.get(SOURCES);
    asking.post(
        &source,
        &json!({"name": "near", "bearer_token": CANARIES[2]}),
    );
    asking.post(&format!("{source}/plan"), &Value::Null);
    asking.post(&format!("{source}/sync"), &Value::Null);
    asking.post(&format!("{source}/policy"), &json!({"removal": "disable"}));
    asking.get(&format!("{source}/policy"));
    asking.get("/api/remote-account/schedule");
    let import = |password: &str, strategy: &str| {
        json!({"accounts": [entry(password), {"token": TOKEN, "quota": 1}],
        "source_id": "s", "strategy": strategy})
    };
    asking.post("/api/remote-account/plan", &import("", "merge"));
    asking.post(INJECT, &import("", "merge"));
    asking.post("/api/remote-account/plan", &import("-2", "replace"));
    asking.post(INJECT, &import("-2", "replace"));
    let lookup = json!({"tokens": [TOKEN], "fields": ["status", "email"]});
    for lookup in [lookup, json!({"tokens": [TOKEN]})] {
        let body = lookup.to_string();
        let answer = asking.server.post("/api/remote-account/pool/lookup", &body);
        assert!(answer.status == 200 || answer.status == 422, "{answer:?}");
        assert!(!answer.body.contains(TOKEN), "{answer:?}");
    }
    let jobs = asking.get(&format!("{JOBS}?limit=100"));
    let job = format!("{JOBS}/{}", text(&jobs["items"][0]["job_id"]));
    asking.get(&job);
    asking.post(&format!("{job}/undo?plan=true"), &Value::Null);
    asking.post(&format!("{job}/undo"), &Value::Null);
    asking.post(ACCOUNTS, &json!({"accounts": [entry("")]}));
    let accounts = asking.get(ACCOUNTS);
    let id = text(&accounts["items"][0]["id"]).to_owned();
    asking.get(&format!("{ACCOUNTS}?q=canary"));
    asking.get(&format!("{ACCOUNTS}/{id}"));
    asking.get("/api/accounts/owners");
    asking.post("/api/accounts/update", &json!({"id": id, "quota": 3}));
    asking.post("/api/accounts/release", &json!({"owner": "source:s"}));
    let key = asking.post("/api/auth/users", &json!({"name": "ops"}));
    let key = format!("/api/auth/users/{}", text(&key["item"]["id"]));
    asking.get("/api/auth/users");
    asking.post(&key, &json!({"enabled": false}));
    asking.ask(200, "DELETE", &key, &Value::Null);
    asking.post("/api/master-key/rotate", &Value::Null);
    asking.ask(
        200,
        "DELETE",
        ACCOUNTS,
        &json!({"tokens": [TOKEN, "canary-password-of-an-account"]}),
    );
    asking.ask(200, "DELETE", &source, &Value::Null);
    for path in ["/api/audit?limit=1000", "/metrics", "/health", "/ready"] {
        asking.get(path);
    }
}

#[test]
fn no_refusal_repeats_a_secret() {
    let asking = Asking {
        server: Server::start(),
    };
    let upstream = Upstream::json(&format!(
        "[\"{TOKEN}\", {{\"{TOKEN}\": canary-password-of-an-account"
    ));
    let created = asking.post(
        SOURCES,
        &json!({"url": upstream.url("/"), "bearer_token": CANARIES[2]}),
    );
    let source = format!("{SOURCES}/{}", text(&created["source"]["id"]));
    let broken = Value::String(format!(
        "{{\"tokens\": [\"{TOKEN}\", canary-password-of-an-account"
    ));
    let shapes = [
        broken,
        Value::String(format!("\"{TOKEN}\"")),
        json!({"tokens": TOKEN, "accounts": TOKEN}),
        json!({"strategy": TOKEN, "tokens": [TOKEN]}),
        json!({TOKEN: TOKEN}),
    ];
    for body in &shapes {
        for path in [INJECT, "/api/remote-account/plan", ACCOUNTS, SOURCES] {
            let refused = asking.server.post(path, &text_of(body));
            assert!(
                (400..500).contains(&refused.status),
                "{path} {body}: {refused:?}"
            );
            assert!(
                !refused.body.contains("canary"),
                "{path} {body}: {refused:?}"
            );
        }
    }
    let bad = [
        (
            SOURCES.to_owned(),
            json!({"url": format!("ftp://{TOKEN}/")}),
        ),
        (
            source.clone(),
            json!({"bearer_token": format!("{TOKEN}\n")}),
        ),
        ("/api/accounts/update".to_owned(), json!({"id": TOKEN})),
        ("/api/accounts/release".to_owned(), json!({"owner": TOKEN})),
        (
            "/api/auth/users".to_owned(),
            json!({"role": TOKEN, "name": "a"}),
        ),
        (EXPORT.to_owned(), json!({"provider": TOKEN})),
        (format!("{EXPORT}?provider={TOKEN}"), Value::Null),
    ];
    for (path, body) in &bad {
        let refused = asking.server.post(path, &text_of(body));
        assert!((400..500).contains(&refused.status), "{path}: {refused:?}");
        assert!(!refused.body.contains(TOKEN), "{path}: {refused:?}");
    }
    asking.ask(502, "POST", &format!("{source}/sync"), &Value::Null);
    asking.ask(502, "POST", &format!("{source}/plan"), &Value::Null);
    asking.get(&format!("{JOBS}?limit=100"));
    asking.ask(200, "GET", SOURCES, &Value::Null);
    let stranger = asking
        .server
        .send("GET", ACCOUNTS, Some(&format!("Bearer {TOKEN}")), "");
    assert!(
        stranger.status == 401 && !stranger.body.contains(TOKEN),
        "{stranger:?}"
    );
    let log = asking.server.home().log();
    let telling: Vec<&str> = log.lines().filter(|line| line.contains("canary")).collect();
    assert_eq!(telling, Vec::<&str>::new());
}

fn text_of(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        json => json.to_string(),
    }
}
