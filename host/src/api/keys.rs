//! Keys of users and readers: list, create, rename, disable, delete. Administrators' keys are the command line's.

use serde::Serialize;

use super::fields::Fields;
use super::query::Query;
use super::{Answer, Request, ok};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::store::StoreError;
use crate::store::audit::{self, Act};
use crate::store::db::Db;
use crate::store::keys::{self, ApiKey, Role};

/// Largest body, in bytes, where `--max-body` does not set a smaller one.
const MAX_BODY: u64 = 64 << 10;
/// The roles that can be given here.
const ROLES: &str = "`user` or `reader`; admin keys are made with `tributary key create`";

/// `GET /api/auth/users`: all keys but administrators', the oldest first.
pub async fn list(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let items = request.app.store.read(listed).await?;
    answer(&items, None, None)
}

/// `POST /api/auth/users`: makes a key and shows it this once.
pub async fn create(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let mut fields = read_fields(&mut request).await?;
    let name = name_in(&mut fields)?.ok_or_else(wrong_name)?;
    let role = fields.one_of("role", ROLES, user_or_reader)?;
    fields.end(&["name", "role"])?;
    let made = ApiKey::make(name, role.unwrap_or(Role::User));
    let (key, stored) = made.map_err(|error| ApiError::internal(error.to_string()))?;
    let (kept, by) = (stored.clone(), request.asker());
    let items = request.app.store.write(0, move |db| {
        keys::create(db, &kept)?;
        audit::append(db, &Act::new(by, "key.create", &kept.id))?;
        listed(db)
    });
    answer(&items.await?, Some(&stored), Some(&key))
}

/// `POST /api/auth/users/{id}`: changes name and state, as far as they are present and not null.
pub async fn update(mut request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let mut fields = read_fields(&mut request).await?;
    let (name, enabled) = (name_in(&mut fields)?, fields.boolean("enabled")?);
    fields.end(&["name", "enabled"])?;
    let by = request.asker();
    let id = request.id;
    let changed = request.app.store.write(0, move |db| {
        existing(db, &id)?;
        if let Some(name) = &name {
            keys::rename(db, &id, name)?;
        }
        if let Some(enabled) = enabled {
            keys::set_enabled(db, &id, enabled)?;
        }
        audit::append(db, &Act::new(by, "key.update", &id))?;
        Ok::<_, ApiError>((existing(db, &id)?, listed(db)?))
    });
    let (item, items) = changed.await?;
    answer(&items, Some(&item), None)
}

/// `DELETE /api/auth/users/{id}`: forgets a key, which is refused from the next request on.
pub async fn delete(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let by = request.asker();
    let id = request.id;
    let left = request.app.store.write(0, move |db| {
        existing(db, &id)?;
        keys::delete(db, &id)?;
        audit::append(db, &Act::new(by, "key.delete", &id))?;
        Ok::<_, ApiError>(listed(db)?)
    });
    answer(&left.await?, None, None)
}

async fn read_fields(request: &mut Request) -> Result<Fields, ApiError> {
    let max = MAX_BODY.min(request.app.config.bodies.max_body);
    Fields::parse(&request.body.read_all(max).await?)
}

/// The field `name`, when it is present and not null.
fn name_in(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    let given = fields.text("name")?;
    given
        .map(|name| keys::name(&name).ok_or_else(wrong_name))
        .transpose()
}

fn wrong_name() -> ApiError {
    ApiError::unprocessable(format!("`name` {}", keys::NAME_RULE))
}

fn user_or_reader(name: &str) -> Option<Role> {
    Role::from_exact(name).filter(|role| *role != Role::Admin)
}

fn listed(db: &Db) -> Result<Vec<ApiKey>, StoreError> {
    let mut all = keys::list(db)?;
    all.retain(|key| key.role != Role::Admin);
    Ok(all)
}

/// The key of a user or reader with this id; 404 without one.
fn existing(db: &Db, id: &str) -> Result<ApiKey, ApiError> {
    let key = keys::get(db, id)?.filter(|key| key.role != Role::Admin);
    key.ok_or_else(|| ApiError::not_found("key not found"))
}

/// The keys there are then, after the one that the request was about and, where it is new, the key itself.
fn answer(items: &[ApiKey], item: Option<&ApiKey>, key: Option<&str>) -> Answer {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<KeyShape<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<&'a str>,
        items: Vec<KeyShape<'a>>,
    }
    ok(&Shown {
        item: item.map(KeyShape::new),
        key,
        items: items.iter().map(KeyShape::new).collect(),
    })
}

/// A key as answers show it: never the key itself, nor its hash.
#[derive(Serialize)]
struct KeyShape<'a> {
    id: &'a str,
    name: &'a str,
    role: &'static str,
    enabled: bool,
    created_at: String,
    last_used_on: &'a str,
}

impl<'a> KeyShape<'a> {
    fn new(key: &'a ApiKey) -> KeyShape<'a> {
        KeyShape {
            id: &key.id,
            name: &key.name,
            role: key.role.as_str(),
            enabled: key.enabled,
            created_at: rfc3339(key.created_at),
            last_used_on: &key.last_used_on,
        }
    }
}
