//! What an administrator does on the page at `/admin`, in each browser, against a real server.

use serde_json::json;

use super::node::{self, Browser};
use crate::service::harness::Server;
use crate::service::program;
use crate::service::upstream::{Reply, Upstream};

#[test]
fn a_person_administers_in_chromium() {
    check(node::browser("chromium", &["chromium", "chromium-browser"]));
}

#[test]
fn a_person_administers_in_firefox() {
    check(node::browser("firefox", &["firefox-esr", "firefox"]));
}

fn check(browser: Option<Browser>) {
    let Some(browser) = browser else { return };
    let server = Server::start();
    let home = server.home();
    let scheduled = Server::start_with(&["--auto-sync"]);
    let closed = Upstream::start(|_| Reply::status(403, ""));
    let url = closed.url("/");
    scheduled.source(&json!({"name": "Given up", "url": url, "interval_seconds": 1}).to_string());
    let told = json!({
        "url": format!("http://{}/", server.addr),
        "scheduled": format!("http://{}/", scheduled.addr),
        "cli": program::binary(),
        "data": home.data(),
        "userKey": home.key("user", "user"),
        "adminKey": home.key("admin", "taken-away"),
    });
    browser.behaves("admin", &told, 31);
}
