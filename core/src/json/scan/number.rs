//! The grammar of numbers, byte by byte.

/// Where in a number the scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::json) enum Number {
    Minus,
    Zero,
    Int,
    Point,
    Frac,
    E,
    Sign,
    Exp,
}

impl Number {
    /// Where its first byte leads; `None` when no number begins so.
    pub(in crate::json) fn begin(byte: u8) -> Option<Number> {
        match byte {
            b'-' => Some(Number::Minus),
            b'0' => Some(Number::Zero),
            b'1'..=b'9' => Some(Number::Int),
            _ => None,
        }
    }

    /// Whether a number may end here.
    pub(in crate::json) fn whole(self) -> bool {
        matches!(
            self,
            Number::Zero | Number::Int | Number::Frac | Number::Exp
        )
    }

    /// Where `byte` leads; `None` when it does not belong to the number.
    pub(in crate::json) fn after(self, byte: u8) -> Option<Number> {
        use Number::{E, Exp, Frac, Int, Minus, Point, Sign, Zero};
        match (self, byte) {
            (Minus, b'0') => Some(Zero),
            (Minus, b'1'..=b'9') | (Int, b'0'..=b'9') => Some(Int),
            (Zero | Int, b'.') => Some(Point),
            (Point | Frac, b'0'..=b'9') => Some(Frac),
            (Zero | Int | Frac, b'e' | b'E') => Some(E),
            (E, b'+' | b'-') => Some(Sign),
            (E | Sign | Exp, b'0'..=b'9') => Some(Exp),
            _ => None,
        }
    }
}
