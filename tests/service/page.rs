//! The pages' addresses: what the builder left is served with a strict policy; without it, a sentence says what to do.

use std::path::{Path, PathBuf};

use super::harness::Server;

/// Whether the builder has been here before these tests were.
fn built() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name("target")
        .join("web/tributary_web_bg.wasm")
        .exists()
}

#[test]
fn the_pages_are_served_without_a_credential_or_say_how_to_get_them() {
    let server = Server::start();
    for address in ["/", "/admin"] {
        check(&server, address);
    }
}

fn check(server: &Server, address: &str) {
    let page = server.send("GET", address, None, "");
    if !built() {
        assert_eq!(page.status, 404);
        assert!(page.body.contains("cargo start"), "{page:?}");
        assert_eq!(page.body.lines().count(), 1);
        return;
    }
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.body.starts_with("<!doctype html>"));
    assert_eq!(page.body.contains("admin/admin.js"), address == "/admin");
    let policy = page.header("content-security-policy").expect("a policy");
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|rule| rule == part), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
}

#[test]
fn the_pages_have_nothing_inline_and_ask_nobody_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name("web")
        .join("page");
    let files = files_below(&folder);
    assert!(files.len() >= 10);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("text");
        let name = path.display();
        for never in [
            "style=\"",
            "onclick=",
            "<style",
            "@import",
            "eval(",
            "innerHTML",
        ] {
            assert!(!text.contains(never), "{name}: `{never}`");
        }
        let addresses = text.match_indices("://").filter(|(at, _)| {
            !text[..*at].ends_with("http") || !text[at + 3..].starts_with("www.w3.org/2000/svg")
        });
        assert_eq!(addresses.count(), 0, "{name} names an address");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the page") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn every_file_has_its_type_and_is_sent_once() {
    if !built() {
        return absent();
    }
    let server = Server::start();
    for (name, content_type) in [
        ("preview/preview.js", "text/javascript; charset=utf-8"),
        ("preview/worker.js", "text/javascript; charset=utf-8"),
        ("admin/admin.js", "text/javascript; charset=utf-8"),
        ("admin/admin.css", "text/css; charset=utf-8"),
        ("shared/page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("tributary_web.js", "text/javascript; charset=utf-8"),
    ] {
        let file = server.send("GET", &format!("/{name}"), None, "");
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.header("content-type"), Some(content_type), "{name}");
        assert_eq!(file.header("cache-control"), Some("no-cache"), "{name}");
        let tag = file.header("etag").expect("a tag");
        let request = format!(
            "GET /{name} HTTP/1.1\r\nHost: t\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"
        );
        let again = server.wire(request.as_bytes(), std::time::Duration::from_secs(5));
        assert!(again.starts_with("HTTP/1.1 304 "), "{name}: {again}");
        assert!(again.ends_with("\r\n\r\n"), "{name}: no body with 304");
    }
    let head = b"HEAD /tributary_web_bg.wasm HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let head = server.wire(head, std::time::Duration::from_secs(5));
    assert!(
        head.contains("content-type: application/wasm\r\n"),
        "{head}"
    );
    for nothing in [
        "/nothing.js",
        "/preview/",
        "/admin/",
        "/preview/preview.js/",
        "/..%2fCargo.toml",
        "/Cargo.toml",
    ] {
        assert_eq!(
            server.send("GET", nothing, None, "").status,
            404,
            "{nothing}"
        );
    }
}

/// CI must have the page; elsewhere it may be missing, and the test says so.
fn absent() {
    assert!(std::env::var_os("CI").is_none(), "CI builds the page");
    eprintln!("skipped: the page is not built (`cargo prove` builds it)");
}
