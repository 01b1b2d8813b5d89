//! Asks before something is gone for good.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use clap::Args;

use super::{Mistyped, Outcome};

/// Whether the answer to the question is given already.
#[derive(Args, Clone, Copy)]
pub(super) struct Yes {
    /// Do it without asking; needed where no terminal is
    #[arg(long, short)]
    yes: bool,
}

impl Yes {
    /// Goes on after a yes. `what` is what would be done, such as `remove 2 accounts`.
    pub(super) fn or_ask(self, what: impl FnOnce() -> Result<String, Box<dyn Error>>) -> Outcome {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(
                Mistyped("without a terminal to ask in, say --yes; nothing was changed").into(),
            );
        }
        match ask(&what()?)? {
            true => Ok(()),
            false => Err("nothing was changed".into()),
        }
    }
}

fn ask(what: &str) -> io::Result<bool> {
    let what = crate::output::tame(what);
    write!(io::stderr(), "{what}? [y/N] ")?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let said = line.trim();
    Ok(["y", "yes"]
        .iter()
        .any(|yes| said.eq_ignore_ascii_case(yes)))
}
