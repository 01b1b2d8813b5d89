//! Decides what a payload of accounts would change in a pool.
//!
//! There is no I/O in this crate, no clock, no randomness, no environment, no floats and no `unsafe`: time, ids,
//! limits and the pool come in as arguments, and a plan comes out.

mod options;
mod provider;

pub use options::Strategy;
pub use provider::Provider;
