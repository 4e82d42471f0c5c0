//! Problems of a configuration that pass the server's own test: two blocks with the same name at
//! one address, of which only the first ever answers, and blocks that use TLS without a
//! certificate.

use std::ptr;

use super::block::ConfigBlock;
use super::config::ServerConfig;
use super::listen::ListenAddress;
use super::name::{ServerName, probe_host};
use super::software::ServerSoftware;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// A block that keeps the certificate from being served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NameClash {
    /// Two blocks have the same name at the same address.
    DuplicateName {
        name: String,
        address: String,
        /// The block that answers, `FILE:LINE`.
        first: String,
        /// The block that never answers.
        second: String,
    },
    /// A block for names of the certificate uses TLS without a certificate.
    NoCertificate {
        block: String,
        /// The address at which it uses TLS.
        address: String,
    },
}

impl ServerConfig {
    /// The problems that concern a certificate for `names` at `links`.
    #[must_use]
    pub fn find_clashes(&self, links: &[StableLink], names: &[DnsName]) -> Vec<NameClash> {
        let mut found = self.blocks_without_certificate(names);
        // HAProxy selects among all certificates for a name by their key type.
        if self.software == ServerSoftware::Haproxy {
            return found;
        }
        for own in self.blocks_naming(links) {
            let mut before = true;
            for other in self.blocks_sharing_names(own) {
                if ptr::eq(own, other) {
                    before = false;
                    continue;
                }
                let (first, second) = if before { (other, own) } else { (own, other) };
                for clash in duplicate_names(first, second) {
                    if !found.contains(&clash) {
                        found.push(clash);
                    }
                }
            }
        }
        found
    }

    fn blocks_without_certificate(&self, names: &[DnsName]) -> Vec<NameClash> {
        // Only exact names count, not patterns.
        let hosts: Vec<ServerName> = names
            .iter()
            .map(|name| ServerName::Exact(probe_host(name)))
            .collect();
        let mut clashes = Vec::new();
        for block in self.at(self.index.answering_names(names)) {
            let is_bare = block.certificates.is_empty() && block.speaks_tls();
            if is_bare && hosts.iter().any(|host| block.names.contains(host)) {
                let listen = block.listens.iter().find(|listen| listen.ssl);
                clashes.push(NameClash::NoCertificate {
                    block: block.to_string(),
                    address: listen.map(ToString::to_string).unwrap_or_default(),
                });
            }
        }
        clashes
    }

    /// The blocks that may have a name of `block`, including itself.
    fn blocks_sharing_names(&self, block: &ConfigBlock) -> impl Iterator<Item = &ConfigBlock> {
        let hosts = block.names.iter().filter_map(|name| match name {
            ServerName::Exact(host) => Some(host),
            _ => None,
        });
        self.at(self.index.answering_hosts(hosts.map(String::as_str)))
    }
}

/// The exact names that two blocks share at one TLS address.
fn duplicate_names(first: &ConfigBlock, second: &ConfigBlock) -> Vec<NameClash> {
    let shared_listen = first.listens.iter().find(|listen| {
        let mut others = second.listens.iter();
        listen.ssl && others.any(|other| is_same_address(listen, other))
    });
    let Some(listen) = shared_listen.filter(|_| first.traffic == second.traffic) else {
        return Vec::new();
    };
    let mut clashes = Vec::new();
    for name in &first.names {
        if matches!(name, ServerName::Exact(_)) && second.names.contains(name) {
            clashes.push(NameClash::DuplicateName {
                name: name.text(),
                address: listen.to_string(),
                first: first.to_string(),
                second: second.to_string(),
            });
        }
    }
    clashes
}

fn is_same_address(one: &ListenAddress, other: &ListenAddress) -> bool {
    one.port == other.port && one.udp == other.udp && one.interface == other.interface
}

#[cfg(test)]
mod tests {
    use super::NameClash;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::testing::{config, names};

    #[test]
    fn clashes_are_found_at_the_same_address() {
        let links = [
            StableLink::new("/c", ReleaseFile::FullChain),
            StableLink::new("/k", ReleaseFile::Key),
        ];
        let ours = "ssl_certificate /c; ssl_certificate_key /k;";
        for (http, expected) in [
            ("server { listen 443 ssl; server_name a.example; OURS }", ""),
            (
                "server { listen 443 ssl; server_name a.example b.example; OURS }\n\
                 server { listen 443 ssl; server_name b.example a.example; OURS }",
                "twice a.example 0.0.0.0:443 1 2, twice b.example 0.0.0.0:443 1 2",
            ),
            (
                "server { listen 443 ssl; server_name a.example; ssl_certificate /x; ssl_certificate_key /y; }\n\
                 server { listen 443 ssl; server_name a.example; OURS }",
                "twice a.example 0.0.0.0:443 1 2",
            ),
            (
                "server { listen 80; server_name a.example; }\nserver \
                    { listen 443 ssl; server_name a.example; OURS }",
                "",
            ),
            (
                "server { listen 443 ssl; server_name a.example; }",
                "bare 1 0.0.0.0:443",
            ),
            ("server { listen 443 ssl; server_name other.example; }", ""),
        ] {
            let config =
                config(&format!("http {{ {} }}", http.replace("OURS", ours))).to_server_config();
            let line = |place: &str| place.rsplit(':').next().unwrap().to_owned();
            let shown = config
                .find_clashes(&links, &names(&["a.example", "b.example"]))
                .into_iter()
                .map(|clash| match clash {
                    NameClash::DuplicateName {
                        name,
                        address,
                        first,
                        second,
                    } => {
                        format!("twice {name} {address} {} {}", line(&first), line(&second))
                    }
                    NameClash::NoCertificate { block, address } => {
                        format!("bare {} {address}", line(&block))
                    }
                });
            assert_eq!(shown.collect::<Vec<_>>().join(", "), expected, "{http}");
        }
    }
}
