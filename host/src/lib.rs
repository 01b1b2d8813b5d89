//! The native host of Tributary: it serves, authenticates, fetches and stores, and decides nothing about accounts.

pub mod body;
pub mod clock;
pub mod fetch;
pub mod job;
pub mod lock;
pub mod random;
pub mod source;
pub mod store;
