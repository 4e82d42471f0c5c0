//! Special-purpose addresses: which addresses are reachable from the public internet (RFC 6890).
//! A CA fetches the file for HTTP validation from outside, and certctl itself fetches files only
//! from public addresses. Pure.
//!
//! The rows are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries, as of 2025.
//! Their column "Globally Reachable" decides; "N/A" counts as not reachable, and so do the anycast
//! addresses of protocols between a host and its own network. Rows inside another
//! one with the same result are omitted (192.0.0.0/29, 192.0.0.8, 192.0.0.170, 192.88.99.2, ...).
//! Multicast and unallocated IPv6 addresses have no row in these registries; they are not reachable
//! either. An IPv4-mapped IPv6 address (::ffff:0:0/96) is judged as the IPv4 address in it,
//! because the system connects to that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use self::Reachability::{Global, NotGlobal};

/// Says why `address` cannot be reached from the public internet; `None` if it can be.
#[must_use]
pub(crate) fn unreachable_reason(address: IpAddr) -> Option<&'static str> {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => without_translation(address),
    };
    let blocks = BLOCKS.iter().filter(|block| block.contains(address));
    match blocks.max_by_key(|block| block.length)?.reachability {
        Reachability::Global => None,
        Reachability::NotGlobal(reason) => Some(reason),
    }
}

/// Returns the address of the IPv4 host behind a translator: the well-known prefix must not
/// represent addresses that are not global (RFC 6052 3.1).
fn without_translation(address: Ipv6Addr) -> Ipv6Addr {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let host = u32::from(high) << 16 | u32::from(low);
            Ipv4Addr::from_bits(host).to_ipv6_mapped()
        }
        _ => address,
    }
}

/// A block of addresses with one purpose.
struct AddressBlock {
    first: Ipv6Addr,
    /// The length of the prefix in bits.
    length: u32,
    reachability: Reachability,
    /// The document that assigned it.
    #[cfg_attr(not(test), expect(dead_code, reason = "documents the row"))]
    source: &'static str,
}

enum Reachability {
    Global,
    NotGlobal(&'static str),
}

impl AddressBlock {
    fn contains(&self, address: Ipv6Addr) -> bool {
        let different = address.to_bits() ^ self.first.to_bits();
        different.leading_zeros() >= self.length
    }
}

const LOOPBACK: Reachability = NotGlobal("loopback");
const LINK: Reachability = NotGlobal("link-local");
const DOCUMENTATION: Reachability = NotGlobal("reserved for documentation");
const PRIVATE: Reachability = NotGlobal("private, RFC 1918");
const UNIQUE_LOCAL: Reachability = NotGlobal("private, RFC 4193");
const SHARED: Reachability = NotGlobal("carrier-grade NAT, RFC 6598");
const NO_HOST: Reachability = NotGlobal("special-purpose address");
/// Globally reachable according to the registry, but the nearest router may answer instead of a
/// public server.
const NEAREST: Reachability = NotGlobal("anycast address of the local network");

/// Returns a row of the IPv4 registry, as IPv4-mapped addresses.
const fn v4(
    first: [u8; 4],
    length: u32,
    reachability: Reachability,
    source: &'static str,
) -> AddressBlock {
    let [a, b, c, d] = first;
    AddressBlock {
        first: Ipv4Addr::new(a, b, c, d).to_ipv6_mapped(),
        length: 96 + length,
        reachability,
        source,
    }
}

/// Returns a row of the IPv6 registry from its first four groups.
const fn v6(
    first: [u16; 4],
    length: u32,
    reachability: Reachability,
    source: &'static str,
) -> AddressBlock {
    let [a, b, c, d] = first;
    AddressBlock {
        first: Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0),
        length,
        reachability,
        source,
    }
}

/// Returns the row of one IPv6 address from its first two groups and the last one.
const fn v6_host(
    first: [u16; 2],
    last: u16,
    reachability: Reachability,
    source: &'static str,
) -> AddressBlock {
    let [a, b] = first;
    AddressBlock {
        first: Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, last),
        length: 128,
        reachability,
        source,
    }
}

