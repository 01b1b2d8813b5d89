//! Takes back what a job changed, account by account, as far as it still is what the job left.

use rusqlite::{CachedStatement, OptionalExtension, Row, params};
use tributary_core::{Account, Counts, Done, Fingerprint, Owner, Owners, SourceId, undo as undone};

use zeroize::Zeroizing;

use super::accounts::{OwnerIds, Secrets, Times, damaged, read_account, read_times};
use super::db::Db;
use super::decide::Takes;
use super::error::StoreError;
use super::record::Side;
use super::vault::{Identity, Vault};
use super::{guard, jobs, standing};
use crate::job::{ImportJob, LeftReport, Trace};
use crate::priority::Steps;

/// What an undo did, and what it could not take back.
#[derive(Default)]
pub struct Left {
    /// What it changed, in numbers.
    pub counts: Counts,
    /// The first of it.
    pub listed: Vec<LeftReport>,
    /// How much more.
    pub more: u64,
}

/// An account as a job found or left it.
pub struct Kept {
    side: Side,
    /// The row that it had.
    pub row: i64,
    account: Account,
    secret: Zeroizing<Vec<u8>>,
    /// When it had come and changed.
    pub times: Times,
}

/// Takes back what a job changed, or only looks; at most `most` of what is left are told.
pub fn take_back<'c>(
    db: &'c Db,
    job: &ImportJob,
    trace: &Trace,
    most: usize,
    takes: &mut impl Takes<'c>,
) -> Result<Left, StoreError> {
    let mut undoing = Undoing {
        takes,
        most,
        left: Left::default(),
        steps: Steps::default(),
    };
    undoing.changed(db, trace.changed)?;
    undoing.added(db, trace.added, job)?;
    Ok(undoing.left)
}

/// Notes, in the transaction that took it back, that a job is undone by another, and that what its source's server would
/// not send again is no longer what the source has.
pub fn mark(db: &Db, job: &ImportJob, by: &str) -> Result<(), StoreError> {
    jobs::set_undone_by(db, &job.id, by)?;
    // An undo that is undone leaves its job in force, and so an undo before that one out of force, and so on.
    let (mut id, mut by) = (job.undoes.clone(), String::new());
    while let Some((_, before)) = jobs::get(db, &id)? {
        jobs::set_undone_by(db, &id, &by)?;
        by = if by.is_empty() { id } else { String::new() };
        id = before.undoes;
    }
    if let Some(source) = SourceId::new(&job.source_id) {
        standing::forget_body(db, &source)?;
        guard::forget(db, &Owner::Source(source))?;
    }
    Ok(())
}

struct Undoing<'t, T> {
    takes: &'t mut T,
    most: usize,
    left: Left,
    steps: Steps,
}

