//! Addresses that no CA reaches: a proof by a file is fetched from outside. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why nobody outside gets to `address`; `None` where somebody may.
#[must_use]
pub(crate) fn unreachable(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => four(address),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| six(address), four),
    }
}

fn four(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, ..] = address.octets();
    Some(match address {
        _ if address.is_loopback() => LOOPBACK,
        _ if address.is_private() => "private, RFC 1918",
        _ if address.is_link_local() => LINK,
        _ if first == 100 && second & 0xc0 == 64 => "of a provider's own network, RFC 6598",
        _ if address.is_documentation() => DOCUMENTATION,
        _ if first == 0 || first >= 224 || (first == 198 && second & 0xfe == 18) => NO_HOST,
        _ => return None,
    })
}

fn six(address: Ipv6Addr) -> Option<&'static str> {
    Some(match address {
        _ if address.is_loopback() => LOOPBACK,
        _ if address.is_unique_local() => "private, RFC 4193",
        _ if address.is_unicast_link_local() => LINK,
        _ if address.segments().starts_with(&[0x2001, 0xdb8]) => DOCUMENTATION,
        _ if address.is_unspecified() || address.is_multicast() => NO_HOST,
        _ => return None,
    })
}

const LOOPBACK: &str = "this very machine";
const LINK: &str = "of one link alone";
const DOCUMENTATION: &str = "for documentation";
const NO_HOST: &str = "no host's";

#[cfg(test)]
mod tests {
    use super::unreachable;

    #[test]
    fn what_is_not_on_the_internet_is_told() {
        for (address, reached) in [
            ("8.8.8.8", true),
            ("100.63.0.1", true),
            ("100.128.0.1", true),
            ("172.32.0.1", true),
            ("198.20.0.1", true),
            ("2a00:1450::1", true),
            ("64:ff9b::808:808", true),
            ("::ffff:8.8.8.8", true),
            ("10.0.0.5", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.1.1", false),
            ("192.0.2.1", false),
            ("198.19.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(
                unreachable(address.parse().unwrap()).is_none(),
                reached,
                "{address}"
            );
        }
    }
}
