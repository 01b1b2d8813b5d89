//! One test binary: conformance of the core, the service over real HTTP, faults, and the order of the house.

mod conformance;
mod laws;
mod runtimes;
