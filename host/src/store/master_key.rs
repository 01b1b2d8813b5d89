//! The master key: given, read from a file, or made once in the data folder. It is kept apart from what it seals.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::files::{new_file, settle};
use super::migrate::with_suffix;
use super::vault::MasterKey;
use crate::config::MasterKeyOptions;

/// The file in the data folder that keeps the key when nothing else names one.
pub(super) const FILE: &str = "master-key";

/// The master keys of a pool, the current one first, and where they came from.
pub struct MasterKeys {
    /// The keys; more than one only while the pool is sealed anew with the first.
    pub keys: Vec<MasterKey>,
    /// The file that holds them; `None` when they were given.
    pub file: Option<PathBuf>,
    /// Whether they were made just now.
    pub made: bool,
}

/// Why there is no master key.
#[derive(Debug)]
pub enum MasterKeyError {
    /// It is none; from the variable, or from this file.
    Malformed(Option<PathBuf>),
    /// The file cannot be read or made.
    File(PathBuf, io::Error),
    /// The pool is sealed, and there is no key.
    Missing(PathBuf),
}

impl MasterKeys {
    /// The first of file, variable, and `master-key` in the data folder, which is made when it is missing beside a pool
    /// that is not sealed yet.
    pub fn settle(
        options: &MasterKeyOptions,
        data: &Path,
        is_sealed: bool,
    ) -> Result<MasterKeys, MasterKeyError> {
        if let Some(file) = &options.key_file {
            return MasterKeys::read(file);
        }
        if let Some(text) = &options.key {
            let keys = keys_in(text).ok_or(MasterKeyError::Malformed(None))?;
            return Ok(MasterKeys {
                keys,
                file: None,
                made: false,
            });
        }
        let file = data.join(FILE);
        match file.exists() {
            true => MasterKeys::read(&file),
            false if is_sealed => Err(MasterKeyError::Missing(file)),
            false => {
                let new = NewKey::make(&file);
                let written = new.and_then(|new| write(&file, &[&new.text]).map(|()| new.key));
                let key = written.map_err(|error| MasterKeyError::File(file.clone(), error))?;
                Ok(MasterKeys {
                    keys: vec![key],
                    file: Some(file),
                    made: true,
                })
            }
        }
    }

    fn read(file: &Path) -> Result<MasterKeys, MasterKeyError> {
        let text = fs::read_to_string(file).map(Zeroizing::new);
        let text = text.map_err(|error| MasterKeyError::File(file.to_owned(), error))?;
        let keys = keys_in(&text);
        Ok(MasterKeys {
            keys: keys.ok_or_else(|| MasterKeyError::Malformed(Some(file.to_owned())))?,
            file: Some(file.to_owned()),
            made: false,
        })
    }
}

/// Keys as 64 hex digits each, separated by white space or commas; none when anything else is there.
fn keys_in(text: &str) -> Option<Vec<MasterKey>> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let keys = words.filter(|word| !word.is_empty()).map(key_of);
    let keys: Vec<MasterKey> = keys.collect::<Option<_>>()?;
    (!keys.is_empty()).then_some(keys)
}

fn key_of(hex: &str) -> Option<MasterKey> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Zeroizing::new([0; 32]);
    if pairs.len() != bytes.len() {
        return None;
    }
    for (to, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *to = u8::try_from((high? << 4) | low?).ok()?;
    }
    Some(MasterKey::new(bytes))
}

/// A key that was made just now, for a file.
pub struct NewKey {
    key: MasterKey,
    text: Zeroizing<String>,
    file: PathBuf,
}

impl NewKey {
    /// Makes one, and leaves the file as it is.
    pub fn make(file: &Path) -> io::Result<NewKey> {
        let text = Zeroizing::new(crate::random::hex::<32>()?);
        let key = key_of(&text).ok_or_else(|| io::Error::other("no random bytes"))?;
        Ok(NewKey {
            key,
            text,
            file: file.to_owned(),
        })
    }

    /// The key.
    pub fn key(&self) -> &MasterKey {
        &self.key
    }

    /// What names it.
    pub fn id(&self) -> String {
        self.key.id()
    }

    /// Puts it in front of those in the file. The pool is then to be sealed anew.
    pub fn prepend(&self) -> io::Result<()> {
        let old = Zeroizing::new(fs::read_to_string(&self.file)?);
        write(&self.file, &[&self.text, old.trim()])
    }
}

