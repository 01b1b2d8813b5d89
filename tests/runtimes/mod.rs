//! Everything that decides like the core.

pub(crate) mod native;
