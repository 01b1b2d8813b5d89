//! Which addresses are never dialed, and which are private, judged by every IPv4 address that one may stand for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a connection to this address may be opened. Loopback and private ranges may: sources can live beside the server.
pub(super) fn may_dial(ip: IpAddr) -> bool {
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

/// Whether an address is the machine's own or of a network that is not the internet.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => {
            // fec0::/10 is what unique local addresses were before.
            let site_local = ip.segments()[0] & 0xffc0 == 0xfec0;
            ip.is_loopback()
                || ip.is_unique_local()
                || site_local
                || embedded(ip).into_iter().any(is_private_v4)
        }
    }
}

/// Loopback, private use, shared by carriers (100.64/10), protocol assignments (192.0.0/24), test networks (198.18/15) and what is
/// reserved (240/4), which some networks use as their own.
fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_loopback()
        || ip.is_private()
        || (a == 100 && b & 0xc0 == 64)
        || [a, b, c] == [192, 0, 0]
        || (a == 198 && b & 0xfe == 18)
        || a >= 240
}

/// Metadata services of clouds outside the link-local range (169.254.169.254 and its like are inside).
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same for IPv6: fd00:ec2::254, fd00:ec2::23 (credentials), fd20:ce::254, fd00:c1::a9fe:a9fe, fd00:42::42,
/// fd00:a9fe:a9fe::1.
const METADATA_V6: [Ipv6Addr; 6] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
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

    #[test]
    fn private_is_what_is_not_the_internet_in_every_notation() {
        for address in [
            "127.0.0.1",
            "127.255.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "198.19.0.1",
            "::1",
            "fd00::1",
            "fc00::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::192.168.1.1",
            "64:ff9b:1::10.0.0.1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001:0:cb00:7109:0:0:80ff:fffe",
            "2001:db8::5efe:10.0.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "203.0.113.9",
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
