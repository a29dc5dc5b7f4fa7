//! Which addresses belong to everybody, and which names never do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of IPv4 that are of no public use (IANA's registry of special purposes), as the first
/// address and the bits that count.
const INTERNAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),          // this network
    ([10, 0, 0, 0], 8),         // private
    ([100, 64, 0, 0], 10),      // shared by a carrier
    ([127, 0, 0, 0], 8),        // loopback
    ([169, 254, 0, 0], 16),     // link-local, and where clouds keep their secrets
    ([172, 16, 0, 0], 12),      // private
    ([192, 0, 0, 0], 24),       // protocols
    ([192, 0, 2, 0], 24),       // documentation
    ([192, 88, 99, 0], 24),     // relays to IPv6
    ([192, 168, 0, 0], 16),     // private
    ([198, 18, 0, 0], 15),      // benchmarks
    ([198, 51, 100, 0], 24),    // documentation
    ([203, 0, 113, 0], 24),     // documentation
    ([224, 0, 0, 0], 4),        // multicast
    ([240, 0, 0, 0], 4),        // reserved
    ([255, 255, 255, 255], 32), // broadcast
];

/// Ranges within the global part of IPv6 (`2000::/3`) that are of no public use.
const INTERNAL_V6: [([u16; 3], u32); 4] = [
    ([0x2001, 0, 0], 23),      // protocols, tunnels (Teredo), benchmarks
    ([0x2001, 0x0db8, 0], 32), // documentation
    ([0x2002, 0, 0], 16),      // tunnels that carry any IPv4 address
    ([0x3fff, 0, 0], 20),      // documentation
];

/// Whether an address may belong to anybody: not to this machine, its network or a special use.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !INTERNAL_V4.iter().any(|(first, length)| {
        let first = Ipv4Addr::from(*first).to_bits();
        (bits ^ first).checked_shr(32 - length).unwrap_or(0) == 0
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // The way to IPv4 from a network without it (RFC 6052): what counts is where it leads.
        let [[x, y], [z, w]] = [high.to_be_bytes(), low.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(x, y, z, w));
    }
    // Everything else that is public lies in one block; mapped IPv4, loopback, link-local, unique
    // local and multicast lie outside.
    let start = |[a, b, c]: [u16; 3]| u64::from(a) << 32 | u64::from(b) << 16 | u64::from(c);
    let bits = start([a, b, c]);
    let within = |first: [u16; 3], length: u32| (bits ^ start(first)) >> (48 - length) == 0;
    within([0x2000, 0, 0], 3) && !INTERNAL_V6.iter().any(|(first, length)| within(*first, *length))
}

/// Whether a name, in lower case, can only mean this machine or its network.
#[must_use]
pub fn is_internal_name(name: &str) -> bool {
    const LAST: [&str; 6] = ["localhost", "local", "internal", "lan", "home", "corp"];
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.rsplit_once('.') {
        Some((rest, last)) => {
            LAST.contains(&last) || last == "arpa" && rest.rsplit('.').next() == Some("home")
        }
        // A name of one part is completed by the network.
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_are_told_from_public_ones() {
        let internal = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.9 \
             169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.170 192.0.2.1 192.88.99.1 \
             192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 \
             239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 \
             ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 \
             2001:2::1 2001:20::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 \
             fe80::1 fec0::1 ff02::1";
        for text in internal.split_whitespace() {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 \
             126.255.255.255 128.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 \
             198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2001:4860:4860::8888 \
             2a00::1 2003::1 64:ff9b::808:808";
        for text in public.split_whitespace() {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn names_of_a_network_are_told_from_public_ones() {
        let internal = "localhost localhost. a.localhost printer.local metadata.google.internal \
             router router. x.home.arpa";
        for name in internal.split_whitespace() {
            assert!(is_internal_name(name), "{name}");
        }
        for name in ["example.com", "localhost.example.com", "in-addr.arpa", "local.dev"] {
            assert!(!is_internal_name(name), "{name}");
        }
    }
}
