//! The `tributary` program.

use std::process::ExitCode;

use tributary_host::cli::{self, Command};
use tributary_host::{log, preview};

fn main() -> ExitCode {
    log::tell_panics_alone();
    let done = match cli::read() {
        Command::Serve(config) => cli::serve::run(*config),
        Command::Plan(args) => preview::run(&args),
        Command::Import(args) => cli::import::run(&args),
        Command::Audit(command) => cli::audit::run(&command),
        Command::Backup(args) => cli::backup::take(&args),
        Command::Restore(args) => cli::backup::restore(&args),
        Command::Verify(args) => cli::backup::look_through(&args),
        Command::Key(command) => cli::key::run(&command),
        Command::Accounts(args) => cli::accounts::run(&args),
        Command::Owners(args) => cli::owners::run(&args),
        Command::Sources(args) => cli::sources::run(&args),
        Command::Inject(args) => cli::inject::run(&args),
        Command::Jobs(args) => cli::jobs::run(&args),
        Command::MasterKey(args) => cli::master_key::run(&args),
        Command::Completions(args) => cli::completions::run(&args),
    };
    cli::exit(done)
}
