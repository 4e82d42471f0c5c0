//! The targets to probe after an install: every address at which the configuration answers over TLS
//! for a name of the certificate, with the certificate's files or with others.
//!
//! `listen 443` and `[::]:443` mean all addresses of the machine. They are one socket, so loopback
//! stands for them. Where another block listens on a single address of the machine, the server uses
//! only the blocks of that address, which is then reported as served elsewhere.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::answering::{self, InstalledPaths, ListenSite, NameAnswer, UnprobedReason};
use super::block::{ConfigBlock, TlsHandling};
use super::config::ServerConfig;
use super::listen::ListenAddress;
use super::software::ServerSoftware;
use crate::probe::ProbeTarget;

/// A name that the server serves at some address from a block that does not name the certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedElsewhere {
    /// The address and the name.
    pub target: ProbeTarget,
    pub file: PathBuf,
    pub line: u32,
    /// Why that block answers.
    pub rule: AnswerRule,
}

/// Why a block answers for a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnswerRule {
    /// It has the name.
    Name,
    /// It has no host name and answers for every name that no block at the address has.
    CatchAll,
    /// It is the default at the address and has other names.
    Default,
}

/// The targets to probe, and what cannot or need not be probed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProbeTargets {
    /// The targets, which should all serve the new certificate.
    pub targets: Vec<ProbeTarget>,
    /// Names of the certificate that other blocks serve.
    pub elsewhere: Vec<ServedElsewhere>,
    /// Addresses of the certificate's blocks that cannot be probed, and why.
    pub unprobed: Vec<(String, UnprobedReason)>,
}

