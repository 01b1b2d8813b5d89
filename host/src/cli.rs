//! The command line: what can be typed, and what each command does.

pub mod accounts;
pub mod audit;
pub mod backup;
pub mod completions;
mod confirm;
mod counts;
pub mod import;
pub mod inject;
pub mod jobs;
pub mod key;
pub mod master_key;
pub mod owners;
mod pages;
pub mod plan;
mod remote;
pub mod serve;
pub mod sources;

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::output;

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
    /// List what administrators did, or verify the record of it
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Copy the pool into one file, beside a running server or without one
    Backup(backup::BackupArgs),
    /// Put a backup in place of the pool, while no server runs there
    Restore(backup::RestoreArgs),
    /// Look whether the pool, or a backup, holds together and opens
    Verify(backup::VerifyArgs),
    /// Make, list, disable or delete keys to the API, beside a running server or without one
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// List, show, change, delete or export the accounts of a running server
    Accounts(accounts::AccountsArgs),
    /// List who put accounts into a running server, or release an owner's accounts
    Owners(owners::OwnersArgs),
    /// List, add, edit, delete or sync the sources of a running server
    Sources(sources::SourcesArgs),
    /// Import a payload into a running server
    Inject(inject::InjectArgs),
    /// List what was imported into a running server, and what was changed by hand
    Jobs(jobs::JobsArgs),
    /// Give a running server a new master key
    MasterKey(master_key::MasterKeyArgs),
    /// Print a script that completes commands and options in a shell
    Completions(completions::CompletionsArgs),
}

const UNITS: &str =
    "Sizes are written as `64MiB`, times as `30s`. An option counts before its variable.";

/// Reads the command line; help and version end the program with 0, a mistake in it with 2.
pub fn read() -> Command {
    Cli::parse_from(with_command(std::env::args_os().collect())).command
}

/// Prints what went wrong, if anything did: exit code 0, 1, or 2 for what was mistyped.
pub fn exit(done: Outcome) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    // Whoever reads through `head` has seen enough.
    let seen = error.downcast_ref().map(io::Error::kind);
    if seen == Some(io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", output::tame(&error.to_string()));
    ExitCode::from(if error.is::<Mistyped>() { 2 } else { 1 })
}

/// A mistake in what was typed that only the command itself can see.
#[derive(Debug)]
struct Mistyped(&'static str);

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Mistyped {}

/// Adds `serve` where options come first: `tributary --listen …` means `tributary serve --listen …`.
fn with_command(mut typed: Vec<OsString>) -> Vec<OsString> {
    // Those of the second line belong to commands that ask a server, whose names come first.
    #[rustfmt::skip]
    const OTHERS: [&str; 9] = [
        "-h", "--help", "-V", "--version",
        "--server", "--key-file", "--ca", "--json", "--table",
    ];
    let first = typed.get(1).map(|word| word.to_string_lossy());
    let meant = first.is_none_or(|word| word.starts_with('-') && !OTHERS.contains(&word.as_ref()));
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
        _ => unreachable!("serve was typed"),
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
