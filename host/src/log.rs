//! Lines on stderr, as text or as JSON. None of them carries a secret, whoever wrote it.

mod lines;

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::OnceLock;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{Log, LogFormat, LogLevel};
use lines::Lines;
pub use lines::REQUESTS;

/// Where the lines of this program go.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts the log of this program. A second call changes nothing: of two servers in a test the first one's log serves both.
/// The error says that there is no thread for it.
pub fn start(log: &Log) -> io::Result<()> {
    let to = Lines::to(io::stderr());
    if LINES.set(to.clone()).is_err() {
        return Ok(());
    }
    to.start()?;
    let lines = fmt::layer().with_writer(to);
    let lines = match log.log_format {
        LogFormat::Text => lines
            .with_target(false)
            .with_ansi(io::stderr().is_terminal())
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(targets(log.log_level)));
    // Whoever embeds this may have a log already.
    let _ = registry.try_init();
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Writes the lines that wait for others; to be called before the program ends.
pub fn end() {
    if let Some(lines) = LINES.get() {
        // There is nobody to tell that nothing can be told.
        let _ = lines.write(&[]);
    }
}

/// Our own lines down to `level`; those of others never below info, because what they tell there may hold headers.
fn targets(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(own.min(LevelFilter::INFO))
        .with_target("tributary", own)
}

/// For commands, which have no log: a panic is told on stderr, without its message.
pub fn tell_panics_alone() {
    panic::set_hook(Box::new(|panic| {
        eprintln!(
            "error: a mistake in the program at {} ended it",
            place(panic)
        );
    }));
}

/// Logs where a panic happened. Its message stays out: it may quote the text it tripped over, a token for example.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = place(panic);
    tracing::error!(place, "a mistake in the program ended this piece of work");
}

fn place(panic: &panic::PanicHookInfo<'_>) -> String {
    let place = panic.location();
    place.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn third_parties_are_capped_at_info() {
        let targets = targets(LogLevel::Trace);
        assert!(targets.would_enable("tributary_host::server", &Level::TRACE));
        assert!(targets.would_enable("hyper::proto", &Level::INFO));
        assert!(!targets.would_enable("hyper::proto", &Level::DEBUG));
    }

    #[test]
    fn a_lower_level_holds_for_all() {
        let targets = targets(LogLevel::Error);
        assert!(!targets.would_enable("tributary_host::server", &Level::WARN));
        assert!(!targets.would_enable("hyper::proto", &Level::WARN));
    }
}
