//! Where fetches may go, as the operator narrows it. What is never dialed stays so whatever is named here.

use std::net::IpAddr;

use url::Host;

use super::address::{is_private, may_dial};
use super::error::{Cause, FetchError};

/// What may be reached: by default every host, loopback and private ranges included, since sources can live beside the server.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Refuse loopback and private addresses. Default false.
    pub deny_private: bool,
    /// The only hosts that may be asked, redirects included: names in lower case or addresses as urls write them,
    /// without a trailing dot. Default none, which is no limit.
    pub hosts: Vec<String>,
}

impl Reach {
    /// Whether this host may be asked at all.
    pub(super) fn check_host(&self, host: &Host<&str>) -> Result<(), FetchError> {
        let name = host.to_string();
        // A trailing dot names the same host.
        let name = name.strip_suffix('.').unwrap_or(&name);
        if self.hosts.is_empty() || self.hosts.iter().any(|host| host == name) {
            return Ok(());
        }
        Err(FetchError::new(
            Cause::Address,
            "its host is none of those of `--allow-upstream`",
        ))
    }

    /// Whether a connection to this address may be opened.
    pub(super) fn check_address(&self, ip: IpAddr) -> Result<(), FetchError> {
        if !may_dial(ip) {
            return Err(FetchError::new(
                Cause::Address,
                "its address is link-local, metadata, multicast, unspecified or broadcast",
            ));
        }
        if self.deny_private && is_private(ip) {
            return Err(FetchError::new(
                Cause::Address,
                "its address is loopback or private, which `--deny-private-upstreams` refuses",
            ));
        }
        Ok(())
    }
}
