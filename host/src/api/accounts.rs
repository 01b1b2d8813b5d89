//! The accounts of the pool.

pub mod export;
pub mod list;
