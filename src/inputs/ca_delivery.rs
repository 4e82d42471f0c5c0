//! From the files of a CA to certificates with their chains, keys and requests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::sources::PassedArguments;
use super::{aia, sources, trust};
use crate::advice::pki::lint_finding;
use crate::context::Context;
use crate::delivery::{CaDelivery, UnusedContent};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::inputs::reader::InputReader;
use crate::matching::{
    self, HeldFile, KeyCandidates, LeafCandidates, LeafChoice, MatchingError, MatchingRemark,
    NamedKeys, not_issued,
};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::mismatch;
use crate::pki::chain::{
    AssembledChain, Chain, ChainCriteria, ChainEnd, ChainPreference, OmissionReason,
};
use crate::pki::key::PrivateKey;
use crate::pki::lint::{self, RetiredCertificate};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{self, ChainProblem, VerifyPolicy};
use crate::system::http::NetworkReach;

/// What a key is for: whether it is worth a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyUse {
    /// To tell which certificate is meant: a request does as well.
    Comparing,
    /// To be given to a server.
    Installing,
}

/// Where the key of a pair was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyLocation {
    /// In a file of its own; or it was not found.
    Own,
    /// In what the certificate came in.
    Sent,
    Both,
}

impl KeyLocation {
    fn of(key: &HeldFile<PrivateKey>, keyring: &KeyCandidates) -> Self {
        let sent: Vec<_> = keyring
            .sent
            .iter()
            .filter(|sent| sent.value == key.value.id())
            .collect();
        match sent.iter().any(|sent| sent.path == key.path) {
            true => Self::Sent,
            false if sent.is_empty() => Self::Own,
            false => Self::Both,
        }
    }
}

/// How a pair is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryOptions<'a> {
    /// `--key`: this key and no other.
    pub key: Option<&'a Path>,
    /// `--csr`: this request and no other.
    pub csr: Option<&'a Path>,
    /// What chains lead to.
    pub anchors: &'a TrustAnchors,
    /// `--prefer`: which way they take.
    pub prefer: ChainPreference,
    /// `--aia`: from where issuers that are missing are fetched.
    pub aia: Option<NetworkReach>,
    /// What reads the files.
    pub reading: &'a InputReader,
    /// What a key is for.
    pub key_use: KeyUse,
}

/// One certificate with its chain, its key and its request as far as they are here.
#[derive(Debug)]
pub(crate) struct MatchedCertificate {
    /// The chain and what was not needed for it.
    pub assembly: AssembledChain,
    /// The key and its file: the one that fits, or the one of
    /// `--key`, which may not ([`MatchedCertificate::problems`] says so).
    pub key: Option<(PathBuf, PrivateKey)>,
    /// For those who cannot do without the key: why it is not there.
    pub no_key: Option<MatchingRemark>,
    /// Whether its key came with it, in what was passed.
    pub key_place: KeyLocation,
    /// The request with the leaf's key and its file.
    pub request: Option<(PathBuf, SigningRequest)>,
    /// What was mended, left out, or does not fit; an error among them makes the verdict negative.
    pub findings: Vec<Finding>,
    /// What its files in the directory are called: the request's stem (`example.com-2`), else the
    /// first DNS name.
    pub stem: String,
    /// Where keys and requests were looked for, in words.
    pub looked: String,
}

impl MatchedCertificate {
    /// The leaf.
    #[must_use]
    pub(crate) fn leaf(&self) -> &Certificate {
        self.assembly.chain.leaf()
    }

    /// Everything that is wrong with key and chain under `policy`.
    #[must_use]
    pub(crate) fn problems(&self, policy: VerifyPolicy<'_>) -> Vec<ChainProblem> {
        let key = self
            .key
            .as_ref()
            .and_then(|(_, key)| mismatch(self.leaf(), key));
        key.into_iter()
            .chain(verify::problems(&self.assembly.chain, policy))
            .collect()
    }
}

