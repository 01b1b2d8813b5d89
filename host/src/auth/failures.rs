//! Requests without a valid key, counted by address, so that guessing takes time and nobody else waits for it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest delay of an answer.
const LONGEST: Duration = Duration::from_millis(250);

/// Failures are remembered for this time at least and for twice this time at most.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Addresses of one such time that are told apart. More of them shorten the memory, which stays below half a MiB.
const ADDRESSES: usize = 4096;

/// How often each address has failed of late.
pub struct Failures(Mutex<Counts>);

struct Counts {
    recent: HashMap<IpAddr, u32>,
    earlier: HashMap<IpAddr, u32>,
    since: Instant,
}

impl Default for Failures {
    fn default() -> Failures {
        Failures(Mutex::new(Counts {
            recent: HashMap::new(),
            earlier: HashMap::new(),
            since: Instant::now(),
        }))
    }
}

impl Failures {
    /// Counts one more and tells how long its answer is held back: a millisecond for each of the last minute or two, at most 250.
    pub fn note(&self, from: IpAddr) -> Duration {
        self.note_at(from, Instant::now())
    }

    fn note_at(&self, from: IpAddr, now: Instant) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let who = origin(from);
        let full = counts.recent.len() >= ADDRESSES && !counts.recent.contains_key(&who);
        if full || now.saturating_duration_since(counts.since) > REMEMBERED {
            counts.earlier = std::mem::take(&mut counts.recent);
            counts.since = now;
        }
        let earlier = counts.earlier.get(&who).copied().unwrap_or_default();
        let recent = counts.recent.entry(who).or_default();
        *recent = recent.saturating_add(1);
        Duration::from_millis(u64::from(recent.saturating_add(earlier))).min(LONGEST)
    }
}

/// Whom an address stands for: an IPv4 address alone, of IPv6 the network of 64 bits that one host has to itself.
fn origin(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(failures: &Failures, from: &str, now: Instant) -> u128 {
        failures.note_at(from.parse().unwrap(), now).as_millis()
    }

    #[test]
    fn the_delay_grows_with_each_failure_of_an_address_up_to_its_limit_and_is_forgotten() {
        let (failures, now) = (Failures::default(), Instant::now());
        assert_eq!(millis(&failures, "192.0.2.1", now), 1);
        assert_eq!(millis(&failures, "::ffff:192.0.2.1", now), 2);
        for _ in 0..1_000 {
            assert!(millis(&failures, "192.0.2.1", now) <= 250);
        }
        assert_eq!(millis(&failures, "192.0.2.1", now), 250);
        assert_eq!(
            millis(&failures, "192.0.2.2", now),
            1,
            "another waits for nothing"
        );
        let later = now + REMEMBERED + Duration::from_secs(1);
        assert_eq!(
            millis(&failures, "192.0.2.1", later),
            250,
            "not forgotten yet"
        );
        let much_later = later + REMEMBERED + Duration::from_secs(1);
        assert_eq!(millis(&failures, "192.0.2.1", much_later), 2);
        let in_the_end = much_later + 2 * REMEMBERED;
        assert_eq!(millis(&failures, "192.0.2.9", in_the_end), 1);
        let after_it = in_the_end + 2 * REMEMBERED;
        assert_eq!(millis(&failures, "192.0.2.1", after_it), 1);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let (failures, now) = (Failures::default(), Instant::now());
        assert_eq!(millis(&failures, "2001:db8:1:2::1", now), 1);
        assert_eq!(millis(&failures, "2001:db8:1:2:ffff::9", now), 2);
        assert_eq!(millis(&failures, "2001:db8:1:3::1", now), 1);
    }

    #[test]
    fn any_number_of_addresses_takes_little_memory() {
        let (failures, now) = (Failures::default(), Instant::now());
        for number in 0..100_000_u32 {
            failures.note_at(IpAddr::V4(number.into()), now);
        }
        let counts = failures.0.lock().unwrap();
        assert!(counts.recent.len() <= ADDRESSES && counts.earlier.len() <= ADDRESSES);
    }
}
