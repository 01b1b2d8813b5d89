//! What all commands share that ask a running server: where it is, the key, and how the answer is shown.

use std::env;
use std::path::PathBuf;

use clap::Args;
use url::Url;

use crate::client::{Client, Key};
use crate::config::read_switch;
use crate::output::{Form, Output};

/// Stands above these options in the help.
const HEADING: &str = "Server";

/// Asks for JSON where an option does not say otherwise.
const JSON: &str = "TRIBUTARY_JSON";

/// A running server, and the form of its answers. The key comes from TRIBUTARY_KEY or from a file, never from the command line, where
/// other users of the machine and the shell's history would see it.
#[derive(Args)]
pub(super) struct Remote {
    /// Address of the server
    #[arg(long, value_name = "URL", env = "TRIBUTARY_URL", default_value = "http://127.0.0.1:8083", value_parser = address)]
    #[arg(global = true, help_heading = HEADING)]
    server: Url,
    /// File with the key; without one it is read from TRIBUTARY_KEY, and never from the command line
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_KEY_FILE", global = true, help_heading = HEADING)]
    key_file: Option<PathBuf>,
    /// File of certificates (PEM) trusted beside the system's
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CA", global = true, help_heading = HEADING)]
    ca: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
}

impl Remote {
    /// What to ask, and where the answer goes.
    pub(super) fn open(&self) -> Result<(Client, Output), String> {
        let key = Key::find(self.key_file.as_deref())?;
        let client = Client::new(self.server.clone(), key, self.ca.as_deref())?;
        Ok((client, Output::new(self.form, wants_json()?)))
    }
}

/// Whether TRIBUTARY_JSON asks for JSON. clap does not read it: an option of the other form counts before it.
fn wants_json() -> Result<bool, String> {
    let value = env::var_os(JSON).unwrap_or_default();
    read_switch(&value.to_string_lossy()).map_err(|how| format!("{JSON}: {how}"))
}

fn address(typed: &str) -> Result<Url, &'static str> {
    const WANTED: &str = "write an address such as http://127.0.0.1:8083";
    let url = Url::parse(typed.trim()).map_err(|_| WANTED)?;
    let fine = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "leave out the name and password: the key comes from TRIBUTARY_KEY or --key-file",
        );
    }
    match fine && url.query().is_none() && url.fragment().is_none() {
        true => Ok(url),
        false => Err(WANTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_holds_no_secret() {
        for typed in [
            "http://127.0.0.1:8083",
            "https://a.test/pool/",
            " http://[::1]:1 ",
        ] {
            assert!(address(typed).is_ok(), "{typed}");
        }
        for typed in [
            "localhost:8083",
            "a.test",
            "",
            "ftp://a.test",
            "http://a:b@c.test",
            "http://a.test/?key=x",
        ] {
            assert!(address(typed).is_err(), "{typed}");
        }
    }
}
