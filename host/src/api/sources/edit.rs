//! What a create or update asks for, read from its body and checked.

use tributary_core::{Provider, Secret, Strategy};
use url::Url;

use crate::api::fields::Fields;
use crate::error::ApiError;
use crate::source::{Method, Source, check_bearer_token, check_header, check_url};

/// The fields that are present and not null. Each is valid by itself; `apply` checks what two of them make together.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) url: Option<String>,
    pub(super) method: Option<Method>,
    pub(super) auth_header: Option<String>,
    pub(super) auth_token: Option<Secret>,
    pub(super) bearer_token: Option<Secret>,
    /// The inner `None` is the empty string, which clears it.
    pub(super) provider: Option<Option<Provider>>,
    pub(super) strategy: Option<Strategy>,
    pub(super) interval_seconds: Option<i64>,
}

impl Edit {
    /// Reads a body: 422 for what is no JSON object or has a field of another type or value, 400 for a blank url or an
    /// interval that is not positive. Fields that it does not know are left alone.
    pub(super) fn parse(body: &[u8]) -> Result<Edit, ApiError> {
        let mut fields = Fields::parse(body)?;
        Ok(Edit {
            name: fields.text("name")?.map(|name| name.trim().to_owned()),
            enabled: fields.boolean("enabled")?,
            url: fields
                .text("url")?
                .as_deref()
                .map(checked_url)
                .transpose()?,
            interval_seconds: fields
                .integer("interval_seconds")?
                .map(checked_interval)
                .transpose()?,
            method: fields.one_of("method", "`GET` or `POST`", Method::from_exact)?,
            auth_header: fields.text("auth_header")?,
            auth_token: fields.text("auth_token")?.map(Secret::new),
            bearer_token: fields.text("bearer_token")?.map(Secret::new),
            provider: fields.one_of("provider", "empty, `gpt` or `grok`", optional_provider)?,
            strategy: fields.one_of(
                "sync_strategy",
                "`merge` or `replace`",
                Strategy::from_exact,
            )?,
        })
    }

    /// Changes `source`; whether anything differs then. 422 when its header or token could not be sent.
    pub(super) fn apply(self, source: &mut Source) -> Result<bool, ApiError> {
        let edited = self.over(source.clone());
        check_header(&edited.auth_header, edited.auth_token.reveal())
            .map_err(ApiError::unprocessable)?;
        check_bearer_token(edited.bearer_token.reveal()).map_err(ApiError::unprocessable)?;
        let differs = edited != *source;
        *source = edited;
        Ok(differs)
    }

    fn over(self, old: Source) -> Source {
        Source {
            name: self.name.unwrap_or(old.name),
            enabled: self.enabled.unwrap_or(old.enabled),
            url: self.url.unwrap_or(old.url),
            method: self.method.unwrap_or(old.method),
            auth_header: self.auth_header.unwrap_or(old.auth_header),
            auth_token: self.auth_token.unwrap_or(old.auth_token),
            bearer_token: self.bearer_token.unwrap_or(old.bearer_token),
            provider: self.provider.unwrap_or(old.provider),
            strategy: self.strategy.unwrap_or(old.strategy),
            interval_seconds: self.interval_seconds.or(old.interval_seconds),
            ..old
        }
    }
}

/// What a create without a url, or any edit with a blank one, is told.
pub(super) fn url_is_required() -> ApiError {
    ApiError::bad_request("url is required")
}

/// The host of a checked url: what a source is called when nobody names it.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

fn checked_url(url: &str) -> Result<String, ApiError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(url_is_required());
    }
    check_url(url).map_err(ApiError::unprocessable)?;
    Ok(url.to_owned())
}

fn checked_interval(seconds: i64) -> Result<i64, ApiError> {
    match seconds > 0 {
        true => Ok(seconds),
        false => Err(ApiError::bad_request(
            "interval_seconds must be greater than 0",
        )),
    }
}

