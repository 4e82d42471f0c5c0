//! What the configuration sends elsewhere, and what cannot be asked: with either, nobody may read
//! "done".

use crate::finding::{Finding, NextStep};
use crate::install_plan::plan::NameCoverage;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::webserver::model::{
    BlockCoverage, ConfigBlock, InstalledPaths, NameClash, ProbeTargets, ServedElsewhere,
    ServerConfig,
};

/// Whether all names reach the pair, and what is worth telling. `links` are what the server is told
/// to read.
pub(crate) fn judge(
    config: &ServerConfig,
    wanted: &InstalledPaths<'_>,
    links: &[StableLink],
    targets: &ProbeTargets,
    probes: &[String],
) -> (NameCoverage, Vec<Finding>) {
    let mut reach = NameCoverage::All;
    let mut findings = Vec::new();
    // Most pairs are served nowhere else: then no block needs to be looked at.
    let others = if targets.elsewhere.is_empty() {
        &[]
    } else {
        config.blocks()
    };
    for block in others {
        let here = |one: &&ServedElsewhere| {
            (one.file.as_path(), one.line) == (block.file.as_path(), block.line)
        };
        let mut sent: Vec<&ServedElsewhere> = targets.elsewhere.iter().filter(here).collect();
        // HAProxy has several certificates on one line: each tells its own.
        sent.retain(|one| block.answers_to(&one.name) || !named_there(config, one));
        if sent.is_empty() {
            continue;
        }
        if sent.iter().any(|one| block.answers_to(&one.name)) {
            reach = NameCoverage::Part;
            findings.push(elsewhere(config, block, (wanted, links), &sent));
        } else {
            let told = by_default(config, block, &sent);
            if findings
                .iter()
                .all(|finding: &Finding| finding.message != told.message)
            {
                findings.push(told);
            }
        }
    }
    findings.extend(targets.unasked.iter().map(|(listen, why)| {
        Finding::warning(
            "not-probed",
            format!(
                "what is served there is not known: {listen} {}",
                why.reason()
            ),
        )
    }));
    if probes.iter().any(|probe| probe == "none") {
        findings.push(
            Finding::warning(
                "not-probed",
                "nobody was asked what is served (--probe none)",
            )
            .with(NextStep::say(
                "to have it asked, say where:  --probe HOST:PORT",
            )),
        );
    } else if let (true, true, true, Some(block)) = (
        targets.ask.is_empty(),
        targets.elsewhere.is_empty(),
        probes.is_empty(),
        config.naming(wanted.links).next(),
    ) {
        reach = NameCoverage::Part;
        findings.push(unknown(block));
    }
    (reach, findings)
}

/// What is in the way though every test passes.
pub(crate) fn clashes(
    config: &ServerConfig,
    wanted: &InstalledPaths<'_>,
    links: &[StableLink],
) -> Vec<Finding> {
    let told = |clash: NameClash| match clash {
        NameClash::Twice {
            name,
            address,
            first,
            second,
        } => {
            let message = format!(
                "{first} and {second} both have {name} at {address}: only the first is ever asked \
                    for it"
            );
            Finding::warning("duplicate-server-name", message)
                .with(NextStep::say(format!("take {name} out of one of them")))
        }
        NameClash::Bare { block, address } => {
            let message = format!("{block} speaks TLS at {address} and has no certificate");
            Finding::warning("block-has-no-certificate", message).with(
                NextStep::say(format!(
                    "to serve the new certificate there, add to {block}:"
                ))
                .pasting(config.software.lines(links)),
            )
        }
    };
    config
        .clashes(wanted.links, wanted.names)
        .into_iter()
        .map(told)
        .collect()
}

/// Whether a block of that line has the name as its own.
fn named_there(config: &ServerConfig, one: &ServedElsewhere) -> bool {
    let here =
        |block: &&ConfigBlock| (one.file.as_path(), one.line) == (block.file.as_path(), block.line);
    config
        .blocks()
        .iter()
        .filter(here)
        .any(|block| block.answers_to(&one.name))
}

/// What could not be made out of the configuration: it may name the pair, or the names, there.
pub(crate) fn doubts(config: &ServerConfig) -> Vec<Finding> {
    let title = config.software.title();
    let doubts = config.doubts.iter();
    doubts
        .map(|doubt| {
            Finding::warning(
                "config-unclear",
                format!("what only {title} can decide: {doubt}"),
            )
        })
        .collect()
}

