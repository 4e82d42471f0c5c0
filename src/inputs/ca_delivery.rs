//! Finds the certificates in the files from a CA, with their chains, keys and requests.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::delivery_findings::{CaCandidates, delivery_findings};
use super::key_files::NamedKeyOrigin;
use super::key_use::{KeyLocation, KeyUse};
use super::sources::{NamedFiles, PassedArguments, PassedKeys};
use super::{aia, sources, trust};
use crate::advice::pki::{lint_finding, strict_refusal_finding};
use crate::context::Context;
use crate::delivery::{CaDelivery, DecryptError, EncryptedKey, UnusedContent};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::inputs::reader::InputReader;
use crate::matching::key_trust::TrustedKeyFile;
use crate::matching::{
    self, HeldFile, HeldRequest, KeyCandidates, LeafCandidates, MatchingError, MatchingRemark,
    NamedKeys, find_names_not_issued,
};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::find_key_problem;
use crate::pki::chain::{AssembledChain, Chain, ChainCriteria, ChainPreference};
use crate::pki::key::PrivateKey;
use crate::pki::lint;
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{self, ChainProblem, VerifyPolicy};
use crate::system::http::NetworkReach;
use crate::system::signals::InterruptSignal;

/// The options for choosing certificates, chains and keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryOptions<'a> {
    /// `--key`: use only this key.
    pub key: Option<&'a Path>,
    /// Who named that key.
    pub key_origin: NamedKeyOrigin,
    /// `--csr`: use only this request.
    pub csr: Option<&'a Path>,
    /// The trust anchors.
    pub anchors: &'a TrustAnchors,
    /// `--prefer`: which chain to use if several are possible.
    pub prefer: ChainPreference,
    /// `--aia`: the networks from which missing issuers may be fetched.
    pub aia: Option<NetworkReach>,
    /// Reads the files.
    pub reader: &'a InputReader,
    /// What the key is needed for.
    pub key_use: KeyUse,
}

impl<'a> DeliveryOptions<'a> {
    fn named_files(&self) -> NamedFiles<'a> {
        NamedFiles {
            key: self.key,
            key_origin: self.key_origin,
            csr: self.csr,
        }
    }

    fn criteria(&self, context: &Context) -> ChainCriteria<'a> {
        ChainCriteria {
            anchors: self.anchors,
            at: context.now(),
            prefer: self.prefer,
        }
    }
}

/// One certificate with its chain, its key and its request, as far as they were found.
#[derive(Debug)]
pub(crate) struct MatchedCertificate {
    /// The chain, and the certificates that are not part of it.
    pub assembly: AssembledChain,
    /// The key and its file: the one that matches, or the one of `--key`, which may not match
    /// ([`MatchedCertificate::problems`] reports that).
    pub key: Option<(PathBuf, PrivateKey)>,
    /// Why there is no key, for the commands that need one.
    pub no_key: Option<MatchingRemark>,
    /// Whether the key is in the same file as the certificate.
    pub key_location: KeyLocation,
    /// The request for the leaf's key, and its file.
    pub request: Option<(PathBuf, SigningRequest)>,
    /// What was repaired, omitted, or does not match; an error makes the verdict negative.
    pub findings: Vec<Finding>,
    /// The stem of its file names in the directory: the request's stem (`example.com-2`), else the
    /// first DNS name.
    pub stem: String,
    /// Where keys and requests were searched, for people.
    pub searched_places: String,
}

impl MatchedCertificate {
    /// Returns the leaf.
    #[must_use]
    pub(crate) fn leaf(&self) -> &Certificate {
        self.assembly.chain.leaf()
    }

    /// Returns all problems of key and chain under `policy`.
    #[must_use]
    pub(crate) fn problems(&self, policy: VerifyPolicy<'_>) -> Vec<ChainProblem> {
        let key = self
            .key
            .as_ref()
            .and_then(|(_, key)| find_key_problem(self.leaf(), key));
        key.into_iter()
            .chain(verify::find_problems(&self.assembly.chain, policy))
            .collect()
    }
}

