//! Finds what still uses the previous certificate after its files were replaced: servers of this
//! machine that send it, and processes that have its files open. Only needed where no server was
//! probed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::servers::dns_names;
use crate::advice::stale_servers as advice;
use crate::context::Context;
use crate::finding::Finding;
use crate::install_plan::apply::{self, ProbeAnswer};
use crate::pki::certificate::Certificate;
use crate::probe::{ProbeTarget, ProbeVerdict, StartTls};
use crate::store::deployed::DeployedCertificate;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseId};
use crate::store::release::Release;
use crate::store::settings::{LineageSettings, PROBE_NONE};
use crate::system::clock::{self, Stopwatch};
use crate::webserver::control::open_files::{self, OpenPath};
use crate::webserver::control::ports::{self, PortOwner};
use crate::webserver::control::service;
use crate::webserver::masters::listeners::ListeningSocket;
use crate::webserver::model::name::probe_host;
use crate::wording::day;

/// The code of servers that send the previous certificate.
pub(crate) const STALE_CODE: &str = "previous-certificate-served";

/// The code of processes that have previous files open.
pub(crate) const OPEN_CODE: &str = "previous-files-open";

/// For how many certificates of a run the servers of this machine are probed.
const CERTIFICATES_PROBED: usize = 16;

/// How long a server that was just reloaded may send the previous certificate.
const RELOAD_TIME: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// Ports of services without TLS: nothing is sent there (a printer would print it).
const OTHER_SERVICES: [u16; 7] = [22, 53, 80, 111, 515, 2049, 9100];

/// Whether a server was just asked to reload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecentReload {
    Ran,
    Missing,
}

/// A certificate whose files are in place and whose servers are unknown.
pub(crate) struct ReplacedFiles<'a> {
    pub layout: &'a LineageLayout,
    pub settings: &'a LineageSettings,
    pub release: &'a Release,
    /// What was deployed before this run.
    pub before: Option<&'a DeployedCertificate>,
    pub reload: RecentReload,
}

/// The listening addresses of this machine, read once, for several certificates.
#[derive(Debug, Default)]
pub(crate) struct StaleServerScan {
    sockets: Option<Vec<ListeningSocket>>,
    certificates: usize,
}

impl StaleServerScan {
    /// Reports the servers and processes that still use a previous certificate. Nothing is searched
    /// for under `--root`, because the tree may belong to another machine.
    pub(crate) fn find(
        &mut self,
        context: &Context,
        installed: &ReplacedFiles<'_>,
    ) -> Vec<Finding> {
        if context.root.is_some() {
            return Vec::new();
        }
        self.certificates += 1;
        if self.certificates > CERTIFICATES_PROBED {
            let message = format!(
                "the servers of this machine were not searched for the previous certificate: they are \
                    for the first {CERTIFICATES_PROBED} certificates of a run"
            );
            return vec![Finding::note("listeners-not-searched", message)];
        }
        let mut findings = find_open_files(installed);
        if installed.settings.probe.iter().any(|one| one == PROBE_NONE) {
            return findings;
        }
        let previous = previous_leaves(installed);
        let names = dns_names(&installed.release.certificates);
        let Some(name) = names
            .first()
            .map(probe_host)
            .filter(|_| !previous.is_empty())
        else {
            return findings;
        };
        let stale = self.probe_listeners(&name, installed, &previous);
        let sockets = self.sockets();
        let reports = stale
            .iter()
            .map(|probe| report(context, installed, probe, sockets));
        findings.extend(reports);
        findings
    }

    fn sockets(&mut self) -> &[ListeningSocket] {
        self.sockets.get_or_insert_with(ports::current_sockets)
    }

    /// Probes every listener until none sends a previous certificate, or a reload had time to end.
    fn probe_listeners(
        &mut self,
        name: &str,
        installed: &ReplacedFiles<'_>,
        previous: &BTreeSet<String>,
    ) -> Vec<ProbeAnswer> {
        let mut targets: Vec<ProbeTarget> = ports::listening_addresses(self.sockets())
            .into_iter()
            .filter(|address| !OTHER_SERVICES.contains(&address.port()))
            .map(|address| ProbeTarget {
                starttls: StartTls::from_port(address.port()),
                ..ProbeTarget::new(address, name)
            })
            .collect();
        let started = Stopwatch::start();
        loop {
            let stale = probe_previous(&targets, &installed.release.certificates, previous);
            let may_change = installed.reload == RecentReload::Ran;
            if stale.is_empty() || !may_change || started.elapsed() > RELOAD_TIME {
                return stale;
            }
            targets = stale.into_iter().map(|probe| probe.target).collect();
            clock::sleep(PAUSE);
        }
    }
}

