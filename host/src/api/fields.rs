//! The fields of a JSON body, typed one by one, with errors that name the field.

use serde_json::{Map, Value};

use super::Request;
use super::query::unknown;
use crate::app::App;
use crate::error::ApiError;

/// Largest body whose fields are read one by one, in bytes, where `--max-body` does not set a smaller one.
const MAX_BODY: u64 = 1 << 20;

/// The fields of a JSON object. An error names the field and never repeats what it held.
pub(super) struct Fields(Map<String, Value>);

/// The limit of bodies that are read as a whole, in bytes.
pub(super) fn max_body(app: &App) -> u64 {
    MAX_BODY.min(app.config.bodies.max_body)
}

impl Fields {
    /// Reads the body of a request: 413 when it is large, 422 when it is not a JSON object.
    pub(super) async fn read(request: &mut Request) -> Result<Fields, ApiError> {
        let max = max_body(&request.app);
        Fields::parse(&request.body.read_all(max).await?)
    }

    /// The same where a body of at most `max` bytes may come: without one there are no fields.
    pub(super) async fn read_any(request: &mut Request, max: u64) -> Result<Fields, ApiError> {
        let body = request.body.read_all(max).await?;
        match body.trim_ascii().is_empty() {
            true => Ok(Fields(Map::new())),
            false => Fields::parse(&body),
        }
    }

    /// Reads a body: 422 when it is not a JSON object. Of two equal names the last counts.
    pub(super) fn parse(body: &[u8]) -> Result<Fields, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            Ok(_) => Err(ApiError::unprocessable("body must be a JSON object")),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(ApiError::unprocessable(format!(
                    "body is not valid JSON at line {line} column {column}"
                )))
            }
        }
    }

    /// A field's value, unless it is absent or null.
    fn take<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(ApiError::unprocessable(format!("{name} must be {wanted}"))),
            },
        }
    }

    /// A string.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        self.take(name, "a string", text)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.take(name, "true or false", |value| value.as_bool())
    }

    /// A whole number that fits 64 bits.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        self.take(name, "an integer", |value| value.as_i64())
    }

    /// A whole number up to `most`: the outer `None` when it is absent, the inner one for null.
    pub(super) fn count_or_null(
        &mut self,
        name: &str,
        wanted: &str,
        most: u64,
    ) -> Result<Option<Option<u64>>, ApiError> {
        if self.0.get(name).is_some_and(Value::is_null) {
            self.0.remove(name);
            return Ok(Some(None));
        }
        let count = self.take(name, wanted, |value| {
            value.as_u64().filter(|count| *count <= most)
        })?;
        Ok(count.map(Some))
    }

    /// A list of strings.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.take(name, "a list of strings", |value| match value {
            Value::Array(values) => values.into_iter().map(text).collect(),
            _ => None,
        })
    }

    /// A string that `read` knows; `wanted` tells which ones.
    pub(super) fn one_of<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        self.take(name, wanted, |value| read(&text(value)?))
    }

    /// After every `known` field was taken: 422 when there is another.
    pub(super) fn end(self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().next() {
            Some(name) => Err(unknown("field", name, "body", known)),
            None => Ok(()),
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}