/// A block has names of the certificate as its own, and other files.
fn elsewhere(
    config: &ServerConfig,
    block: &ConfigBlock,
    (wanted, links): (&InstalledPaths<'_>, &[StableLink]),
    sent: &[&ServedElsewhere],
) -> Finding {
    let (names, addresses) = (
        joined(sent, |one| one.name.clone()),
        joined(sent, |one| one.address.to_string()),
    );
    let message = format!("{names} at {addresses}: {block} serves that, with other files");
    let (lines, what) = (config.software.lines(links), config.software.what_changes());
    let these = if lines.len() == 1 {
        "this"
    } else {
        "these lines"
    };
    let next = match block.coverage(wanted.names) {
        BlockCoverage::Lacks(others) => NextStep::say(format!(
            "{block} also serves {}, which the certificate is not for: give {names} a block of its \
                own, with {these}:",
            others.join(", ")
        )),
        _ if block.pairs.len() > 1 => NextStep::say(format!(
            "{block} has {} certificates: change {what} of the one with this kind of key ({}):",
            block.pairs.len(),
            wanted.algorithm
        )),
        _ => NextStep::say(format!(
            "to serve the new certificate there, change {what} in {block}:"
        )),
    };
    Finding::error("configured-elsewhere", message).with(next.pasting(lines))
}

/// What blocks that name the pair serve and the certificate is not for. What the certificate that
/// is there lacks as well is told; what would be lost, or served wrongly from the first day,
/// forbids it.
pub(crate) fn uncovered(
    config: &ServerConfig,
    wanted: &InstalledPaths<'_>,
    present: Option<&[DnsName]>,
) -> (Vec<Finding>, Vec<Finding>) {
    let (mut lacked, mut lost) = (Vec::new(), Vec::new());
    for block in config
        .naming(wanted.links)
        .filter(|block| block.speaks_tls())
    {
        let BlockCoverage::Lacks(lacking) = block.coverage(wanted.names) else {
            continue;
        };
        let before = match present.map(|names| block.coverage(names)) {
            Some(BlockCoverage::Lacks(before)) => before,
            _ => Vec::new(),
        };
        let breaks: Vec<String> = lacking
            .iter()
            .filter(|name| !before.contains(name))
            .cloned()
            .collect();
        if breaks.is_empty() {
            let message = format!(
                "{block} serves {}, which the certificate is not for",
                lacking.join(", ")
            );
            lacked.push(Finding::warning("names-not-covered", message));
            continue;
        }
        let (names, directive) = (breaks.join(", "), config.software.names_directive());
        let message = match present {
            Some(_) => format!(
                "{block} serves {names}: the present certificate is for that, the new one is not"
            ),
            None => format!("{block} serves {names}, which the certificate is not for"),
        };
        lost.push(
            Finding::error("names-not-covered", message)
                .with(NextStep::say(format!(
                    "order a certificate that has {names} too"
                )))
                .with(NextStep::say(format!(
                    "or, if that is not to be served, take it out of {directive} in {block}"
                )))
                .with(NextStep::say(
                    "or let it be served all the same:  --allow names-not-covered",
                )),
        );
    }
    (lacked, lost)
}

/// Blocks that send OCSP answers along with `leaf`, whose CA gives none (public CAs need not since
/// 2024, BR 7.1.2.7.7): the server leaves them out, and complains at each start.
pub(crate) fn unstapled(
    config: &ServerConfig,
    wanted: &InstalledPaths<'_>,
    leaf: &Certificate,
) -> Vec<Finding> {
    let mut places: Vec<&str> = config
        .naming(wanted.links)
        .filter(|block| block.speaks_tls())
        .filter_map(|block| block.stapling.as_deref())
        .collect();
    if places.is_empty()
        || !CertificateDetails::of_certificate(leaf.der())
            .ocsp_urls
            .is_empty()
    {
        return Vec::new();
    }
    places.sort_unstable();
    places.dedup();
    let (title, directive) = (
        config.software.title(),
        config.software.stapling_directive(),
    );
    let told = |place: &str| {
        let message = format!(
            "{place} has {title} staple OCSP answers ({directive}), and the certificate names no \
                OCSP server: there are none"
        );
        Finding::warning("stapling-without-ocsp", message).with(NextStep::say(format!(
            "take \"{directive}\" out of {place}: its CA gives no OCSP answers any more, and \
                clients do without"
        )))
    };
    places.into_iter().map(told).collect()
}

/// No block has the name: what the server answers for it is no concern of these files, but worth
/// knowing.
fn by_default(config: &ServerConfig, block: &ConfigBlock, sent: &[&ServedElsewhere]) -> Finding {
    let names = joined(sent, |one| one.name.clone());
    let message = format!(
        "no block has {names} as its name: the default, {block}, answers with another certificate"
    );
    let directive = config.software.names_directive();
    Finding::warning("configured-elsewhere", message).with(NextStep::say(format!(
        "if {names} should be served here, add it to the {directive} of your block"
    )))
}

fn unknown(block: &ConfigBlock) -> Finding {
    Finding::error(
        "not-probed",
        format!("{block} names the pair, and it cannot be asked what it serves"),
    )
    .with(NextStep::say(
        "say where to ask:  --probe HOST:PORT, or that nobody is to be asked:  --probe none",
    ))
}

fn joined(sent: &[&ServedElsewhere], of: fn(&ServedElsewhere) -> String) -> String {
    let mut words: Vec<String> = sent.iter().map(|one| of(one)).collect();
    words.sort();
    words.dedup();
    words.join(", ")
}
