//! Decides what a payload of accounts would change in a pool.
//!
//! There is no I/O in this crate, no clock, no randomness, no environment, no floats and no `unsafe`: time, ids,
//! limits and the pool come in as arguments, and a plan comes out.
//!
//! ```
//! use tributary_core::{ImportOptions, Pool, Salt, plan_import};
//!
//! let pool = Pool::new(Salt::new([7; 32]));
//! let plan = plan_import(br#"["example-token-1", {"token": "example-token-2"}]"#, &ImportOptions::default(), &pool)?;
//! assert_eq!(plan.counts.added, 2);
//! # Ok::<(), tributary_core::ImportError>(())
//! ```
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    reason = "whatever bytes go in, an answer comes out: nothing here can stop half way"
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod account;
mod batch;
mod change;
mod decider;
mod edit;
mod error;
mod fingerprint;
mod guard;
mod item;
mod json;
mod names;
mod options;
mod outline;
mod owner;
mod payload;
mod places;
mod plan;
mod plan_hash;
mod pool;
mod provider;
mod release;
mod restore;
mod schedule;
mod secret;
mod typed;
mod undo;
mod value;
mod wire;

pub use account::{Account, Document, Field, SecretPlace, mentions, push_revealed, string_of};
pub use batch::{Batch, BatchReader, Member, Note, Payload, Skip};
pub use change::{Change, ChangeKind, FieldChange};
pub use decider::{Arrival, Brought, Decider, EntryReader};
pub use edit::{Edit, EditError};
pub use error::ImportError;
pub use fingerprint::{Fingerprint, Salt};
pub use guard::{Guard, Holding, Verdict};
pub use item::{Item, MAX_TOKEN, Reason};
pub use json::{Span, TextError, TextFault};
pub use options::{ImportOptions, Removal, Strategy};
pub use outline::Outline;
pub use owner::{Owner, Owners, SourceId};
pub use payload::{Form, MAX_ENTRIES, MAX_ENTRY, MAX_MEMBER, Shape};
pub use plan::{Counts, Plan};
pub use plan_hash::{PlanHash, PlanHasher};
pub use pool::Pool;
pub use provider::Provider;
pub use release::{Leftover, release, remove};
pub use restore::{LineError, LineReader, Restored};
pub use schedule::{Attempts, Due, QUARANTINE, due_at};
pub use typed::Typed;
pub use undo::{Done, Left, Undone, undo};
pub use value::Secret;
pub use wire::{Wanted, plan_json, plan_text};

/// Parses, normalizes and decides: what `payload` would change in `pool`.
///
/// # Errors
/// Every [`ImportError`] but those of an inject body; a refused import changes nothing.
pub fn plan_import<'p>(
    payload: &'p [u8],
    options: &ImportOptions,
    pool: &'p Pool,
) -> Result<Plan<'p>, ImportError> {
    let payload = Payload::read_beside(payload, pool, options.owner())?;
    Plan::decide(payload, options, pool)
}
