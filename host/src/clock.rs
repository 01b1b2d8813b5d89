//! The time of day, in whole seconds of UTC, and how answers write it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present time, in seconds since the epoch.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Writes seconds since the epoch as answers do: `2026-05-23T10:15:30+00:00`. Years outside 0…9999 take more room.
pub fn rfc3339(seconds: i64) -> String {
    let (day, second) = (day(seconds), seconds.rem_euclid(86_400));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}+00:00")
}

/// The day that a time falls on in UTC: `2026-05-23`.
pub fn day(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads what [`rfc3339`] writes of the years 0 to 9999; `None` for anything else.
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> { text.get(from..to)?.parse().ok() };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let seconds = day_of(year, month, day) * 86_400 + 3_600 * hour + 60 * minute + second;
    // What was no date or no time of day is written otherwise.
    (rfc3339(seconds) == text).then_some(seconds)
}

/// The day of a date, counted from 1970-01-01: [`civil`] the other way round.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The proleptic Gregorian date of a day counted from 1970-01-01.
///
/// Years are counted from 1 March, so that the leap day is the last of its year; eras are of 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_to_the_second() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (-1, "1969-12-31T23:59:59+00:00"),
            (951_782_400, "2000-02-29T00:00:00+00:00"),
            (951_868_800, "2000-03-01T00:00:00+00:00"),
            (1_779_531_330, "2026-05-23T10:15:30+00:00"),
            (4_107_542_399, "2100-02-28T23:59:59+00:00"),
            (4_107_542_400, "2100-03-01T00:00:00+00:00"),
            (253_402_300_799, "9999-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(rfc3339(seconds), text);
            assert_eq!(from_rfc3339(text), Some(seconds));
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for day in 0..146_097 {
            let seconds = day * 86_400 + (day * 7_919) % 86_400;
            assert_eq!(from_rfc3339(&rfc3339(seconds)), Some(seconds));
        }
        for text in [
            "",
            "2026-05-23",
            "2026-05-23T10:15:30Z",
            "2026-05-23T10:15:30+01:00",
            "2026-05-23 10:15:30+00:00",
            "2026-02-29T00:00:00+00:00",
            "2026-13-01T00:00:00+00:00",
            "2026-00-10T00:00:00+00:00",
            "2026-01-01T24:00:00+00:00",
            "2026-01-01T00:60:00+00:00",
            "+026-01-01T00:00:00+00:00",
            "2026-+1-01T00:00:00+00:00",
            "2026-01-01T00:00:00+00:00 ",
            "２０26-01-01T00:00:00+00:00",
        ] {
            assert_eq!(from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn no_second_is_too_far_to_be_written() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!(rfc3339(seconds).ends_with("+00:00"));
        }
    }
}
