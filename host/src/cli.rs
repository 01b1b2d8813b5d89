//! The command line: what can be typed, and what each command does.

pub mod import;
pub mod key;
pub mod plan;
pub mod serve;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// How a command ends; the error is printed for the person who typed it.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Accounts from remote sources and pasted payloads, in one pool
#[derive(Parser)]
#[command(
    name = "tributary",
    version,
    override_usage = "tributary [COMMAND] [OPTIONS]",
    after_help = "Without a command, `serve` and its options are meant."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the program can do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve the HTTP API (the default command)
    #[command(after_help = UNITS)]
    Serve(Box<Config>),
    /// Show what an import would change, without changing it
    Plan(plan::PlanArgs),
    /// Restore an export into an empty pool, while no server runs there
    Import(import::ImportArgs),
    /// Make, list, disable or delete keys to the API, beside a running server or without one
    #[command(subcommand)]
    Key(key::KeyCommand),
}

const UNITS: &str =
    "Sizes are written as `64MiB`, times as `30s`. An option counts before its variable.";

/// Reads the command line; help and version end the program with 0, a mistake in it with 2.
pub fn read() -> Command {
    Cli::parse_from(with_command(std::env::args_os().collect())).command
}

/// Prints what went wrong, if anything did: exit code 0 or 1.
pub fn exit(done: Outcome) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Adds `serve` where options come first: `tributary --listen …` means `tributary serve --listen …`.
fn with_command(mut typed: Vec<OsString>) -> Vec<OsString> {
    const OF_THE_PROGRAM: [&str; 4] = ["-h", "--help", "-V", "--version"];
    let first = typed.get(1).map(|word| word.to_string_lossy());
    let meant =
        first.is_none_or(|word| word.starts_with('-') && !OF_THE_PROGRAM.contains(&word.as_ref()));
    if meant {
        typed.insert(1.min(typed.len()), OsString::from("serve"));
    }
    typed
}

/// What `tributary serve` with these options would be told.
#[cfg(test)]
pub(crate) fn config_of(options: &[&str]) -> Config {
    match Cli::parse_from(["tributary", "serve"].iter().chain(options)).command {
        Command::Serve(config) => *config,
        Command::Plan(_) | Command::Import(_) | Command::Key(_) => unreachable!("serve was typed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn typed(words: &[&str]) -> Vec<OsString> {
        with_command(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn serve_is_meant_where_no_command_is_given() {
        assert_eq!(typed(&["tributary"]), ["tributary", "serve"]);
        assert_eq!(
            typed(&["tributary", "--listen", "x:1"]),
            ["tributary", "serve", "--listen", "x:1"]
        );
        for words in [
            &["tributary", "--help"][..],
            &["tributary", "-V"],
            &["tributary", "key", "list"],
        ] {
            assert_eq!(typed(words), words);
        }
    }

    #[test]
    fn the_command_line_is_well_formed_and_every_option_of_serve_has_a_variable() {
        let mut cli = Cli::command();
        cli.build();
        let serve = cli.find_subcommand("serve").unwrap();
        for option in serve.get_opts().filter(|option| option.get_id() != "help") {
            let variable = option
                .get_env()
                .unwrap_or_else(|| panic!("{} has no variable", option.get_id()));
            let name = option.get_long().unwrap().replace('-', "_").to_uppercase();
            assert_eq!(variable.to_string_lossy(), format!("TRIBUTARY_{name}"));
        }
    }
}
