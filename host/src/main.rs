//! The `tributary` program.

use std::process::ExitCode;

use tributary_host::cli::{self, Command};
use tributary_host::preview;

fn main() -> ExitCode {
    let done = match cli::read() {
        Command::Serve(config) => cli::serve::run(*config),
        Command::Plan(args) => preview::run(&args),
        Command::Import(args) => cli::import::run(&args),
        Command::Key(command) => cli::key::run(&command),
    };
    cli::exit(done)
}
