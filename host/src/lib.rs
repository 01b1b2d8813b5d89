//! The native host of Tributary: it serves, authenticates, fetches and stores, and decides nothing about accounts.

pub mod api;
pub mod app;
pub mod auth;
pub mod body;
pub mod certificates;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod error;
pub mod fetch;
pub mod import;
pub mod intake;
pub mod job;
pub mod lock;
pub mod log;
pub mod metrics;
pub mod output;
pub mod preview;
pub mod priority;
pub mod random;
pub mod routes;
pub mod server;
pub mod source;
pub mod store;

pub use app::App;
pub use server::serve;
