//! The blocks that answer over TLS for the names of a certificate without having one of them: the
//! default at an address, where it has no host name or only a regular expression.

use super::answering::{self, InstalledPaths, NameAnswer};
use super::block::{ConfigBlock, NameSource};
use super::config::ServerConfig;
use super::name::probe_host;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;

/// The blocks without a host name that answer for the names of a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatchAllBlocks {
    /// These answer.
    pub answering: Vec<ConfigBlock>,
    /// One of these answers; only the server knows which one, because it depends on a regular
    /// expression.
    pub undecided: Vec<ConfigBlock>,
}

impl CatchAllBlocks {
    /// Finds the blocks; none where a block has one of the names. Then a block without a host name
    /// is not meant for them.
    #[must_use]
    pub(crate) fn find(config: &ServerConfig, names: &[DnsName]) -> Self {
        let mut found = Self::default();
        if config.blocks_serving(names).any(ConfigBlock::speaks_tls) {
            return found;
        }
        let hosts: Vec<String> = names.iter().map(probe_host).collect();
        let wanted = InstalledPaths {
            links: &[],
            names,
            algorithm: KeyAlgorithm::Unknown,
        };
        let searched = hosts.iter().map(String::as_str);
        for site in answering::other_sites(config, &wanted, searched) {
            for host in &hosts {
                found.add(&site.answer(host));
            }
        }
        found.undecided.retain(|block| {
            let is_same = |other: &ConfigBlock| is_same_block(other, block);
            !found.answering.iter().any(is_same)
        });
        found
    }

    /// Whether there is none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.answering.is_empty() && self.undecided.is_empty()
    }

    /// Whether a block is one of those that answer.
    #[must_use]
    pub(crate) fn contains(&self, block: &ConfigBlock) -> bool {
        self.answering
            .iter()
            .any(|other| is_same_block(other, block))
    }

    fn add(&mut self, answer: &NameAnswer<'_>) {
        match answer {
            NameAnswer::Named(block) | NameAnswer::Default(block) if answers_for_all(block) => {
                add_block(&mut self.answering, block);
            }
            NameAnswer::Unknown(blocks) => {
                let reads_same = |block: &&&ConfigBlock| {
                    block.certificates == blocks[0].certificates && answers_for_all(block)
                };
                let is_decided = blocks.iter().filter(reads_same).count() == blocks.len();
                let blocks_found = if is_decided {
                    &mut self.answering
                } else {
                    &mut self.undecided
                };
                for block in blocks {
                    add_block(blocks_found, block);
                }
            }
            NameAnswer::Named(_) | NameAnswer::Default(_) | NameAnswer::Refused => {}
        }
    }
}

/// Whether a default block is meant for every name. If its names are those of its certificate, a
/// block without names has a certificate that does not exist, or cannot be read.
fn answers_for_all(block: &ConfigBlock) -> bool {
    block.has_no_host_name() && block.names_from == NameSource::Configuration
}

/// Adds a block once; a block without a certificate refuses the handshake.
fn add_block(found: &mut Vec<ConfigBlock>, block: &ConfigBlock) {
    let is_known = found.iter().any(|known| is_same_block(known, block));
    if !is_known && !block.certificates.is_empty() {
        found.push(block.clone());
    }
}

/// Whether two blocks have the same position and, as HAProxy can have several in one line, the same
/// certificates.
fn is_same_block(one: &ConfigBlock, other: &ConfigBlock) -> bool {
    one.file == other.file && one.line == other.line && one.certificates == other.certificates
}

#[cfg(test)]
mod tests {
    use super::CatchAllBlocks;
    use crate::webserver::nginx::testing::{config, names};

    /// Returns the lines of the blocks that answer for a.example, and of the undecided ones.
    fn lines(blocks: &[&str]) -> (Vec<u32>, Vec<u32>) {
        let files = "ssl_certificate /LINE.crt; ssl_certificate_key /LINE.key;";
        let mut http = String::new();
        for (block, line) in blocks.iter().zip(1..) {
            let own = files.replace("LINE", &line.to_string());
            http.push_str(&format!(
                "server {{ {} }}\n",
                block
                    .replace("SAME", &files.replace("LINE", "1"))
                    .replace("OWN", &own)
            ));
        }
        let config = config(&format!("http {{ {http} }}")).to_server_config();
        let found = CatchAllBlocks::find(&config, &names(&["a.example"]));
        let numbers = |blocks: &[super::ConfigBlock]| blocks.iter().map(|one| one.line).collect();
        (numbers(&found.answering), numbers(&found.undecided))
    }

    #[test]
    fn only_defaults_without_a_host_name_answer() {
        for (blocks, answering, undecided) in [
            (&["listen 443 ssl; server_name _; OWN"][..], vec![1], vec![]),
            (&["listen 443 ssl; OWN"], vec![1], vec![]),
            (&["listen 443 ssl; server_name \"\"; OWN"], vec![1], vec![]),
            (
                &["listen 443 ssl; server_name ~^(?<d>.+)$; OWN"],
                vec![1],
                vec![],
            ),
            // The default is the first block, or the one that says so.
            (
                &[
                    "listen 443 ssl; server_name x.example; OWN",
                    "listen 443 ssl; server_name _; OWN",
                ],
                vec![],
                vec![],
            ),
            (
                &[
                    "listen 443 ssl; server_name x.example; OWN",
                    "listen 443 ssl default_server; server_name _; OWN",
                ],
                vec![2],
                vec![],
            ),
            // Another block has the name.
            (
                &[
                    "listen 443 ssl; server_name _; OWN",
                    "listen 443 ssl; server_name a.example; OWN",
                ],
                vec![],
                vec![],
            ),
            // An expression that matches decides.
            (
                &[
                    "listen 443 ssl; server_name _; OWN",
                    "listen 443 ssl; server_name ~^a; OWN",
                ],
                vec![2],
                vec![],
            ),
            // Only nginx knows what this one matches, unless it makes no difference.
            (
                &[
                    "listen 443 ssl; server_name _; OWN",
                    "listen 443 ssl; server_name ~(?<!x)a; OWN",
                ],
                vec![],
                vec![2, 1],
            ),
            (
                &[
                    "listen 443 ssl; server_name _; SAME",
                    "listen 443 ssl; server_name ~(?<!x)a; SAME",
                ],
                vec![2, 1],
                vec![],
            ),
            // No handshake, no TLS.
            (
                &["listen 443 ssl; ssl_reject_handshake on;"],
                vec![],
                vec![],
            ),
            (&["listen 80; server_name _;"], vec![], vec![]),
        ] {
            assert_eq!(lines(blocks), (answering, undecided), "{blocks:?}");
        }
    }
}
