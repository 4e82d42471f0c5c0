//! Finds the file with the root of a company's own CA that a certificate leads to.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::held_file::HeldFile;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{ChainCriteria, ChainEnd, ChainPreference};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify;

/// The CA certificates of several files.
#[derive(Debug, Default)]
pub(crate) struct PrivateRoots {
    authorities: Vec<Certificate>,
    known: HashSet<Fingerprint>,
    /// The roots that Mozilla's list does not have, and their files. The files with nothing but CA
    /// certificates come first.
    roots: Vec<HeldFile<Certificate>>,
    /// How many of the roots are in such files.
    clean_count: usize,
}

impl PrivateRoots {
    /// Adds the CA certificates of a file.
    pub(crate) fn add_file<'c>(
        &mut self,
        path: &Path,
        certificates: impl Iterator<Item = &'c Certificate> + Clone,
    ) {
        let has_leaf = certificates.clone().any(|one| !one.is_ca);
        for certificate in certificates {
            if !certificate.is_ca {
                continue;
            }
            let is_new = self.known.insert(certificate.fingerprint);
            if is_new {
                let authority = certificate.clone();
                self.authorities.push(authority);
            }
            if !is_private_root(certificate) {
                continue;
            }
            let held = HeldFile {
                path: path.to_owned(),
                value: certificate.clone(),
            };
            if has_leaf {
                self.roots.push(held);
            } else {
                self.roots.insert(self.clean_count, held);
                self.clean_count += 1;
            }
        }
    }

    /// Returns the file with the root that `leaf` leads to; `None` if Mozilla's list has a root for
    /// it, or no file has one.
    #[must_use]
    pub(crate) fn find(&self, leaf: &Certificate, at: Timestamp) -> Option<&Path> {
        let held = self.find_root(leaf, at)?;
        Some(&held.path)
    }

    /// Returns the root that `leaf` leads to, with its file, under the same conditions.
    #[must_use]
    pub(crate) fn find_root(
        &self,
        leaf: &Certificate,
        at: Timestamp,
    ) -> Option<&HeldFile<Certificate>> {
        if self.roots.is_empty() {
            return None;
        }

        let mozilla = TrustAnchors::mozilla();
        let criteria = ChainCriteria {
            anchors: &mozilla,
            at,
            prefer: ChainPreference::Compatible,
        };
        let chain = verify::assemble_chain(leaf, &self.authorities, criteria).chain;
        if !matches!(chain.end(), ChainEnd::UnknownRoot(_)) {
            return None;
        }
        let last = chain.certificates().last()?;
        let mut roots = self.roots.iter();
        roots.find(|held| last.is_signed_by(&held.value))
    }
}

/// Returns whether it is a root that Mozilla's list does not have.
fn is_private_root(certificate: &Certificate) -> bool {
    if !certificate.is_self_issued() {
        return false;
    }
    let mozilla = TrustAnchors::mozilla();
    let subject = certificate.subject_der();
    !mozilla.has_name(subject, certificate.key_id)
}
