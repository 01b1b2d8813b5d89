//! One test binary: conformance of the core, the service over real HTTP, faults, and the order of the house.

mod conformance;
mod counts;
mod examples;
mod fuzz;
mod gzip;
mod laws;
mod runtimes;
mod schema;
mod seeded;
mod size;
mod tidy;

mod service {
    mod accounts_add;
    mod accounts_by_hand;
    mod accounts_list;
    mod accounts_payload;
    mod accounts_release;
    mod accounts_remove;
    mod accounts_update;
    mod answers;
    mod audit;
    mod auth;
    mod auth_users;
    mod backup;
    mod browsers;
    mod cli;
    pub(crate) mod client;
    mod crowds;
    mod examples;
    mod export;
    pub(crate) mod exposition;
    mod fetching;
    pub(crate) mod harness;
    mod health;
    mod import_file;
    mod index;
    mod inject;
    mod inject_again;
    mod jobs;
    mod jobs_undo;
    mod limits;
    pub(crate) mod logs;
    mod lookup;
    mod malformed;
    mod metrics;
    mod monitoring;
    mod owners;
    mod page;
    mod panics;
    pub(crate) mod payload;
    mod plan;
    mod plan_expected;
    mod policy;
    mod priority;
    pub(crate) mod program;
    mod readme;
    mod retention;
    mod sealing;
    mod sources;
    pub(crate) mod store;
    pub(crate) mod sync;
    mod sync_asked;
    mod sync_failed;
    mod sync_guarded;
    mod sync_scheduled;
    mod tls;
    pub(crate) mod upstream;
    mod walk;
}

mod faults {
    mod crash;
    mod disk;
    mod durable;
    mod every_write;
    mod shim;
    mod unwritten;
    mod upstreams;
}

mod browser {
    mod admin;
    mod conformance;
    mod node;
    mod preview;
}
