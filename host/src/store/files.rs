//! Files that appear whole: made beside their place for their owner alone, and moved there when they are on disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes an empty private file, in place of what a crash left of an earlier one.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    remove(path)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Removes a file that may be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Moves a whole file into its place, and both are on disk then.
pub(super) fn settle(draft: &Path, place: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    fs::rename(draft, place)?;
    sync_folder(folder_of(place))
}

/// What was moved or made in a folder is on disk then.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder in which a file stands.
pub(super) fn folder_of(place: &Path) -> &Path {
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
