//! `tributary master-key rotate`.

use clap::{Args, Subcommand};

use super::Outcome;
use super::remote::Remote;
use crate::client::Query;
use crate::output::{Cell, Object, Progress, remark};

/// What is done, and where.
#[derive(Args)]
pub struct MasterKeyArgs {
    #[command(subcommand)]
    command: MasterKeyCommand,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum MasterKeyCommand {
    /// Make a new master key and seal everything with it, while imports go on; the file then holds it alone, and backups of before
    /// need the old one: copy the file first
    Rotate,
}

/// Does what was asked. The error is for the person who typed it.
pub fn run(args: &MasterKeyArgs) -> Outcome {
    let (client, output) = args.remote.open()?;
    match args.command {
        MasterKeyCommand::Rotate => {
            let progress = Progress::waiting("sealing everything anew");
            let path = ["api", "master-key", "rotate"];
            let answer = client.post_expecting(&path, &Query::new(), None);
            drop(progress);
            let answer = answer?;
            if output.is_json() {
                return Ok(output.json(&answer.text)?);
            }
            let said = Object::read(&answer.text).unwrap_or_default();
            let fields = [("key id", Cell::new(&said.text("key_id")))];
            output.record(&fields)?;
            remark(
                "backups of before open with the old key alone: keep a copy of it as long as you keep them",
            );
            Ok(())
        }
    }
}
