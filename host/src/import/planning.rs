//! A plan without its import: what an inject or a sync, or the undo of a job, would change.

use std::sync::Arc;
use std::time::Instant;

use tributary_core::{Change, Counts, Fingerprint, ImportOptions, Note, Salt, Skip, Strategy};

use super::failure::Failure;
use super::guarding::guard_of;
use super::syncs::{ask, options_of};
use crate::app::App;
use crate::clock;
use crate::config::GuardOptions;
use crate::fetch::Validators;
use crate::job::GuardReport;
use crate::source::Source;
use crate::store::accounts::{Accounts, Stored};
use crate::store::db::Db;
use crate::store::decide::{self, Hashed, Received, Takes};
use crate::store::undo::Kept;
use crate::store::{StoreError, apply, guard, meta, policies};

/// What an import would change. Lists are cut; what is beyond is counted.
pub struct Planned {
    /// How it would be imported.
    pub options: ImportOptions,
    /// What its source would be called; empty when nothing.
    pub source_name: String,
    /// In numbers.
    pub counts: Counts,
    /// The plan's hash: 64 hex digits.
    pub hash: String,
    /// The pool's revision for which this holds.
    pub revision: i64,
    /// What the guard says of a replace.
    pub guard: Option<GuardReport>,
    /// Where the payload's list stands: a JSON pointer.
    pub pointer: &'static str,
    /// `list`, `accounts` or `tokens`.
    pub shape: &'static str,
    /// Changes as JSON text.
    pub changes: Cut<String>,
    /// Entries that would not be taken, each with its line, from 1.
    pub skips: Cut<(Skip, u64)>,
    /// What else is said of the payload.
    pub notes: Cut<Note>,
}

/// The first of a list, and how many more there are.
pub struct Cut<T> {
    /// The first.
    pub first: Vec<T>,
    /// How many more.
    pub more: u64,
    limit: usize,
    /// Bytes that the list may still take, where its elements are texts.
    room: usize,
}

/// Bytes of texts that a list takes at most.
const ROOM: usize = 8 << 20;

impl<T> Cut<T> {
    /// An empty list of which at most `limit` are kept.
    pub fn at(limit: usize) -> Cut<T> {
        Cut {
            first: Vec::new(),
            more: 0,
            limit,
            room: ROOM,
        }
    }

    /// Adds one, made only where it is kept.
    pub fn push(&mut self, one: impl FnOnce() -> T) {
        match self.first.len() < self.limit {
            true => self.first.push(one()),
            false => self.more += 1,
        }
    }
}

impl Cut<String> {
    /// Adds a text, unless the list is as long as its limit or takes too many bytes.
    fn push_text(&mut self, text: impl FnOnce() -> String) {
        if self.room == 0 {
            self.more += 1;
            return;
        }
        self.push(text);
        let taken = self.first.last().map_or(0, String::len);
        self.room = self.room.saturating_sub(taken);
    }
}

/// Decides what an inject would change.
pub async fn plan(
    app: &App,
    options: ImportOptions,
    source_name: String,
    received: Received,
    limit: usize,
) -> Result<Planned, Failure> {
    let planning = Planning {
        options,
        source_name,
        limit,
        salt: app.salt.clone(),
        guard: app.config.guard.clone(),
    };
    look(app, move |db| planning.decide(db, &received)).await
}

/// Fetches a source and decides what its answer would change.
pub async fn plan_source(app: &App, source: &Source, limit: usize) -> Result<Planned, Failure> {
    let began = Instant::now();
    let answered = ask(app, source, &Validators::default()).await;
    let received = answered.inspect_err(|failure| {
        let (source_id, cause) = (&source.id, failure.class());
        tracing::warn!(source_id, cause, reason = %failure, "fetching for a plan failed");
    })?;
    let source_id = &source.id;
    tracing::debug!(source_id, took = ?began.elapsed(), "fetched for a plan");
    let received = received.received.ok_or(Failure::Changed)?;
    plan(
        app,
        options_of(source),
        source.name.clone(),
        received,
        limit,
    )
    .await
}

