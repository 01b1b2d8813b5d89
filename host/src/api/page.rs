//! The pages, one that previews imports and one for administrators: their files, as they were when the program was built.

use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use super::{Answer, Request, Response, etag, whole, with_type};
use crate::error::ApiError;

/// What a page may do: its own code, its own styles, and questions to this server. Nothing else, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page's address says when the program was built without it.
const NOT_BUILT: &str = concat!(
    "this server was built without its page: run `rustup target add wasm32-unknown-unknown`, or use a Debian that has the package \
     rustc-web in version ",
    env!("CARGO_PKG_RUST_VERSION"),
    " or later, and start it again with `cargo start`\n"
);

/// A file of a page.
struct File {
    /// Its address without the slash in front, such as `shared/page.css`.
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// A quoted hash of each file, in their order.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |file: &File| format!("\"{}\"", &blake3::hash(file.bytes).to_hex()[..32]);
    FILES.iter().map(tag).collect()
});

/// `GET /`: the page that previews imports, or a sentence that says what it takes to build it.
pub async fn preview(request: Request) -> Answer {
    page("index.html", &request)
}

/// `GET /admin`: the page for administrators, whose questions need a key.
pub async fn admin(request: Request) -> Answer {
    page("admin.html", &request)
}

fn page(name: &str, request: &Request) -> Answer {
    let built = place("tributary_web_bg.wasm").is_some();
    match place(name) {
        Some(at) if built => Ok(file(at, request)),
        _ => Ok(with_type(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            whole(NOT_BUILT),
        )),
    }
}

/// `GET /{file}` and those of the folders: one of the pages' files.
pub async fn asset(request: Request) -> Answer {
    match place(request.uri().path().trim_start_matches('/')) {
        Some(at) => Ok(file(at, &request)),
        None => Err(ApiError::not_found("not found")),
    }
}

fn place(name: &str) -> Option<usize> {
    FILES.iter().position(|file| file.name == name)
}

/// The file, or 304 when the browser has it. It is asked for anew each time, so that a new program brings a new page.
fn file(at: usize, request: &Request) -> Response {
    let (file, tag) = (&FILES[at], &TAGS[at]);
    let (status, body) = match etag::is_known(&request.head.headers, tag) {
        true => (StatusCode::NOT_MODIFIED, whole("")),
        false => (StatusCode::OK, whole(file.bytes)),
    };
    let mut response = with_type(status, file.content_type, body);
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Hex digits in quotes are always a valid value.
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    response
}