/// Leaves only the first key in a file: nothing is sealed with the others any more.
pub fn keep_first(file: &Path) -> io::Result<()> {
    let all = Zeroizing::new(fs::read_to_string(file)?);
    let first = all.split(|c: char| c.is_whitespace() || c == ',');
    let first = first.into_iter().find(|word| !word.is_empty());
    write(file, &[first.unwrap_or_default()])
}

/// Writes a private file beside its place and moves it there, so that a crash leaves the old one or the new one.
fn write(place: &Path, lines: &[&str]) -> io::Result<()> {
    let draft = with_suffix(place, ".being-written");
    let mut file = new_file(&draft)?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    settle(&draft, place)
}

impl fmt::Display for MasterKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MasterKeyError::Malformed(None) => {
                f.write_str("TRIBUTARY_MASTER_KEY is no master key: write 64 hex digits")
            }
            MasterKeyError::Malformed(Some(file)) => {
                let file = file.display();
                write!(f, "`{file}` holds no master key: it must be 64 hex digits")
            }
            MasterKeyError::File(file, error) => {
                write!(
                    f,
                    "cannot use the master key file `{}`: {error}",
                    file.display()
                )
            }
            MasterKeyError::Missing(file) => write!(
                f,
                "the pool is sealed and its master key is not in `{}`: put the key back there, or name it with --master-key-file or \
                 TRIBUTARY_MASTER_KEY",
                file.display()
            ),
        }
    }
}

impl std::error::Error for MasterKeyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::tempdir;

    fn options(key: Option<&str>, file: Option<&Path>) -> MasterKeyOptions {
        MasterKeyOptions {
            key: key.map(|key| Zeroizing::new(key.to_owned())),
            key_file: file.map(Path::to_owned),
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let dir = tempdir().unwrap();
        let none = options(None, None);
        let made = MasterKeys::settle(&none, dir.path(), false).unwrap();
        let kept = MasterKeys::settle(&none, dir.path(), true).unwrap();
        assert!(made.made && !kept.made);
        assert_eq!(made.keys[0].id(), kept.keys[0].id());
        let mode = fs::metadata(dir.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn no_key_is_made_beside_a_sealed_pool() {
        let dir = tempdir().unwrap();
        let error = MasterKeys::settle(&options(None, None), dir.path(), true)
            .err()
            .unwrap();
        assert!(error.to_string().contains("--master-key-file"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_counts_before_a_given_key_and_both_are_checked() {
        let dir = tempdir().unwrap();
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        let file = dir.path().join("key");
        fs::write(&file, format!("{two}\n{one}\n")).unwrap();
        let settle = |options| MasterKeys::settle(&options, dir.path(), true);
        let keys = settle(options(Some(&one), Some(&file))).unwrap();
        assert_eq!(keys.keys.len(), 2);
        let given = settle(options(Some(&format!("{two}, {one}")), None)).unwrap();
        assert_eq!(given.keys[0].id(), keys.keys[0].id());
        assert_eq!(given.file, None);
        for wrong in ["", "01", "zz", &format!("{one}0"), &format!("{one} x")] {
            assert!(settle(options(Some(wrong), None)).is_err(), "{wrong}");
            fs::write(&file, wrong).unwrap();
            assert!(settle(options(None, Some(&file))).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whatever_its_file_is_called_no_other_is_touched() {
        let dir = tempdir().unwrap();
        let key = "01".repeat(32);
        for name in ["pool.hex", "pool.new", "pool"] {
            fs::write(dir.path().join(name), &key).unwrap();
        }
        for name in ["pool.hex", "pool.new", "pool"] {
            let file = dir.path().join(name);
            NewKey::make(&file).unwrap().prepend().unwrap();
            let named = options(None, Some(&file));
            let both = MasterKeys::settle(&named, dir.path(), true).unwrap();
            assert_eq!(both.keys.len(), 2, "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_key_is_put_in_front_and_the_others_are_dropped() {
        let dir = tempdir().unwrap();
        let none = options(None, None);
        let first = MasterKeys::settle(&none, dir.path(), false).unwrap();
        let file = dir.path().join(FILE);
        let new = NewKey::make(&file).unwrap();
        new.prepend().unwrap();
        let key = new.key;
        let both = MasterKeys::settle(&none, dir.path(), true).unwrap();
        let ids: Vec<_> = both.keys.iter().map(MasterKey::id).collect();
        assert_eq!(ids, [key.id(), first.keys[0].id()]);
        keep_first(&file).unwrap();
        let one = MasterKeys::settle(&none, dir.path(), true).unwrap();
        assert_eq!(one.keys.len(), 1);
        assert_eq!(one.keys[0].id(), key.id());
    }
}
