//! What a person does on the page, in each browser, against a real server.

use std::process::Command;

use serde_json::json;

use super::node::{self, Browser};
use crate::service::harness::Server;

#[test]
fn a_person_previews_and_injects_in_chromium() {
    check(node::browser("chromium", &["chromium", "chromium-browser"]));
}

#[test]
fn a_person_previews_and_injects_in_firefox() {
    check(node::browser("firefox", &["firefox-esr", "firefox"]));
}

fn check(browser: Option<Browser>) {
    let Some(browser) = browser else { return };
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let user = server.home().key("user", "reader");
    let told = json!({"url": format!("http://{}/", server.addr), "folder": folder.path(), "web": node::web(), "userKey": user});
    browser.behaves("preview", &told, 31);
}

#[test]
fn the_page_s_modules_hold_in_node() {
    if node::browser("node", &["node"]).is_none() {
        return;
    }
    let run = Command::new("node")
        .arg("--test")
        .arg(node::folder().join("modules.test.mjs"))
        .output()
        .expect("node runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
}
