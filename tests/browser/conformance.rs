//! The module of the page answers every case as the native core does, byte for byte, in each browser.

use serde_json::json;

use super::node::{self, Browser};
use crate::conformance::cases;
use crate::service::harness::Server;

#[test]
fn chromium_answers_every_case_as_native_does() {
    check(node::browser("chromium", &["chromium", "chromium-browser"]));
}

#[test]
fn firefox_answers_every_case_as_native_does() {
    check(node::browser("firefox", &["firefox-esr", "firefox"]));
}

fn check(browser: Option<Browser>) {
    let Some(browser) = browser else { return };
    let server = Server::start();
    let cases = cases();
    let asked: Vec<_> = cases
        .iter()
        .map(|case| {
            [
                base64(&case.payload.bytes()),
                base64(case.context.get().as_bytes()),
            ]
        })
        .collect();
    let told = json!({"url": format!("http://{}/", server.addr), "cases": asked});
    let answered = browser.run("conformance", &told);
    let answers = answered["answers"].as_array().expect("a list");
    assert_eq!(answers.len(), cases.len());
    let differing: Vec<_> = cases
        .iter()
        .zip(answers)
        .filter(|(case, answer)| answer.as_str() != Some(&base64(case.answer.get().as_bytes())))
        .map(|(case, _)| case.path.display().to_string())
        .collect();
    assert!(
        differing.is_empty(),
        "{} differs in: {differing:#?}",
        browser.name
    );
    println!("{} cases in {}", cases.len(), answered["version"]);
}

/// Bytes as text that every JSON carries.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[test]
fn base64_is_as_everyone_reads_it() {
    for (text, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64(text.as_bytes()), encoded);
    }
}
