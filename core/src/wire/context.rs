//! What a program tells of the import and of the pool beside a payload.

use crate::account::{Account, Document};
use crate::error::ImportError;
use crate::fingerprint::{Fingerprint, Salt};
use crate::json::{Kind, elements, kind, members, quoted, root, text};
use crate::options::{ImportOptions, Removal, Strategy};
use crate::owner::{Owners, SourceId};
use crate::pool::Pool;
use crate::provider::Provider;
use crate::wire::Wanted;

/// How an import is asked for, and in which pool.
pub(crate) struct Context {
    pub(crate) options: ImportOptions,
    pub(crate) pool: Pool,
    /// What the answer is to tell.
    pub(crate) wanted: Wanted,
}

/// What is wrong with a context, in words.
type Wrong = &'static str;

impl Context {
    /// Reads it as [`crate::plan_json`] describes it.
    ///
    /// # Errors
    /// [`ImportError::Context`].
    pub(crate) fn read(context: &[u8]) -> Result<Context, ImportError> {
        let root = root(context).ok().filter(|root| kind(root) == Kind::Object);
        let root = root.ok_or(ImportError::Context("context: must be a JSON object"))?;
        read(&Members::of(root)).map_err(ImportError::Context)
    }
}

const STRATEGY: Wrong = "context: `strategy` must be merge or replace";
const SOURCE_ID: Wrong = "context: `source_id` must be a string";
const PROVIDER: Wrong = "context: `provider` must be gpt, grok or empty";
const REMOVAL: Wrong = "context: `removal` must be remove or disable";
const SALT: Wrong = "context: `salt` must be 64 hex digits";
const PLAN_HASH: Wrong = "context: `plan_hash` must be true or false";
const OUTLINE: Wrong = "context: `outline` must be true or false";
const POOL: Wrong = "context: `pool` must be a list of accounts";

fn read(context: &Members<'_>) -> Result<Context, Wrong> {
    let mut options = ImportOptions::default();
    if let Some(name) = context.string("strategy", STRATEGY)? {
        options.strategy = Strategy::from_exact(&name).ok_or(STRATEGY)?;
    }
    let source_id = context.string("source_id", SOURCE_ID)?;
    options.source_id = source_id.and_then(|id| SourceId::new(&id));
    let provider = context.string("provider", PROVIDER)?;
    if let Some(name) = provider.filter(|name| !name.is_empty()) {
        options.provider = Some(Provider::from_exact(&name).ok_or(PROVIDER)?);
    }
    if let Some(name) = context.string("removal", REMOVAL)? {
        options.removal = Removal::from_exact(&name).ok_or(REMOVAL)?;
    }
    let salt = match context.string("salt", SALT)? {
        Some(hex) => Salt::from_hex(&hex).ok_or(SALT)?,
        None => Salt::new([0; 32]),
    };
    let wanted = Wanted {
        hash: context.value("plan_hash", Kind::Bool, PLAN_HASH)? == Some("true"),
        outline: context.value("outline", Kind::Bool, OUTLINE)? == Some("true"),
    };
    let mut pool = Pool::new(salt);
    for account in context.list("pool", POOL)? {
        pool.put(read_account(account)?);
    }
    Ok(Context {
        options,
        pool,
        wanted,
    })
}

/// A member of an account that is not what it should be.
const MEMBER: Wrong = "context: a member of an account has the wrong type";
const ACCOUNT_PROVIDER: Wrong = "context: `provider` of an account must be gpt or grok";
const FINGERPRINT: Wrong = "context: an account needs a `fingerprint` of 32 hex digits";
const SECRETS: Wrong = "context: `secrets` of an account must be fingerprints of 32 hex digits";
const PLACES: Wrong = "context: an account needs one of `secrets` for each \"…\" in `fields`";

fn read_account(raw: &str) -> Result<Account, Wrong> {
    if kind(raw) != Kind::Object {
        return Err("context: an account of `pool` must be an object");
    }
    let account = Members::of(raw);
    let provider = match account.string("provider", MEMBER)? {
        Some(name) => Provider::from_exact(&name).ok_or(ACCOUNT_PROVIDER)?,
        None => Provider::default(),
    };
    let mut marks = Vec::new();
    for mark in account.list("secrets", MEMBER)? {
        let mark = string(mark).and_then(|hex| Fingerprint::from_hex(&hex));
        marks.push(mark.ok_or(SECRETS)?);
    }
    let fields = account.value("fields", Kind::Object, MEMBER)?;
    let owners = account.value("owners", Kind::Object, MEMBER)?;
    let earlier_status = account.string("earlier_status", MEMBER)?;
    let fingerprint = account.string("fingerprint", MEMBER)?;
    let fingerprint = fingerprint.and_then(|hex| Fingerprint::from_hex(&hex));
    Ok(Account {
        masked: account.string("token", MEMBER)?.unwrap_or_default(),
        provider,
        owners: read_owners(owners.unwrap_or("{}"))?,
        document: Document::new(fields.unwrap_or("{}"), marks).ok_or(PLACES)?,
        fingerprint: fingerprint.ok_or(FINGERPRINT)?,
        earlier_status: earlier_status.map(|status| quoted(&status)),
    })
}

const OWNERS: Wrong = "context: `owners` must be {\"local\": bool, \"sources\": [ids]}";
const SOURCES: Wrong = "context: `sources` of an account must be ids that are not blank";

fn read_owners(raw: &str) -> Result<Owners, Wrong> {
    let owners = Members::of(raw);
    let local = owners.value("local", Kind::Bool, OWNERS)? == Some("true");
    let mut sources = Vec::new();
    for id in owners.list("sources", OWNERS)? {
        let id = string(id).and_then(|id| SourceId::new(&id));
        sources.push(id.ok_or(SOURCES)?);
    }
    Ok(Owners::new(local, sources))
}

/// The members of an object that are not null.
struct Members<'a>(Vec<(String, &'a str)>);

impl<'a> Members<'a> {
    /// In one place, like what asks for them: all of it is much code.
    #[inline(never)]
    fn of(object: &'a str) -> Members<'a> {
        let present = |(_, value): &(&str, &str)| kind(value) != Kind::Null;
        let members = members(object).filter(present);
        Members(
            members
                .map(|(key, value)| (text(key).into_owned(), value))
                .collect(),
        )
    }

    /// The last member of this name; `wrong` where one of them is of another kind.
    #[inline(never)]
    fn value(&self, name: &str, wanted: Kind, wrong: Wrong) -> Result<Option<&'a str>, Wrong> {
        let mut last = None;
        for (_, value) in self.0.iter().filter(|(key, _)| key == name) {
            last = Some(*value);
            if kind(value) != wanted {
                return Err(wrong);
            }
        }
        Ok(last)
    }

    /// The elements of the last member of this name; `wrong` where it is no list.
    fn list(
        &self,
        name: &str,
        wrong: Wrong,
    ) -> Result<impl Iterator<Item = &'a str> + use<'a>, Wrong> {
        let list = self.value(name, Kind::Array, wrong)?;
        Ok(elements(list.unwrap_or("[]")))
    }

    /// What the last member of this name says; `wrong` where it is no string.
    #[inline(never)]
    fn string(&self, name: &str, wrong: Wrong) -> Result<Option<String>, Wrong> {
        let value = self.value(name, Kind::String, wrong)?;
        Ok(value.and_then(string))
    }
}

#[inline(never)]
fn string(value: &str) -> Option<String> {
    (kind(value) == Kind::String).then(|| text(value).into_owned())
}
