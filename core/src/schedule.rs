//! When a source is due: time comes in as an argument, and chance from nowhere.

/// Failures in a row after which a source is left alone until a person does something about it.
pub const QUARANTINE: u32 = 8;

/// A day, in seconds: no source can ask to be left alone for longer.
const A_DAY: i64 = 24 * 60 * 60;
/// The longest spread of syncs that are due at their interval, in seconds.
const LONGEST_JITTER: u64 = 300;
/// Within this time, in seconds, every source is asked for the first time.
const FIRST: u64 = 60;
/// The first pause after a failure that may pass by itself, in seconds.
const BACKOFF: u64 = 30;
/// The longest is the interval between these: a short one would make a quarantine of an outage of a minute.
const LONGEST_BACKOFF: (u64, u64) = (5 * 60, 60 * 60);

/// What is known of the attempts to sync a source. Times are in seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Attempts<'a> {
    /// The source.
    pub source_id: &'a str,
    /// Its interval in seconds; 0 counts as 1.
    pub interval: u64,
    /// When the last attempt ended.
    pub last: Option<i64>,
    /// Attempts in a row that the source failed.
    pub failures: u32,
    /// Whether the last attempt failed, by whosever fault, in a way that may pass by itself.
    pub transient: bool,
    /// Until when the source asked to be left alone.
    pub not_before: Option<i64>,
}

/// When a source is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At this time, in seconds since the epoch.
    At(i64),
    /// Not before a person does something about it.
    Quarantined,
}

/// When a source is due, seen from `now`.
///
/// After a success, or a failure that only a person can mend, that is at its interval; after one that may pass by itself,
/// sooner, but each time later that it is the source's. Jitter is a hash of the source and its last attempt: the same wherever it is asked for,
/// and another for every source and attempt.
pub fn due_at(attempts: &Attempts<'_>, now: i64) -> Due {
    if attempts.failures >= QUARANTINE {
        return Due::Quarantined;
    }
    let interval = attempts.interval.max(1);
    let at = match attempts.last {
        None => after(now, attempts.jitter(interval.min(FIRST))),
        // A clock that was set back must not silence a source until it has caught up. Nothing that is reckoned from `now`
        // would come, for `now` moves on: one attempt too early puts the times right.
        Some(last) if last > now => now,
        Some(last) => after(last, attempts.pause(interval)),
    };
    // Neither must it by what it makes of the time that a source asked for.
    let believed = |until: &i64| *until <= now.saturating_add(A_DAY);
    let not_before = attempts.not_before.filter(believed);
    Due::At(at.max(not_before.unwrap_or(i64::MIN)))
}

impl Attempts<'_> {
    /// Seconds from the last attempt to the next.
    fn pause(&self, interval: u64) -> u64 {
        if !self.transient {
            return interval.saturating_add(self.jitter((interval / 10).min(LONGEST_JITTER)));
        }
        let longest = match self.failures {
            // It was no fault of the source.
            0 => interval,
            _ => interval.clamp(LONGEST_BACKOFF.0, LONGEST_BACKOFF.1),
        };
        let earlier = self.failures.saturating_sub(1);
        let doubled = BACKOFF.saturating_mul(2u64.saturating_pow(earlier));
        let backoff = doubled.min(longest);
        backoff.saturating_add(self.jitter(backoff / 2))
    }

    /// From 0 to `most`.
    fn jitter(&self, most: u64) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("tributary schedule v1");
        hasher.update(&self.last.unwrap_or(i64::MIN).to_le_bytes());
        hasher.update(self.source_id.as_bytes());
        let hash = hasher.finalize();
        let random = hash
            .as_bytes()
            .first_chunk()
            .map(|b| u64::from_le_bytes(*b));
        random
            .unwrap_or_default()
            .checked_rem(most.saturating_add(1))
            .unwrap_or_default()
    }
}

