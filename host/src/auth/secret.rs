//! The administrator's secret: given, read from a file, or made once and kept in one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{ADMIN_SECRET, Admin};

/// Fewer characters than this can be guessed over a network.
const SHORT: usize = 16;

/// The administrator's secret, kept as a hash: comparing two hashes takes the same time wherever they differ.
pub struct AdminSecret {
    hash: blake3::Hash,
    /// Whether it has under 16 characters.
    pub short: bool,
    /// The file in the data folder that keeps it, when nothing else named one.
    pub kept_in: Option<PathBuf>,
}

/// Why the administrator's secret cannot be used.
#[derive(Debug)]
pub enum SecretError {
    /// Nothing but blanks; from the option or variable, or from this file.
    Empty(Option<PathBuf>),
    /// It holds a character that a header cannot carry.
    Unsendable,
    /// The file cannot be read or made.
    File(PathBuf, io::Error),
}

impl AdminSecret {
    /// The first of option (or its variable), file, and `admin-secret` in the data folder, which is made when missing.
    pub fn settle(admin: &Admin, data: &Path) -> Result<AdminSecret, SecretError> {
        if let Some(secret) = &admin.secret {
            return AdminSecret::check(secret.reveal(), None);
        }
        if let Some(file) = &admin.file {
            return AdminSecret::check(&read(file)?, Some(file));
        }
        let kept_in = data.join(ADMIN_SECRET);
        if !kept_in.exists() {
            make(&kept_in).map_err(|error| SecretError::File(kept_in.clone(), error))?;
        }
        let secret = AdminSecret::check(&read(&kept_in)?, Some(&kept_in))?;
        Ok(AdminSecret {
            kept_in: Some(kept_in),
            ..secret
        })
    }

    /// Whether `credential` is the secret, in constant time.
    pub fn matches(&self, credential: &[u8]) -> bool {
        blake3::hash(credential) == self.hash
    }

    fn check(secret: &str, file: Option<&Path>) -> Result<AdminSecret, SecretError> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(SecretError::Empty(file.map(Path::to_owned)));
        }
        if secret.chars().any(char::is_control) {
            return Err(SecretError::Unsendable);
        }
        let short = secret.chars().count() < SHORT;
        Ok(AdminSecret {
            hash: blake3::hash(secret.as_bytes()),
            short,
            kept_in: None,
        })
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, SecretError> {
    let text = fs::read_to_string(file).map(Zeroizing::new);
    text.map_err(|error| SecretError::File(file.to_owned(), error))
}

/// Writes a new secret beside its place and moves it there, so that a crash leaves none or a whole one.
fn make(place: &Path) -> io::Result<()> {
    let draft = place.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{}", crate::random::hex::<24>()?)?;
    file.sync_all()?;
    fs::rename(&draft, place)
}

impl std::fmt::Display for SecretError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SecretError::Empty(None) => f.write_str("the admin secret is empty; give one, or unset it to have one made"),
            SecretError::Empty(Some(file)) => {
                write!(f, "the admin secret in `{}` is empty; write one there, or remove the file", file.display())
            }
            SecretError::Unsendable => {
                f.write_str("the admin secret holds a control character, which no header can carry; choose another")
            }
            SecretError::File(file, error) => write!(f, "cannot use the admin secret file `{}`: {error}", file.display()),
        }
    }
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tributary_core::Secret;

    /// An empty folder that goes away with its test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir()
                .join(format!("tributary-secret-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn given(secret: Option<&str>, file: Option<&Path>) -> Admin {
        Admin {
            secret: secret.map(|text| Secret::new(text.to_owned())),
            file: file.map(Path::to_owned),
        }
    }

    #[test]
    fn a_given_secret_comes_before_a_file() {
        let folder = Folder::new("order");
        let file = folder.0.join("secret");
        fs::write(&file, "from-file\n").unwrap();
        let settle = |admin: &Admin| AdminSecret::settle(admin, &folder.0).unwrap();
        assert!(settle(&given(Some("from-option"), Some(&file))).matches(b"from-option"));
        assert!(settle(&given(None, Some(&file))).matches(b"from-file"));
        assert!(!settle(&given(None, Some(&file))).matches(b"from-option"));
        assert!(!folder.0.join("admin-secret").exists());
    }

    #[test]
    fn without_any_one_is_made_for_its_owner_only_and_kept() {
        let folder = Folder::new("made");
        let made = AdminSecret::settle(&given(None, None), &folder.0).unwrap();
        let file = folder.0.join("admin-secret");
        assert_eq!(made.kept_in.as_deref(), Some(file.as_path()));
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.trim().len() >= 32 && made.matches(text.trim().as_bytes()) && !made.short);
        let again = AdminSecret::settle(&given(None, None), &folder.0).unwrap();
        assert!(again.matches(text.trim().as_bytes()));
    }

    #[test]
    fn an_empty_one_is_refused_wherever_it_is() {
        let folder = Folder::new("empty");
        let file = folder.0.join("secret");
        fs::write(&file, " \n").unwrap();
        let refused = |admin: &Admin| AdminSecret::settle(admin, &folder.0).err();
        assert!(matches!(
            refused(&given(Some(""), Some(&file))),
            Some(SecretError::Empty(None))
        ));
        assert!(matches!(
            refused(&given(None, Some(&file))),
            Some(SecretError::Empty(Some(_)))
        ));
        assert!(matches!(
            refused(&given(Some("a\nb"), None)),
            Some(SecretError::Unsendable)
        ));
    }
}
