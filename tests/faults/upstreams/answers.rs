//! Statuses, redirects and endings of bodies.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use super::Ending::{Fails, Takes};
use super::{Behaviour, ok_with};

fn status(name: &'static str, line: &'static str) -> Behaviour {
    let answer = format!("HTTP/1.1 {line}\r\nContent-Length: 12\r\n\r\n[\"answer-1\"]");
    Behaviour::raw(name, Fails(&["status"]), answer)
}

fn redirect(name: &'static str, ends: super::Ending, to: &str) -> Behaviour {
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    Behaviour::raw(name, ends, answer)
}

pub(super) fn all() -> Vec<Behaviour> {
    let refused = Fails(&["redirect"]);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    vec![
        status("is forbidden", "403 Forbidden"),
        status("is gone", "410 Gone"),
        status("fails", "500 Internal Server Error"),
        status("answers 999", "999 Nonsense"),
        Behaviour::raw(
            "answers 204",
            Fails(&["not_json"]),
            "HTTP/1.1 204 No Content\r\n\r\n",
        ),
        Behaviour::raw(
            "answers 304 unasked",
            Fails(&["status"]),
            "HTTP/1.1 304 Not Modified\r\n\r\n",
        ),
        Behaviour::raw(
            "is busy for ever",
            Fails(&["status"]),
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n",
        ),
        redirect("redirects to itself", refused, ""),
        redirect("redirects to a file", refused, "file:///etc/passwd"),
        redirect(
            "redirects to an unknown scheme",
            refused,
            "gopher://127.0.0.1/",
        ),
        redirect(
            "redirects with a password",
            refused,
            "http://user:secret@127.0.0.1/",
        ),
        redirect(
            "redirects to link-local",
            Fails(&["address"]),
            "http://169.254.169.254/latest/meta-data/",
        ),
        redirect("redirects to nonsense", refused, "http://[::1"),
        Behaviour::raw(
            "redirects to nowhere",
            refused,
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        ),
        Behaviour::raw(
            "sends less than it says",
            Fails(&["protocol"]),
            "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[\"answer-1\"]",
        ),
        Behaviour::raw(
            "sends more than it says",
            Takes(1),
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n[\"answer-2\"], \"answer-3\"]",
        ),
        Behaviour::raw(
            "says no length",
            Takes(1),
            "HTTP/1.1 200 OK\r\n\r\n[\"answer-4\"]",
        ),
        Behaviour::raw(
            "chunks with a bad size",
            Fails(&["protocol"]),
            format!("{chunked}zz\r\n[]\r\n0\r\n\r\n"),
        ),
        Behaviour::raw(
            "chunks with a size beyond 64 bits",
            Fails(&["protocol"]),
            format!("{chunked}fffffffffffffffff\r\n[]"),
        ),
        Behaviour::raw(
            "ends between chunks",
            Fails(&["protocol"]),
            format!("{chunked}2\r\n[]\r\n"),
        ),
        Behaviour::raw(
            "sends endless chunk extensions",
            Fails(&["protocol"]),
            format!("{chunked}2;{}", "x".repeat(2_000_000)),
        ),
        Behaviour::raw(
            "sends endless trailers",
            Fails(&["protocol"]),
            format!("{chunked}2\r\n[]\r\n0\r\n{}", "X-T: 1\r\n".repeat(100_000)),
        ),
        Behaviour::raw(
            // The chunks count; what follows is the last on its connection.
            "says both length and chunks",
            Takes(1),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n[\"answer-5\"]\r\n0\r\n\r\n",
        ),
        Behaviour::new("drips one byte a second", Fails(&["timeout"]), |wire| {
            wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")?;
            for byte in b"[\"answer-6".chunks(1) {
                wire.write_all(byte)?;
                sleep(Duration::from_secs(1));
            }
            Ok(())
        }),
        Behaviour::new("falls silent halfway", Fails(&["timeout"]), |wire| {
            wire.write_all(&ok_with("", br#"["answer-7"]"#)[..46])?;
            sleep(Duration::from_secs(30));
            Ok(())
        }),
        Behaviour::new(
            "falls silent after two megabytes with a mistake",
            Fails(&["not_json"]),
            |wire| {
                let entries = r#""answer-9","#.repeat(200_000);
                let mut whole = ok_with("", format!("[{entries}?{entries}]").as_bytes());
                whole.truncate(whole.len() - entries.len());
                wire.write_all(&whole)?;
                sleep(Duration::from_secs(30));
                Ok(())
            },
        ),
        Behaviour::new("resets halfway", Fails(&["protocol"]), |wire| {
            wire.write_all(&ok_with("", br#"["answer-8"]"#)[..46])?;
            sleep(Duration::from_millis(50));
            rustix::net::sockopt::set_socket_linger(&*wire, Some(Duration::ZERO))?;
            Ok(())
        }),
        Behaviour::new(
            "sends 10 GB in chunks",
            Fails(&["too_large", "timeout"]),
            |wire| {
                wire.write_all(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n[",
                )?;
                let space = vec![b' '; 1 << 20];
                wire.write_all(&space[1..])?;
                for _ in 1..10_000 {
                    wire.write_all(b"\r\n100000\r\n")?;
                    wire.write_all(&space)?;
                }
                Ok(())
            },
        ),
    ]
}
