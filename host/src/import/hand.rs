//! Accounts changed by hand: each change with its job in one transaction.

use std::collections::BTreeSet;

use tributary_core::{Edit, Fingerprint, ImportOptions, Leftover, Owner, SourceId};

use super::begun;
use crate::app::App;
use crate::clock;
use crate::error::ApiError;
use crate::job::{Asker, ImportJob, JobKind, JobStatus, Trace};
use crate::source::Source;
use crate::store::audit::{self, Act};
use crate::store::db::Db;
use crate::store::hand::{self, Removed};
use crate::store::owners::{self, Released};
use crate::store::{StoreError, jobs, listing, sources};

/// Bytes of pages that an account's change touches, about: so heavy is it for the writer.
const ACCOUNT_WEIGHT: u64 = 1 << 10;

/// An account after an edit.
pub struct Edited {
    /// The account as JSON text, as lists show it.
    pub item: String,
    /// Whether the edit changed it.
    pub changed: bool,
}

/// Carries an edit out; `None` when its account is not there.
pub async fn edit(app: &App, edit: Edit, actor: Asker) -> Result<Option<Edited>, ApiError> {
    let salt = app.salt.clone();
    let edited = app.store.write(ACCOUNT_WEIGHT, move |db| {
        let Some(trace) = hand::edit(db, &edit, &salt)? else {
            return Ok(None);
        };
        if let Some(trace) = trace {
            let job = done(JobKind::Edit, None, String::new(), actor, trace);
            jobs::insert(
                db,
                &mut ImportJob {
                    total: 1,
                    skipped: 1,
                    updated: 1,
                    ..job
                },
            )?;
        }
        let item = listing::item(db, &edit.account)?;
        let changed = trace.is_some();
        Ok::<_, StoreError>(item.map(|item| Edited { item, changed }))
    });
    Ok(edited.await?)
}

/// What a removal did, and which sources will bring accounts back.
pub struct Gone {
    /// What it did.
    pub removed: Removed,
    /// Enabled sources that owned removed accounts, and how many.
    pub returning: Vec<(Source, u64)>,
}

/// Removes accounts, whoever owns them.
pub async fn remove(
    app: &App,
    accounts: BTreeSet<Fingerprint>,
    actor: Asker,
) -> Result<Gone, ApiError> {
    let named = accounts.len() as u64;
    let gone = app.store.write(named * ACCOUNT_WEIGHT, move |db| {
        let removed = hand::remove(db, accounts)?;
        if let Some(trace) = removed.trace {
            let job = done(JobKind::Delete, None, String::new(), actor, trace);
            jobs::insert(
                db,
                &mut ImportJob {
                    total: named,
                    removed: removed.removed,
                    ..job
                },
            )?;
        }
        let returning = returning(db, &removed)?;
        Ok::<_, StoreError>(Gone { removed, returning })
    });
    Ok(gone.await?)
}

fn returning(db: &Db, removed: &Removed) -> Result<Vec<(Source, u64)>, StoreError> {
    if removed.owned.is_empty() {
        return Ok(Vec::new());
    }
    let enabled = sources::list(db)?.into_iter().map(|(source, _)| source);
    let owned = enabled
        .filter(|source| source.enabled)
        .filter_map(|source| {
            let id = SourceId::new(&source.id)?;
            let accounts = *removed.owned.get(&id)?;
            Some((source, accounts))
        });
    Ok(owned.collect())
}

/// Takes an owner off all its accounts; `None` when nobody is known by that name.
pub async fn release(
    app: &App,
    owner: Owner,
    leftover: Leftover,
    actor: Asker,
) -> Result<Option<Released>, ApiError> {
    let weight = weight_of(app, &owner).await?;
    let released = app
        .store
        .write(weight, move |db| released(db, &owner, leftover, actor));
    Ok(released.await?)
}

/// Forgets a source and, where it is said how, takes it off its accounts in the same transaction: the sources that are
/// left, or `None` when there is none with this id.
pub async fn delete_source(
    app: &App,
    id: String,
    leftover: Option<Leftover>,
    actor: Asker,
) -> Result<Option<Vec<(Source, Option<ImportJob>)>>, ApiError> {
    let owner = SourceId::new(&id).map(Owner::Source);
    let accounts = owner.zip(leftover);
    let weight = match &accounts {
        Some((owner, _)) => weight_of(app, owner).await?,
        None => 0,
    };
    let left = app.store.write(weight, move |db| {
        if !sources::delete(db, &id)? {
            return Ok(None);
        }
        audit::append(db, &Act::new(actor.clone(), "source.delete", &id))?;
        if let Some((owner, leftover)) = accounts {
            released(db, &owner, leftover, actor)?;
        }
        sources::list(db).map(Some)
    });
    Ok(left.await?)
}

fn released(
    db: &Db,
    owner: &Owner,
    leftover: Leftover,
    actor: Asker,
) -> Result<Option<Released>, StoreError> {
    let Some(owned) = owners::find(db, owner)? else {
        return Ok(None);
    };
    let released = owners::release(db, owner, leftover)?;
    if let Some(trace) = released.trace {
        let source = match owner {
            Owner::Local => None,
            Owner::Source(source) => Some(source.clone()),
        };
        let job = done(JobKind::Release, source, owned.name, actor, trace);
        let skipped = released.released + released.kept;
        jobs::insert(
            db,
            &mut ImportJob {
                total: skipped + released.removed,
                skipped,
                removed: released.removed,
                released: released.released,
                updated: released.turned,
                unchanged: released.kept - released.turned,
                ..job
            },
        )?;
    }
    Ok(Some(released))
}

/// An owner of many accounts is a group of its own, for which SQLite keeps no old pages.
async fn weight_of(app: &App, owner: &Owner) -> Result<u64, ApiError> {
    let owner = owner.clone();
    let owned = app.store.read(move |db| owners::find(db, &owner)).await?;
    Ok(owned.map_or(0, |owned| owned.accounts.saturating_mul(ACCOUNT_WEIGHT)))
}

/// The job of a change that is done in the transaction that writes it.
fn done(
    kind: JobKind,
    source_id: Option<SourceId>,
    name: String,
    actor: Asker,
    trace: Trace,
) -> ImportJob {
    let options = ImportOptions {
        source_id,
        ..ImportOptions::default()
    };
    ImportJob {
        status: JobStatus::Success,
        trace: Some(trace),
        ..begun(kind, &options, name, actor, clock::now())
    }
}
