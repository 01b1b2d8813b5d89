//! Who is asking, decided before anything of the body is read.

mod failures;
mod last_use;
mod secret;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use crate::app::App;
use crate::error::ApiError;
use crate::job::Actor;
use crate::store::keys::{self, ApiKey, Role};

pub use failures::Failures;
pub use last_use::LastUses;
pub use secret::{AdminSecret, SecretError};

/// Who may ask a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever reaches the server.
    Anyone,
    /// The administrator's secret, or an enabled key with the administrator's role.
    Admin,
    /// The same, or an enabled key with the reader's role.
    Reader,
}

/// Lets a request with these headers in and tells who asks, `None` where anyone may; or says why not: 401 without a valid
/// credential, 403 without the role.
pub async fn admit(app: &App, who: Who, headers: &HeaderMap) -> Result<Option<Actor>, ApiError> {
    if who == Who::Anyone {
        return Ok(None);
    }
    let credential = bearer(headers).ok_or_else(ApiError::unauthorized)?;
    if app.admin.matches(credential) {
        return Ok(Some(Actor::Admin));
    }
    let key = enabled_key(app, credential).await?;
    let key = key.ok_or_else(ApiError::unauthorized)?;
    match key.role {
        Role::Admin => Ok(Some(Actor::Key(key.name))),
        Role::Reader if who == Who::Reader => Ok(Some(Actor::Key(key.name))),
        Role::User | Role::Reader => Err(ApiError::forbidden()),
    }
}

/// An enabled key. The store is asked each time, so that what `tributary key` does holds at once.
async fn enabled_key(app: &App, credential: &[u8]) -> Result<Option<ApiKey>, ApiError> {
    if !credential.starts_with(keys::PREFIX.as_bytes()) {
        return Ok(None);
    }
    let hash = keys::hash(credential);
    let key = app.store.read(move |db| keys::find(db, &hash)).await?;
    let Some(key) = key.filter(|key| key.enabled) else {
        return Ok(None);
    };
    app.last_uses.note(&app.store, &key);
    Ok(Some(key))
}

/// The credential of the one `Authorization: Bearer …`, spaces around it left out; the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?.as_bytes(), values.next()) else {
        return None;
    };
    let (scheme, credential) = value.split_at_checked("bearer".len())?;
    let separated = credential.first().is_some_and(|byte| *byte == b' ');
    (scheme.eq_ignore_ascii_case(b"bearer") && separated).then(|| credential.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn credential(values: &[&'static str]) -> Option<Vec<u8>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(<[u8]>::to_vec)
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc "] {
            assert_eq!(
                credential(&[value]).as_deref(),
                Some(b"abc".as_slice()),
                "{value}"
            );
        }
    }

    #[test]
    fn anything_else_is_no_credential() {
        for values in [
            &[][..],
            &["abc"],
            &["Bearerabc"],
            &["Basic abc"],
            &["bearer"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(credential(values), None, "{values:?}");
        }
    }
}
