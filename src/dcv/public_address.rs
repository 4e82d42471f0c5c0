//! Special-purpose addresses: which addresses are reachable from the public internet (RFC 6890).
//! A CA fetches the file for HTTP validation from outside, and certctl itself fetches files only
//! from public addresses. Pure.
//!
//! `special_addresses.txt` has the rows of the registries. An IPv4-mapped IPv6 address
//! (::ffff:0:0/96) is judged as the IPv4 address in it, because the system connects to that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The blocks, one on each line; the longest prefix that contains an address decides.
const BLOCKS: &str = include_str!("special_addresses.txt");

/// Says why `address` cannot be reached from the public internet; `None` if it can be.
#[must_use]
pub(crate) fn unreachable_reason(address: IpAddr) -> Option<&'static str> {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => without_translation(address),
    };
    let blocks = blocks().filter(|block| block.contains(address));
    let longest = blocks.max_by_key(|block| block.length);
    // An address in no block is not known to be public.
    longest.map_or(Some(SPECIAL), |block| block.reason)
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

const SPECIAL: &str = "special-purpose address";

/// A block of addresses with one purpose.
struct AddressBlock {
    first: Ipv6Addr,
    /// The length of the prefix in bits.
    length: u32,
    /// Why it cannot be reached from the public internet; `None` if it can be.
    reason: Option<&'static str>,
}

fn blocks() -> impl Iterator<Item = AddressBlock> {
    BLOCKS.lines().filter_map(AddressBlock::parse)
}

impl AddressBlock {
    /// Parses a row; `None` for a comment.
    fn parse(row: &str) -> Option<Self> {
        let mut words = row.split_whitespace();
        let (first, length) = words.next()?.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (first, length) = match first.parse().ok()? {
            IpAddr::V4(first) => (first.to_ipv6_mapped(), 96 + length),
            IpAddr::V6(first) => (first, length),
        };
        Some(Self {
            first,
            length,
            reason: reason(words.next()?),
        })
    }

    fn contains(&self, address: Ipv6Addr) -> bool {
        let different = address.to_bits() ^ self.first.to_bits();
        different.leading_zeros() >= self.length
    }
}

/// Returns the reason for a word of the table.
fn reason(reachability: &str) -> Option<&'static str> {
    match reachability {
        "global" => None,
        "documentation" => Some("reserved for documentation"),
        "link" => Some("link-local"),
        "loopback" => Some("loopback"),
        "nearest" => Some("anycast address of the local network"),
        "private" => Some("private, RFC 1918"),
        "shared" => Some("carrier-grade NAT, RFC 6598"),
        "unique-local" => Some("private, RFC 4193"),
        _ => Some(SPECIAL),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::IpAddr;

    use super::{AddressBlock, BLOCKS, SPECIAL, blocks, unreachable_reason};

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
    fn rows_have_a_known_reachability_a_source_and_distinct_prefixes() {
        let rows = BLOCKS.lines().filter(|line| !line.starts_with('#'));
        let mut known = HashSet::new();
        for row in rows {
            let words: Vec<&str> = row.split_whitespace().collect();
            let block = AddressBlock::parse(row).unwrap_or_else(|| panic!("{row}"));
            let is_special = block.reason == Some(SPECIAL);
            assert_eq!(is_special, words[1] == "special", "{row}");
            assert_eq!(words[2], "RFC", "{row}");
            assert!(block.contains(block.first), "{row}");
            assert!(known.insert((block.first, block.length)), "{row}");
        }
        assert_eq!(known.len(), blocks().count());
    }
}
