//! Colours of a terminal, and none where they are not wanted.

use std::env;
use std::io::IsTerminal;

/// What text can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Heavier than the rest.
    Bold,
    /// Less than the rest.
    Faint,
    /// Wrong, or gone.
    Red,
    /// Well, or new.
    Green,
    /// To be looked at.
    Yellow,
    /// On its way.
    Blue,
}

/// Whether colours are wanted.
#[derive(Clone, Copy)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// What `stream` wants: NO_COLOR and a dumb terminal say no, and a file or a pipe gets none.
    pub fn of(stream: &impl IsTerminal) -> Paint {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        Paint {
            colours: !refused && !dumb && stream.is_terminal(),
        }
    }

    /// No colours.
    pub fn plain() -> Paint {
        Paint { colours: false }
    }

    /// `text` in that colour.
    pub fn colour(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            _ if !self.colours => return text.to_owned(),
            Colour::Bold => 1,
            Colour::Faint => 2,
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Blue => 34,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// `text`, heavier.
    pub fn bold(self, text: &str) -> String {
        self.colour(Colour::Bold, text)
    }
}
