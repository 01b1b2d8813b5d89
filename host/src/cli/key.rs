//! `tributary key`: what it changes holds from the server's next request on.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};

use super::Outcome;
use crate::clock;
use crate::config::{Data, MasterKeyOptions};
use crate::store::audit::{self, Act};
use crate::store::db::Db;
use crate::store::keys::{self, ApiKey, Role};
use crate::store::{Store, StoreError};

/// What can be done with keys.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it on stdout; it is shown this once
    Create(Create),
    /// List the keys by id, role, state, time, day of last use and name; the keys themselves are not stored
    List(Data),
    /// Keep a key out; it stays in the list
    Disable(Chosen),
    /// Let a key that was kept out in again
    Enable(Chosen),
    /// Forget a key
    Delete(Chosen),
}

/// What a new key is.
#[derive(Args)]
pub struct Create {
    /// What the key may do: `admin` everything, `user` nothing that administers, `reader` read the pool as a payload; no default
    #[arg(long, value_name = "ROLE", env = "TRIBUTARY_KEY_ROLE")]
    role: RoleName,
    /// What to call the key in lists; no default
    #[arg(long, value_name = "NAME", env = "TRIBUTARY_KEY_NAME")]
    name: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// A key that exists.
#[derive(Args)]
pub struct Chosen {
    /// Id of the key, as `tributary key list` shows it
    id: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// A role as it is typed.
#[derive(Clone, Copy, ValueEnum)]
#[allow(
    missing_docs,
    reason = "the names are the documentation, and would otherwise crowd the help"
)]
pub enum RoleName {
    Admin,
    User,
    Reader,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Role {
        match name {
            RoleName::Admin => Role::Admin,
            RoleName::User => Role::User,
            RoleName::Reader => Role::Reader,
        }
    }
}

/// Does what was asked. The error is for the person who typed it.
pub fn run(command: &KeyCommand) -> Outcome {
    match command {
        KeyCommand::Create(wanted) => create(wanted),
        KeyCommand::List(data) => list(&data.dir),
        KeyCommand::Disable(chosen) => change(chosen, "key.update", |db, id| {
            keys::set_enabled(db, id, false)
        }),
        KeyCommand::Enable(chosen) => change(chosen, "key.update", |db, id| {
            keys::set_enabled(db, id, true)
        }),
        KeyCommand::Delete(chosen) => change(chosen, "key.delete", keys::delete),
    }
}

fn create(wanted: &Create) -> Outcome {
    let name = keys::name(&wanted.name).ok_or_else(|| format!("`--name` {}", keys::NAME_RULE))?;
    let (key, stored) = ApiKey::make(name, wanted.role.into())?;
    let db = Store::peek_with_key(&wanted.data.dir, &wanted.master_key)?;
    // The server's writer waits for it.
    db.at_once(|db| {
        keys::create(db, &stored)?;
        audit::append_of_command(db, &Act::of_command("key.create", &stored.id))
    })?;
    let unseen = |error| {
        let id = &stored.id;
        format!(
            "the key `{id}` was made, and nobody has seen it ({error}): delete it with `tributary key delete {id}`"
        )
    };
    Ok(crate::output::print(&format!("{key}\n")).map_err(unseen)?)
}

fn list(dir: &Path) -> Outcome {
    let db = Store::peek_read_only(dir)?;
    crate::output::print(&format!(
        "{:<14}{:<8}{:<10}{:<27}{:<12}NAME\n",
        "ID", "ROLE", "STATE", "CREATED", "LAST USED"
    ))?;
    for key in keys::list(&db)? {
        let (role, created) = (key.role.as_str(), clock::rfc3339(key.created_at));
        let state = if key.enabled { "enabled" } else { "disabled" };
        let used = match key.last_used_on.as_str() {
            "" => "never",
            day => day,
        };
        crate::output::print(&format!(
            "{:<14}{role:<8}{state:<10}{created:<27}{used:<12}{}\n",
            key.id, key.name
        ))?;
    }
    Ok(())
}

/// Changes a key that must be there.
fn change(
    chosen: &Chosen,
    act: &'static str,
    change: impl FnOnce(&Db, &str) -> Result<bool, StoreError>,
) -> Outcome {
    let db = Store::peek_existing(&chosen.data.dir, &chosen.master_key)?;
    let changed = db.at_once(|db| {
        let changed = change(db, &chosen.id)?;
        if changed {
            audit::append_of_command(db, &Act::of_command(act, &chosen.id))?;
        }
        Ok(changed)
    });
    match changed? {
        true => Ok(()),
        false => Err(format!(
            "no key has the id `{}`; `tributary key list` shows them",
            chosen.id
        )
        .into()),
    }
}
