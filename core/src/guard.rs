//! The guard against a broken source: when a replace would take too much.

/// How much of what a source owns a replace may take. Beyond both numbers it is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// A share in percent of the most that the source owned lately.
    pub percent: u64,
    /// A number of accounts.
    pub floor: u64,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard {
            percent: 30,
            floor: 5,
        }
    }
}

/// What a source owns, in accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The most in the last 24 hours, the present included.
    pub most: u64,
    /// At present.
    pub now: u64,
    /// With the replace.
    pub after: u64,
}

/// What the guard says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the replace must be approved by a person.
    pub blocked: bool,
    /// Accounts lost, counted from the most lately owned; those that come in place of others are no loss.
    pub loss: u64,
}

impl Guard {
    /// What to say of a replace. One that itself takes nothing is never blocked, whatever was lost before.
    pub fn verdict(&self, holding: &Holding) -> Verdict {
        let loss = holding.most.saturating_sub(holding.after);
        let share = u128::from(loss).saturating_mul(100);
        let allowed = u128::from(self.percent).saturating_mul(u128::from(holding.most));
        Verdict {
            blocked: holding.after < holding.now && loss >= self.floor && share > allowed,
            loss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(most: u64, now: u64, after: u64, blocked: bool) {
        let holding = Holding { most, now, after };
        let verdict = Guard::default().verdict(&holding);
        assert_eq!(verdict.blocked, blocked, "{holding:?}");
        assert_eq!(verdict.loss, most.saturating_sub(after));
    }

    #[test]
    fn a_loss_is_blocked_beyond_both_numbers() {
        check(10, 10, 7, false);
        check(10, 10, 5, true);
        check(10, 10, 6, false);
        check(4, 4, 0, false);
        check(5, 5, 0, true);
        check(100, 100, 70, false);
        check(100, 100, 69, true);
    }

    #[test]
    fn a_slow_loss_adds_up_within_a_day() {
        check(100, 80, 70, false);
        check(100, 80, 69, true);
    }

    #[test]
    fn what_takes_nothing_itself_passes() {
        check(100, 40, 40, false);
        check(100, 40, 41, false);
        check(0, 0, 0, false);
    }

    #[test]
    fn the_numbers_may_be_any() {
        let all = Holding {
            most: u64::MAX,
            now: u64::MAX,
            after: 0,
        };
        let guard = |percent, floor| Guard { percent, floor }.verdict(&all).blocked;
        assert!(guard(0, 0) && guard(99, u64::MAX));
        assert!(!guard(100, 0) && !guard(u64::MAX, 0));
    }
}
