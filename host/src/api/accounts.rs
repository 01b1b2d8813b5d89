//! The accounts of the pool.

pub mod add;
pub mod edit;
pub mod export;
pub mod list;
pub mod owners;
pub mod payload;
pub mod release;
pub mod remove;
mod stream;