/// Chooses the pairs that `files` (paths, names known in the directory, `-`) hold; without any,
/// those of the directory. All files are one bag; each leaf that a key or a request here fits is
/// one pair.
///
/// # Errors
/// Files that cannot be read, hold no certificate, or several with nothing to choose by.
pub(crate) fn take(
    context: &Context,
    files: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<Vec<MatchedCertificate>, Failure> {
    take_beside(context, FolderContents::read(context)?, files, options)
}

/// The same, where the contents of the working directory are known already.
///
/// # Errors
/// As [`take`].
pub(crate) fn take_beside(
    context: &Context,
    here: FolderContents,
    files: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<Vec<MatchedCertificate>, Failure> {
    let passed = sources::arguments(files, &here)?;
    let has_files = !passed.inputs.is_empty();
    let mut delivery = options.reading.open(&passed.inputs)?;
    let certificates = certificates_to_match(&passed, &delivery, &here)?;
    let candidates = LeafCandidates::new(
        &certificates,
        has_files.then_some(&delivery),
        &passed.names,
        context.now(),
    );
    if certificates.is_empty() || candidates.leaves.is_empty() && !has_files {
        let name = passed.names.first().map(|name| name.as_str().to_owned());
        return Err(MatchingError::NothingHere {
            directory: here.in_words(),
            name,
        }
        .into());
    }
    let mut keyring = sources::keyring(
        options.reading,
        options.key,
        options.csr,
        &mut delivery,
        here,
    )?;
    unlock(&mut keyring, &mut delivery, &candidates, options)?;
    let choice = matching::choose(&candidates, &certificates, &keyring)?;
    let bundle = trust::bundle_again(context, files, options.anchors);
    let bag = Bag::new(&certificates, &choice.leaves);
    let criteria = ChainCriteria {
        anchors: options.anchors,
        at: context.now(),
        prefer: options.prefer,
    };
    let mut matcher = CertificateMatcher {
        context,
        options,
        criteria,
        authorities: &bag.authorities,
        keyring: &mut keyring,
        bundle: &bundle,
    };
    let mut matched = Vec::new();
    for leaf in &choice.leaves {
        matched.push(matcher.match_leaf(leaf)?);
    }
    let findings = delivery_findings(&matched, &choice, bag, &delivery);
    if let Some(first) = matched.first_mut() {
        first.findings.extend(findings);
    }
    Ok(matched)
}

/// The certificates among which leaves are chosen: those of the files that were passed, and those of
/// the working directory where names or nothing was passed.
fn certificates_to_match(
    passed: &PassedArguments,
    delivery: &CaDelivery,
    here: &FolderContents,
) -> Result<Vec<Certificate>, Failure> {
    if passed.inputs.is_empty() || !passed.names.is_empty() {
        return Ok([delivery.bag(), sources::all_certificates(here)].concat());
    }
    if delivery.certificates.is_empty() {
        return Err(sources::no_certificate(delivery));
    }
    Ok(delivery.bag())
}

/// What chains may be made of.
struct Bag {
    /// Each CA certificate once: other sites' certificates are no part of any chain.
    authorities: Vec<Certificate>,
    /// The labels of certificates that are there more than once.
    duplicates: Vec<String>,
}

impl Bag {
    fn new(all: &[Certificate], leaves: &[&Certificate]) -> Self {
        let leaves: HashSet<_> = leaves.iter().map(|leaf| leaf.fingerprint).collect();
        let mut seen = HashSet::new();
        let mut authorities = Vec::new();
        let mut duplicates = Vec::new();
        for certificate in all {
            let is_leaf = leaves.contains(&certificate.fingerprint);
            if certificate.is_site() && !is_leaf {
                continue;
            }
            if !seen.insert(certificate.fingerprint) {
                duplicates.push(certificate.label());
            } else if !is_leaf {
                authorities.push(certificate.clone());
            }
        }
        Self {
            authorities,
            duplicates,
        }
    }
}

/// Opens encrypted keys, unless the keys that are known already suffice for `candidates`.
fn unlock(
    keyring: &mut KeyCandidates,
    delivery: &mut CaDelivery,
    candidates: &LeafCandidates<'_>,
    options: &DeliveryOptions<'_>,
) -> Result<(), Failure> {
    let is_request_named = keyring.named == NamedKeys::Request;
    if is_request_named || has_enough_keys(keyring, candidates, options.key_use) {
        return Ok(());
    }
    let (keys, error) = options.reading.keys(&keyring.locked)?;
    let is_unlocked = |path: &Path| keys.iter().any(|key| key.path == path);
    keyring.shut = error.filter(|_| keys.is_empty());
    keyring
        .decrypted
        .extend(keys.iter().map(|key| key.value.id()));
    keyring.locked.retain(|held| !is_unlocked(&held.path));
    delivery.ignored.retain(|ignored| {
        ignored.what != UnusedContent::EncryptedKey
            || !is_unlocked(Path::new(&ignored.source.input))
    });
    keyring.keys.extend(keys);
    Ok(())
}

/// Whether no password is needed: to compare, a request or a key that fits one leaf is enough; to
/// install, each leaf with a request here needs its key.
fn has_enough_keys(
    keyring: &KeyCandidates,
    candidates: &LeafCandidates<'_>,
    key_use: KeyUse,
) -> bool {
    let mut leaves = candidates.leaves.iter();
    match key_use {
        KeyUse::Comparing => leaves.any(|leaf| keyring.fits(leaf.key_id)),
        KeyUse::Installing => {
            let has_one_key = leaves.any(|leaf| keyring.has_key(leaf.key_id));
            let mut leaves = candidates.leaves.iter();
            has_one_key
                && leaves.all(|leaf| keyring.has_key(leaf.key_id) || !keyring.fits(leaf.key_id))
        }
    }
}

/// Finds the chain, the key and the request of each leaf.
struct CertificateMatcher<'a> {
    context: &'a Context,
    options: &'a DeliveryOptions<'a>,
    criteria: ChainCriteria<'a>,
    /// The CA certificates that chains may be made of.
    authorities: &'a [Certificate],
    keyring: &'a mut KeyCandidates,
    /// The `certctl bundle` command line for what was passed.
    bundle: &'a [String],
}

impl CertificateMatcher<'_> {
    fn match_leaf(&mut self, leaf: &Certificate) -> Result<MatchedCertificate, Failure> {
        let assembly = verify::assemble(leaf, self.authorities, self.criteria);
        let mut remarks = Vec::new();
        if leaf.is_site() {
            remarks.extend(self.keyring.judge(leaf));
        }
        remarks.extend(self.keyring.issuer_here(&assembly.chain, self.bundle));
        let assembly = self.with_root_here(assembly);
        let (assembly, fetched) = self.with_fetched_issuers(assembly)?;
        let no_key = match self.keyring.key_of(leaf) {
            Some(_) => None,
            None => Some(self.keyring.no_key(leaf)),
        };
        let key = self.keyring.take_key(leaf);
        let key_place = match &key {
            Some(key) => KeyLocation::of(key, self.keyring),
            None => KeyLocation::Own,
        };
        remarks.extend(key.iter().flat_map(|key| self.key_remarks(key)));
        let request = self.keyring.take_request(leaf);
        remarks.extend(
            request
                .as_ref()
                .and_then(|request| not_issued(leaf, &request.held.value, &request.held.path)),
        );
        let mut findings: Vec<Finding> = remarks.iter().map(Finding::from).collect();
        findings.extend(self.chain_findings(&assembly.chain, fetched));
        let stem = request
            .as_ref()
            .and_then(|request| request.stem.clone())
            .unwrap_or_else(|| stem_of(leaf));
        Ok(MatchedCertificate {
            assembly,
            key: key.map(path_and_value),
            no_key,
            key_place,
            request: request.map(|request| path_and_value(request.held)),
            findings,
            stem,
            looked: self.keyring.looked(),
        })
    }

    /// The chain with its root, where that is in the working directory: then nothing is missing, and
    /// the root is not trusted.
    fn with_root_here(&self, assembly: AssembledChain) -> AssembledChain {
        let Some(root) = self.keyring.root_here(&assembly.chain) else {
            return assembly;
        };
        let bag = [self.authorities, std::slice::from_ref(root)].concat();
        let chain = verify::assemble(assembly.chain.leaf(), &bag, self.criteria).chain;
        AssembledChain { chain, ..assembly }
    }

    /// The chain with the issuers that `--aia` fetches, and what it reports.
    fn with_fetched_issuers(
        &self,
        assembly: AssembledChain,
    ) -> Result<(AssembledChain, Vec<Finding>), Failure> {
        let Some(reach) = self.options.aia else {
            return Ok((assembly, Vec::new()));
        };
        let fetching = aia::AiaFetch {
            reach,
            interrupt: &self.context.interrupt,
        };
        aia::complete(assembly, self.authorities, self.criteria, fetching)
    }

    /// That the key needed a password, or came with the certificate.
    fn key_remarks(&self, key: &HeldFile<PrivateKey>) -> Vec<MatchingRemark> {
        let id = key.value.id();
        let mut remarks = Vec::new();
        if self.options.key_use == KeyUse::Installing && self.keyring.decrypted.contains(&id) {
            remarks.push(MatchingRemark::KeyDecrypted {
                path: key.path.clone(),
            });
        }
        let sent = self.keyring.sent.iter().find(|sent| sent.value == id);
        remarks.extend(sent.map(|sent| MatchingRemark::KeySent {
            path: sent.path.clone(),
        }));
        remarks
    }

    /// The rules that the chain breaks, what `--aia` fetched, and what another trust store says.
    fn chain_findings(&self, chain: &Chain, fetched: Vec<Finding>) -> Vec<Finding> {
        let scope = self.options.anchors.source().scope();
        let mut findings: Vec<Finding> = lint::lints(chain)
            .iter()
            .map(|lint| lint_finding(lint, scope))
            .collect();
        findings.extend(fetched);
        let other = trust::second_opinion(chain, self.authorities, self.criteria);
        findings.extend(other);
        findings
    }
}

