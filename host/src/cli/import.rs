//! `tributary import`: an export becomes a pool again, without a server.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::runtime;

use super::Outcome;
use crate::config::{Data, MasterKeyOptions};
use crate::output::cannot_read;
use crate::store::audit::{self, Act};
use crate::store::restore::{RestoreError, restore};
use crate::store::{Store, StoreOptions};

/// What to restore, and where.
#[derive(Args)]
pub struct ImportArgs {
    /// File with the lines of an export, or `-` for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// How long the store may take to close once everything is on disk.
const PATIENCE: Duration = Duration::from_secs(60);

/// Restores all of it or nothing. The error is for the person who typed it.
pub fn run(args: &ImportArgs) -> Outcome {
    let lines = open(&args.file).map_err(|error| cannot_read(&args.file, &error))?;
    let dir = &args.data.dir;
    let restored = restore_into(dir, &args.master_key, lines)?;
    let s = if restored == 1 { "" } else { "s" };
    crate::output::print(&format!(
        "restored {restored} account{s} into {}\n",
        dir.display()
    ))?;
    Ok(())
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match file.as_os_str() == "-" {
        true => Box::new(BufReader::new(io::stdin())),
        false => Box::new(BufReader::new(File::open(file)?)),
    })
}

fn restore_into(
    dir: &Path,
    key: &MasterKeyOptions,
    lines: Box<dyn BufRead + Send>,
) -> Result<u64, Box<dyn std::error::Error>> {
    let store = Store::open(dir, StoreOptions::default(), key)?;
    if let Some(about) = store.about_new_key() {
        crate::output::remark(&about);
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let restored: Result<u64, RestoreError> = runtime.block_on(async {
        let restored = store.write(0, move |db| {
            let restored = restore(db, lines)?;
            let act = Act::of_command("import", "").counting("added", restored);
            audit::append(db, &act)?;
            Ok(restored)
        });
        let restored = restored.await;
        store.close(PATIENCE).await;
        restored
    });
    Ok(restored?)
}