/// Chooses leaves from `files` (paths, names known in the working directory, `-`), or from the
/// working directory if there are none, and finds their chains, keys and requests. All files are
/// read together; each leaf with a matching key or request is chosen.
///
/// # Errors
/// When files cannot be read, contain no certificate, or contain several and none has a key here.
pub(crate) fn match_delivery(
    context: &Context,
    files: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<Vec<MatchedCertificate>, Failure> {
    match_delivery_in_folder(context, FolderContents::read(context)?, files, options)
}

/// Like [`match_delivery`], but with the contents of the working directory already read.
///
/// # Errors
/// As for [`match_delivery`].
pub(crate) fn match_delivery_in_folder(
    context: &Context,
    here: FolderContents,
    files: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<Vec<MatchedCertificate>, Failure> {
    let passed = sources::arguments(files, &here)?;
    let mut delivery = options.reader.read_inputs(&passed.inputs)?;
    let certificates = certificates_to_match(&passed, &delivery, &here)?;
    let candidates = leaf_candidates(&certificates, &passed, &delivery, &here, context.now())?;
    let mut keyring = keys_to_match(here, &passed, &mut delivery, options)?;
    unlock(&mut keyring, &mut delivery, &candidates, options)?;
    let choice = matching::choose_leaves(&candidates, &certificates, &keyring)?;
    let ca_candidates = CaCandidates::new(&certificates, &choice.leaves);
    let matcher = CertificateMatcher {
        options,
        interrupt: &context.interrupt,
        criteria: options.criteria(context),
        authorities: &ca_candidates.authorities,
        keyring: &mut keyring,
        bundle: &trust::bundle_command(context, files, options.anchors),
    };
    let mut matched = matcher.match_leaves(&choice.leaves)?;
    let findings = delivery_findings(&chains_of(&matched), &choice, ca_candidates, &delivery);
    if let Some(first) = matched.first_mut() {
        first.findings.extend(findings);
    }
    Ok(matched)
}

/// Returns the keys and requests to match with.
fn keys_to_match(
    here: FolderContents,
    passed: &PassedArguments,
    delivery: &mut CaDelivery,
    options: &DeliveryOptions<'_>,
) -> Result<KeyCandidates, Failure> {
    let keys = PassedKeys {
        delivery,
        opened: &passed.opened,
    };
    sources::keyring(options.reader, options.named_files(), keys, here)
}

fn chains_of(matched: &[MatchedCertificate]) -> Vec<&Chain> {
    matched
        .iter()
        .map(|certificate| &certificate.assembly.chain)
        .collect()
}

/// Returns the leaves among `certificates` that the arguments select.
fn leaf_candidates<'c>(
    certificates: &'c [Certificate],
    passed: &PassedArguments,
    delivery: &CaDelivery,
    here: &FolderContents,
    now: Timestamp,
) -> Result<LeafCandidates<'c>, Failure> {
    let has_files = !passed.inputs.is_empty();
    let delivery = has_files.then_some(delivery);
    let candidates = LeafCandidates::new(certificates, delivery, &passed.names, now);
    if certificates.is_empty() || candidates.leaves.is_empty() && !has_files {
        let name = passed.names.first().map(|name| name.as_str().to_owned());
        let directory = here.describe();
        let error = MatchingError::NoCertificateInDirectory { directory, name };
        return Err(here.explain_unusable(error.into()));
    }
    Ok(candidates)
}

/// Returns the certificates among which leaves are chosen: those of the files that were passed, and
/// those of the working directory if names or nothing was passed.
fn certificates_to_match(
    passed: &PassedArguments,
    delivery: &CaDelivery,
    here: &FolderContents,
) -> Result<Vec<Certificate>, Failure> {
    if passed.inputs.is_empty() || !passed.names.is_empty() {
        return Ok([
            delivery.clone_certificates(),
            sources::all_certificates(here),
        ]
        .concat());
    }
    if delivery.certificates.is_empty() {
        return Err(sources::no_certificate(delivery));
    }
    let unread = sources::unread_leaf(delivery);
    unread.map_or_else(|| Ok(delivery.clone_certificates()), Err)
}

/// Decrypts encrypted keys, unless the keys that can be read are sufficient for `candidates`.
fn unlock(
    keyring: &mut KeyCandidates,
    delivery: &mut CaDelivery,
    candidates: &LeafCandidates<'_>,
    options: &DeliveryOptions<'_>,
) -> Result<(), Failure> {
    let is_request_named = keyring.named_option == NamedKeys::Request;
    if is_request_named || has_enough_keys(keyring, candidates, options.key_use) {
        return Ok(());
    }
    let (keys, error) = decrypt_keys(options.reader, &keyring.encrypted_keys)?;
    let is_unlocked = |path: &Path| keys.iter().any(|key| key.path == path);
    keyring.password_failure = error.filter(|_| keys.is_empty());
    keyring
        .decrypted_key_ids
        .extend(keys.iter().map(|key| key.value.id()));
    keyring
        .encrypted_keys
        .retain(|held| !is_unlocked(&held.path));
    delivery.ignored.retain(|ignored| {
        ignored.content != UnusedContent::EncryptedKey
            || !is_unlocked(Path::new(&ignored.source.input))
    });
    keyring.keys.extend(keys);
    Ok(())
}

