//! The guard of a source, and where its numbers are set.

use tributary_core::Guard;

use crate::config::GuardOptions;
use crate::store::policies::Policy;

/// The numbers that count for a source, and the words for where they are set.
pub(super) fn guard_of(options: &GuardOptions, policy: &Policy) -> (Guard, String) {
    let guard = Guard {
        percent: policy.guard_percent.unwrap_or(options.guard_percent),
        floor: policy.guard_floor.unwrap_or(options.guard_floor),
    };
    let set_by = |own: Option<u64>, field: &str, option: &str| match own {
        Some(_) => format!("`{field}` of the source's policy"),
        None => format!("`{option}`"),
    };
    let percent = set_by(policy.guard_percent, "guard_percent", "--guard-percent");
    let floor = set_by(policy.guard_floor, "guard_floor", "--guard-floor");
    (guard, format!("{percent} and {floor}"))
}
