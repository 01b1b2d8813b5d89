//! The one place that opens a connection, and so the one place that says where none is ever opened.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use url::Host;

use super::error::{Cause, FetchError};

/// Connects to the first of the host's addresses that may be dialed and answers within `limit`.
pub(super) async fn dial(
    host: &Host<&str>,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, FetchError> {
    let deadline = Instant::now() + limit;
    connect(&addresses(host, port).await?, deadline).await
}

/// The addresses of a literal or a name.
async fn addresses(host: &Host<&str>, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    match host {
        Host::Ipv4(ip) => Ok(vec![SocketAddr::from((*ip, port))]),
        Host::Ipv6(ip) => Ok(vec![SocketAddr::from((*ip, port))]),
        Host::Domain(name) => match lookup_host((*name, port)).await {
            Ok(found) => Ok(found.collect()),
            Err(_) => Err(FetchError::new(Cause::Dns, "the name cannot be resolved")),
        },
    }
}

/// Tries the addresses in order, each with an equal share of the time that is left, so that a silent one leaves time for the next.
/// INVARIANT: what is checked here is what is dialed; no name is resolved after the check.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, FetchError> {
    let allowed: Vec<_> = addresses
        .iter()
        .filter(|address| may_dial(address.ip()))
        .collect();
    let mut failure = match addresses {
        [] => FetchError::new(Cause::Dns, "the name has no address"),
        _ => FetchError::new(
            Cause::Address,
            "its address is link-local, metadata, multicast, unspecified or broadcast",
        ),
    };
    for (address, left) in allowed.iter().zip((1..=allowed.len()).rev()) {
        let share = deadline.saturating_duration_since(Instant::now())
            / u32::try_from(left).unwrap_or(u32::MAX);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = refused(&error),
            Err(_) => failure = FetchError::new(Cause::Timeout, "nothing answers at its address"),
        }
    }
    Err(failure)
}

fn refused(error: &io::Error) -> FetchError {
    FetchError::new(Cause::Connect, error.kind().to_string())
}

/// Whether a connection to this address may be opened. Loopback and private ranges may: sources can live beside the server.
fn may_dial(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => may_dial_v4(ip),
        IpAddr::V6(ip) => may_dial_v6(ip) && embedded(ip).into_iter().all(may_dial_v4),
    }
}

fn may_dial_v4(ip: Ipv4Addr) -> bool {
    // All of 0.0.0.0/8 is "this network"; Linux takes 0.0.0.0 for the machine itself.
    let unspecified = ip.octets()[0] == 0;
    !(unspecified
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || METADATA_V4.contains(&ip))
}

fn may_dial_v6(ip: Ipv6Addr) -> bool {
    !(ip.is_unspecified()
        || ip.is_unicast_link_local()
        || ip.is_multicast()
        || METADATA_V6.contains(&ip))
}

/// Metadata services of clouds outside the link-local range (169.254.169.254 and its like are inside).
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same for IPv6: fd00:ec2::254, fd20:ce::254, fd00:c1::a9fe:a9fe, fd00:42::42, fd00:a9fe:a9fe::1.
const METADATA_V6: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1),
];

/// The IPv4 addresses that a gateway or the kernel may take an IPv6 address for.
fn embedded(ip: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let last = v4(g, h);
    match [a, b, c, d, e, f] {
        // `::` and `::1` are not IPv4 at all.
        [0, 0, 0, 0, 0, 0] if g == 0 => Vec::new(),
        // Compatible (::a.b.c.d), mapped (::ffff:…), translated (::ffff:0:…), NAT64 (64:ff9b::…).
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            vec![last]
        }
        // NAT64 of a local prefix, whose length (48, 56, 64 or 96) only the network knows.
        [0x64, 0xff9b, 1, ..] => {
            let [.., b6, b7, _, b9, b10, b11, b12, _, _, _] = ip.octets();
            let shorter = [[b6, b7, b9, b10], [b7, b9, b10, b11], [b9, b10, b11, b12]];
            // Zeros there say that the prefix is another one of the four.
            let meant = shorter
                .into_iter()
                .filter(|octets| octets[0] != 0)
                .map(Ipv4Addr::from);
            meant.chain([last]).collect()
        }
        // 6to4 (2002:V4::).
        [0x2002, high, low, ..] => vec![v4(high, low)],
        // Teredo: the server's address, and the client's with every bit inverted.
        [0x2001, 0, high, low, ..] => vec![v4(high, low), v4(!g, !h)],
        // ISATAP interface ids.
        [.., 0 | 0x200, 0x5efe] => vec![last],
        _ => Vec::new(),
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, allowed: bool) {
        assert_eq!(may_dial(address.parse().unwrap()), allowed, "{address}");
    }

    #[test]
    fn loopback_private_and_public_addresses_may_be_dialed() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "203.0.113.9",
            "::1",
            "fd00::1",
        ] {
            check(address, true);
        }
        for address in [
            "::ffff:127.0.0.1",
            "64:ff9b::203.0.113.9",
            "64:ff9b:1::203.0.113.9",
            "2002:cb00:7109::1",
            "2001:db8::5efe:203.0.113.9",
        ] {
            check(address, true);
        }
    }

    #[test]
    fn link_local_metadata_multicast_unspecified_and_broadcast_never() {
        for address in [
            "169.254.169.254",
            "169.254.0.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
        ] {
            check(address, false);
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
        ] {
            check(address, false);
        }
        for address in [
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn nor_when_written_inside_an_ipv6_address() {
        for address in [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:224.0.0.1",
            "::ffff:255.255.255.255",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2002:a9fe:a9fe::1",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "2001:0:a9fe:a9fe::1",
            "2001:0:cb00:7109:0:0:5601:5601",
            "2001:db8::5efe:169.254.169.254",
            "2001:db8::200:5efe:169.254.169.254",
        ] {
            check(address, false);
        }
    }

    #[tokio::test]
    async fn a_refused_address_is_passed_over_for_one_that_may_be_dialed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let never: SocketAddr = "169.254.169.254:80".parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let stream = connect(&[never, open], deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        assert_eq!(
            connect(&[never], deadline).await.unwrap_err().cause(),
            Cause::Address
        );
        assert_eq!(
            connect(&[], deadline).await.unwrap_err().cause(),
            Cause::Dns
        );
    }
}
