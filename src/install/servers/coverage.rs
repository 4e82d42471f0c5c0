//! Checks of a server's configuration against the certificate: names that are served with other
//! files or cannot be probed (then the install is not complete), names that the certificate lacks,
//! and other conflicts.

use crate::advice::{server_blocks, servers};
use crate::finding::Finding;
use crate::install::servers::other_files::OtherFiles;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::webserver::model::{
    AnswerRule, BlockCoverage, ConfigBlock, InstalledPaths, NameClash, ProbeTargets,
    ServedElsewhere, ServerConfig,
};

/// A server's configuration, and what it is checked against.
pub(super) struct ConfigUnderCheck<'a> {
    pub config: &'a ServerConfig,
    pub wanted: &'a InstalledPaths<'a>,
    /// The links that the server should read.
    pub links: &'a [StableLink],
    pub targets: &'a ProbeTargets,
    /// The values of `--probe`.
    pub probes: &'a [String],
    /// The new certificate.
    pub leaf: &'a Certificate,
    /// The names of the certificate that is served now.
    pub present_names: Option<&'a [DnsName]>,
    /// Whether the configuration references the certificate.
    pub is_configured: bool,
}

impl<'a> ConfigUnderCheck<'a> {
    /// Returns the TLS blocks that reference the certificate.
    fn tls_blocks(&self) -> impl Iterator<Item = &'a ConfigBlock> {
        self.config
            .blocks_naming(self.wanted.links)
            .filter(|block| block.speaks_tls())
    }

    /// Returns the names that `block` serves with other files.
    fn served_by(&self, block: &ConfigBlock) -> Vec<&'a ServedElsewhere> {
        let mut served: Vec<&ServedElsewhere> = self
            .targets
            .elsewhere
            .iter()
            .filter(|elsewhere| is_at(block, elsewhere))
            .collect();
        // HAProxy can have several certificates on one line: each is reported with its own names.
        served.retain(|elsewhere| {
            block.answers_to(&elsewhere.target.name) || !is_named_there(self.config, elsewhere)
        });
        served
    }
}

/// Warns about parts of the configuration that certctl cannot evaluate: they may reference the
/// certificate or its names.
pub(super) fn check_doubts(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let title = checked.config.software.title();
    let messages = checked.config.doubts.iter().map(|doubt| {
        format!("certctl cannot evaluate this part of {title}'s configuration: {doubt}")
    });
    messages
        .map(|message| Finding::warning("config-unclear", message))
        .collect()
}

/// Checks that the certificate can be probed wherever the configuration references it.
pub(super) fn check_reach(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let mut findings = check_unprobed_addresses(checked);
    if checked.is_configured {
        findings.extend(check_probes(checked));
    }
    findings
}

/// Finds the blocks that serve names of the certificate with other files.
pub(super) fn find_other_files(checked: &ConfigUnderCheck<'_>) -> Vec<OtherFiles> {
    let mut found: Vec<OtherFiles> = Vec::new();
    // Most certificates are served nowhere else: then no block needs to be checked.
    if checked.targets.elsewhere.is_empty() {
        return found;
    }
    for block in checked.config.blocks() {
        let served = checked.served_by(block);
        if served.is_empty() {
            continue;
        }
        let finding = if served.iter().any(|one| one.rule != AnswerRule::Default) {
            report_other_files(checked, block, &served)
        } else {
            report_default_block(checked.config, block, &served)
        };
        if found.iter().all(|known| known.finding != finding) {
            found.push(OtherFiles {
                finding,
                block: block.to_string(),
                targets: served.iter().map(|one| one.target.clone()).collect(),
            });
        }
    }
    found
}

fn check_unprobed_addresses(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let messages = checked.targets.unprobed.iter().map(|(listen, why)| {
        format!(
            "cannot probe which certificate is served at {listen}: it {}",
            why.reason()
        )
    });
    messages
        .map(|message| Finding::warning("not-probed", message))
        .collect()
}

