//! Why a server did not do what it was asked, and what to do next.

use std::fmt;
use std::io;

use serde::Deserialize;

use super::why::Why;

/// Shown as one sentence, the remedy after a semicolon. Nothing in it is secret.
#[derive(Debug)]
pub enum ClientError {
    /// No answer came.
    Unreachable {
        /// The address that was asked.
        server: String,
        /// What went wrong.
        why: Why,
    },
    /// The connection ended while a body was sent.
    HungUp(String),
    /// What should have been sent cannot be read.
    Unreadable(io::ErrorKind),
    /// Something answered that is not Tributary.
    Foreign {
        /// The address that was asked.
        server: String,
    },
    /// The server said no.
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it said.
        said: String,
        /// The job that failed, where there is one.
        job: Option<String>,
        /// Whether a key was sent.
        with_key: bool,
    },
}

#[derive(Deserialize)]
struct Refusal {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    error: String,
}

impl ClientError {
    pub(super) fn unreachable(server: &str, error: &ureq::Error) -> ClientError {
        ClientError::Unreachable {
            server: server.to_owned(),
            why: Why::of(error),
        }
    }

    /// An answer of another shape than Tributary's.
    pub fn foreign(server: &str) -> ClientError {
        ClientError::Foreign {
            server: server.to_owned(),
        }
    }

    /// A server that ends the connection amid a body may have had enough of it.
    pub(super) fn while_sending(self) -> ClientError {
        match self {
            ClientError::Unreachable { why, .. } if why.is_hang_up() => {
                ClientError::HungUp(why.text())
            }
            other => other,
        }
    }

    pub(super) fn refused(
        server: &str,
        status: u16,
        body: &str,
        job: Option<String>,
        with_key: bool,
    ) -> ClientError {
        match serde_json::from_str::<Refusal>(body) {
            Ok(refusal) => ClientError::Refused {
                status,
                said: refusal.detail.error,
                job,
                with_key,
            },
            Err(_) => ClientError::foreign(server),
        }
    }

    /// Whether the server does not know the request at all, as one that is older than this program.
    pub fn is_unknown_request(&self) -> bool {
        matches!(
            self,
            ClientError::Refused {
                status: 404 | 405,
                ..
            }
        )
    }

    /// What the server said, when it said no.
    pub fn said(&self) -> Option<&str> {
        match self {
            ClientError::Refused { said, .. } => Some(said),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable { server, why } => {
                write!(f, "cannot reach {server}: {}", why.text())?;
                write!(f, "; {}", why.next())
            }
            ClientError::HungUp(why) => write!(
                f,
                "the server took no more of the body ({why}); it may be larger than its --max-body: send it in parts, or allow more"
            ),
            ClientError::Unreadable(kind) => {
                write!(
                    f,
                    "the payload cannot be read to its end: {kind}; nothing was imported"
                )
            }
            ClientError::Foreign { server } => write!(
                f,
                "what answers at {server} is not a Tributary server; check the address in --server or TRIBUTARY_URL"
            ),
            ClientError::Refused {
                status,
                said,
                job,
                with_key,
            } => {
                f.write_str(match status {
                    // The server's own words are for its page.
                    401 | 403 => "the server did not let this in",
                    _ => said,
                })?;
                if let Some(next) = next(*status, said, *with_key, job.is_some()) {
                    write!(f, "; {next}")?;
                }
                match job {
                    // Where the sentence does not tell why, the history does.
                    Some(job) if *status == 502 => {
                        write!(f, "; `tributary jobs show {job}` tells why")
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// What to do about a refusal, where the server's own words do not say it.
fn next(status: u16, said: &str, with_key: bool, with_job: bool) -> Option<&'static str> {
    let next = match (status, said) {
        (401, _) if !with_key => {
            "set TRIBUTARY_KEY or name a file with --key-file; the admin secret lies in `admin-secret` of the server's data folder, \
             and `tributary key create` makes keys beside it"
        }
        (401, _) => {
            "the server does not know the key of TRIBUTARY_KEY or --key-file; the admin secret lies in `admin-secret` of its data folder, \
             and `tributary key list` shows its keys"
        }
        (403, _) => {
            "the key must be of the role `admin`: `tributary key create --role admin --name NAME` makes one beside the server"
        }
        (_, "source not found") => "`tributary sources list` shows them all",
        (_, "account not found") => "`tributary accounts list` shows them all",
        (_, "owner not found") => "`tributary owners` shows them all",
        (_, "source is disabled") => "`tributary sources edit ID --enabled true` enables it",
        (_, "replace requires source_id") => "say whose accounts are replaced with --source-id",
        (404 | 405, "not found" | "method not allowed") => {
            "the server does not know this request: it may be older than this program"
        }
        (502, _) if with_job => return None,
        (409, said) if said.starts_with("the plan is another one") => "--plan shows it",
        (500 | 502, _) => "why is in the server's log",
        (503, _) => "why is in the server's log, if it lasts",
        _ => return None,
    };
    Some(next)
}