impl<'c, T: Takes<'c>> Undoing<'_, T> {
    /// Accounts that the job changed or removed, or put back as an undo.
    fn changed(&mut self, db: &'c Db, (first, last): (i64, i64)) -> Result<(), StoreError> {
        let mut rows = Rows::new(db)?;
        let mut next = first;
        while next <= last {
            self.steps.begin();
            let one = rows.read(next)?;
            next += 1;
            let (before, after) = match one.side {
                Side::After => (None, Some(one)),
                Side::Before => {
                    let other = (next <= last).then(|| rows.read(next)).transpose()?;
                    let after =
                        other.filter(|other| other.side == Side::After && other.row == one.row);
                    next += i64::from(after.is_some());
                    (Some(one), after)
                }
            };
            self.one(before.as_ref(), after.as_ref())?;
        }
        Ok(())
    }

    fn one(&mut self, before: Option<&Kept>, after: Option<&Kept>) -> Result<(), StoreError> {
        let Some(fingerprint) = before.or(after).map(|kept| kept.account.fingerprint) else {
            return Ok(());
        };
        let now = self.takes.accounts().find(&fingerprint)?;
        let mut secrets = Secrets::of(before.map_or(&[][..], |kept| &kept.secret));
        let token = secrets.next();
        let secrets: Vec<&str> = secrets.collect();
        let done = Done {
            before: before.map(|kept| &kept.account),
            after: after.map(|kept| &kept.account),
            token,
            secrets: &secrets,
        };
        let undone = undone(&done, now.as_ref().map(|now| &now.account));
        let whole = undone.left.is_empty();
        self.tell(&fingerprint, &undone.left);
        let Some(change) = undone.change else {
            return Ok(());
        };
        self.left.counts.add(change.kind);
        match (&now, before) {
            (Some(now), _) => {
                // A time is taken back like a field: where it still is the one that the job wrote.
                let times = before.zip(after).filter(|_| whole);
                let times = times
                    .map(|(before, after)| (before.times.injected_at, after.times.injected_at));
                self.takes.take_back(&change, now, times)
            }
            (None, Some(before)) => self.takes.put_back(&change, before),
            (None, None) => Err(StoreError::Internal("an undo of nothing".to_owned())),
        }
    }

    /// Accounts that the job added; those that are gone already need nothing.
    fn added(
        &mut self,
        db: &'c Db,
        (first, last): (i64, i64),
        job: &ImportJob,
    ) -> Result<(), StoreError> {
        let owner = SourceId::new(&job.source_id).map_or(Owner::Local, Owner::Source);
        let owners = Owners::default().with(&owner);
        let mut found = db.prepare_cached("SELECT fingerprint FROM account WHERE id = ?1")?;
        for row in first..=last {
            self.steps.begin();
            let fingerprint = found.query_row([row], |row| row.get(0)).optional()?;
            let Some(fingerprint) = fingerprint.map(Fingerprint::from_bytes) else {
                continue;
            };
            let Some(now) = self.takes.accounts().find(&fingerprint)? else {
                return Err(damaged("an account cannot be looked up"));
            };
            let after = Account {
                owners: owners.clone(),
                ..now.account.clone()
            };
            let done = Done {
                before: None,
                after: Some(&after),
                token: None,
                secrets: &[],
            };
            let undone = undone(&done, Some(&now.account));
            self.tell(&fingerprint, &undone.left);
            if let Some(change) = &undone.change {
                self.left.counts.add(change.kind);
                self.takes.take_back(change, &now, None)?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, fingerprint: &Fingerprint, left: &[tributary_core::Left]) {
        for left in left {
            if self.left.listed.len() >= self.most {
                self.left.more += 1;
                continue;
            }
            self.left.listed.push(LeftReport {
                fingerprint: fingerprint.to_string(),
                reason: left.code().to_owned(),
                error: left.to_string(),
            });
        }
    }
}

/// The rows of the record.
struct Rows<'c> {
    row: CachedStatement<'c>,
    owners: OwnerIds<'c>,
    vault: Vault,
}

impl<'c> Rows<'c> {
    fn new(db: &'c Db) -> Result<Rows<'c>, StoreError> {
        Ok(Rows {
            row: db.prepare_cached("SELECT * FROM undo WHERE id = ?1")?,
            owners: OwnerIds::new(db),
            vault: db.vault().clone(),
        })
    }

    fn read(&mut self, id: i64) -> Result<Kept, StoreError> {
        let owners = &mut self.owners;
        let kept = self
            .row
            .query_row(params![id], |row| Ok(read_kept(row, owners, &self.vault)))
            .optional()?;
        kept.ok_or_else(|| damaged("the record of a job has a gap"))?
    }
}

fn read_kept(row: &Row<'_>, owners: &mut OwnerIds<'_>, vault: &Vault) -> Result<Kept, StoreError> {
    let fingerprint = Fingerprint::from_bytes(row.get("fingerprint")?);
    let owners = owners.decode(&row.get::<_, Vec<u8>>("owners")?)?;
    let side = match row.get::<_, i64>("side")? == Side::Before.number() {
        true => Side::Before,
        false => Side::After,
    };
    let sealed = row.get_ref("secret")?.as_blob().unwrap_or_default();
    Ok(Kept {
        side,
        row: row.get("account")?,
        account: read_account(row, fingerprint, owners)??,
        secret: match side {
            Side::Before => vault.open(Identity::Account(&fingerprint), sealed)?,
            Side::After => Zeroizing::default(),
        },
        times: read_times(row)?,
    })
}