impl ProbeTargets {
    /// Finds the targets of a certificate in a configuration.
    #[must_use]
    pub fn find(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Self {
        let mut targets = Self::default();
        let names = find_names(config, wanted);
        for site in answering::own_sites(config, wanted) {
            targets.add_own_site(site, &names);
        }
        let hosts = names.iter().map(|name| name.host.as_str());
        for site in answering::other_sites(config, wanted, hosts) {
            for name in &names {
                targets.add_other_site(site, name);
            }
        }
        for site in answering::passing_sites(config, wanted) {
            for name in &names {
                targets.add_passing_site(site, name);
            }
        }
        targets
    }

    fn add_own_site(&mut self, site: ListenSite<'_>, names: &[CheckedName]) {
        let addresses = match site.probe_addresses() {
            Ok(addresses) => addresses,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        for name in names {
            self.add_name(site, &addresses, name);
            for narrower in site.narrower_sites() {
                self.add_narrower_site(narrower, name);
            }
        }
    }

    fn add_name(&mut self, site: ListenSite<'_>, addresses: &[SocketAddr], name: &CheckedName) {
        let answer = site.answer(&name.host);
        let block = match choose_block(site, &answer) {
            Ok(block) => block,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        if let Some(reason) = undecided_certificate(site, block) {
            return self.add_unprobed(site.listen, reason);
        }
        for &address in addresses {
            if !site.is_ours(block) {
                self.add_elsewhere(site, block, name.rule(&answer), name.target(address));
                continue;
            }
            self.add_target(own_target(site, block, name.target(address)));
        }
    }

    /// Records a name that another block serves at a single address of the same port.
    fn add_narrower_site(&mut self, site: ListenSite<'_>, name: &CheckedName) {
        let answer = site.answer(&name.host);
        if let Some(address) = site.listen.socket()
            && let NameAnswer::Named(block) | NameAnswer::Default(block) = answer
            && !site.is_ours(block)
        {
            self.add_elsewhere(site, block, name.rule(&answer), name.target(address));
        }
    }

    /// Records a name that is answered at an address where no block of the certificate listens.
    fn add_other_site(&mut self, site: ListenSite<'_>, name: &CheckedName) {
        let answer = site.answer(&name.host);
        let rule = name.rule(&answer);
        let block = match answer {
            NameAnswer::Named(block) | NameAnswer::Default(block)
                if rule != AnswerRule::Default && !block.certificates.is_empty() =>
            {
                block
            }
            NameAnswer::Unknown(_) => return self.add_unprobed(site.listen, UnprobedReason::Regex),
            NameAnswer::Named(_) | NameAnswer::Default(_) | NameAnswer::Refused => return,
        };
        if let Some(reason) = undecided_certificate(site, block) {
            return self.add_unprobed(site.listen, reason);
        }
        let addresses = match site.probe_addresses() {
            Ok(addresses) => addresses,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        for address in addresses {
            self.add_elsewhere(site, block, rule, name.target(address));
        }
    }

    /// Records a name for which connections to an address are passed on to a block.
    fn add_passing_site(&mut self, site: ListenSite<'_>, name: &CheckedName) {
        let config = site.config;
        match config.answer_behind(site.listen, &name.host, site.wanted) {
            Some(answer) => self.add_passed_answer(site, name, &answer),
            None => {
                let pass = config.pass_through_at(site.listen);
                if pass.is_some_and(|pass| pass.has_rule_for(&name.host)) {
                    self.add_unprobed(site.listen, UnprobedReason::PassedOn);
                }
            }
        }
    }

    fn add_passed_answer(
        &mut self,
        site: ListenSite<'_>,
        name: &CheckedName,
        answer: &NameAnswer<'_>,
    ) {
        let rule = name.rule(answer);
        let block = match choose_block(site, answer) {
            Ok(block) => block,
            Err(UnprobedReason::Refused) => return,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        let is_ours = site.is_ours(block);
        if !is_ours && (rule == AnswerRule::Default || block.certificates.is_empty()) {
            return;
        }
        if let Some(reason) = undecided_certificate(site, block) {
            return self.add_unprobed(site.listen, reason);
        }
        let addresses = match site.probe_addresses() {
            Ok(addresses) => addresses,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        for address in addresses {
            let target = name.target(address);
            if is_ours {
                self.add_target(own_target(site, block, target));
            } else {
                self.add_elsewhere(site, block, rule, target);
            }
        }
    }

    fn add_target(&mut self, target: ProbeTarget) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }

    fn add_elsewhere(
        &mut self,
        site: ListenSite<'_>,
        block: &ConfigBlock,
        rule: AnswerRule,
        target: ProbeTarget,
    ) {
        let served = ServedElsewhere {
            target: ProbeTarget {
                proxy_header: site.listen.proxy_protocol,
                ..target
            },
            file: block.file.clone(),
            line: block.line,
            rule,
        };
        if !self.elsewhere.contains(&served) {
            self.elsewhere.push(served);
        }
    }

    fn add_unprobed(&mut self, listen: &ListenAddress, reason: UnprobedReason) {
        let unprobed = (listen.to_string(), reason);
        if !self.unprobed.contains(&unprobed) {
            self.unprobed.push(unprobed);
        }
    }
}

/// A name of the certificate that is looked up at every address.
struct CheckedName {
    host: String,
    /// Whether a block without a host name is meant to answer for it: another block has the name, or
    /// no block has any name of the certificate. A name that is missing from all blocks while others
    /// are configured may be served by another machine.
    is_configured: bool,
}

impl CheckedName {
    fn target(&self, address: SocketAddr) -> ProbeTarget {
        ProbeTarget::new(address, self.host.as_str())
    }

    /// Why the block of `answer` answers for it.
    fn rule(&self, answer: &NameAnswer<'_>) -> AnswerRule {
        match answer {
            NameAnswer::Named(_) => AnswerRule::Name,
            NameAnswer::Default(block) if self.is_configured && block.has_no_host_name() => {
                AnswerRule::CatchAll
            }
            NameAnswer::Default(_) | NameAnswer::Refused | NameAnswer::Unknown(_) => {
                AnswerRule::Default
            }
        }
    }
}

fn find_names(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Vec<CheckedName> {
    let has_tls_block = |host: &str| {
        let mut candidates = config.at(config.index.answering_hosts(std::iter::once(host)));
        candidates.any(|block| block.speaks_tls() && block.answers_to(host))
    };
    let mut names: Vec<CheckedName> = answering::hosts(config, wanted)
        .into_iter()
        .map(|host| CheckedName {
            is_configured: has_tls_block(&host),
            host,
        })
        .collect();
    if !names.iter().any(|name| name.is_configured) {
        names.iter_mut().for_each(|name| name.is_configured = true);
    }
    names
}

/// The block that answers, or one of several where they make no difference.
fn choose_block<'a>(
    site: ListenSite<'_>,
    answer: &NameAnswer<'a>,
) -> Result<&'a ConfigBlock, UnprobedReason> {
    match answer {
        NameAnswer::Refused => Err(UnprobedReason::Refused),
        NameAnswer::Named(block) | NameAnswer::Default(block) => Ok(block),
        NameAnswer::Unknown(blocks) => {
            let is_first_ours = site.is_ours(blocks[0]);
            let is_same = |block: &&ConfigBlock| site.is_ours(block) == is_first_ours;
            if blocks.iter().all(is_same) {
                Ok(blocks[0])
            } else {
                Err(UnprobedReason::Regex)
            }
        }
    }
}

/// Why only the server knows the certificate of a block. Where it names the wanted one, the probe
/// shows whether a script chooses another.
fn undecided_certificate(site: ListenSite<'_>, block: &ConfigBlock) -> Option<UnprobedReason> {
    if site.is_ours(block) {
        None
    } else if block.handling == TlsHandling::Script {
        Some(UnprobedReason::Script)
    } else {
        block
            .has_variable_certificate()
            .then_some(UnprobedReason::Variable)
    }
}

fn own_target(site: ListenSite<'_>, block: &ConfigBlock, target: ProbeTarget) -> ProbeTarget {
    // HAProxy selects among all certificates for a name by their key type first.
    let has_several_keys =
        block.certificates.len() > 1 || site.config.software == ServerSoftware::Haproxy;
    ProbeTarget {
        algorithm: has_several_keys.then_some(site.wanted.algorithm),
        proxy_header: site.listen.proxy_protocol,
        ..target
    }
}

#[cfg(test)]
mod tests {
    use super::{InstalledPaths, ProbeTargets};
    use crate::pki::key::KeyAlgorithm;
    use crate::probe::ProbeTarget;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::testing::{config, names};

    /// Formats the targets: `ADDRESS NAME` to probe, `!ADDRESS NAME LINE` served elsewhere,
    /// `?LISTEN REASON` not probed.
    fn shown_targets(http: &str, certificate: &[&str]) -> Vec<String> {
        let lines = "ssl_certificate /c; ssl_certificate_key /k;";
        let config =
            config(&format!("http {{ {} }}", http.replace("OURS", lines))).to_server_config();
        let wanted = InstalledPaths {
            links: &[
                StableLink::new("/c", ReleaseFile::FullChain),
                StableLink::new("/k", ReleaseFile::Key),
            ],
            names: &names(certificate),
            algorithm: KeyAlgorithm::Ed25519,
        };
        let targets = ProbeTargets::find(&config, &wanted);
        let mut shown: Vec<String> = targets.targets.iter().map(shown_target).collect();
        for served in &targets.elsewhere {
            shown.push(format!(
                "!{} {} {}",
                served.target.address, served.target.name, served.line
            ));
        }
        for (listen, why) in &targets.unprobed {
            shown.push(format!("?{listen} {why:?}"));
        }
        shown
    }

    fn shown_target(target: &ProbeTarget) -> String {
        let mut shown = format!("{} {}", target.address, target.name);
        if let Some(algorithm) = target.algorithm {
            shown.push_str(&format!(" {algorithm}"));
        }
        if target.proxy_header {
            shown.push_str(" proxy");
        }
        shown
    }

    #[test]
    fn all_addresses_are_probed_for_all_names() {
        let both = ["a.example", "www.a.example"];
        for (http, expected) in [
            (
                "server { listen 80; listen 443 ssl; listen [::]:443 ssl; server_name a.example www.a.example; OURS }",
                vec![
                    "127.0.0.1:443 a.example",
                    "127.0.0.1:443 www.a.example",
                    "[::1]:443 a.example",
                    "[::1]:443 www.a.example",
                ],
            ),
            (
                "server { listen [::]:443 ssl ipv6only=off; server_name a.example; OURS }",
                vec![
                    "[::1]:443 a.example",
                    "127.0.0.1:443 a.example",
                    "[::1]:443 www.a.example",
                    "127.0.0.1:443 www.a.example",
                ],
            ),
            (
                "server { listen 192.0.2.1:8443 ssl; listen unix:/s ssl; listen h.example:443 ssl; listen 443 quic;
                 listen 10.0.0.1:443 ssl proxy_protocol; server_name a.example www.a.example; OURS }",
                vec![
                    "192.0.2.1:8443 a.example",
                    "192.0.2.1:8443 www.a.example",
                    "10.0.0.1:443 a.example proxy",
                    "10.0.0.1:443 www.a.example proxy",
                    "?unix:/s UnixSocket",
                    "?h.example:443 HostName",
                ],
            ),
            (
                "server { listen 443 ssl; server_name a.example; OURS ssl_certificate /d; ssl_certificate_key /e; }",
                vec!["127.0.0.1:443 a.example ed25519", "127.0.0.1:443 www.a.example ed25519"],
            ),
            ("server { listen 443 ssl; server_name a.example; ssl_certificate /c; ssl_certificate_key /x; }",
                vec!["!127.0.0.1:443 a.example 1"],
            ),
            ("server { listen 80; server_name a.example; OURS }", vec![]),
        ] {
            assert_eq!(shown_targets(http, &both), expected, "{http}");
        }
    }

    #[test]
    fn names_are_routed_as_nginx_does() {
        let other = "ssl_certificate /o; ssl_certificate_key /p;";
        for (http, expected) in [
            // Another block has the second name.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name b.a.example; OTHER }",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            // No block has it: the default answers.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl default_server; OTHER }",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            // An exact name before a wildcard, whatever their order.
            (
                "server { listen 443 ssl; server_name *.a.example; OTHER }\nserver \
                    { listen 443 ssl; server_name a.example b.a.example; OURS }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            // Of two blocks with the same name the first answers.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 443 ssl; server_name a.example; OTHER }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            // Only nginx can match some regular expressions.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name ~(?<=x)b; OTHER }",
                vec!["127.0.0.1:443 a.example", "?0.0.0.0:443 Regex"],
            ),
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name ~(?<=x)b; OURS }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name ~^b; OTHER }",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            // Another block uses the loopback address: another address of 127/8 reaches ours.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 127.0.0.1:443 ssl; OTHER }",
                vec![
                    "127.0.0.2:443 a.example",
                    "127.0.0.2:443 b.a.example",
                    "!127.0.0.1:443 a.example 2",
                    "!127.0.0.1:443 b.a.example 2",
                ],
            ),
            (
                "server { listen [::]:443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen [::1]:443 ssl; OTHER }",
                vec![
                    "![::1]:443 a.example 2",
                    "![::1]:443 b.a.example 2",
                    "?[::]:443 Taken",
                ],
            ),
            // Clients of the machine's own address never reach our block.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 192.0.2.1:443 ssl; server_name x.example; OTHER }",
                vec![
                    "127.0.0.1:443 a.example",
                    "127.0.0.1:443 b.a.example",
                    "!192.0.2.1:443 a.example 2",
                    "!192.0.2.1:443 b.a.example 2",
                ],
            ),
        ] {
            assert_eq!(
                shown_targets(&http.replace("OTHER", other), &["a.example", "b.a.example"]),
                expected,
                "{http}"
            );
        }
    }

    #[test]
    fn names_at_addresses_of_other_blocks_are_found() {
        let own = "server { listen 443 ssl; server_name a.example; OURS }";
        for (other, expected) in [
            (
                "listen [::]:443 ssl; server_name a.example b.a.example;",
                vec!["![::1]:443 a.example 2", "![::1]:443 b.a.example 2"],
            ),
            (
                "listen 8443 ssl; server_name *.example;",
                vec![
                    "!127.0.0.1:8443 a.example 2",
                    "!127.0.0.1:8443 b.a.example 2",
                ],
            ),
            // Without a host name, a block answers for the names that other blocks have.
            (
                "listen 8443 ssl; server_name _;",
                vec!["!127.0.0.1:8443 a.example 2"],
            ),
            ("listen 8443 ssl;", vec!["!127.0.0.1:8443 a.example 2"]),
            (
                "listen 8443 ssl; server_name ~^a;",
                vec!["!127.0.0.1:8443 a.example 2"],
            ),
            // Only nginx knows which one answers.
            (
                "listen 8443 ssl; server_name x.example; OTHER }\nserver { listen 8443 ssl; server_name ~(?<=x)a;",
                vec!["?0.0.0.0:8443 Regex"],
            ),
            (
                "listen 8443 ssl; server_name x.example; OTHER }\nserver { listen 8443 ssl; server_name ~^a;",
                vec!["!127.0.0.1:8443 a.example 3"],
            ),
            // Only nginx knows the certificate.
            (
                "listen 8443 ssl; server_name a.example; ssl_certificate_by_lua_block { x() }",
                vec!["?0.0.0.0:8443 Script"],
            ),
            (
                "listen 8443 ssl; server_name a.example; ssl_certificate /$x; ssl_certificate_key /$x;",
                vec!["?0.0.0.0:8443 Variable"],
            ),
            (
                "listen unix:/s ssl; server_name a.example;",
                vec!["?unix:/s UnixSocket"],
            ),
            // Another site, another part of the server, plain text, and UDP.
            ("listen 80; } }\nstream { server { listen 8443 ssl;", vec![]),
            ("listen 8443 ssl; server_name x.example;", vec![]),
            ("listen 8080; server_name a.example;", vec![]),
            ("listen 8443 quic; server_name a.example;", vec![]),
        ] {
            let other = format!("{own}\nserver {{ {other} OTHER }}")
                .replace("OTHER", "ssl_certificate /o; ssl_certificate_key /p;");
            let mut shown = shown_targets(&other, &["a.example", "b.a.example"]);
            shown.retain(|line| {
                !line.starts_with("127.0.0.1:443 ") && !line.contains("127.0.0.1:443 b.")
            });
            assert_eq!(shown, expected, "{other}");
        }
        // If no block has any of the names, one without a host name answers for all of them.
        assert_eq!(
            shown_targets(
                "server { listen 443 ssl; ssl_certificate /o; ssl_certificate_key /p; }",
                &["a.example"]
            ),
            ["!127.0.0.1:443 a.example 1"]
        );
        // A block without a certificate refuses the handshake.
        assert_eq!(
            shown_targets(
                "server { listen 443 ssl; ssl_reject_handshake on; }",
                &["a.example"]
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn addresses_that_pass_connections_on_are_probed() {
        let own = "server { listen 127.0.0.1:8443 ssl; server_name a.example; OURS }\n\
            server { listen 127.0.0.1:8444 ssl; server_name a.example b.a.example; \
            ssl_certificate /o; ssl_certificate_key /p; }";
        for (map, expected) in [
            (
                "a.example 127.0.0.1:8443; b.a.example 127.0.0.1:8444;",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            (
                "default 127.0.0.1:8443;",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            (
                "a.example 127.0.0.1:9443; default 127.0.0.1:8443;",
                vec!["127.0.0.1:443 b.a.example", "?0.0.0.0:443 PassedOn"],
            ),
            ("default 192.0.2.1:443;", vec![]),
            ("", vec![]),
        ] {
            let http = format!(
                "{own} }}\nstream {{ map $ssl_preread_server_name $to {{ {map} }}\n\
                 server {{ listen 443; ssl_preread on; proxy_pass $to; }}"
            );
            let mut shown = shown_targets(&http, &["a.example", "b.a.example"]);
            shown.retain(|line| line.contains(":443"));
            assert_eq!(shown, expected, "{map}");
        }
    }

    #[test]
    fn wildcards_are_probed_by_a_name_below_them() {
        for (server_name, expected) in [
            ("*.a.example", vec!["127.0.0.1:443 certctl-probe.a.example"]),
            (
                "x.a.example y.a.example z.b.example",
                vec!["127.0.0.1:443 x.a.example", "127.0.0.1:443 y.a.example"],
            ),
            (".a.example", vec!["127.0.0.1:443 certctl-probe.a.example"]),
            ("_", vec!["127.0.0.1:443 certctl-probe.a.example"]),
        ] {
            let http = format!("server {{ listen 443 ssl; server_name {server_name}; OURS }}");
            assert_eq!(
                shown_targets(&http, &["*.a.example"]),
                expected,
                "{server_name}"
            );
        }
    }
}