/// Looks at one state of the pool, beside the writer, as long as it takes: a few at a time, each on a thread of its own.
pub(super) async fn look<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let closed = |_| Failure::Store(StoreError::Unavailable("the server is stopping".to_owned()));
    let turn = Arc::clone(&app.planning)
        .acquire_owned()
        .await
        .map_err(closed)?;
    let store = app.store.clone();
    let looked = tokio::task::spawn_blocking(move || {
        // Held as long as the work lasts, whoever hangs up.
        let _turn = turn;
        store.reader_connection()?.on_one_snapshot(work)?
    });
    looked.await.unwrap_or(Err(Failure::Panicked))
}

struct Planning {
    options: ImportOptions,
    source_name: String,
    limit: usize,
    salt: Salt,
    guard: GuardOptions,
}

impl Planning {
    fn decide(mut self, db: &Db, received: &Received) -> Result<Planned, Failure> {
        let revision = meta::read(db)?.revision;
        let mut name = self.source_name.clone();
        let mut guarding = guard_of(&self.guard, &policies::Policy::default());
        if let Some(source) = &self.options.source_id {
            let policy = policies::read(db, source.as_str())?;
            self.options.removal = policy.removal;
            guarding = guard_of(&self.guard, &policy);
            name = apply::name_of(db, source, Some(&name))?;
        }
        let mut looking = Looking::at(db, self.limit);
        let options = &self.options;
        let decided = decide::decide(received, options, &self.salt, Hashed::Always, &mut looking)?;
        let guard = match options.strategy {
            Strategy::Merge => None,
            Strategy::Replace => Some(guard::report(
                db,
                options,
                &decided,
                &guarding.0,
                &guarding.1,
                clock::now(),
            )?),
        };
        Ok(Planned {
            counts: decided.counts,
            hash: decided
                .hash
                .map_or_else(String::new, |hash| hash.to_string()),
            revision,
            guard,
            pointer: received.batch.pointer,
            shape: received.batch.shape.as_str(),
            changes: looking.changes,
            skips: self.skips(received)?,
            notes: self.notes(received),
            source_name: name,
            options: self.options,
        })
    }

    /// Entries that are not taken but blanks, with the lines on which they begin.
    fn skips(&self, received: &Received) -> Result<Cut<(Skip, u64)>, Failure> {
        let mut cut = Cut::at(self.limit);
        let mut lines = received.lines();
        for skip in &received.batch.skips {
            match cut.first.len() < self.limit {
                true => {
                    let line = lines
                        .of(skip.span.offset)
                        .map_err(apply::ApplyError::from)?;
                    cut.push(|| (*skip, line));
                }
                false => cut.more += 1,
            }
        }
        Ok(cut)
    }

    fn notes(&self, received: &Received) -> Cut<Note> {
        let mut cut = Cut::at(self.limit);
        for note in &received.batch.notes {
            cut.push(|| *note);
        }
        cut
    }
}

/// Takes changes by writing down the first of them.
pub(super) struct Looking<'c> {
    accounts: Accounts<'c>,
    /// The changes as JSON text.
    pub changes: Cut<String>,
}

impl<'c> Looking<'c> {
    /// At the pool behind `db`; at most `limit` changes are written down.
    pub(super) fn at(db: &'c Db, limit: usize) -> Looking<'c> {
        Looking {
            accounts: Accounts::new(db),
            changes: Cut::at(limit),
        }
    }
}

impl<'c> Takes<'c> for Looking<'c> {
    fn accounts(&mut self) -> &mut Accounts<'c> {
        &mut self.accounts
    }

    fn take(
        &mut self,
        change: &Change<'_>,
        _stored: Option<&Stored>,
        _entry: Option<&Fingerprint>,
    ) -> Result<(), StoreError> {
        self.changes.push_text(|| change.to_json());
        Ok(())
    }

    fn take_back(
        &mut self,
        change: &Change<'_>,
        stored: &Stored,
        _times: Option<(i64, i64)>,
    ) -> Result<(), StoreError> {
        self.take(change, Some(stored), None)
    }

    fn put_back(&mut self, change: &Change<'_>, _kept: &Kept) -> Result<(), StoreError> {
        self.take(change, None, None)
    }
}