fn path_and_value<T>(held: HeldFile<T>) -> (PathBuf, T) {
    (held.path, held.value)
}

/// The first DNS name of `leaf` that is one, as a file name: foreign text becomes part of a path
/// only as a checked A-label.
#[must_use]
pub(crate) fn stem_of(leaf: &Certificate) -> String {
    let name = leaf
        .dns_names
        .iter()
        .find_map(|name| DnsName::presented(name));
    name.map_or_else(|| "certificate".to_owned(), |name| name.file_stem())
}

/// Findings about the files as a whole; they are reported once, with the first certificate.
fn delivery_findings(
    matched: &[MatchedCertificate],
    choice: &LeafChoice<'_>,
    bag: Bag,
    delivery: &CaDelivery,
) -> Vec<Finding> {
    let unused = unused_authorities(matched, &bag.authorities);
    let outdated: Vec<RetiredCertificate> = unused
        .iter()
        .filter_map(|certificate| lint::outdated(certificate))
        .collect();
    let mut remarks = omissions(unused, bag.duplicates);
    remarks.extend(other_leaves(choice));
    let mut findings: Vec<Finding> = remarks.iter().map(Finding::from).collect();
    // Omitted already: worth knowing, nothing to do.
    findings.extend(
        outdated
            .iter()
            .map(|retired| Finding::note("outdated-ca", retired.to_string())),
    );
    let is_incomplete = matched
        .iter()
        .any(|one| matches!(one.assembly.chain.end(), ChainEnd::Gap { .. }));
    for finding in sources::findings_of(delivery) {
        findings.push(if is_incomplete {
            sources::blamed(finding)
        } else {
            finding
        });
    }
    findings
}

