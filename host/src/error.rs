//! What a request answers when it fails: one message for the caller, another for the log.

use std::borrow::Cow;

use hyper::header::{CONNECTION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::api::{Response, json};
use crate::store::StoreError;

/// A failed request. The caller sees `{"detail":{"error":message}}`; `cause` goes to the log only.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    cause: Option<String>,
    /// Boxed, because few errors have one and every result of a handler has room for an error.
    headers: Option<Box<HeaderMap>>,
}

/// The fixed text of a failed sync, in its answer and in its job.
pub const SYNC_FAILED: &str = "remote account sync failed";

/// Why a request failed, for its line in the log: an extension of the response.
#[derive(Clone, Debug)]
pub struct Cause(pub String);

impl ApiError {
    /// An answer with this status and message. The message never repeats a secret.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError {
            status,
            message: message.into(),
            cause: None,
            headers: None,
        }
    }

    /// 400: what `spec.txt` lists and the refusals of an import.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: no credential, or one that is unknown or disabled.
    pub fn unauthorized() -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "密钥无效或已失效,请重新登录")
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: a valid key without the administrator's role.
    pub fn forbidden() -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "需要管理员权限才能执行这个操作")
    }

    /// 404: nothing has this address or id.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, message)
    }

    /// 404: no source has this id.
    pub fn source_not_found() -> ApiError {
        ApiError::not_found("source not found")
    }

    /// 408: the body stood still for too long. Its rest cannot be told from the next request, so the connection ends.
    pub fn stalled() -> ApiError {
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "body stalled; send it without long pauses",
        )
        .with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    /// 400: a source that is disabled is not asked.
    pub fn source_is_disabled() -> ApiError {
        ApiError::bad_request("source is disabled")
    }

    /// 502: all that a failed sync tells, whatever its cause: the cause could hold an address, a header, a token or a body.
    pub fn sync_failed() -> ApiError {
        ApiError::new(StatusCode::BAD_GATEWAY, SYNC_FAILED)
    }

    /// 413: the body is over `max` bytes.
    pub fn too_large(max: u64) -> ApiError {
        let max = crate::config::write_size(max);
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("body is larger than {max}; send a smaller one"),
        )
    }

    /// 422: a malformed field or body.
    pub fn unprocessable(message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 500: a mistake of the program. `cause` goes to the log.
    pub fn internal(cause: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").because(cause)
    }

    /// 503: the store cannot answer at present. `cause` goes to the log.
    pub fn unavailable(cause: impl Into<String>) -> ApiError {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "storage is unavailable; try again later",
        )
        .because(cause)
    }

    /// Adds what the log keeps: never a token, key, header value or the query of a url.
    pub fn because(mut self, cause: impl Into<String>) -> ApiError {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> ApiError {
        self.headers.get_or_insert_default().insert(name, value);
        self
    }

    /// What the caller is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status it answers.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer, with the cause as an extension for the log.
    pub fn into_response(self) -> Response {
        let mut response = json(
            self.status,
            &Detail {
                detail: Message {
                    error: &self.message,
                },
            },
        );
        if let Some(headers) = self.headers {
            response.headers_mut().extend(*headers);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match error {
            StoreError::Unavailable(_) => ApiError::unavailable(error.to_string()),
            StoreError::Internal(_) => ApiError::internal(error.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Detail<'a> {
    detail: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    error: &'a str,
}
