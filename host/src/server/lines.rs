//! Line ends that were not written as HTTP asks: LF without CR. hyper takes them, others do not, and what two programs
//! read differently can hide a request from one of them. Such a request is answered and is the last of its connection.

use std::sync::{Mutex, PoisonError};

/// What was seen of a connection's bytes, as they were read.
#[derive(Default)]
pub(super) struct Lines(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    part: Part,
    previous: u8,
    /// Whether the line of a head has a byte, and whether an earlier one had.
    line_begun: bool,
    head_begun: bool,
    /// Whether the head that is read next, or was read last, has a bare LF.
    bare: bool,
}

/// The part of a connection that is being read.
#[derive(Clone, Copy, Default)]
enum Part {
    /// The head of a request.
    #[default]
    Head,
    /// What follows a head before anybody has said how long its body is: so many bytes, the last bare LF at that one.
    After { bytes: u64, last: Option<u64> },
    /// So many bytes of a body are yet to come.
    Body(u64),
    /// Bodies of unknown length, and requests that came before the one ahead was answered: every bare LF counts.
    Mixed,
}

impl Lines {
    /// Looks at bytes that were read.
    pub(super) fn see(&self, mut bytes: &[u8]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !bytes.is_empty() {
            let taken = seen.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Whether the head of the request that has come had a bare LF; `body` is the length that it declares, where it does.
    pub(super) fn request(&self, body: Option<u64>) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let had = std::mem::take(&mut seen.bare);
        let (part, bare) = match (seen.part, body) {
            (Part::After { bytes, .. }, Some(body)) if bytes == body => (Part::Head, false),
            (Part::After { bytes, .. }, Some(body)) if bytes < body => {
                (Part::Body(body - bytes), false)
            }
            (Part::After { last, .. }, body) => {
                let body = body.unwrap_or_default();
                (Part::Mixed, last.is_some_and(|at| at >= body))
            }
            (_, _) => (Part::Mixed, false),
        };
        (seen.part, seen.bare) = (part, bare);
        (seen.line_begun, seen.head_begun) = (false, false);
        had
    }
}

impl Seen {
    /// Looks at the bytes of one part and tells how many those were.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match self.part {
            Part::Head => self.take_head(bytes),
            Part::Body(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let left = left - taken as u64;
                self.part = if left == 0 {
                    Part::Head
                } else {
                    Part::Body(left)
                };
                taken
            }
            Part::After {
                bytes: before,
                last,
            } => {
                let at = self.last_bare(bytes).map(|at| before + at as u64);
                self.part = Part::After {
                    bytes: before + bytes.len() as u64,
                    last: at.or(last),
                };
                bytes.len()
            }
            Part::Mixed => {
                self.bare |= self.last_bare(bytes).is_some();
                bytes.len()
            }
        }
    }

    /// A head ends with an empty line; empty lines before it are none of it.
    fn take_head(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            taken += line.len();
            let last = line.last().copied().unwrap_or_default();
            let previous = std::mem::replace(&mut self.previous, last);
            let text = line.strip_suffix(b"\n");
            if text.unwrap_or(line).iter().any(|byte| *byte != b'\r') {
                (self.line_begun, self.head_begun) = (true, true);
            }
            if let Some(text) = text {
                self.bare |= *text.last().unwrap_or(&previous) != b'\r';
                if self.head_begun && !self.line_begun {
                    self.part = Part::After {
                        bytes: 0,
                        last: None,
                    };
                    break;
                }
                self.line_begun = false;
            }
        }
        taken
    }

    fn last_bare(&mut self, bytes: &[u8]) -> Option<usize> {
        let before = std::mem::replace(&mut self.previous, *bytes.last()?);
        let is_bare = |at: &usize| {
            let previous = at.checked_sub(1).and_then(|at| bytes.get(at));
            bytes.get(*at) == Some(&b'\n') && *previous.unwrap_or(&before) != b'\r'
        };
        (0..bytes.len()).rev().find(is_bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each request of a connection had a bare LF: what is read before it comes, and the length of its body.
    fn check(requests: &[(&str, Option<u64>)], expected: &[bool]) {
        for size in [1, 3, usize::MAX] {
            let lines = Lines::default();
            let told: Vec<bool> = requests
                .iter()
                .map(|(read, body)| {
                    let pieces = read.as_bytes().chunks(size.min(read.len().max(1)));
                    pieces.for_each(|piece| lines.see(piece));
                    lines.request(*body)
                })
                .collect();
            assert_eq!(told, expected, "{requests:?} in pieces of {size}");
        }
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const BARE: &str = "GET / HTTP/1.1\nHost: a\r\n\r\n";

    #[test]
    fn a_bare_line_end_in_a_head_is_seen() {
        check(&[(GET, Some(0)), (GET, Some(0))], &[false, false]);
        check(&[(BARE, Some(0))], &[true]);
        check(&[(GET, Some(0)), (BARE, Some(0))], &[false, true]);
        check(&[("GET / HTTP/1.1\r\nHost: a\n\n", Some(0))], &[true]);
        check(&[(&format!("\r\n{GET}"), Some(0))], &[false]);
        let twice = format!("{GET}\n{GET}");
        check(&[(&twice, Some(0)), ("", Some(0))], &[false, true]);
    }

    #[test]
    fn in_a_body_it_is_nothing() {
        let whole = format!("{GET}{{\n}}\n");
        check(&[(&whole, Some(4)), (GET, Some(0))], &[false, false]);
        let halves = [
            (&*format!("{GET}{{\n"), Some(4)),
            (&*format!("}}\n{GET}"), Some(0)),
        ];
        check(&halves, &[false, false]);
    }

    #[test]
    fn behind_a_body_it_belongs_to_the_next_request() {
        let pipelined = format!("{GET}{{}}{BARE}");
        check(&[(&pipelined, Some(2)), ("", Some(0))], &[false, true]);
        let clean = format!("{GET}{{}}{GET}");
        check(&[(&clean, Some(2)), ("", Some(0))], &[false, false]);
        check(&[(GET, None), (BARE, Some(0))], &[false, true]);
    }
}
