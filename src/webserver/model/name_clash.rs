//! What of a configuration is in the way of a pair though every test passes: two blocks that claim
//! a name at one address, of which only the first is ever asked, and blocks that speak TLS and have
//! no certificate.

use std::ptr;

use super::block::ConfigBlock;
use super::config::ServerConfig;
use super::listen::ListenAddress;
use super::name::{ServerName, concrete};
use super::software::ServerSoftware;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// Something in the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NameClash {
    /// Two blocks have the same name at the same address.
    Twice {
        name: String,
        address: String,
        /// The one that answers, `FILE:LINE`.
        first: String,
        /// The one that never does.
        second: String,
    },
    /// A block for names of the certificate speaks TLS and has none.
    Bare {
        block: String,
        /// What says that it speaks TLS.
        address: String,
    },
}

impl ServerConfig {
    /// Those that touch a certificate for `names` at `links`.
    #[must_use]
    pub fn clashes(&self, links: &[StableLink], names: &[DnsName]) -> Vec<NameClash> {
        let mut found = self.bare(names);
        // HAProxy picks among all certificates of a name by their kind of key.
        for own in self
            .naming(links)
            .filter(|_| self.software != ServerSoftware::Haproxy)
        {
            let mut before = true;
            for other in self.sharing(own) {
                if ptr::eq(own, other) {
                    before = false;
                    continue;
                }
                let (first, second) = if before { (other, own) } else { (own, other) };
                for clash in twice(first, second) {
                    if !found.contains(&clash) {
                        found.push(clash);
                    }
                }
            }
        }
        found
    }

    fn bare(&self, names: &[DnsName]) -> Vec<NameClash> {
        let bare = |block: &&ConfigBlock| block.pairs.is_empty() && block.speaks_tls();
        // By a name of its own that the certificate is for, not by a pattern.
        let exact = |block: &&ConfigBlock| {
            let has = |host: &String| block.names.contains(&ServerName::Exact(host.clone()));
            names.iter().map(concrete).any(|host| has(&host))
        };
        let told = |block: &ConfigBlock| NameClash::Bare {
            block: block.to_string(),
            address: block
                .listens
                .iter()
                .find(|listen| listen.ssl)
                .map(ToString::to_string)
                .unwrap_or_default(),
        };
        self.at(self.index.of_names(names))
            .filter(bare)
            .filter(exact)
            .map(told)
            .collect()
    }

    /// The blocks that may have a name of `block`, itself among them.
    fn sharing(&self, block: &ConfigBlock) -> impl Iterator<Item = &ConfigBlock> {
        let hosts = block.names.iter().filter_map(|name| match name {
            ServerName::Exact(host) => Some(host),
            _ => None,
        });
        self.at(self.index.of_hosts(hosts.map(String::as_str)))
    }
}

/// The names that two blocks have at one address.
fn twice<'a>(
    first: &'a ConfigBlock,
    second: &'a ConfigBlock,
) -> impl Iterator<Item = NameClash> + 'a {
    let same = |one: &ListenAddress, other: &ListenAddress| {
        (one.port, one.udp) == (other.port, other.udp) && one.interface == other.interface
    };
    let exact =
        |name: &&ServerName| matches!(name, ServerName::Exact(_)) && first.part == second.part;
    let shared = first
        .names
        .iter()
        .filter(exact)
        .filter(|name| second.names.contains(name));
    shared.filter_map(move |name| {
        let tls = first.listens.iter().filter(|listen| listen.ssl);
        let place = tls
            .into_iter()
            .find(|one| second.listens.iter().any(|other| same(one, other)))?;
        Some(NameClash::Twice {
            name: name.text(),
            address: place.to_string(),
            first: first.to_string(),
            second: second.to_string(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::NameClash;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::testing::{config, names};

    #[test]
    fn what_is_in_the_way() {
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
            let config = config(&format!("http {{ {} }}", http.replace("OURS", ours))).neutral();
            let line = |place: &str| place.rsplit(':').next().unwrap().to_owned();
            let told = config
                .clashes(&links, &names(&["a.example", "b.example"]))
                .into_iter()
                .map(|clash| match clash {
                    NameClash::Twice {
                        name,
                        address,
                        first,
                        second,
                    } => {
                        format!("twice {name} {address} {} {}", line(&first), line(&second))
                    }
                    NameClash::Bare { block, address } => {
                        format!("bare {} {address}", line(&block))
                    }
                });
            assert_eq!(told.collect::<Vec<_>>().join(", "), expected, "{http}");
        }
    }
}
