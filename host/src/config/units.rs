//! Sizes like `64MiB` and times like `30s`, as people write them.

use std::time::Duration;

const SIZES: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
    ("", 1),
];

/// Milliseconds in a unit.
const TIMES: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// The longest time an option takes: a year. Beyond it a deadline could not be added to a clock.
const LONGEST: u64 = 365 * 24 * 3_600_000;

/// Reads a size in bytes: digits and a unit, or digits alone for bytes. The error says how to write one.
pub fn read_size(text: &str) -> Result<u64, String> {
    scaled(text, SIZES)
        .ok_or_else(|| "write a size as `64MiB`: digits, then B, KiB, MiB or GiB".to_owned())
}

/// Reads a time: digits and a unit, more than zero and at most a year. The error says how to write one.
pub fn read_time(text: &str) -> Result<Duration, String> {
    scaled(text, TIMES)
        .filter(|time| (1..=LONGEST).contains(time))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            "write a time as `30s`: digits, then ms, s, m, h or d, more than 0 and at most 365d"
                .to_owned()
        })
}

/// Reads whether something is on. The error says how to write that.
pub fn read_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// Reads a host or address and a port. Whether the host exists is seen when it is listened on.
pub fn read_address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(
            "write an address as `127.0.0.1:8083`: a host, then a port from 0 to 65535".to_owned(),
        ),
    }
}

/// Reads an origin as browsers send it: scheme, host and, where it is not the scheme's own, port. The error says how to write one.
pub fn read_origin(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let is_web = |url: &url::Url| matches!(url.scheme(), "http" | "https");
    match url.filter(is_web).map(|url| url.origin()) {
        Some(origin) if origin.ascii_serialization() == text && !text.contains('*') => Ok(text.to_owned()),
        _ => Err(
            "write each origin as browsers do, such as `https://admin.example.test`: http or https, the host and a port, \
             without a path; `*` is none"
                .to_owned(),
        ),
    }
}

/// Reads a host as urls write it: a name in lower case without a trailing dot, or an address. The error says how to write one.
pub fn read_host(text: &str) -> Result<String, String> {
    let host = url::Host::parse(text).or_else(|_| url::Host::parse(&format!("[{text}]")));
    let host = host.map(|host| host.to_string()).unwrap_or_default();
    match host.strip_suffix('.').unwrap_or(&host) {
        "" => Err("write a host as `pool.example.test`, `192.0.2.1` or `2001:db8::1`: without scheme, port or path".to_owned()),
        host => Ok(host.to_owned()),
    }
}

/// Writes bytes in the largest binary unit that divides them: `64MiB`.
pub fn write_size(bytes: u64) -> String {
    let binary = SIZES.iter().filter(|(unit, _)| unit.ends_with("iB"));
    let exact = binary
        .into_iter()
        .find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    exact.map_or_else(
        || format!("{bytes}B"),
        |(unit, size)| format!("{}{unit}", bytes / size),
    )
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        for (text, on) in [
            ("true", true),
            ("ON", true),
            ("1", true),
            ("no", false),
            ("", false),
        ] {
            assert_eq!(read_switch(text), Ok(on), "{text}");
        }
        for bad in ["maybe", "disabled", "2"] {
            assert!(read_switch(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for (text, host) in [
            ("Pool.Example.test.", "pool.example.test"),
            ("0x7f.1", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(read_host(text).as_deref(), Ok(host));
        }
        for bad in ["", ".", "https://a.test", "a.test:80", "a.test/x", "a b"] {
            assert!(read_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for good in [
            "https://admin.example.test",
            "http://localhost:3000",
            "http://[::1]:8080",
        ] {
            assert_eq!(read_origin(good).as_deref(), Ok(good));
        }
        for bad in [
            "*",
            "null",
            "",
            "admin.example.test",
            "https://admin.example.test/",
            "https://Admin.example.test",
            "https://admin.example.test:443",
            "https://*.example.test",
            "ftp://admin.example.test",
        ] {
            assert!(read_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_is_digits_and_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("2KiB", 2_048),
            ("2kb", 2_000),
            (" 64 MiB ", 64 << 20),
            ("256mib", 256 << 20),
            ("3GiB", 3 << 30),
        ] {
            assert_eq!(read_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5MiB",
            "5 apples",
            "99999999999GiB",
            "0x10",
        ] {
            assert!(read_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_digits_and_a_unit() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("2 m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                read_time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "30", "s", "0s", "1.5s", "-1s", "9999999h", "366d"] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_written_as_it_is_read() {
        for text in ["0B", "1000B", "1KiB", "1500KiB", "256MiB", "3GiB"] {
            assert_eq!(read_size(text).map(write_size).as_deref(), Ok(text));
        }
    }
}
