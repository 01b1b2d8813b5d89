//! The one place that opens a connection, and so the one place that says where none is ever opened.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use url::Host;

use super::error::{Cause, FetchError};
use super::reach::Reach;

/// Opens connections within what may be reached.
pub(super) struct Dialer {
    reach: Reach,
    limit: Duration,
    names: Names,
}

impl Dialer {
    /// Connects within `limit`, to nothing but what is in reach.
    pub(super) fn new(reach: Reach, limit: Duration) -> Dialer {
        Dialer {
            reach,
            limit,
            names: Names::System,
        }
    }

    /// The same, with names resolved as a test says.
    #[cfg(test)]
    pub(super) fn resolving(self, names: Names) -> Dialer {
        Dialer { names, ..self }
    }

    /// Connects to the first of the host's addresses that may be dialed and answers in time.
    pub(super) async fn dial(&self, host: &Host<&str>, port: u16) -> Result<TcpStream, FetchError> {
        let deadline = Instant::now() + self.limit;
        self.reach.check_host(host)?;
        let addresses = match host {
            Host::Ipv4(ip) => vec![SocketAddr::from((*ip, port))],
            Host::Ipv6(ip) => vec![SocketAddr::from((*ip, port))],
            Host::Domain(name) => self.names.addresses(name, port).await?,
        };
        self.connect(&addresses, deadline).await
    }

    /// Tries the addresses in order, each with an equal share of the time that is left, so that a silent one leaves time for the next.
    /// INVARIANT: what is checked here is what is dialed; no name is resolved after the check.
    async fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<TcpStream, FetchError> {
        let mut failure = FetchError::new(Cause::Dns, "the name has no address");
        let mut allowed = Vec::new();
        for address in addresses {
            match self.reach.check_address(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(refusal) => failure = refusal,
            }
        }
        for (address, left) in allowed.iter().zip((1..=allowed.len()).rev()) {
            let share = deadline.saturating_duration_since(Instant::now())
                / u32::try_from(left).unwrap_or(u32::MAX);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = refused(&error),
                Err(_) => {
                    failure = FetchError::new(Cause::Timeout, "nothing answers at its address");
                }
            }
        }
        Err(failure)
    }
}

fn refused(error: &io::Error) -> FetchError {
    FetchError::new(Cause::Connect, error.kind().to_string())
}

/// Who turns names into addresses.
pub(super) enum Names {
    /// The system's resolver.
    System,
    /// One answer after the other, each given once, whatever the name.
    #[cfg(test)]
    Told(std::sync::Mutex<std::collections::VecDeque<Vec<SocketAddr>>>),
}

impl Names {
    async fn addresses(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
        match self {
            Names::System => match lookup_host((name, port)).await {
                Ok(found) => Ok(found.collect()),
                Err(_) => Err(FetchError::new(Cause::Dns, "the name cannot be resolved")),
            },
            #[cfg(test)]
            Names::Told(answers) => Ok(answers.lock().unwrap().pop_front().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_address_is_passed_over_for_one_that_may_be_dialed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let never: SocketAddr = "169.254.169.254:80".parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let dialer = Dialer::new(Reach::default(), Duration::from_secs(5));
        let stream = dialer.connect(&[never, open], deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        assert_eq!(
            dialer
                .connect(&[never], deadline)
                .await
                .unwrap_err()
                .cause(),
            Cause::Address
        );
        assert_eq!(
            dialer.connect(&[], deadline).await.unwrap_err().cause(),
            Cause::Dns
        );
    }
}