fn optional_provider(name: &str) -> Option<Option<Provider>> {
    if name.is_empty() {
        Some(None)
    } else {
        Provider::from_exact(name).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: &str, status: u16, message: &str) {
        let error = Edit::parse(body.as_bytes()).err().unwrap();
        assert_eq!(
            (error.status().as_u16(), error.message()),
            (status, message),
            "{body}"
        );
    }

    #[test]
    fn absent_null_and_unknown_fields_change_nothing() {
        let edit =
            Edit::parse(br#"{"name":null,"url":null,"interval_seconds":null,"id":"x","colour":1}"#)
                .unwrap();
        let mut source = super::super::blank("a1b2c3d4e5f6".to_owned(), "a.test".to_owned());
        assert!(!edit.apply(&mut source).unwrap());
        assert_eq!(
            (source.id.as_str(), source.name.as_str()),
            ("a1b2c3d4e5f6", "a.test")
        );
    }

    #[test]
    fn an_empty_string_clears() {
        let mut source = super::super::blank("a1b2c3d4e5f6".to_owned(), String::new());
        let full =
            br#"{"auth_header":"X-Key","auth_token":"a1","bearer_token":"b2","provider":"grok"}"#;
        assert!(Edit::parse(full).unwrap().apply(&mut source).unwrap());
        assert_eq!(source.provider, Some(Provider::Grok));
        let clear = br#"{"auth_header":"","auth_token":"","bearer_token":"","provider":""}"#;
        assert!(Edit::parse(clear).unwrap().apply(&mut source).unwrap());
        assert_eq!(
            (
                source.auth_header + source.auth_token.reveal() + source.bearer_token.reveal(),
                source.provider
            ),
            (String::new(), None)
        );
    }

    #[test]
    fn the_last_of_two_equal_names_counts() {
        let edit = Edit::parse(br#"{"url":"http://a.test","url":" http://b.test "}"#).unwrap();
        assert_eq!(edit.url.as_deref(), Some("http://b.test"));
    }

    #[test]
    fn a_blank_url_or_an_interval_that_is_not_positive_is_400() {
        refused(r#"{"url":""}"#, 400, "url is required");
        refused(r#"{"url":" \t"}"#, 400, "url is required");
        refused(
            r#"{"interval_seconds":0}"#,
            400,
            "interval_seconds must be greater than 0",
        );
        refused(
            r#"{"interval_seconds":-5}"#,
            400,
            "interval_seconds must be greater than 0",
        );
    }

    #[test]
    fn a_field_of_another_type_or_value_is_422_and_named() {
        for (body, message) in [
            (r#"{"name":5}"#, "name must be a string"),
            (r#"{"enabled":"true"}"#, "enabled must be true or false"),
            (r#"{"url":["http://a.test"]}"#, "url must be a string"),
            (r#"{"method":"get"}"#, "method must be `GET` or `POST`"),
            (r#"{"auth_token":{}}"#, "auth_token must be a string"),
            (
                r#"{"provider":"openai"}"#,
                "provider must be empty, `gpt` or `grok`",
            ),
            (
                r#"{"provider":1}"#,
                "provider must be empty, `gpt` or `grok`",
            ),
            (
                r#"{"sync_strategy":""}"#,
                "sync_strategy must be `merge` or `replace`",
            ),
            (
                r#"{"interval_seconds":"60"}"#,
                "interval_seconds must be an integer",
            ),
            (
                r#"{"interval_seconds":1.5}"#,
                "interval_seconds must be an integer",
            ),
            (
                r#"{"interval_seconds":99999999999999999999}"#,
                "interval_seconds must be an integer",
            ),
            (r#"[]"#, "body must be a JSON object"),
            ("{\n \"url\":}", "body is not valid JSON at line 2 column 8"),
            ("", "body is not valid JSON at line 1 column 0"),
        ] {
            refused(body, 422, message);
        }
        assert_eq!(
            Edit::parse(br#"{"url":"ftp://a.test"}"#)
                .err()
                .unwrap()
                .status()
                .as_u16(),
            422
        );
        assert_eq!(
            Edit::parse(b"{\"name\":\"\\ud800\"}")
                .err()
                .unwrap()
                .status()
                .as_u16(),
            422
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_422() {
        let mut source = super::super::blank("a1b2c3d4e5f6".to_owned(), String::new());
        for body in [
            r#"{"auth_header":"Host"}"#,
            r#"{"auth_token":"a\nb"}"#,
            r#"{"bearer_token":"é"}"#,
        ] {
            let error = Edit::parse(body.as_bytes())
                .unwrap()
                .apply(&mut source)
                .err()
                .unwrap();
            assert_eq!(error.status().as_u16(), 422, "{body}");
        }
    }
}
