//! `tributary accounts export`.

mod draft;

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::{Mistyped, Outcome};
use super::{ACCOUNTS, Filters};
use crate::client::{Client, ClientError};
use crate::output::{Progress, cannot_write};
use draft::Draft;

/// Which accounts, and where to.
#[derive(Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    filters: Filters,
    /// File to write, for your eyes only (mode 0600), or `-` for stdout; without it stdout, unless that is a terminal
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file where there is one
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) fn run(wanted: &ExportArgs, client: &Client) -> Outcome {
    let file = wanted
        .output
        .as_deref()
        .filter(|file| file.as_os_str() != "-");
    if wanted.output.is_none() && io::stdout().is_terminal() {
        return Err(Mistyped(
            "an export holds every token: name a file with -o FILE, or -o - to see them here",
        )
        .into());
    }
    match file {
        Some(file) => to_file(wanted, client, file),
        None => {
            let lines = download(wanted, client)?;
            copy(lines, &mut io::stdout().lock())
        }
    }
}

fn to_file(wanted: &ExportArgs, client: &Client, file: &Path) -> Outcome {
    if !wanted.force && file.symlink_metadata().is_ok() {
        return Err(draft::exists(file));
    }
    let lines = download(wanted, client)?;
    let written = Draft::beside(file).and_then(|mut draft| {
        copy(lines, draft.file())?;
        draft.keep_as(file, wanted.force)
    });
    written.map_err(|error| match error.downcast::<io::Error>() {
        Ok(error) => cannot_write(file, &error).into(),
        Err(error) => error,
    })
}

fn download(wanted: &ExportArgs, client: &Client) -> Result<impl Read, ClientError> {
    let path = [ACCOUNTS, &["export"]].concat();
    let body = client.download(&path, &wanted.filters.query())?;
    Ok(body.into_with_config().limit(u64::MAX).reader())
}

/// Copies line after line; nothing of what breaks off is taken for the whole.
fn copy(lines: impl Read, to: &mut impl Write) -> Outcome {
    let progress = Progress::bytes("receiving accounts", None);
    let mut lines = progress.counted(lines, "writing");
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = lines
            .read(&mut piece)
            .map_err(|error| format!("the export broke off: {}; ask again", error.kind()))?;
        match piece.get(..read) {
            None | Some([]) => return Ok(to.flush()?),
            Some(piece) => to.write_all(piece)?,
        }
    }
}
