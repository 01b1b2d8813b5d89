//! Inside strings: plain runs, escapes, surrogates, and UTF-8 sequences that the end of a piece has cut.

use super::{Event, Kind, Scanner, State, TextError, TextFault};
use crate::json::run::{is_ascii, plain_run};

impl Scanner {
    pub(super) fn in_text(
        &mut self,
        byte: u8,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        if !self.tail.is_empty() {
            return self.in_tail(byte, piece);
        }
        let (run, seen) = plain_run(piece);
        if run > 0 {
            if !is_ascii(seen) {
                self.check_utf8(piece.get(..run).unwrap_or_default(), run == piece.len())?;
            }
            return Ok(self.consume(run, piece));
        }
        match byte {
            b'"' => {
                self.consume(1, piece);
                Ok(self.end_text())
            }
            b'\\' => {
                self.escape = self.offset;
                self.state = State::Escape;
                Ok(self.consume(1, piece))
            }
            _ => self.fail(TextFault::Syntax),
        }
    }

    fn end_text(&mut self) -> Option<Event<'static>> {
        if self.in_key {
            self.state = State::Colon;
            (self.depth() <= self.watch).then(|| Event::Key(self.span_to(self.offset)))
        } else {
            self.end_value(Kind::String)
        }
    }

    /// Checks a run that begins at the current offset; a sequence cut by the end of the piece waits in `tail`.
    fn check_utf8(&mut self, run: &[u8], at_piece_end: bool) -> Result<(), TextError> {
        let Err(error) = std::str::from_utf8(run) else {
            return Ok(());
        };
        if error.error_len().is_none() && at_piece_end {
            self.tail
                .extend_from_slice(run.get(error.valid_up_to()..).unwrap_or_default());
            return Ok(());
        }
        let offset = self.offset.saturating_add(error.valid_up_to() as u64);
        Err(TextError {
            fault: TextFault::Utf8,
            offset,
        })
    }

    /// One more byte of a sequence that was cut.
    fn in_tail(
        &mut self,
        byte: u8,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        let began = self.offset.saturating_sub(self.tail.len() as u64);
        self.tail.push(byte);
        match std::str::from_utf8(&self.tail) {
            Ok(_) => self.tail.clear(),
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                return Err(TextError {
                    fault: TextFault::Utf8,
                    offset: began,
                });
            }
        }
        Ok(self.consume(1, piece))
    }

    pub(super) fn in_escape(
        &mut self,
        byte: u8,
        piece: &mut &[u8],
    ) -> Result<Option<Event<'static>>, TextError> {
        self.state = match (self.state, byte) {
            (State::Escape, b'u') | (State::LowU, b'u') => State::Hex(4, 0),
            (State::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => State::Text,
            (State::Hex(left, value), _) => self.in_hex(left, value, byte)?,
            (State::LowSlash, b'\\') => State::LowU,
            (State::LowSlash | State::LowU, _) => return self.lone_surrogate(),
            _ => return self.fail(TextFault::Syntax),
        };
        Ok(self.consume(1, piece))
    }

    fn in_hex(&mut self, left: u8, value: u16, byte: u8) -> Result<State, TextError> {
        let Some(digit) = char::from(byte)
            .to_digit(16)
            .and_then(|digit| u16::try_from(digit).ok())
        else {
            return self.fail(TextFault::Syntax);
        };
        let value = value.wrapping_shl(4) | digit;
        if left > 1 {
            return Ok(State::Hex(left.saturating_sub(1), value));
        }
        match (self.high, value) {
            (false, 0xD800..=0xDBFF) => {
                self.high = true;
                Ok(State::LowSlash)
            }
            (true, 0xDC00..=0xDFFF) => {
                self.high = false;
                Ok(State::Text)
            }
            (true, _) | (false, 0xDC00..=0xDFFF) => self.lone_surrogate(),
            (false, _) => Ok(State::Text),
        }
    }

    fn lone_surrogate<T>(&self) -> Result<T, TextError> {
        Err(TextError {
            fault: TextFault::Surrogate,
            offset: self.escape,
        })
    }
}
