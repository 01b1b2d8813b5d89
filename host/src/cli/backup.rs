//! `tributary backup`, `restore` and `verify`: the pool as one file and back again, and whether it holds together.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use crate::config::{Data, MasterKeyOptions, write_size};
use crate::output;
use crate::store::Store;
use crate::store::backup::{self, Backup};
use crate::store::verify::verify;

/// Where to.
#[derive(Args)]
pub struct BackupArgs {
    /// File to write, made for its owner alone
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file when it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// What from, and where to.
#[derive(Args)]
pub struct RestoreArgs {
    /// File that `tributary backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the pool when there is one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// What is looked at.
#[derive(Args)]
pub struct VerifyArgs {
    /// File that `tributary backup` wrote; without one, the pool in the data folder
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    master_key: MasterKeyOptions,
}

/// Takes a backup.
pub fn take(args: &BackupArgs) -> Outcome {
    if args.file.as_os_str() == "-" {
        return Err("a backup is a file of its own, and `-` is none: name one".into());
    }
    let taken = backup::take(&args.data.dir, &args.file, &args.master_key, args.force)?;
    if let Some(why) = &taken.untold {
        output::remark(&format!("the audit does not tell of this backup: {why}"));
    }
    let file = args.file.display();
    Ok(output::print(&format!(
        "{} in {file} ({})\nit opens with master key {}, which is not in it: keep a copy of that elsewhere\n",
        told(&taken),
        write_size(taken.bytes),
        taken.key_ids.join(" and "),
    ))?)
}

/// Restores one.
pub fn restore(args: &RestoreArgs) -> Outcome {
    let dir = &args.data.dir;
    let restored = backup::restore(dir, &args.file, &args.master_key, args.force)?;
    Ok(output::print(&format!(
        "restored {} into {}\nkeys are what they were then, those that were disabled or deleted since included: `tributary key list` shows them\n",
        told(&restored),
        dir.display()
    ))?)
}

/// Says of each check whether all is well; an error when it is not.
pub fn look_through(args: &VerifyArgs) -> Outcome {
    let db = match &args.file {
        Some(file) => Store::peek_backup(file, &args.data.dir, &args.master_key)?,
        None => Store::peek_opened(&args.data.dir, &args.master_key)?,
    };
    let checks = verify(&db)?;
    let mut broken = 0;
    for check in &checks {
        let well = check.broken.is_empty();
        let mut lines = format!("{:<7} {}\n", if well { "ok" } else { "broken" }, check.name);
        for what in &check.broken {
            lines.push_str(&format!("        {what}\n"));
        }
        broken += usize::from(!well);
        output::print(&lines)?;
    }
    match broken {
        0 => Ok(()),
        _ => Err("the pool does not hold together: restore a backup of before".into()),
    }
}

fn told(backup: &Backup) -> String {
    let s = |count: i64| if count == 1 { "" } else { "s" };
    format!(
        "{} account{} and {} source{}",
        backup.accounts,
        s(backup.accounts),
        backup.sources,
        s(backup.sources)
    )
}
