//! What must hold for any bytes: the bodies of the fuzz targets, which the ordinary tests run on their seeds.

pub mod oracle;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;
use tributary_core::{BatchReader, Form, Salt, plan_json};
use tributary_host::source::{check_bearer_token, check_header, check_url};
use url::Url;

/// A byte that stands in no JSON: what follows it is the second part.
const APART: u8 = 0xff;

/// The parts before and after the first byte that sets them apart.
pub fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == APART) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b"{}"),
    }
}

/// A payload and a context: an answer that is JSON comes out, whose numbers agree, and a merge removes nothing.
pub fn planned(bytes: &[u8]) -> Vec<u8> {
    let (payload, context) = parts(bytes);
    let answer = plan_json(payload, context);
    let told: Value = match serde_json::from_slice(&answer) {
        Ok(told) => told,
        // Numbers keep their text, and not every reader takes each of them.
        Err(error) => {
            assert!(error.to_string().contains("number out of range"), "{error}");
            return answer;
        }
    };
    let plan = &told["plan"];
    let count = |name: &str| plan["counts"][name].as_u64().unwrap_or_default();
    assert_eq!(count("total"), count("added") + count("skipped"));
    assert_eq!(count("skipped"), count("updated") + count("unchanged"));
    if plan["strategy"] == "merge" {
        assert_eq!(count("released") + count("disabled") + count("removed"), 0);
    }
    answer
}

/// Bytes that may be JSON: refused as text exactly when serde_json refuses them, and the same in any pieces. The first byte
/// says how they are cut.
pub fn parsed(bytes: &[u8]) {
    let Some((cut, text)) = bytes.split_first() else {
        return;
    };
    let whole = read(text, text.len().max(1));
    for size in [1, 1 + usize::from(*cut)] {
        assert_eq!(read(text, size), whole, "in pieces of {size}");
    }
    // serde_json knows no byte order mark.
    if text.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let answer = plan_json(text, b"{}");
    let says = |code: &[u8]| {
        let told = answer.strip_prefix(b"{\"refusal\":{\"code\":\"");
        told.is_some_and(|told| told.starts_with(code))
    };
    // A limit of its own, which serde_json has for other texts.
    if says(b"too_deep") {
        return;
    }
    let codes = [&b"not_json"[..], b"not_utf8", b"lone_surrogate"];
    let refused = codes.into_iter().any(says);
    assert_eq!(
        !refused,
        oracle::is_json(text),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

/// What a batch read in pieces of a size says, or why there is none.
fn read(text: &[u8], size: usize) -> String {
    let mut reader = BatchReader::new(Form::Payload, Salt::new([7; 32]));
    let fed = text.chunks(size).try_for_each(|piece| reader.feed(piece));
    let read = fed
        .and_then(|()| reader.finish())
        .and_then(|(_, batch)| batch);
    match read {
        Ok(batch) => format!("{:?} {:?} {:?}", batch.items(), batch.skips, batch.notes),
        Err(error) => format!("{error:?}"),
    }
}

/// An address, and after it a header's name and value, each apart: what is taken can be sent as it is, and says nothing else
/// to another reader.
pub fn validated(bytes: &[u8]) {
    let (address, rest) = parts(bytes);
    let (name, value) = parts(rest);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (address, name, value) = (text(address), text(name), text(value));
    if check_url(&address).is_ok() {
        let url = Url::parse(&address).expect("it was parsed already");
        assert!(matches!(url.scheme(), "http" | "https"), "{url}");
        assert!(
            url.username().is_empty() && url.password().is_none(),
            "{url}"
        );
        assert!(url.host_str().is_some_and(|host| !host.is_empty()), "{url}");
        assert_eq!(
            Url::parse(url.as_str()).as_ref(),
            Ok(&url),
            "another reading of the same"
        );
    }
    if check_header(&name, &value).is_ok() && !name.is_empty() && !value.is_empty() {
        HeaderName::from_bytes(name.as_bytes()).expect("a name that can be sent");
        HeaderValue::from_str(&value).expect("a value that can be sent");
        assert!(
            !value.bytes().any(|byte| byte.is_ascii_control()),
            "{value:?}"
        );
    }
    if check_bearer_token(&value).is_ok() {
        HeaderValue::from_str(&format!("Bearer {value}")).expect("a value that can be sent");
    }
}

/// What stands in bytes for the administrator's secret.
const SECRET: &str = "Bearer the-secret";

/// Bytes on a connection, in which `Bearer the-secret` carries the administrator's: the server answers HTTP or closes, in time
/// and never with 500, and lets no stranger further than the routes for anyone.
pub fn answered(server: SocketAddr, secret: &str, bytes: &[u8]) {
    let Ok(mut wire) = TcpStream::connect(server) else {
        panic!("the server is gone");
    };
    let admitted = bytes
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes());
    let bytes = with_secret(bytes, secret);
    wire.set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    // A server may answer and close before it has read everything.
    let _ = wire.write_all(&bytes);
    let _ = wire.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = wire.read_to_end(&mut answer) {
        let waits = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!waits, "it neither answers nor closes");
    }
    let answer = String::from_utf8_lossy(&answer);
    if answer.is_empty() {
        return;
    }
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| answer.strip_prefix("HTTP/1.0 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    let status = status.unwrap_or_else(|| panic!("no HTTP: {answer}"));
    assert!((100..600).contains(&status) && status != 500, "{answer}");
    assert!(
        admitted || !answer.contains("\"sources\"") && !answer.contains("\"items\""),
        "a stranger was let in: {answer}"
    );
}

/// The bytes with the secret in each of its places.
fn with_secret(bytes: &[u8], secret: &str) -> Vec<u8> {
    let (mut whole, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest
        .windows(SECRET.len())
        .position(|part| part == SECRET.as_bytes())
    {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(format!("Bearer {secret}").as_bytes());
        rest = &rest[at + SECRET.len()..];
    }
    [&whole, rest].concat()
}
