//! Finds the issuer that a chain lacks, and the untrusted root that it leads to, in the directory and
//! in the files that were passed.

use std::path::Path;

use super::held_file::HeldFile;
use super::keyring::KeyCandidates;
use super::remark::MatchingRemark;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd};

impl KeyCandidates {
    /// Returns a remark if the directory contains the issuer that `chain` lacks, or if the root that
    /// it leads to is in a file that `--trust` can name.
    #[must_use]
    pub(crate) fn issuer_in_directory(
        &self,
        chain: &Chain,
        bundle: &[String],
    ) -> Option<MatchingRemark> {
        if let ChainEnd::UnknownRoot(_) = chain.end() {
            return match self.find_untrusted_root(chain) {
                Some((path, root)) => Some(root_found(root, path)),
                None => self.root_with_key(chain),
            };
        }
        let (file, signer) = self.signer_here(chain)?;
        if signer.is_self_issued() {
            return Some(root_found(signer, &file.path));
        }
        Some(MatchingRemark::IssuerInDirectory {
            path: file.path.clone(),
            bundle: bundle.to_vec(),
        })
    }

    /// Returns the root in the directory that signed the last certificate of `chain`, if the chain
    /// has none.
    #[must_use]
    pub(crate) fn root_in_directory(&self, chain: &Chain) -> Option<&Certificate> {
        self.signer_here(chain)
            .map(|(_, signer)| signer)
            .filter(|signer| signer.is_self_issued())
    }

    /// Returns the file in the directory that contains the issuer that `chain` lacks, and the
    /// issuer.
    fn signer_here(&self, chain: &Chain) -> Option<(&HeldFile<Vec<Certificate>>, &Certificate)> {
        if !matches!(chain.end(), ChainEnd::Gap { .. }) {
            return None;
        }
        let last = chain.certificates().last()?;
        self.find_signer_here(|one| last.is_signed_by(one))
    }

    /// Returns the certificate of the directory for which `is_signer` is true, and its file: of
    /// several, the one with the fewest server certificates.
    fn find_signer_here(
        &self,
        is_signer: impl Fn(&Certificate) -> bool,
    ) -> Option<(&HeldFile<Vec<Certificate>>, &Certificate)> {
        let signers = self.directory.certificates.iter().filter_map(|file| {
            let mut certificates = file.value.iter();
            let signer = certificates.find(|one| {
                let is_authority = !one.is_server_certificate();
                is_authority && is_signer(one)
            })?;
            Some((file, signer))
        });
        signers.min_by_key(|(file, _)| count_server_certificates(file))
    }

    /// Returns the root that signed the last certificate of `chain`, if only a PKCS#12 file has it.
    fn root_with_key(&self, chain: &Chain) -> Option<MatchingRemark> {
        let last = chain.certificates().last()?;
        let mut roots = self.roots_with_keys.iter();
        let file = roots.find(|file| last.is_signed_by(&file.value))?;
        Some(MatchingRemark::RootInKeyFile {
            label: file.value.label(),
            path: file.path.clone(),
        })
    }

    /// Returns the root that signed the last certificate of `chain`, and its file: one of the
    /// directory, else one that was passed, such as a zip.
    fn find_untrusted_root(&self, chain: &Chain) -> Option<(&Path, &Certificate)> {
        let last = chain.certificates().last()?;
        let is_root = |one: &Certificate| one.is_self_issued() && last.is_signed_by(one);
        let here = self.find_signer_here(is_root);
        if let Some((file, root)) = here
            && count_server_certificates(file) == 0
        {
            return Some((&file.path, root));
        }
        for file in &self.delivered_roots {
            if is_root(&file.value) {
                return Some((&file.path, &file.value));
            }
        }
        let (file, root) = here?;
        Some((&file.path, root))
    }
}

fn root_found(root: &Certificate, path: &Path) -> MatchingRemark {
    MatchingRemark::RootInDirectory {
        label: root.label(),
        path: path.to_owned(),
    }
}

fn count_server_certificates(file: &HeldFile<Vec<Certificate>>) -> usize {
    let certificates = file.value.iter();
    certificates
        .filter(|one| one.is_server_certificate())
        .count()
}
