//! The one route table.

use std::pin::Pin;

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use crate::api::{
    Answer, Request, accounts, audit, health, imports, jobs, keys, lookup, master_key, metrics,
    page, plan, policy, schedule, sources,
};
use crate::auth::Who;
use crate::error::ApiError;

/// Where the metrics are.
pub const METRICS: &str = "/metrics";

/// Every route there is: method, path, who may ask, and what answers.
static ROUTES: &[Route] = &[
    route(Method::GET, "/health", Who::Anyone, |r| {
        Box::pin(health::health(r))
    }),
    route(Method::GET, "/ready", Who::Anyone, |r| {
        Box::pin(health::ready(r))
    }),
    route(
        Method::GET,
        "/api/remote-account/sources",
        Who::Admin,
        |r| Box::pin(sources::list(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/sources",
        Who::Admin,
        |r| Box::pin(sources::create(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/sources/{id}",
        Who::Admin,
        |r| Box::pin(sources::update(r)),
    ),
    route(
        Method::DELETE,
        "/api/remote-account/sources/{id}",
        Who::Admin,
        |r| Box::pin(sources::delete(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/sources/{id}/sync",
        Who::Admin,
        |r| Box::pin(imports::sync(r)),
    ),
    route(
        Method::GET,
        "/api/remote-account/sources/{id}/sync",
        Who::Admin,
        |r| Box::pin(imports::latest_sync(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/inject",
        Who::Admin,
        |r| Box::pin(imports::inject(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/pool/lookup",
        Who::Admin,
        |r| Box::pin(lookup::lookup(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/sources/{id}/plan",
        Who::Admin,
        |r| Box::pin(plan::sync(r)),
    ),
    route(
        Method::GET,
        "/api/remote-account/sources/{id}/policy",
        Who::Admin,
        |r| Box::pin(policy::show(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/sources/{id}/policy",
        Who::Admin,
        |r| Box::pin(policy::update(r)),
    ),
    route(
        Method::GET,
        "/api/remote-account/schedule",
        Who::Admin,
        |r| Box::pin(schedule::list(r)),
    ),
    route(Method::POST, "/api/remote-account/plan", Who::Admin, |r| {
        Box::pin(plan::inject(r))
    }),
    route(Method::GET, "/api/remote-account/jobs", Who::Admin, |r| {
        Box::pin(jobs::list(r))
    }),
    route(
        Method::GET,
        "/api/remote-account/jobs/{id}",
        Who::Admin,
        |r| Box::pin(jobs::show(r)),
    ),
    route(
        Method::POST,
        "/api/remote-account/jobs/{id}/undo",
        Who::Admin,
        |r| Box::pin(jobs::undo(r)),
    ),
    route(Method::GET, "/api/accounts", Who::Admin, |r| {
        Box::pin(accounts::list::list(r))
    }),
    route(Method::POST, "/api/accounts", Who::Admin, |r| {
        Box::pin(accounts::add::add(r))
    }),
    route(Method::DELETE, "/api/accounts", Who::Admin, |r| {
        Box::pin(accounts::remove::remove(r))
    }),
    route(Method::POST, "/api/accounts/update", Who::Admin, |r| {
        Box::pin(accounts::edit::update(r))
    }),
    route(Method::GET, "/api/accounts/owners", Who::Admin, |r| {
        Box::pin(accounts::owners::list(r))
    }),
    route(Method::POST, "/api/accounts/release", Who::Admin, |r| {
        Box::pin(accounts::release::release(r))
    }),
    route(Method::POST, "/api/accounts/export", Who::Admin, |r| {
        Box::pin(accounts::export::export(r))
    }),
    route(Method::GET, "/api/accounts/payload", Who::Reader, |r| {
        Box::pin(accounts::payload::payload(r))
    }),
    route(Method::GET, "/api/accounts/{id}", Who::Admin, |r| {
        Box::pin(accounts::list::show(r))
    }),
    route(Method::GET, "/api/auth/users", Who::Admin, |r| {
        Box::pin(keys::list(r))
    }),
    route(Method::POST, "/api/auth/users", Who::Admin, |r| {
        Box::pin(keys::create(r))
    }),
    route(Method::POST, "/api/auth/users/{id}", Who::Admin, |r| {
        Box::pin(keys::update(r))
    }),
    route(Method::DELETE, "/api/auth/users/{id}", Who::Admin, |r| {
        Box::pin(keys::delete(r))
    }),
    route(Method::GET, "/api/audit", Who::Admin, |r| {
        Box::pin(audit::list(r))
    }),
    route(Method::POST, "/api/master-key/rotate", Who::Admin, |r| {
        Box::pin(master_key::rotate(r))
    }),
    route(Method::GET, METRICS, Who::Reader, |r| {
        Box::pin(metrics::scrape(r))
    }),
    route(Method::GET, "/", Who::Anyone, |r| {
        Box::pin(page::preview(r))
    }),
    route(Method::GET, "/admin", Who::Anyone, |r| {
        Box::pin(page::admin(r))
    }),
    // The pages' own files. Last, so that they take nothing from the others.
    route(Method::GET, "/{file}", Who::Anyone, |r| {
        Box::pin(page::asset(r))
    }),
    route(Method::GET, "/shared/{file}", Who::Anyone, |r| {
        Box::pin(page::asset(r))
    }),
    route(Method::GET, "/preview/{file}", Who::Anyone, |r| {
        Box::pin(page::asset(r))
    }),
    route(Method::GET, "/admin/{file}", Who::Anyone, |r| {
        Box::pin(page::asset(r))
    }),
];

/// One row of the table.
pub struct Route {
    method: Method,
    path: &'static str,
    /// Who may ask.
    pub who: Who,
    /// What answers.
    pub handler: Handler,
}

/// A handler, boxed so that the table can hold it.
pub type Handler = fn(Request) -> Pin<Box<dyn Future<Output = Answer> + Send>>;

const fn route(method: Method, path: &'static str, who: Who, handler: Handler) -> Route {
    Route {
        method,
        path,
        who,
        handler,
    }
}

/// The route of a request.
pub struct Found {
    /// Its row of the table.
    pub route: &'static Route,
    /// Which row that is, as in [`names`].
    pub number: usize,
    /// The part of the path that `{…}` stands for; empty for a route without.
    pub id: String,
}

/// Method and path of every row.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|row| (row.method.as_str(), row.path))
}

/// The route of a request: 404 without one, 405 for another method.
pub fn find(method: &Method, path: &str) -> Result<Found, ApiError> {
    let mut allowed = Vec::new();
    // A path that is written out in the table is never an id.
    let written_out = ROUTES.iter().any(|route| route.path == path);
    for (number, route) in ROUTES.iter().enumerate() {
        let id = match written_out {
            true => (route.path == path).then_some(""),
            false => matched(route.path, path),
        };
        let Some(id) = id else { continue };
        if answers(route, method) {
            return Ok(Found {
                route,
                number,
                id: id.to_owned(),
            });
        }
        if !allowed.contains(&route.method.as_str()) {
            allowed.push(route.method.as_str());
        }
    }
    match allowed.is_empty() {
        true => Err(ApiError::not_found("not found")),
        false => Err(method_not_allowed(&allowed)),
    }
}

/// HEAD is GET without the body, which hyper leaves out.
fn answers(route: &Route, method: &Method) -> bool {
    route.method == *method || (route.method == Method::GET && *method == Method::HEAD)
}

/// What stands for `{…}` in `pattern`, empty where it has none; `None` when the path is another one.
fn matched<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let mut id = "";
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        if wanted.starts_with('{') && !part.is_empty() {
            id = part;
        } else if wanted != part {
            return None;
        }
    }
    parts.next().is_none().then_some(id)
}

fn method_not_allowed(allowed: &[&str]) -> ApiError {
    let mut methods = allowed.join(", ");
    if allowed.contains(&"GET") {
        methods.push_str(", HEAD");
    }
    let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    // Names of methods are always a valid value.
    match HeaderValue::from_str(&methods) {
        Ok(methods) => error.with_header(ALLOW, methods),
        Err(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_meets_its_pattern_part_by_part() {
        for (path, id) in [
            ("/api/sources/a1b2", Some("a1b2")),
            ("/api/sources/", None),
            ("/api/sources", None),
            ("/api/sources/a1b2/", None),
            ("/api/sources/a1b2/sync", None),
            ("/api//a1b2", None),
            ("api/sources/a1b2", None),
        ] {
            assert_eq!(matched("/api/sources/{id}", path), id, "{path}");
        }
        assert_eq!(matched("/health", "/health"), Some(""));
    }

    #[test]
    fn an_unknown_path_is_404_and_an_unknown_method_405() {
        let status = |method, path| {
            find(&method, path)
                .err()
                .map(|error| error.status().as_u16())
        };
        assert_eq!(status(Method::GET, "/nothing/there"), Some(404));
        assert_eq!(status(Method::POST, "/"), Some(405));
        assert_eq!(
            status(Method::GET, "/api/remote-account/sources/"),
            Some(404)
        );
        assert_eq!(
            status(Method::PUT, "/api/remote-account/sources"),
            Some(405)
        );
        assert_eq!(status(Method::HEAD, "/health"), None);
        assert_eq!(
            status(Method::GET, "/api/accounts/export"),
            Some(405),
            "it is no id"
        );
        assert_eq!(
            status(Method::DELETE, "/api/remote-account/sources/a1b2c3d4e5f6"),
            None
        );
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let answer = find(&Method::PUT, "/api/remote-account/sources")
            .err()
            .map(ApiError::into_response);
        let allow = answer
            .as_ref()
            .and_then(|answer| answer.headers().get(ALLOW));
        assert_eq!(
            allow.map(HeaderValue::as_bytes),
            Some(b"GET, POST, HEAD".as_slice())
        );
    }
}