/// Returns the answers with one of the previous certificates.
fn probe_previous(
    targets: &[ProbeTarget],
    certificates: &[Certificate],
    previous: &BTreeSet<String>,
) -> Vec<ProbeAnswer> {
    let answers = apply::probe_groups(&[(targets, certificates)]);
    let is_previous = |probe: &ProbeAnswer| match &probe.answer {
        Ok((_, ProbeVerdict::OtherLeaf { sha256, .. })) => previous.contains(sha256),
        _ => false,
    };
    answers.into_iter().flatten().filter(is_previous).collect()
}

/// Returns the fingerprints of the certificates that were installed before this one.
fn previous_leaves(installed: &ReplacedFiles<'_>) -> BTreeSet<String> {
    let own = installed.release.leaf().sha256();
    let mut leaves: BTreeSet<String> = installed
        .before
        .iter()
        .map(|before| before.sha256().to_owned())
        .collect();
    for entry in &installed.settings.history {
        if let Ok(Some(past)) = disk::load_public(installed.layout, &entry.release) {
            leaves.insert(past.leaf().sha256());
        }
    }
    leaves.remove(&own);
    leaves
}

fn report(
    context: &Context,
    installed: &ReplacedFiles<'_>,
    probe: &ProbeAnswer,
    sockets: &[ListeningSocket],
) -> Finding {
    let address = probe.target.address;
    let owner = ports::find_other_owners(sockets, &[address], &[])
        .into_iter()
        .next();
    let process = owner.as_ref().map(process_in_words).unwrap_or_default();
    let leaf = probe.answer.as_ref().ok().and_then(|(handshake, _)| {
        let der = handshake.chain.first()?;
        Certificate::from_der(der).ok()
    });
    let expiry = leaf.map(|leaf| format!(", which expires {}", day(leaf.not_after)));
    let message = format!(
        "{address}{process} still serves the previous certificate{}",
        expiry.unwrap_or_default()
    );
    let unit = owner.and_then(|owner| service::unit_of_process(owner.pid));
    let stem = installed.layout.stem();
    let next = match unit {
        Some(unit) if installed.settings.reload.is_empty() => advice::reload_unit_and_probe(
            context.root.as_deref(),
            stem,
            &unit,
            &address.to_string(),
        ),
        _ => advice::reload_then_verify(&address.to_string(), &probe.target.name),
    };
    Finding::error(STALE_CODE, message).with_step(next)
}

fn process_in_words(owner: &PortOwner) -> String {
    format!(" (process {}, {})", owner.pid, owner.command)
}

/// Whether a path is in one of the releases. Another certctl has a release open under a temporary name
/// while it waits for the lock.
fn is_in_release(path: &Path, releases: &Path) -> bool {
    let inside = path.strip_prefix(releases).ok();
    let mut parts = inside.iter().flat_map(|inside| inside.components());
    let first = parts.next().and_then(|part| part.as_os_str().to_str());
    first.and_then(ReleaseId::parse).is_some()
}

/// Reports the processes that have files of an earlier release open, or a file that was replaced at
/// one of the paths.
fn find_open_files(installed: &ReplacedFiles<'_>) -> Vec<Finding> {
    let layout = installed.layout;
    let releases = layout.releases();
    let current = layout.release(&installed.release.id);
    let is_previous = |path: &Path, held: OpenPath| {
        let is_earlier = is_in_release(path, &releases) && !path.starts_with(&current);
        let is_replaced =
            held == OpenPath::Replaced && layout.links().iter().any(|link| link.path == path);
        is_earlier || is_replaced
    };
    let mut findings = Vec::new();
    for holder in open_files::find_holders(is_previous) {
        let message = format!(
            "process {} ({}) has the previous {} open",
            holder.pid,
            holder.command,
            holder.path.display()
        );
        let unit = service::unit_of_process(holder.pid);
        let next = advice::reload_process(holder.pid, unit.as_deref());
        findings.push(Finding::error(OPEN_CODE, message).with_step(next));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_in_release;

    #[test]
    fn releases_that_are_being_written_are_not_in_use() {
        let releases = Path::new("/r/releases");
        for (path, expected) in [
            ("/r/releases/0123abcd/key.pem", true),
            ("/r/releases/0123abcd", true),
            ("/r/releases/.0123abcd.3eee8bc6e7e744dd~", false),
            ("/r/releases/.0123abcd.3eee8bc6e7e744dd~/key.pem", false),
            ("/r/releases", false),
            ("/r/other/0123abcd/key.pem", false),
        ] {
            assert_eq!(is_in_release(Path::new(path), releases), expected, "{path}");
        }
    }
}