/// Decrypts keys; an opened key is as trusted as the file that it is from.
fn decrypt_keys(
    reader: &InputReader,
    encrypted: &[TrustedKeyFile<EncryptedKey>],
) -> Result<(Vec<TrustedKeyFile<PrivateKey>>, Option<DecryptError>), Failure> {
    let files = encrypted.iter().map(|key| HeldFile::clone(key));
    let locked: Vec<HeldFile<EncryptedKey>> = files.collect();
    let (opened, error) = reader.keys(&locked)?;
    let mut keys = Vec::new();
    for key in opened {
        let file = encrypted.iter().find(|file| file.path == key.path);
        keys.extend(file.map(|file| file.with_value(key.value)));
    }
    Ok((keys, error))
}

/// Returns whether no password is needed: for comparing, a request or a key that matches one leaf
/// is enough; for installing, each leaf with a request here needs its key.
fn has_enough_keys(
    keyring: &KeyCandidates,
    candidates: &LeafCandidates<'_>,
    key_use: KeyUse,
) -> bool {
    let mut leaves = candidates.leaves.iter();
    match key_use {
        KeyUse::Comparing => leaves.any(|leaf| keyring.matches_key_id(leaf.key_id)),
        KeyUse::Installing => {
            let has_one_key = leaves.any(|leaf| keyring.has_key(leaf.key_id));
            let mut leaves = candidates.leaves.iter();
            has_one_key
                && leaves.all(|leaf| {
                    keyring.has_key(leaf.key_id) || !keyring.matches_key_id(leaf.key_id)
                })
        }
    }
}

/// The inputs for finding the chain, the key and the request of each leaf.
struct CertificateMatcher<'a> {
    options: &'a DeliveryOptions<'a>,
    interrupt: &'a InterruptSignal,
    criteria: ChainCriteria<'a>,
    /// The CA certificates from which chains are built.
    authorities: &'a [Certificate],
    keyring: &'a mut KeyCandidates,
    /// The `certctl bundle` command line for the same arguments.
    bundle: &'a [String],
}

