//! Certificates: what is served, what the server's files have, and what else this machine has.

use std::path::{Path, PathBuf};

use crate::advice::doctor_command::CERTBOT_LIVE;
use crate::context::Context;
use crate::diagnosis::{AvailableCertificate, DiskCertificate, ServedChain};
use crate::inputs;
use crate::inputs::folder::read_file;
use crate::install::installed;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{ChainCriteria, ChainPreference};
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{self, ChainProblem, VerifyPolicy};
use crate::probe::TlsHandshake;
use crate::store::layout::ReleaseFile;
use crate::system::fs::files;
use crate::webserver::model::{ConfigBlock, ServerConfig};

/// How many certificates of certbot are read.
const CERTBOT_LIMIT: usize = 1000;

/// Judges chains as clients do: with the roots of Mozilla, of this machine, and those that the
/// certificate was installed with.
pub(super) struct DiskReader<'a> {
    context: &'a Context,
    name: &'a DnsName,
    hosts: Vec<String>,
    anchors: Vec<TrustAnchors>,
}

impl<'a> DiskReader<'a> {
    pub(super) fn new(context: &'a Context, name: &'a DnsName) -> Self {
        let mut anchors = vec![TrustAnchors::mozilla()];
        anchors.extend(inputs::trust_anchors(Some("system")).ok());
        anchors.extend(installed_anchors(context, name));
        Self {
            context,
            name,
            hosts: vec![name.as_str().to_owned()],
            anchors,
        }
    }

    /// Judges a chain by the roots that have the least against it.
    fn judge(&self, chain: &[Certificate]) -> Option<JudgedChain> {
        let leaf = chain.first()?;
        let mut best: Option<JudgedChain> = None;
        for anchors in &self.anchors {
            let criteria = ChainCriteria {
                anchors,
                at: self.context.now(),
                prefer: ChainPreference::default(),
            };
            let assembled = verify::assemble_chain(leaf, chain, criteria).chain;
            let policy = VerifyPolicy {
                hosts: &self.hosts,
                anchors,
                at: self.context.now(),
            };
            let judged = JudgedChain {
                problems: verify::find_problems(&assembled, policy),
                trust_flags: inputs::trust_flags(anchors),
            };
            let is_better = best
                .as_ref()
                .is_none_or(|best| judged.problems.len() < best.problems.len());
            if is_better {
                best = Some(judged);
            }
        }
        best
    }

    /// Judges what a server sends.
    pub(super) fn served(&self, handshake: &TlsHandshake) -> Option<ServedChain> {
        let mut chain = Vec::new();
        for der in &handshake.chain {
            chain.extend(Certificate::from_der(der).ok());
        }
        let leaf = chain.first()?;
        Some(ServedChain {
            fingerprint: leaf.fingerprint,
            not_after: leaf.not_after,
            problems: self.judge(&chain)?.problems,
        })
    }

    /// Reads and judges the certificate in a file that a server names.
    pub(super) fn read(&self, path: &Path) -> Option<DiskCertificate> {
        let chain = read_file(path).ok()?.clone_certificates();
        let leaf = chain.first()?;
        Some(DiskCertificate {
            path: path.to_owned(),
            fingerprint: leaf.fingerprint,
            not_after: leaf.not_after,
            problems: self.judge(&chain)?.problems,
        })
    }

    /// Finds the valid certificate for the name that expires last: among those that certctl has
    /// installed, those of certbot, and those that the servers' configurations name.
    pub(super) fn find_available(&self, configs: &[&ServerConfig]) -> Option<AvailableCertificate> {
        let mut best: Option<AvailableCertificate> = None;
        for pair in self.candidates(configs) {
            let Some(found) = self.check(pair) else {
                continue;
            };
            let is_better = best
                .as_ref()
                .is_none_or(|best| found.not_after > best.not_after);
            if is_better {
                best = Some(found);
            }
        }
        best
    }

    fn check(&self, pair: CertificatePaths) -> Option<AvailableCertificate> {
        let chain = read_file(&pair.chain).ok()?.clone_certificates();
        let leaf = chain.first()?;
        if !leaf.covers(self.name.as_str()) || !files::exists(&pair.key) {
            return None;
        }
        let judged = self.judge(&chain)?;
        judged.problems.is_empty().then_some(AvailableCertificate {
            chain_path: pair.chain,
            key_path: pair.key,
            fingerprint: leaf.fingerprint,
            not_after: leaf.not_after,
            trust_flags: judged.trust_flags,
        })
    }

    fn candidates(&self, configs: &[&ServerConfig]) -> Vec<CertificatePaths> {
        let mut found = Vec::new();
        for live in installed::list_live_files(self.context).unwrap_or_default() {
            if let Some(key) = live.key_path {
                found.push(CertificatePaths {
                    chain: live.chain_path,
                    key,
                });
            }
        }
        let certbot = files::entries(Path::new(CERTBOT_LIVE), CERTBOT_LIMIT);
        for folder in certbot.unwrap_or_default() {
            found.push(CertificatePaths {
                chain: folder.join("fullchain.pem"),
                key: folder.join("privkey.pem"),
            });
        }
        for config in configs {
            for block in config.blocks() {
                let files = block.certificates.iter().flat_map(|one| &one.files);
                let mut keys = files.filter(|(piece, _)| piece.is_secret());
                let key = keys.next().and_then(|(_, path)| path.file());
                if let Some(chain) = chain_file(block)
                    && let Some(key) = key
                {
                    found.push(CertificatePaths {
                        chain,
                        key: key.to_owned(),
                    });
                }
            }
        }
        found
    }
}

/// The problems of a chain, and the options that name the roots it was judged by.
struct JudgedChain {
    problems: Vec<ChainProblem>,
    trust_flags: Vec<String>,
}

/// The files of a certificate and its key.
struct CertificatePaths {
    chain: PathBuf,
    key: PathBuf,
}

/// The name in /etc/ssl of the certificate that certctl has installed for a site.
pub(super) fn find_managed(context: &Context, name: &DnsName) -> Option<String> {
    installed::find_named(context, "doctor", Some(name.as_str())).ok()
}

/// The roots with which the certificate for the name was installed.
fn installed_anchors(context: &Context, name: &DnsName) -> Option<TrustAnchors> {
    let stem = find_managed(context, name)?;
    let settings = installed::read_settings(context, &stem).ok()?;
    inputs::trust_anchors(Some(settings.trust.as_deref()?)).ok()
}

/// The file with the certificate of a block.
pub(super) fn chain_file(block: &ConfigBlock) -> Option<PathBuf> {
    let files = block.certificates.iter().flat_map(|one| &one.files);
    let mut chains = files.filter(|(piece, _)| *piece != ReleaseFile::Key);
    let (_, path) = chains.next()?;
    path.file().map(PathBuf::from)
}
