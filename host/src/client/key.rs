//! The key that a server is asked with.

use std::env;
use std::fs;
use std::path::Path;

use tributary_core::Secret;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::output::cannot_read;

/// Where a key may stand besides a file: on the command line others would see it.
const VARIABLE: &str = "TRIBUTARY_KEY";

/// A key. It is shown nowhere.
pub struct Key(Secret);

impl Key {
    /// The key in `file`, or else the one in TRIBUTARY_KEY; `None` where there is neither. The error says which cannot be used.
    pub fn find(file: Option<&Path>) -> Result<Option<Key>, String> {
        if let Some(file) = file {
            let shown = file.display();
            let text = fs::read_to_string(file).map(Zeroizing::new);
            let text = text.map_err(|error| cannot_read(file, &error))?;
            let key = Key::new(text.trim());
            return key.map(Some).ok_or_else(|| {
                format!("`{shown}` holds no key; it must hold one line of ASCII text")
            });
        }
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => match value.to_str().and_then(|text| Key::new(text.trim())) {
                None => Err(format!(
                    "{VARIABLE} holds no key; it must hold one line of ASCII text"
                )),
                key => Ok(key),
            },
            None => Ok(None),
        }
    }

    fn new(key: &str) -> Option<Key> {
        let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let sendable = !key.is_empty() && key.bytes().all(visible);
        sendable.then(|| Key(Secret::new(format!("Bearer {key}"))))
    }

    /// The value of the header that carries it. All of a key is visible, and so there is one.
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.0.reveal()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