fn after(time: i64, seconds: u64) -> i64 {
    time.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn attempts(interval: u64) -> Attempts<'static> {
        Attempts {
            source_id: "a1b2c3d4e5f6",
            interval,
            last: Some(NOW),
            failures: 0,
            transient: false,
            not_before: None,
        }
    }

    /// Seconds from now until it is due.
    #[track_caller]
    fn wait(attempts: &Attempts<'_>) -> i64 {
        match due_at(attempts, NOW) {
            Due::At(at) => at.saturating_sub(NOW),
            Due::Quarantined => panic!("it is quarantined"),
        }
    }

    #[test]
    fn after_a_success_it_is_due_at_its_interval() {
        for (interval, jitter) in [(1, 0), (60, 6), (3_600, 300), (86_400, 300)] {
            let wait = wait(&attempts(interval));
            let interval = i64::try_from(interval).unwrap();
            assert!((interval..=interval + jitter).contains(&wait), "{wait}");
        }
        assert!((1..=1).contains(&wait(&attempts(0))));
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again_later_and_later() {
        let failed = |failures, interval| Attempts {
            failures,
            transient: true,
            ..attempts(interval)
        };
        for (failures, backoff) in [
            (0, 30),
            (1, 30),
            (2, 60),
            (3, 120),
            (4, 240),
            (5, 480),
            (6, 960),
            (7, 1_920),
        ] {
            let wait = wait(&failed(failures, 86_400));
            assert!(
                (backoff..=backoff + backoff / 2).contains(&wait),
                "{failures}: {wait}"
            );
        }
        assert!((10..=15).contains(&wait(&failed(0, 10))));
        for failures in 1..QUARANTINE {
            assert!(
                wait(&failed(failures, 10)) <= 450,
                "never longer than five minutes and a half of that"
            );
        }
        assert!(
            wait(&Attempts {
                failures: 3,
                ..attempts(600)
            }) >= 600,
            "what a person must mend is not tried sooner"
        );
    }

    #[test]
    fn eight_failures_in_a_row_are_enough() {
        for failures in [8, 9, u32::MAX] {
            let failed = Attempts {
                failures,
                transient: true,
                ..attempts(60)
            };
            assert_eq!(due_at(&failed, NOW), Due::Quarantined);
        }
    }

    #[test]
    fn who_asks_to_be_left_alone_is_for_a_day_at_most() {
        let asked = |seconds: i64| Attempts {
            not_before: Some(NOW.saturating_add(seconds)),
            ..attempts(60)
        };
        assert_eq!(wait(&asked(1_000)), 1_000);
        assert!(wait(&asked(-5)) >= 60);
        assert_eq!(wait(&asked(A_DAY)), A_DAY);
        assert!(
            (60..=66).contains(&wait(&asked(A_DAY + 1))),
            "no clock that is right makes that of a day"
        );
    }

    #[test]
    fn a_new_source_is_asked_soon() {
        let new = Attempts {
            last: None,
            ..attempts(3_600)
        };
        assert!((0..=60).contains(&wait(&new)));
        assert!((0..=5).contains(&wait(&Attempts {
            last: None,
            ..attempts(5)
        })));
    }

    #[test]
    fn any_numbers_give_an_answer() {
        for last in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
            for interval in [0, 1, u64::MAX] {
                for (failures, not_before) in [(0, None), (7, Some(i64::MAX)), (1, Some(i64::MIN))]
                {
                    for now in [i64::MIN, 0, i64::MAX] {
                        let any = Attempts {
                            last,
                            failures,
                            transient: true,
                            not_before,
                            ..attempts(interval)
                        };
                        assert!(
                            matches!(due_at(&any, now), Due::At(at) if at >= now || last.is_some())
                        );
                    }
                }
            }
        }
    }

    /// A small generator, so that the year is the same on every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }
    }

    const YEAR: i64 = 365 * A_DAY;

    /// The attempts of a source in a year, each with its time; `ends` says how one ends: failures in a row, and whether
    /// that may pass.
    fn year(
        id: &str,
        interval: u64,
        mut ends: impl FnMut(i64, u32) -> (u32, bool),
    ) -> Vec<(i64, Attempts<'_>)> {
        let mut now = Attempts {
            source_id: id,
            interval,
            last: None,
            failures: 0,
            transient: false,
            not_before: None,
        };
        let (mut time, mut seen) = (NOW, Vec::new());
        while let Due::At(at) = due_at(&now, time) {
            if at > NOW + YEAR {
                break;
            }
            time = at.max(time);
            seen.push((time, now));
            let (failures, transient) = ends(time, now.failures);
            // An attempt takes a second.
            time += 1;
            now = Attempts {
                last: Some(time),
                failures,
                transient,
                ..now
            };
        }
        seen
    }

    #[test]
    fn a_year_in_which_all_goes_well_has_an_attempt_an_interval() {
        for (number, interval) in [600u64, 3_600, 7_200, 86_400]
            .into_iter()
            .cycle()
            .take(50)
            .enumerate()
        {
            let id = format!("source-{number}");
            let attempts = year(&id, interval, |_, _| (0, false)).len() as u64;
            let most = YEAR.cast_unsigned() / interval + 1;
            assert!(
                attempts <= most && attempts >= most * 10 / 11 - 2,
                "{interval}: {attempts} of {most}"
            );
        }
    }

    #[test]
    fn a_year_with_failures_keeps_every_rule() {
        let mut quarantined = 0;
        for number in 0..50u64 {
            let (id, interval) = (
                format!("source-{number}"),
                [60, 900, 3_600, 43_200][usize::try_from(number % 4).unwrap()],
            );
            let mut chance = Chance(number);
            let attempts = year(&id, interval, |_, failures| match chance.below(10) {
                0..=4 => (0, false),
                5 => (failures, true),
                6..=8 => (failures + 1, true),
                _ => (failures + 1, false),
            });
            for pair in attempts.windows(2) {
                let [(then, _), (next, before)] = pair else {
                    continue;
                };
                let pause = (next - then - 1).cast_unsigned();
                let longest = interval.clamp(LONGEST_BACKOFF.0, LONGEST_BACKOFF.1);
                let backoff = longest.min(30 << before.failures.saturating_sub(1));
                match before.transient {
                    true => assert!(
                        (backoff..=backoff + backoff / 2).contains(&pause),
                        "{before:?} {pause}"
                    ),
                    false => assert!(
                        (interval..=interval + interval / 10).contains(&pause),
                        "{before:?} {pause}"
                    ),
                }
            }
            quarantined += u64::from(
                attempts
                    .last()
                    .is_some_and(|(at, _)| *at < NOW + YEAR - 2 * interval.cast_signed()),
            );
        }
        assert!(
            quarantined > 0 && quarantined < 50,
            "some fail eight times in a row: {quarantined}"
        );
    }

    #[test]
    fn sources_of_one_interval_do_not_march_in_step() {
        let times = |id: &str| {
            year(id, 3_600, |_, _| (0, false))
                .iter()
                .map(|(at, _)| *at)
                .collect::<Vec<_>>()
        };
        let (one, other) = (times("one"), times("other"));
        let together = one.iter().filter(|at| other.contains(at)).count();
        assert!(together < one.len() / 50, "{together} of {}", one.len());
    }

    /// Seconds from now until a look at what is due, every 30 s, finds it to be so.
    fn found_due_after(attempts: &Attempts<'_>) -> Option<i64> {
        let mut looks = (0..YEAR).step_by(30);
        looks.find(
            |seconds| matches!(due_at(attempts, NOW + seconds), Due::At(at) if at <= NOW + seconds),
        )
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_for_the_worse() {
        for (last, not_before) in [
            (NOW + 1, None),
            (NOW + A_DAY, None),
            (NOW + YEAR, None),
            (NOW + YEAR, Some(NOW + YEAR + 600)),
            (NOW - YEAR, None),
        ] {
            let set = Attempts {
                last: Some(last),
                not_before,
                ..attempts(600)
            };
            let found = found_due_after(&set);
            assert!(found.is_some_and(|after| after <= 660), "{last}: {found:?}");
        }
    }

    #[test]
    fn an_outage_of_ten_minutes_is_no_quarantine() {
        for interval in [1, 10, 60] {
            let waits = (1..QUARANTINE).map(|failures| {
                wait(&Attempts {
                    failures,
                    transient: true,
                    ..attempts(interval)
                })
            });
            assert!(waits.sum::<i64>() > 600, "every {interval} s");
        }
    }
}