/// The CA certificates that no chain contains.
fn unused_authorities<'c>(
    matched: &[MatchedCertificate],
    authorities: &'c [Certificate],
) -> Vec<&'c Certificate> {
    let used: HashSet<_> = matched
        .iter()
        .flat_map(|one| one.assembly.chain.certificates())
        .map(|certificate| certificate.fingerprint)
        .collect();
    authorities
        .iter()
        .filter(|certificate| !used.contains(&certificate.fingerprint))
        .collect()
}

/// Why certificates are in no chain: roots, unrelated ones and duplicates.
fn omissions(unused: Vec<&Certificate>, duplicates: Vec<String>) -> Vec<MatchingRemark> {
    let (roots, unrelated): (Vec<_>, Vec<_>) = unused
        .into_iter()
        .partition(|certificate| certificate.is_self_issued());
    let roots = roots.into_iter().map(Certificate::label).collect();
    let unrelated = unrelated.into_iter().map(Certificate::label).collect();
    let remarks = [
        omission(roots, OmissionReason::Root),
        omission(unrelated, OmissionReason::Unrelated),
        omission(duplicates, OmissionReason::Duplicate),
    ];
    remarks.into_iter().flatten().collect()
}

fn omission(mut labels: Vec<String>, why: OmissionReason) -> Option<MatchingRemark> {
    if labels.is_empty() {
        return None;
    }
    labels.sort();
    labels.dedup();
    Some(MatchingRemark::LeftOut { labels, why })
}

/// Leaves that were not chosen: older ones, and those that no key or request here fits.
fn other_leaves(choice: &LeafChoice<'_>) -> Vec<MatchingRemark> {
    let mut remarks = Vec::new();
    if !choice.older.is_empty() {
        remarks.push(MatchingRemark::Older {
            labels: labels_with_expiry(&choice.older),
        });
    }
    if !choice.unfitted.is_empty() {
        remarks.push(MatchingRemark::NotOurs {
            labels: labels_with_expiry(&choice.unfitted),
        });
    }
    remarks
}

fn labels_with_expiry(leaves: &[&Certificate]) -> Vec<String> {
    leaves
        .iter()
        .map(|leaf| format!("{} (until {})", leaf.label(), leaf.not_after))
        .collect()
}