/// Reports that nothing is probed, because of `--probe none` or because no address is known.
fn check_probes(checked: &ConfigUnderCheck<'_>) -> Option<Finding> {
    let targets = checked.targets;
    if checked.probes.iter().any(|probe| probe == "none") {
        let message = "no server was probed, because of `--probe none`";
        let finding = Finding::warning("not-probed", message);
        return Some(finding.with_step(servers::probe_somewhere()));
    }
    if !(targets.targets.is_empty() && targets.elsewhere.is_empty() && checked.probes.is_empty()) {
        return None;
    }
    let block = checked.config.blocks_naming(checked.wanted.links).next()?;
    let message =
        format!("{block} references the certificate, but certctl knows no address to probe it at");
    let finding = Finding::error("not-probed", message);
    Some(finding.with_step(servers::probe_somewhere_or_nowhere()))
}

/// Reports conflicts that the server's own test does not detect.
pub(super) fn check_clashes(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let clashes = checked
        .config
        .find_clashes(checked.wanted.links, checked.wanted.names);
    clashes
        .into_iter()
        .map(|clash| report_clash(checked, clash))
        .collect()
}

fn report_clash(checked: &ConfigUnderCheck<'_>, clash: NameClash) -> Finding {
    match clash {
        NameClash::DuplicateName {
            name,
            address,
            first,
            second,
        } => {
            let message = format!(
                "{first} and {second} both serve {name} at {address}; the server uses only the first"
            );
            Finding::warning("duplicate-server-name", message)
                .with_step(server_blocks::remove_duplicate_name(&name))
        }
        NameClash::NoCertificate { block, address } => {
            let message = format!("{block} uses TLS at {address} but has no certificate");
            let lines = checked.config.software.certificate_lines(checked.links);
            Finding::warning("block-has-no-certificate", message)
                .with_step(server_blocks::add_certificate_to_block(&block, lines))
        }
    }
}

fn is_at(block: &ConfigBlock, elsewhere: &ServedElsewhere) -> bool {
    block.file == elsewhere.file && block.line == elsewhere.line
}

/// Whether a block in that line has the name.
fn is_named_there(config: &ServerConfig, elsewhere: &ServedElsewhere) -> bool {
    let mut blocks = config
        .blocks()
        .iter()
        .filter(|block| is_at(block, elsewhere));
    blocks.any(|block| block.answers_to(&elsewhere.target.name))
}

/// Reports a block that has names of the certificate, and uses other files.
fn report_other_files(
    checked: &ConfigUnderCheck<'_>,
    block: &ConfigBlock,
    served: &[&ServedElsewhere],
) -> Finding {
    let names = join_unique(served.iter().map(|one| one.target.name.clone()));
    let addresses = join_unique(served.iter().map(|one| one.target.address.to_string()));
    let message = format!("{block} serves {names} at {addresses} with other files");
    let software = checked.config.software;
    let lines = software.certificate_lines(checked.links);
    let next = match block.coverage(checked.wanted.names) {
        BlockCoverage::MissingNames(others) => {
            server_blocks::give_names_their_own_block(&block.to_string(), &names, &others, lines)
        }
        _ if block.certificates.len() > 1 => {
            let algorithm = checked.wanted.algorithm;
            server_blocks::change_one_of_several(block, software, algorithm, lines)
        }
        // Its present certificate may be for other names as well.
        _ if block.has_no_host_name() => {
            server_blocks::change_block_without_names(block, software, lines)
        }
        _ => server_blocks::change_block(block, software, lines),
    };
    Finding::error("configured-elsewhere", message).with_step(next)
}

/// A block that references the certificate and serves names that it does not cover.
struct UncoveredBlock<'a> {
    block: &'a ConfigBlock,
    /// The names that the new certificate lacks.
    lacking: Vec<String>,
    /// Those of them that the present certificate covers, or that are served for the first time.
    losing: Vec<String>,
}

