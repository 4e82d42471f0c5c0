//! The check of one file: its chain as a server would send it, and its key and request.

use super::criteria::{VerifiedCertificate, VerifyCriteria};
use crate::advice::matching::{served_fault_finding, trust_root_of_archive, use_found_root};
use crate::finding::{Finding, Severity};
use crate::inputs::ServedCertificates;
use crate::matching::{self, KeyCandidates, MatchingRemark, NamedKeys, PresentedFiles};
use crate::pki::chain::Chain;
use crate::pki::verify;

/// What one file is checked with.
pub(super) struct FileCheck<'a> {
    pub certificates: &'a ServedCertificates,
    pub keyring: &'a KeyCandidates,
    pub criteria: VerifyCriteria<'a>,
    /// The `certctl bundle` command that writes a correct file from the arguments.
    pub bundle_words: &'a [String],
}

impl FileCheck<'_> {
    pub(super) fn verify(&self) -> VerifiedCertificate {
        let ServedCertificates {
            file_name: file,
            served,
            leaf,
            bag,
            ..
        } = self.certificates;
        let chain_criteria = self.criteria.chain_criteria();
        let mut chain = verify::assemble_chain(leaf, bag, chain_criteria).chain;
        let issuer = self.keyring.issuer_in_directory(&chain, self.bundle_words);
        if let Some(root) = self.keyring.root_in_directory(&chain) {
            // The chain is complete, and its root is not trusted.
            let with_root = [bag, std::slice::from_ref(root)].concat();
            chain = verify::assemble_chain(leaf, &with_root, chain_criteria).chain;
        }
        let mut findings = self.key_findings();
        findings.extend(self.layout_findings(&chain));
        findings.extend(self.criteria.findings(&chain, served, bag));
        findings.extend(issuer.iter().map(Finding::from));
        findings.extend(self.unissued_request_finding());
        use_found_root(&mut findings);
        trust_root_of_archive(&mut findings, issuer.as_ref());
        let verified = self.criteria.verified(file.clone(), chain, findings);
        VerifiedCertificate {
            key_path: self
                .keyring
                .find_key(leaf)
                .filter(|key| matching::find_key_mismatch(leaf, key).is_none())
                .map(|key| key.path.clone()),
            ..verified
        }
    }

    /// Returns findings about how servers load the file, and about its order.
    fn layout_findings(&self, chain: &Chain) -> Vec<Finding> {
        let ServedCertificates {
            file_name,
            delivery,
            loaded,
            served,
            ..
        } = self.certificates;
        let files = PresentedFiles {
            name: file_name,
            delivery,
            loaded,
            served,
        };
        let faults = matching::find_served_faults(&files, chain);
        faults
            .iter()
            .map(|fault| served_fault_finding(fault, self.bundle_words))
            .collect()
    }

    /// Returns findings about a key that does not match or is missing.
    fn key_findings(&self) -> Vec<Finding> {
        let leaf = &self.certificates.leaf;
        let key = self.keyring.find_key(leaf);
        let wrong_key = key.and_then(|key| matching::find_key_mismatch(leaf, key));
        let mut findings: Vec<Finding> = wrong_key.iter().map(Finding::from).collect();
        findings.extend(self.keyring.find_mismatch(leaf).iter().map(Finding::from));
        if key.is_none() && self.keyring.find_refused_key(leaf).is_some() {
            let remark = self.keyring.missing_key_remark(leaf);
            findings.push(Finding::from(&remark));
        } else if let (None, Some(request)) = (key, self.keyring.find_request(leaf)) {
            let remark = MatchingRemark::OnlyRequest {
                label: leaf.label(),
                request: request.file.path.clone(),
                searched_places: self.keyring.describe_search(),
            };
            findings.push(Finding::from(&remark));
        }
        let has_request = self.keyring.find_request(leaf).is_some();
        if self.keyring.named_option != NamedKeys::Key && !has_request {
            // No key was asked for: that none is here is no fault of the certificate.
            let missing = findings.iter_mut().filter(|one| one.code == "key-missing");
            missing.for_each(|finding| finding.severity = Severity::Note);
        }
        findings
    }

    /// Reports names that were requested and are not in the certificate.
    fn unissued_request_finding(&self) -> Option<Finding> {
        let leaf = &self.certificates.leaf;
        let request = self.keyring.find_request(leaf)?;
        let remark =
            matching::find_names_not_issued(leaf, &request.file.value, &request.file.path)?;
        Some(Finding::from(&remark))
    }
}
