//! Servers whose configuration does not use the certificate: why, and what to change. certctl never
//! writes a block, because it does not know what the site serves.

use std::path::{Path, PathBuf};

use crate::advice::server_blocks;
use crate::finding::{Finding, NextStep};
use crate::install::preflight::PreflightState;
use crate::install::servers::{ServerUse, dns_names};
use crate::install_plan::plan::ServerState;
use crate::pki::name::DnsName;
use crate::webserver::control::{ServerObservation, TlsSupport};
use crate::webserver::model::{LinesToAdd, ServerSoftware, UnservedNames};

/// A server whose configuration does not use the certificate.
#[derive(Debug)]
pub(crate) struct UnservedServer {
    /// The names of the certificate.
    names: Vec<DnsName>,
    writer: BlockWriter,
    reason: UnservedReason,
}

/// Who can write the block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum BlockWriter {
    /// `certctl site`, which knows the usual configuration of this machine.
    Certctl,
    /// Only the user: another tree or another configuration was named.
    User,
}

/// Why a server does not use the certificate.
#[derive(Debug)]
enum UnservedReason {
    /// No block answers for the names over TLS.
    Absent {
        software: ServerSoftware,
        tls: TlsSupport,
        lines: LinesToAdd,
    },
    /// An existing site references the files, and is not enabled.
    Disabled {
        software: ServerSoftware,
        site: PathBuf,
        /// The folder that the server reads.
        enabled: PathBuf,
    },
    /// Blocks answer for these names with other files: their lines have to be changed.
    Elsewhere {
        software: ServerSoftware,
        blocks: Vec<String>,
    },
    /// certctl does not know the server's configuration.
    Unknown,
}

impl UnservedServer {
    /// Finds the servers of a certificate that do not use it.
    #[must_use]
    pub(crate) fn find_all(situation: &PreflightState) -> Vec<Self> {
        let names = dns_names(&situation.wanted.certificates);
        let uses = situation.serving.uses.iter();
        uses.filter(|server_use| server_use.state == ServerState::NotNamed)
            .map(|server_use| Self {
                reason: UnservedReason::find(server_use, &names),
                names: names.clone(),
                writer: BlockWriter::find(situation),
            })
            .collect()
    }

    #[must_use]
    pub(crate) fn finding(&self) -> Finding {
        Finding::error("not-served", self.message())
    }

    fn joined_names(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
        names.join(", ")
    }

    fn message(&self) -> String {
        match &self.reason {
            UnservedReason::Absent { software, .. } => format!(
                "{} does not use these files yet: none of its blocks answers for {} over https",
                software.title(),
                self.joined_names()
            ),
            UnservedReason::Disabled {
                software,
                site,
                enabled,
            } => format!(
                "{} does not use these files yet: the site {} references them, but is not enabled in {}",
                software.title(),
                site.display(),
                enabled.display()
            ),
            UnservedReason::Elsewhere { software, blocks } => format!(
                "{} serves these names with other files: {}",
                software.title(),
                blocks.join(", ")
            ),
            UnservedReason::Unknown => "the server does not use these files yet".to_owned(),
        }
    }

    /// Returns what to change by hand. Where blocks use other files, their findings say it.
    #[must_use]
    pub(crate) fn steps(&self) -> Vec<NextStep> {
        let UnservedReason::Absent {
            software,
            tls,
            lines,
        } = &self.reason
        else {
            return Vec::new();
        };
        let mut steps = server_blocks::add_lines(*software, &self.joined_names(), lines.clone());
        if self.writer == BlockWriter::Certctl {
            let site = server_blocks::write_site(*software, &self.names, &lines.place);
            steps.extend(site);
        }
        if *tls == TlsSupport::ModuleMissing {
            steps.insert(0, server_blocks::enable_tls_module());
        }
        steps
    }

    /// Returns the command that enables an existing site.
    #[must_use]
    pub(crate) fn enable_command(&self) -> Option<String> {
        match &self.reason {
            UnservedReason::Disabled {
                software,
                site,
                enabled,
            } => Some(server_blocks::enable_site_command(*software, site, enabled)),
            UnservedReason::Absent { .. }
            | UnservedReason::Elsewhere { .. }
            | UnservedReason::Unknown => None,
        }
    }
}

impl BlockWriter {
    fn find(situation: &PreflightState) -> Self {
        let is_usual = situation.settings.server_config.is_none()
            && situation.settings.server_configs.is_empty()
            && situation.layout.root() == Path::new("/");
        if is_usual { Self::Certctl } else { Self::User }
    }
}

impl UnservedReason {
    fn find(server_use: &ServerUse, names: &[DnsName]) -> Self {
        let observed = &server_use.observed;
        let (Some(software), Some(observation)) = (observed.software(), &observed.observation)
        else {
            return Self::Unknown;
        };
        if !server_use.blocks_elsewhere.is_empty() {
            let blocks = server_use.blocks_elsewhere.clone();
            return Self::Elsewhere { software, blocks };
        }
        let mut disabled = observed.disabled_sites().iter();
        match disabled.find(|site| site.mentions_any(&server_use.links)) {
            Some(site) => Self::Disabled {
                software,
                site: site.path.clone(),
                enabled: site.enabled.clone(),
            },
            None => Self::Absent {
                software,
                tls: observation.tls_support(),
                lines: lines_to_add(server_use, observation, names),
            },
        }
    }
}

fn lines_to_add(
    server_use: &ServerUse,
    observation: &ServerObservation,
    names: &[DnsName],
) -> LinesToAdd {
    let plain_site = observation.plain_site(names);
    let unserved = UnservedNames {
        config: &observation.config,
        names,
        links: &server_use.links,
        ipv6: observation.ipv6,
        plain_site: plain_site.as_ref(),
    };
    unserved.lines_to_add()
}
