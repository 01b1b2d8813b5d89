//! Whether the program is up, and whether it can keep what it is given. Neither asks for a credential nor tells more.

use hyper::StatusCode;
use serde::Serialize;

use super::{Answer, Request, json, ok};

/// Free space, in bytes, below which imports are likely to fail: room for one large import and its WAL.
const ROOM: u64 = 64 << 20;

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
    let health = request.app.store.health();
    let wrote = health.last_write.is_none_or(|write| write.succeeded);
    let room = health.free_bytes.is_none_or(|bytes| bytes >= ROOM);
    match wrote && room {
        true => ok(&Status { status: "ready" }),
        false => Ok(json(
            StatusCode::SERVICE_UNAVAILABLE,
            &Status {
                status: "not ready",
            },
        )),
    }
}