impl CertificateMatcher<'_> {
    fn match_leaves(mut self, leaves: &[&Certificate]) -> Result<Vec<MatchedCertificate>, Failure> {
        let mut matched = Vec::new();
        for (index, leaf) in leaves.iter().enumerate() {
            matched.push(self.match_leaf(leaf, &leaves[index + 1..])?);
        }
        Ok(matched)
    }

    /// `later` are the leaves that are matched afterwards; one of them may have the same key.
    fn match_leaf(
        &mut self,
        leaf: &Certificate,
        later: &[&Certificate],
    ) -> Result<MatchedCertificate, Failure> {
        let assembly = verify::assemble_chain(leaf, self.authorities, self.criteria);
        let mut remarks = self.remarks_before_matching(leaf, &assembly.chain);
        let assembly = self.with_root_here(assembly);
        let (assembly, fetched) = self.with_fetched_issuers(assembly)?;
        let no_key = self.remark_missing_key(leaf);
        let key = self.take_key(leaf, later);
        remarks.extend(self.key_remarks(key.as_ref()));
        let request = self.take_request(leaf, later);
        if let Some(HeldRequest { file: held, .. }) = &request {
            remarks.extend(find_names_not_issued(leaf, &held.value, &held.path));
        }
        let findings = self.findings(&remarks, &assembly.chain, fetched);
        Ok(MatchedCertificate {
            assembly,
            no_key,
            key_location: self.key_location(key.as_ref()),
            key: key.map(|key| path_and_value(key.into_held())),
            stem: stem_of_files(request.as_ref(), leaf),
            request: request.map(|request| path_and_value(request.file)),
            findings,
            searched_places: self.keyring.describe_search(),
        })
    }

    fn remark_missing_key(&self, leaf: &Certificate) -> Option<MatchingRemark> {
        if self.keyring.find_key(leaf).is_some() {
            return None;
        }
        let remark = self.keyring.missing_key_remark(leaf);
        Some(remark)
    }

    /// Returns the key of `leaf`: a copy if one of the `later` leaves has the same key.
    fn take_key(
        &mut self,
        leaf: &Certificate,
        later: &[&Certificate],
    ) -> Option<TrustedKeyFile<PrivateKey>> {
        if has_key_of(later, leaf) {
            self.keyring.copy_key(leaf)
        } else {
            self.keyring.remove_key(leaf)
        }
    }

    /// Returns the request of `leaf`. A request for the same key without its names is that of one of
    /// the `later` leaves.
    fn take_request(&mut self, leaf: &Certificate, later: &[&Certificate]) -> Option<HeldRequest> {
        if has_key_of(later, leaf) && !self.keyring.has_own_request(leaf) {
            return None;
        }
        self.keyring.remove_request(leaf)
    }

    /// Returns remarks on keys that do not match, and on an issuer that is here but was not passed.
    fn remarks_before_matching(&self, leaf: &Certificate, chain: &Chain) -> Vec<MatchingRemark> {
        let mut remarks = Vec::new();
        if leaf.is_server_certificate() {
            remarks.extend(self.keyring.find_mismatch(leaf));
        }
        if self.keyring.find_refused_key(leaf).is_some() {
            remarks.push(self.keyring.missing_key_remark(leaf));
        }
        remarks.extend(self.keyring.issuer_in_directory(chain, self.bundle));
        remarks
    }

    fn key_location(&self, key: Option<&TrustedKeyFile<PrivateKey>>) -> KeyLocation {
        match key {
            Some(key) => KeyLocation::of_key(key, self.keyring),
            None => KeyLocation::OwnFile,
        }
    }

    /// Adds a root that is in the working directory to the chain: then no certificate is missing,
    /// but the root is not trusted.
    fn with_root_here(&self, assembly: AssembledChain) -> AssembledChain {
        let Some(root) = self.keyring.root_in_directory(&assembly.chain) else {
            return assembly;
        };
        let bag = [self.authorities, std::slice::from_ref(root)].concat();
        let chain = verify::assemble_chain(assembly.chain.leaf(), &bag, self.criteria).chain;
        AssembledChain { chain, ..assembly }
    }

    /// Adds the issuers that `--aia` fetches; returns the chain and the findings about fetching.
    fn with_fetched_issuers(
        &self,
        assembly: AssembledChain,
    ) -> Result<(AssembledChain, Vec<Finding>), Failure> {
        let Some(reach) = self.options.aia else {
            return Ok((assembly, Vec::new()));
        };
        let fetching = aia::AiaFetch {
            reach,
            interrupt: self.interrupt,
        };
        aia::complete(assembly, self.authorities, self.criteria, fetching)
    }

    /// Returns remarks if the key was decrypted or came with the certificate.
    fn key_remarks(&self, key: Option<&TrustedKeyFile<PrivateKey>>) -> Vec<MatchingRemark> {
        let Some(key) = key else {
            return Vec::new();
        };
        let id = key.value.id();
        let mut remarks = Vec::new();
        if let Some(file) = key.doubtful() {
            remarks.push(MatchingRemark::DoubtfulKey { file });
        }
        if self.options.key_use == KeyUse::Installing
            && self.keyring.decrypted_key_ids.contains(&id)
        {
            remarks.push(MatchingRemark::KeyDecrypted {
                path: key.path.clone(),
            });
        }
        let sent = self
            .keyring
            .keys_with_certificates
            .iter()
            .find(|sent| sent.value == id);
        remarks.extend(sent.map(|sent| MatchingRemark::KeyCameWithCertificate {
            path: sent.path.clone(),
        }));
        remarks
    }

    /// Returns findings: the remarks, the rules that the chain breaks, what `--aia` fetched, and
    /// whether another trust store disagrees.
    fn findings(
        &self,
        remarks: &[MatchingRemark],
        chain: &Chain,
        fetched: Vec<Finding>,
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = remarks.iter().map(Finding::from).collect();
        let mut lints = lint::lint_chain(chain);
        let source = self.options.anchors.source();
        let scope = lint::issuer_scope(chain, source);
        lints.extend(lint::lint_leaf_in_detail(chain, source));
        findings.extend(lints.iter().map(|lint| lint_finding(lint, scope)));
        let policy = VerifyPolicy {
            hosts: &[],
            anchors: self.criteria.anchors,
            at: self.criteria.at,
        };
        let strict = verify::find_strict_refusals(chain, policy);
        findings.extend(strict.iter().map(strict_refusal_finding));
        findings.extend(fetched);
        let other = trust::trust_difference(chain, self.authorities, self.criteria);
        findings.extend(other);
        findings
    }
}

fn has_key_of(leaves: &[&Certificate], leaf: &Certificate) -> bool {
    leaves.iter().any(|other| other.key_id == leaf.key_id)
}

/// Returns the stem of the file names of a certificate: that of its request, else its first name.
fn stem_of_files(request: Option<&HeldRequest>, leaf: &Certificate) -> String {
    let stem = request.and_then(|request| request.stem.clone());
    stem.unwrap_or_else(|| file_stem_of(leaf))
}

fn path_and_value<T>(held: HeldFile<T>) -> (PathBuf, T) {
    (held.path, held.value)
}

/// Returns the first valid DNS name of `leaf` as a file name. Untrusted text becomes part of a path
/// only as a checked A-label.
#[must_use]
pub(crate) fn file_stem_of(leaf: &Certificate) -> String {
    let name = leaf
        .dns_names
        .iter()
        .find_map(|name| DnsName::parse_presented(name));
    name.map_or_else(|| "certificate".to_owned(), |name| name.file_stem())
}
