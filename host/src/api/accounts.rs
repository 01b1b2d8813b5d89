//! The accounts of the pool.

pub mod export;
pub mod list;
pub mod payload;
mod stream;
