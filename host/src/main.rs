//! The `tributary` program.

use std::process::ExitCode;

use tributary_host::cli::{self, Command};

fn main() -> ExitCode {
    let done = match cli::read() {
        Command::Serve(config) => cli::serve::run(*config),
        Command::Key(command) => cli::key::run(&command),
    };
    cli::exit(done)
}
