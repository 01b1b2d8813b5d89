//! Whether the program is up, and whether it can keep what it is given. Neither asks for a credential nor tells more.

use hyper::StatusCode;
use serde::Serialize;

use super::{Answer, Request, json, ok};

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// `GET /health`: the program is up.
pub async fn health(_request: Request) -> Answer {
    ok(&Status { status: "ok" })
}

/// `GET /ready`: the last write reached the disk and there is room for more; else 503. Waits for nobody.
pub async fn ready(request: Request) -> Answer {
    match request.app.store.health().is_ready() {
        true => ok(&Status { status: "ready" }),
        false => Ok(json(
            StatusCode::SERVICE_UNAVAILABLE,
            &Status {
                status: "not ready",
            },
        )),
    }
}
