//! A file that is written beside the one that is wanted.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::super::Outcome;
use crate::random;

/// A file beside the one that is wanted, which takes its name once it is whole. Dropped before that, it is gone.
pub(super) struct Draft {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Draft {
    /// An empty one for `file`.
    pub(super) fn beside(file: &Path) -> Result<Draft, Box<dyn Error>> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", random::hex::<6>()?));
        let path = file.with_file_name(name);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Draft {
            path,
            file: opened,
            kept: false,
        })
    }

    /// What is written.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its name. A file that has come to be there meanwhile is left as it is, unless `force` says otherwise.
    pub(super) fn keep_as(mut self, file: &Path, force: bool) -> Outcome {
        self.file.sync_all()?;
        if !force {
            match fs::hard_link(&self.path, file) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(exists(file));
                }
                // Not every file system has links; there the last look has to do.
                Err(_) if file.symlink_metadata().is_ok() => return Err(exists(file)),
                Err(_) => {}
            }
        }
        fs::rename(&self.path, file)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // It is unfinished, or has its other name; there is nobody to tell that it could not be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What is said of a file that is not to be overwritten.
pub(super) fn exists(file: &Path) -> Box<dyn Error> {
    format!(
        "`{}` exists and is left as it is; name another file, or replace it with --force",
        file.display()
    )
    .into()
}
