//! Heads that are late, endless, contradicting or no HTTP at all.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use super::Ending::{Fails, Takes};
use super::{Behaviour, ok_with};

const GOOD: &[u8] = br#"["head-1"]"#;
const PROTOCOL: super::Ending = Fails(&["protocol"]);

pub(super) fn all() -> Vec<Behaviour> {
    let long = |headers: String| ok_with(&headers, GOOD);
    vec![
        Behaviour::raw("closes at once", PROTOCOL, ""),
        Behaviour::new("says nothing", Fails(&["timeout"]), |_| {
            sleep(Duration::from_secs(30));
            Ok(())
        }),
        Behaviour::new("drips its head", Fails(&["timeout"]), |wire| {
            for byte in ok_with("", GOOD).chunks(1) {
                wire.write_all(byte)?;
                sleep(Duration::from_secs(1));
            }
            Ok(())
        }),
        Behaviour::raw(
            "breaks off in its head",
            PROTOCOL,
            "HTTP/1.1 200 OK\r\nContent-Le",
        ),
        Behaviour::raw("speaks HTTP/0.9", PROTOCOL, "[\"head-1\"]"),
        Behaviour::raw(
            "speaks HTTP/2",
            PROTOCOL,
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ),
        Behaviour::raw("speaks SSH", PROTOCOL, "SSH-2.0-OpenSSH_9.2\r\n"),
        Behaviour::raw("speaks TLS", PROTOCOL, [0x15, 3, 3, 0, 2, 2, 70]),
        Behaviour::raw("sends noise", PROTOCOL, vec![0xa5; 100_000]),
        Behaviour::raw(
            "sends 300 KB of headers",
            Fails(&["too_large"]),
            long(format!("X-Long: {}\r\n", "x".repeat(300_000))),
        ),
        Behaviour::raw(
            "sends 10,000 headers",
            Fails(&["too_large"]),
            long("X-One: 1\r\n".repeat(10_000)),
        ),
        Behaviour::raw(
            "sends a header with NUL",
            PROTOCOL,
            long("X-Nul: a\0b\r\n".to_owned()),
        ),
        Behaviour::raw(
            "folds a header",
            PROTOCOL,
            long("X-Fold: a\r\n b\r\n".to_owned()),
        ),
        Behaviour::raw(
            "sends a header without a name",
            PROTOCOL,
            long(": a\r\n".to_owned()),
        ),
        Behaviour::raw(
            "ends lines with a line feed alone",
            Takes(1),
            "HTTP/1.1 200 OK\nContent-Length: 10\n\n[\"head-2\"]",
        ),
        Behaviour::raw(
            "says a negative length",
            PROTOCOL,
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[\"head-1\"]",
        ),
        Behaviour::raw(
            "says a length with a sign",
            PROTOCOL,
            "HTTP/1.1 200 OK\r\nContent-Length: +10\r\n\r\n[\"head-1\"]",
        ),
        Behaviour::raw(
            "says two lengths",
            PROTOCOL,
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 9\r\n\r\n[\"head-1\"]",
        ),
        Behaviour::raw(
            "says a length beyond 64 bits",
            PROTOCOL,
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n[]",
        ),
        Behaviour::raw(
            "says 10 TB",
            Fails(&["too_large"]),
            "HTTP/1.1 200 OK\r\nContent-Length: 10000000000000\r\n\r\n[]",
        ),
        Behaviour::raw(
            "storms with 1xx",
            Fails(&["protocol"]),
            "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(200_000),
        ),
        Behaviour::raw(
            "continues and then answers",
            Takes(1),
            [
                b"HTTP/1.1 100 Continue\r\n\r\n".as_slice(),
                &ok_with("", br#"["head-3"]"#),
            ]
            .concat(),
        ),
        Behaviour::raw(
            "switches protocols",
            Fails(&["status"]),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n[]",
        ),
        Behaviour::new(
            "resets before it answers",
            Fails(&["protocol", "connect"]),
            |wire| {
                // Unread bytes make the close a reset.
                rustix::net::sockopt::set_socket_linger(&*wire, Some(Duration::ZERO))?;
                Ok(())
            },
        ),
    ]
}