/// The longest prefix that contains an address decides.
static BLOCKS: [AddressBlock; 48] = [
    v4([0, 0, 0, 0], 0, Global, "RFC 791: all other IPv4 addresses"),
    v4([0, 0, 0, 0], 8, NO_HOST, "RFC 791 3.2: this network"),
    v4([10, 0, 0, 0], 8, PRIVATE, "RFC 1918"),
    v4([100, 64, 0, 0], 10, SHARED, "RFC 6598"),
    v4([127, 0, 0, 0], 8, LOOPBACK, "RFC 1122 3.2.1.3"),
    v4([169, 254, 0, 0], 16, LINK, "RFC 3927"),
    v4([172, 16, 0, 0], 12, PRIVATE, "RFC 1918"),
    v4([192, 0, 0, 0], 24, NO_HOST, "RFC 6890 2.1: IETF protocols"),
    v4([192, 0, 0, 9], 32, NEAREST, "RFC 7723: PCP anycast"),
    v4([192, 0, 0, 10], 32, NEAREST, "RFC 8155: TURN anycast"),
    v4([192, 0, 2, 0], 24, DOCUMENTATION, "RFC 5737: TEST-NET-1"),
    v4([192, 31, 196, 0], 24, Global, "RFC 7535: AS112-v4"),
    v4([192, 52, 193, 0], 24, Global, "RFC 7450: AMT"),
    v4([192, 88, 99, 0], 24, NO_HOST, "RFC 7526: was 6to4 anycast"),
    v4([192, 168, 0, 0], 16, PRIVATE, "RFC 1918"),
    v4([192, 175, 48, 0], 24, Global, "RFC 7534: AS112"),
    v4([198, 18, 0, 0], 15, NO_HOST, "RFC 2544: benchmarking"),
    v4([198, 51, 100, 0], 24, DOCUMENTATION, "RFC 5737: TEST-NET-2"),
    v4([203, 0, 113, 0], 24, DOCUMENTATION, "RFC 5737: TEST-NET-3"),
    v4([224, 0, 0, 0], 4, NO_HOST, "RFC 5771: multicast"),
    v4([240, 0, 0, 0], 4, NO_HOST, "RFC 1112 4: reserved"),
    v4([255, 255, 255, 255], 32, NO_HOST, "RFC 919 7: broadcast"),
    v6([0, 0, 0, 0], 0, NO_HOST, "RFC 4291 2.4: not allocated"),
    v6_host([0, 0], 0, NO_HOST, "RFC 4291: unspecified"),
    v6_host([0, 0], 1, LOOPBACK, "RFC 4291: loopback"),
    v6([0x64, 0xff9b, 1, 0], 48, NO_HOST, "RFC 8215: translation"),
    v6([0x100, 0, 0, 0], 64, NO_HOST, "RFC 6666: discard-only"),
    v6([0x100, 0, 0, 1], 64, NO_HOST, "RFC 9780: dummy prefix"),
    v6([0x2000, 0, 0, 0], 3, Global, "RFC 4291 2.4: global unicast"),
    v6([0x2001, 0, 0, 0], 23, NO_HOST, "RFC 2928: IETF protocols"),
    v6([0x2001, 0, 0, 0], 32, NO_HOST, "RFC 4380: Teredo, N/A"),
    v6_host([0x2001, 1], 1, NEAREST, "RFC 7723: PCP anycast"),
    v6_host([0x2001, 1], 2, NEAREST, "RFC 8155: TURN anycast"),
    v6_host([0x2001, 1], 3, NEAREST, "RFC 9665: DNS-SD SRP anycast"),
    v6([0x2001, 2, 0, 0], 48, NO_HOST, "RFC 5180: benchmarking"),
    v6([0x2001, 3, 0, 0], 32, Global, "RFC 7450: AMT"),
    v6([0x2001, 4, 0x112, 0], 48, Global, "RFC 7535: AS112-v6"),
    v6([0x2001, 0x10, 0, 0], 28, NO_HOST, "RFC 4843: was ORCHID"),
    v6([0x2001, 0x20, 0, 0], 28, Global, "RFC 7343: ORCHIDv2"),
    v6([0x2001, 0x30, 0, 0], 28, Global, "RFC 9374: DETs"),
    v6([0x2001, 0xdb8, 0, 0], 32, DOCUMENTATION, "RFC 3849"),
    v6([0x2002, 0, 0, 0], 16, NO_HOST, "RFC 3056: 6to4, N/A"),
    v6([0x2620, 0x4f, 0x8000, 0], 48, Global, "RFC 7534: AS112"),
    v6([0x3fff, 0, 0, 0], 20, DOCUMENTATION, "RFC 9637"),
    v6([0x5f00, 0, 0, 0], 16, NO_HOST, "RFC 9602: SRv6 SIDs"),
    v6([0xfc00, 0, 0, 0], 7, UNIQUE_LOCAL, "RFC 4193"),
    v6([0xfe80, 0, 0, 0], 10, LINK, "RFC 4291: link-local"),
    v6([0xff00, 0, 0, 0], 8, NO_HOST, "RFC 4291 2.7: multicast"),
];

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{BLOCKS, unreachable_reason};

    #[test]
    fn blocks_are_judged_up_to_their_edges() {
        for (address, reason) in [
            ("0.0.0.0", Some("special-purpose address")),
            ("0.255.255.255", Some("special-purpose address")),
            ("1.0.0.0", None),
            ("1.1.1.1", None),
            ("8.8.8.8", None),
            ("9.255.255.255", None),
            ("10.0.0.5", Some("private, RFC 1918")),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some("carrier-grade NAT, RFC 6598")),
            ("100.127.255.255", Some("carrier-grade NAT, RFC 6598")),
            ("100.128.0.0", None),
            ("127.0.0.1", Some("loopback")),
            ("169.254.169.254", Some("link-local")),
            ("172.15.255.255", None),
            ("172.16.0.1", Some("private, RFC 1918")),
            ("172.31.255.255", Some("private, RFC 1918")),
            ("172.32.0.0", None),
            ("192.0.0.8", Some("special-purpose address")),
            ("192.0.0.9", Some("anycast address of the local network")),
            ("192.0.0.10", Some("anycast address of the local network")),
            ("192.0.0.170", Some("special-purpose address")),
            ("192.0.1.0", None),
            ("192.0.2.1", Some("reserved for documentation")),
            ("192.31.196.1", None),
            ("192.52.193.1", None),
            ("192.88.99.1", Some("special-purpose address")),
            ("192.168.1.1", Some("private, RFC 1918")),
            ("192.175.48.1", None),
            ("198.17.255.255", None),
            ("198.18.0.1", Some("special-purpose address")),
            ("198.19.255.255", Some("special-purpose address")),
            ("198.20.0.0", None),
            ("198.51.100.1", Some("reserved for documentation")),
            ("203.0.113.1", Some("reserved for documentation")),
            ("223.255.255.255", None),
            ("224.0.0.1", Some("special-purpose address")),
            ("240.0.0.1", Some("special-purpose address")),
            ("255.255.255.255", Some("special-purpose address")),
            ("::", Some("special-purpose address")),
            ("::1", Some("loopback")),
            ("::127.0.0.1", Some("special-purpose address")),
            ("::ffff:8.8.8.8", None),
            ("::ffff:10.0.0.1", Some("private, RFC 1918")),
            ("64:ff9b::8.8.8.8", None),
            ("64:ff9b::10.0.0.1", Some("private, RFC 1918")),
            ("64:ff9b::127.0.0.1", Some("loopback")),
            ("64:ff9b:1::1", Some("special-purpose address")),
            ("100::1", Some("special-purpose address")),
            ("100:0:0:1::1", Some("special-purpose address")),
            ("1fff::1", Some("special-purpose address")),
            ("2000::1", None),
            ("2001::1", Some("special-purpose address")),
            ("2001:1::", Some("special-purpose address")),
            ("2001:1::1", Some("anycast address of the local network")),
            ("2001:1::2", Some("anycast address of the local network")),
            ("2001:1::3", Some("anycast address of the local network")),
            ("2001:1::4", Some("special-purpose address")),
            ("2001:2::1", Some("special-purpose address")),
            ("2001:3::1", None),
            ("2001:4:112::1", None),
            ("2001:4:113::1", Some("special-purpose address")),
            ("2001:10::1", Some("special-purpose address")),
            ("2001:20::1", None),
            ("2001:30::1", None),
            ("2001:40::1", Some("special-purpose address")),
            ("2001:200::1", None),
            ("2001:db8::1", Some("reserved for documentation")),
            ("2002:7f00:1::", Some("special-purpose address")),
            ("2606:4700::1111", None),
            ("2620:4f:8000::1", None),
            ("2a00:1450::1", None),
            ("3fff::1", Some("reserved for documentation")),
            ("3fff:1000::1", None),
            ("4000::1", Some("special-purpose address")),
            ("5f00::1", Some("special-purpose address")),
            ("fc00::1", Some("private, RFC 4193")),
            ("fd12::1", Some("private, RFC 4193")),
            ("fe80::1", Some("link-local")),
            ("fec0::1", Some("special-purpose address")),
            ("ff02::1", Some("special-purpose address")),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(unreachable_reason(parsed), reason, "{address}");
        }
    }

    #[test]
    fn rows_have_a_source_and_distinct_prefixes() {
        for (index, block) in BLOCKS.iter().enumerate() {
            assert!(block.source.starts_with("RFC "), "{}", block.first);
            assert!(block.contains(block.first), "{}", block.first);
            let same = |other: &super::AddressBlock| {
                (other.first, other.length) == (block.first, block.length)
            };
            assert!(!BLOCKS[..index].iter().any(same), "{}", block.first);
        }
    }
}
