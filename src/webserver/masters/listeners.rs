//! The TCP sockets that listen, as /proc/net/tcp and /proc/net/tcp6 list them, and which of them
//! keep a server from an address. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A socket that listens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ListeningSocket {
    pub address: SocketAddr,
    /// Links in /proc/PID/fd name it: `socket:[INODE]`.
    pub inode: u64,
}

/// The state of a socket that listens.
const LISTEN: &str = "0A";

impl ListeningSocket {
    /// Parses the table; lines that cannot be parsed are skipped.
    #[must_use]
    pub(crate) fn parse_table(table: &str) -> Vec<Self> {
        table.lines().skip(1).filter_map(Self::parse_line).collect()
    }

    fn parse_line(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?;
        let state = fields.get(3)?;
        let inode = fields.get(9)?;
        if *state != LISTEN {
            return None;
        }
        let (ip, port) = local.split_once(':')?;
        let address = SocketAddr::new(parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?);
        Some(Self {
            address,
            inode: inode.parse().ok()?,
        })
    }

    /// Whether the socket accepts connections to `address`, or keeps another from listening there.
    #[must_use]
    pub(crate) fn covers(&self, address: SocketAddr) -> bool {
        let (own, wanted) = (
            self.address.ip().to_canonical(),
            address.ip().to_canonical(),
        );
        let is_any = self.address.ip().is_unspecified() || wanted.is_unspecified();
        // A socket for `[::]` accepts IPv4 too, unless an option prevents that.
        let is_family = own.is_ipv4() == wanted.is_ipv4() || self.address.ip().is_unspecified();
        self.address.port() == address.port() && (own == wanted || (is_any && is_family))
    }
}

/// Parses an address in the byte order of the machine, 32 bits at a time.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at..at + 8)?, 16).ok();
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?.to_ne_bytes()).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(index * 8)?.to_ne_bytes());
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::ListeningSocket;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21233 1 0 100 0 0 10 0
   1: 0100007F:20FB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 21234 1 0 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0
   3: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 9 1
   4: 00000000000000000000000001000000:2000 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 11 1
   5: nonsense
";

    #[test]
    fn listening_sockets_are_parsed() {
        let sockets: Vec<String> = ListeningSocket::parse_table(TABLE)
            .iter()
            .map(|socket| format!("{} {}", socket.address, socket.inode))
            .collect();
        assert_eq!(
            sockets,
            [
                "127.0.0.1:8443 21233",
                "0.0.0.0:80 7",
                "[::]:443 9",
                "[::1]:8192 11"
            ]
        );
    }

    #[test]
    fn a_socket_covers_the_addresses_that_it_accepts() {
        for (socket, address, covers) in [
            ("127.0.0.1:443", "127.0.0.1:443", true),
            ("127.0.0.1:443", "127.0.0.2:443", false),
            ("127.0.0.1:443", "127.0.0.1:444", false),
            ("0.0.0.0:443", "192.0.2.1:443", true),
            ("127.0.0.1:443", "0.0.0.0:443", true),
            ("[::]:443", "127.0.0.1:443", true),
            ("[::1]:443", "0.0.0.0:443", false),
            ("[::1]:443", "[::]:443", true),
            ("[::ffff:127.0.0.1]:443", "127.0.0.1:443", true),
        ] {
            let socket = ListeningSocket {
                address: socket.parse().unwrap(),
                inode: 0,
            };
            assert_eq!(
                socket.covers(address.parse().unwrap()),
                covers,
                "{socket:?} {address}"
            );
        }
    }
}
