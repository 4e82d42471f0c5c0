//! What a CA sent, as pairs to use.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{aia, sources, trust};
use crate::context::Context;
use crate::delivery::{CaDelivery, UnusedContent};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::inputs::reader::InputReader;
use crate::matching::{
    self, HeldFile, KeyCandidates, LeafCandidates, LeafChoice, MatchingError, MatchingRemark,
    NamedKeys,
};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::mismatch;
use crate::pki::chain::{AssembledChain, ChainCriteria, ChainEnd, ChainPreference, OmissionReason};
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

/// The same, where it is known already what of the directory counts.
///
/// # Errors
/// As [`take`].
pub(crate) fn take_beside(
    context: &Context,
    here: FolderContents,
    files: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<Vec<MatchedCertificate>, Failure> {
    let (inputs, names) = sources::arguments(files, &here)?;
    let delivered = !inputs.is_empty();
    let mut delivery = options.reading.open(&inputs)?;
    let bag = if delivered && names.is_empty() {
        delivery.bag()
    } else {
        [delivery.bag(), sources::all(&here)].concat()
    };
    if delivered && delivery.certificates.is_empty() && names.is_empty() {
        return Err(sources::no_certificate(&delivery));
    }
    let scope = LeafCandidates::new(&bag, delivered.then_some(&delivery), &names, context.now());
    if bag.is_empty() || scope.leaves.is_empty() && !delivered {
        let name = names.first().map(|name| name.as_str().to_owned());
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
    unlock(&mut keyring, &mut delivery, &scope, options)?;
    let choice = matching::choose(&scope, &bag, &keyring)?;
    let bundle = trust::bundle_again(context, files, options.anchors);
    let bag = Bag::new(&bag, &choice.leaves);
    let pair = |leaf: &&Certificate| pair(context, leaf, &bag, &mut keyring, &bundle, options);
    let mut taken: Vec<MatchedCertificate> =
        choice.leaves.iter().map(pair).collect::<Result<_, _>>()?;
    tell_rest(&mut taken, &choice, bag, &delivery);
    Ok(taken)
}

/// What chains may be made of.
struct Bag {
    /// Each CA certificate once: other sites' certificates are no part of any chain.
    authorities: Vec<Certificate>,
    /// What is there more than once, in words.
    twice: Vec<String>,
}

impl Bag {
    fn new(all: &[Certificate], leaves: &[&Certificate]) -> Self {
        let leaves: HashSet<[u8; 32]> = leaves.iter().map(|leaf| leaf.fingerprint).collect();
        let mut seen = HashSet::new();
        let (mut authorities, mut twice) = (Vec::new(), Vec::new());
        for one in all
            .iter()
            .filter(|one| !one.is_site() || leaves.contains(&one.fingerprint))
        {
            if !seen.insert(one.fingerprint) {
                twice.push(one.label());
            } else if !leaves.contains(&one.fingerprint) {
                authorities.push(one.clone());
            }
        }
        Self { authorities, twice }
    }
}

/// Opens keys that are locked, where no other fits, or the request of a certificate is here without
/// its key.
fn unlock(
    keyring: &mut KeyCandidates,
    delivery: &mut CaDelivery,
    scope: &LeafCandidates<'_>,
    options: &DeliveryOptions<'_>,
) -> Result<(), Failure> {
    let fits = |leaf: &&Certificate| keyring.fits(leaf.key_id);
    let keyed = |leaf: &&Certificate| keyring.has_key(leaf.key_id);
    let mut leaves = scope.leaves.iter().copied();
    let enough = match options.key_use {
        KeyUse::Comparing => leaves.any(|leaf| fits(&leaf)),
        KeyUse::Installing => {
            leaves.clone().any(|leaf| keyed(&leaf))
                && leaves.all(|leaf| keyed(&leaf) || !fits(&leaf))
        }
    };
    if enough || keyring.named == NamedKeys::Request {
        return Ok(());
    }
    let (keys, why) = options.reading.keys(&keyring.locked)?;
    keyring.shut = why.filter(|_| keys.is_empty());
    keyring
        .decrypted
        .extend(keys.iter().map(|key| key.value.id()));
    keyring
        .locked
        .retain(|held| keys.iter().all(|key| key.path != held.path));
    let opened = |input: &str| keys.iter().any(|key| key.path == Path::new(input));
    delivery
        .ignored
        .retain(|one| one.what != UnusedContent::EncryptedKey || !opened(&one.source.input));
    keyring.keys.extend(keys);
    Ok(())
}

fn pair(
    context: &Context,
    leaf: &Certificate,
    bag: &Bag,
    keyring: &mut KeyCandidates,
    bundle: &[String],
    options: &DeliveryOptions<'_>,
) -> Result<MatchedCertificate, Failure> {
    let wanted = ChainCriteria {
        anchors: options.anchors,
        at: context.now(),
        prefer: options.prefer,
    };
    let mut assembly = verify::assemble(leaf, &bag.authorities, wanted);
    let judged = if leaf.is_site() {
        keyring.judge(leaf)
    } else {
        None
    };
    let mut remarks = Vec::from_iter(judged);
    remarks.extend(keyring.issuer_here(&assembly.chain, bundle));
    if let Some(root) = keyring.root_here(&assembly.chain) {
        // Nothing is missing: the chain is whole, and its root is not trusted.
        let bag = [bag.authorities.as_slice(), std::slice::from_ref(root)].concat();
        assembly.chain = verify::assemble(leaf, &bag, wanted).chain;
    }
    let mut fetched = Vec::new();
    if let Some(reach) = options.aia {
        let fetching = aia::AiaFetch {
            reach,
            interrupt: &context.interrupt,
        };
        (assembly, fetched) = aia::complete(assembly, &bag.authorities, wanted, fetching)?;
    }
    let no_key = keyring.key_of(leaf).is_none().then(|| keyring.no_key(leaf));
    let key = keyring.take_key(leaf);
    let decrypted = key
        .as_ref()
        .filter(|key| keyring.decrypted.contains(&key.value.id()));
    if let (KeyUse::Installing, Some(key)) = (options.key_use, decrypted) {
        remarks.push(MatchingRemark::KeyDecrypted {
            path: key.path.clone(),
        });
    }
    let key_place = key
        .as_ref()
        .map_or(KeyLocation::Own, |key| KeyLocation::of(key, keyring));
    let sent = key.as_ref().and_then(|key| {
        keyring
            .sent
            .iter()
            .find(|sent| sent.value == key.value.id())
    });
    remarks.extend(sent.map(|sent| MatchingRemark::KeySent {
        path: sent.path.clone(),
    }));
    let request = keyring.take_request(leaf);
    remarks.extend(
        request
            .as_ref()
            .and_then(|one| matching::not_issued(leaf, &one.held.value, &one.held.path)),
    );
    let scope = options.anchors.source().scope();
    let lints = lint::lints(&assembly.chain);
    let findings = remarks
        .iter()
        .map(Finding::from)
        .chain(lints.iter().map(|one| Finding::from((one, scope))));
    let findings = findings
        .chain(fetched)
        .chain(trust::second_opinion(
            &assembly.chain,
            &bag.authorities,
            wanted,
        ))
        .collect();
    let stem = request
        .as_ref()
        .and_then(|request| request.stem.clone())
        .unwrap_or_else(|| stem_of(leaf));
    let (key, request) = (
        key.map(path_and_value),
        request.map(|request| (request.held.path, request.held.value)),
    );
    Ok(MatchedCertificate {
        assembly,
        key,
        no_key,
        key_place,
        request,
        findings,
        stem,
        looked: keyring.looked(),
    })
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

/// What concerns the whole delivery is told with its first pair: once.
fn tell_rest(
    taken: &mut [MatchedCertificate],
    choice: &LeafChoice<'_>,
    bag: Bag,
    delivery: &CaDelivery,
) {
    let chains = taken
        .iter()
        .flat_map(|pair| pair.assembly.chain.certificates());
    let used: HashSet<[u8; 32]> = chains.map(|one| one.fingerprint).collect();
    let left_out: Vec<&Certificate> = bag
        .authorities
        .iter()
        .filter(|one| !used.contains(&one.fingerprint))
        .collect();
    let outdated: Vec<RetiredCertificate> = left_out
        .iter()
        .filter_map(|one| lint::outdated(one))
        .collect();
    let (roots, unrelated): (Vec<_>, Vec<_>) =
        left_out.into_iter().partition(|one| one.is_self_issued());
    let labels = |of: Vec<&Certificate>| of.into_iter().map(Certificate::label).collect();
    let groups = [
        (labels(roots), OmissionReason::Root),
        (labels(unrelated), OmissionReason::Unrelated),
        (bag.twice, OmissionReason::Duplicate),
    ];
    let mut remarks = Vec::new();
    for (mut labels, why) in groups
        .into_iter()
        .filter(|(labels, _): &(Vec<String>, _)| !labels.is_empty())
    {
        labels.sort();
        labels.dedup();
        remarks.push(MatchingRemark::LeftOut { labels, why });
    }
    let dated = |one: &&Certificate| format!("{} (until {})", one.label(), one.not_after);
    if !choice.older.is_empty() {
        remarks.push(MatchingRemark::Older {
            labels: choice.older.iter().map(dated).collect(),
        });
    }
    if !choice.unfitted.is_empty() {
        remarks.push(MatchingRemark::NotOurs {
            labels: choice.unfitted.iter().map(dated).collect(),
        });
    }
    let mut findings: Vec<Finding> = remarks.iter().map(Finding::from).collect();
    // Left out already: worth knowing, nothing to do.
    findings.extend(
        outdated
            .iter()
            .map(|one| Finding::note("outdated-ca", one.to_string())),
    );
    let gap = taken
        .iter()
        .any(|pair| matches!(pair.assembly.chain.end(), ChainEnd::Gap { .. }));
    findings.extend(
        sources::findings_of(delivery)
            .into_iter()
            .map(|one| if gap { sources::blamed(one) } else { one }),
    );
    if let Some(first) = taken.first_mut() {
        first.findings.extend(findings);
    }
}