fn uncovered_blocks<'a>(
    checked: &ConfigUnderCheck<'a>,
) -> impl Iterator<Item = UncoveredBlock<'a>> {
    let new_names = checked.wanted.names;
    let present_names = checked.present_names;
    checked.tls_blocks().filter_map(move |block| {
        let BlockCoverage::MissingNames(lacking) = block.coverage(new_names) else {
            return None;
        };
        let lacking_before = match present_names.map(|names| block.coverage(names)) {
            Some(BlockCoverage::MissingNames(before)) => before,
            _ => Vec::new(),
        };
        let mut losing = lacking.clone();
        losing.retain(|name| !lacking_before.contains(name));
        Some(UncoveredBlock {
            block,
            lacking,
            losing,
        })
    })
}

/// Warns about blocks that serve names which neither the present nor the new certificate covers.
pub(super) fn check_names_never_covered(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let uncovered = uncovered_blocks(checked).filter(|uncovered| uncovered.losing.is_empty());
    let messages = uncovered.map(|uncovered| {
        format!(
            "{} serves {}, which the certificate does not cover",
            uncovered.block,
            uncovered.lacking.join(", ")
        )
    });
    messages
        .map(|message| Finding::warning("names-not-covered", message))
        .collect()
}

/// Reports blocks that serve names which would lose their certificate, or never have one: this
/// blocks the install.
pub(super) fn check_names_losing_coverage(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    uncovered_blocks(checked)
        .filter(|uncovered| !uncovered.losing.is_empty())
        .map(|uncovered| report_losing_coverage(checked, &uncovered))
        .collect()
}

fn report_losing_coverage(
    checked: &ConfigUnderCheck<'_>,
    uncovered: &UncoveredBlock<'_>,
) -> Finding {
    let block = uncovered.block;
    let names = uncovered.losing.join(", ");
    let message = match checked.present_names {
        Some(_) => format!(
            "{block} serves {names}, which the present certificate covers and the new one does not"
        ),
        None => format!("{block} serves {names}, which the certificate does not cover"),
    };
    let steps = server_blocks::cover_names_or_allow(block, &names, checked.config.software);
    let finding = Finding::error("names-not-covered", message);
    steps.into_iter().fold(finding, Finding::with_step)
}

/// Warns about blocks that staple OCSP responses although the certificate has no OCSP responder URL
/// (public CAs need not provide one since 2024, BR 7.1.2.7.7): the server logs a warning at each
/// start and staples nothing.
pub(super) fn check_stapling(checked: &ConfigUnderCheck<'_>) -> Vec<Finding> {
    let mut places: Vec<&str> = checked
        .tls_blocks()
        .filter_map(|block| block.stapling.as_deref())
        .collect();
    if places.is_empty() || has_ocsp_server(checked.leaf) {
        return Vec::new();
    }
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .map(|place| report_stapling(checked.config, place))
        .collect()
}

fn has_ocsp_server(leaf: &Certificate) -> bool {
    let details = CertificateDetails::from_certificate(leaf.der());
    !details.ocsp_urls.is_empty()
}

fn report_stapling(config: &ServerConfig, place: &str) -> Finding {
    let message = format!(
        "{place} makes {} staple OCSP responses ({}), but the certificate has no OCSP responder URL",
        config.software.title(),
        config.software.stapling_directive()
    );
    Finding::warning("stapling-without-ocsp", message)
        .with_step(server_blocks::remove_stapling(place, config.software))
}

/// Warns about names that no block has, so that the default block answers for them.
fn report_default_block(
    config: &ServerConfig,
    block: &ConfigBlock,
    served: &[&ServedElsewhere],
) -> Finding {
    let names = join_unique(served.iter().map(|one| one.target.name.clone()));
    let message = format!(
        "no block has the name {names}: the default block {block} serves another certificate for it"
    );
    Finding::warning("configured-elsewhere", message)
        .with_step(server_blocks::add_names_to_block(&names, config.software))
}

fn join_unique(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words.dedup();
    words.join(", ")
}
