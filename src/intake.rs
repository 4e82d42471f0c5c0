//! From arguments to chosen pairs, for the verbs that take what a CA sent: the leaf is chosen by key id, its chain is
//! put together, and everything that was mended, left out or missing is told. It judges no chain: see `pki::verify`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::context::Context;
use crate::delivery::{Delivery, Input, Limits, Source, Unused};
use crate::directory::{self, Argument};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::pairing::{self, Choice, Directory, Held, HeldRequest, Keyring, Named, PairingError, Remark, Scope};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::mismatch;
use crate::pki::chain::{Assembly, Chain, LeftOut};
use crate::pki::key::{KeyError, PrivateKey};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{self, Policy, Problem};

/// How a pair is chosen.
#[derive(Clone, Copy, Debug)]
pub struct TakeOptions<'a> {
    /// `--key`: this key and no other.
    pub key: Option<&'a Path>,
    /// `--csr`: this request and no other.
    pub csr: Option<&'a Path>,
    /// What chains lead to.
    pub anchors: &'a TrustAnchors,
}

/// One certificate with its chain, its key and its request as far as they are here.
#[derive(Debug)]
pub struct Taken {
    /// The chain and what was not needed for it.
    pub assembly: Assembly,
    /// The key and its file: the one that fits, or the one of `--key`, which may not ([`Taken::problems`] says so).
    pub key: Option<(PathBuf, PrivateKey)>,
    /// The request with the leaf's key and its file.
    pub request: Option<(PathBuf, SigningRequest)>,
    /// What was mended, left out, or does not fit; an error among them makes the verdict negative.
    pub findings: Vec<Finding>,
    /// What its files in the directory are called: the request's stem (`example.com-2`), else the first DNS name.
    pub stem: String,
    /// Where keys and requests were looked for, in words.
    pub looked: String,
}

impl Taken {
    /// The leaf.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.assembly.chain.leaf()
    }

    /// Everything that is wrong with key and chain under `policy`.
    #[must_use]
    pub fn problems(&self, policy: Policy<'_>) -> Vec<Problem> {
        let key = self.key.as_ref().and_then(|(_, key)| mismatch(self.leaf(), key));
        key.into_iter().chain(verify::problems(&self.assembly.chain, policy)).collect()
    }

    /// For those who cannot do without the key: that it is not here, and where it was looked for.
    #[must_use]
    pub fn no_key(&self) -> Remark {
        Remark::NoKey { label: self.leaf().label(), looked: self.looked.clone(), locked: None }
    }
}

/// The anchors of `--trust`: Mozilla's list by default, else the certificates of a file.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn anchors(trust: Option<&str>) -> Result<TrustAnchors, Failure> {
    let path = match trust {
        None | Some("mozilla") => return Ok(TrustAnchors::mozilla()),
        Some(path) => path,
    };
    let anchors = TrustAnchors::from_certificates(path, &directory::read_file(Path::new(path))?.bag());
    if anchors.is_empty() { Err(PairingError::NoAnchor(path.to_owned()).into()) } else { Ok(anchors) }
}

/// Chooses the pairs that `files` (paths, names known in the directory, `-`) hold; without any, those of the directory.
/// All files are one bag; each leaf that a key or a request here fits is one pair.
///
/// # Errors
/// Files that cannot be read, hold no certificate, or several with nothing to choose by.
pub fn take(context: &Context, files: &[String], options: &TakeOptions<'_>) -> Result<Vec<Taken>, Failure> {
    let here = Directory::read(context)?;
    let (inputs, names) = arguments(files, &here)?;
    let delivered = !inputs.is_empty();
    let mut delivery = Delivery::read(inputs, &Limits::default())?;
    let bag = if delivered && names.is_empty() { delivery.bag() } else { [delivery.bag(), all(&here)].concat() };
    if delivered && delivery.certificates.is_empty() && names.is_empty() {
        return Err(no_certificate(&delivery));
    }
    let scope = Scope::new(&bag, delivered.then_some(&delivery), &names, context.now());
    if bag.is_empty() || scope.leaves.is_empty() && !delivered {
        let name = names.first().map(|name| name.as_str().to_owned());
        return Err(PairingError::NothingHere { directory: here.path.display().to_string(), name }.into());
    }
    let mut keyring = keyring(options, &mut delivery, here)?;
    let choice = pairing::choose(&scope, &bag, &keyring)?;
    let mut taken: Vec<Taken> =
        choice.leaves.iter().map(|leaf| pair(leaf, &bag, &mut keyring, options, context.now())).collect();
    tell_rest(&mut taken, &choice, &delivery);
    Ok(taken)
}

/// Inputs and names that the arguments mean.
fn arguments(files: &[String], here: &Directory) -> Result<(Vec<Input>, Vec<DnsName>), Failure> {
    let (mut inputs, mut names) = (Vec::new(), Vec::new());
    for text in files {
        match Argument::resolve(text, here)? {
            Argument::File(path) => inputs.push(directory::read_input(&path)?),
            Argument::Name(name) => names.push(name),
            Argument::Stdin => inputs.push(directory::read_input(Path::new("-"))?),
        }
    }
    Ok((inputs, names))
}

fn all(here: &Directory) -> Vec<Certificate> {
    here.certificates.iter().flat_map(|file| file.value.iter().cloned()).collect()
}

fn pair(
    leaf: &Certificate,
    bag: &[Certificate],
    keyring: &mut Keyring,
    options: &TakeOptions<'_>,
    at: Timestamp,
) -> Taken {
    // Other sites' certificates are no part of any chain.
    let bag: Vec<Certificate> = bag.iter().filter(|one| one.is_ca || *one == leaf).cloned().collect();
    let assembly = Chain::assemble(leaf, &bag, options.anchors, at);
    let mut remarks = Vec::from_iter(keyring.judge(leaf));
    let key = keyring.take_key(leaf);
    let request = keyring.take_request(leaf);
    remarks.extend(request.as_ref().and_then(|one| pairing::not_issued(leaf, &one.held.value, &one.held.path)));
    let findings = remarks.iter().map(Finding::from).collect();
    let stem = request.as_ref().and_then(|request| request.stem.clone()).unwrap_or_else(|| stem_of(leaf));
    let (key, request) = (key.map(path_and_value), request.map(|request| (request.held.path, request.held.value)));
    Taken { assembly, key, request, findings, stem, looked: keyring.looked() }
}

fn path_and_value<T>(held: Held<T>) -> (PathBuf, T) {
    (held.path, held.value)
}

/// The first DNS name of `leaf` that is one, as a file name: foreign text becomes part of a path only as a checked
/// A-label.
#[must_use]
pub fn stem_of(leaf: &Certificate) -> String {
    let name = leaf.dns_names.iter().find_map(|name| DnsName::parse(name).ok());
    name.map_or_else(|| "certificate".to_owned(), |name| name.file_stem())
}

/// Why a delivery is of no use, as told by what it holds instead.
fn no_certificate(delivery: &Delivery) -> Failure {
    let request = delivery.requests.first().map(|request| PairingError::OnlyRequest(request.source.to_string()));
    let key = delivery.keys.first().map(|key| PairingError::OnlyKey(key.source.to_string()));
    match request.or(key) {
        Some(error) if delivery.ignored.is_empty() => error.into(),
        Some(error) => {
            let mut failure = Failure::from(error);
            failure.causes.extend(delivery.ignored.iter().take(8).map(|one| format!("{} is {}", one.source, one.what)));
            failure
        }
        None => delivery.ignored.as_slice().into(),
    }
}

/// All that the leaves are compared with: `--key` and `--csr`, else what was delivered, then what lies in the directory.
fn keyring(options: &TakeOptions<'_>, delivery: &mut Delivery, mut here: Directory) -> Result<Keyring, Failure> {
    let named = match (options.key, options.csr) {
        (Some(_), _) => Named::Key,
        (None, Some(_)) => Named::Request,
        (None, None) => Named::Nothing,
    };
    let requests = match options.csr {
        Some(path) => vec![named_request(path)?],
        None => {
            let delivered = std::mem::take(&mut delivery.requests).into_iter();
            let delivered = delivered.map(|found| delivered_request(&found.source, found.value));
            delivered.chain(std::mem::take(&mut here.requests).into_iter().map(own_request)).collect()
        }
    };
    let keys = match options.key {
        Some(path) => vec![named_key(path)?],
        None => {
            let delivered = std::mem::take(&mut delivery.keys).into_iter();
            let delivered = delivered.map(|found| Held { path: found.source.input.into(), value: found.value });
            delivered.chain(std::mem::take(&mut here.keys)).collect()
        }
    };
    Ok(Keyring { keys, requests, named, here })
}

/// The key of a file that was named.
///
/// # Errors
/// When it cannot be read, is encrypted or holds none.
pub fn named_key(path: &Path) -> Result<Held<PrivateKey>, Failure> {
    let found = directory::read_file(path)?;
    let holds = contents(&found);
    match found.keys.into_iter().next() {
        Some(key) => Ok(Held { path: path.to_owned(), value: key.value }),
        None if found.ignored.iter().any(|one| one.what == Unused::EncryptedKey) => {
            Err(Failure::from(KeyError::Encrypted).because(path.display().to_string()))
        }
        None => Err(PairingError::NoKey { path: path.to_owned(), holds }.into()),
    }
}

fn named_request(path: &Path) -> Result<HeldRequest, Failure> {
    let found = directory::read_file(path)?;
    let holds = contents(&found);
    let request = found.requests.into_iter().next();
    let request = request.ok_or_else(|| PairingError::NoRequest { path: path.to_owned(), holds })?;
    Ok(own_request(Held { path: path.to_owned(), value: request.value }))
}

fn own_request(held: Held<SigningRequest>) -> HeldRequest {
    let stem = Some(pairing::stem(&held.path));
    HeldRequest { held, stem }
}

/// A request among what was passed: a file of its own gives its stem, an entry of a zip does not.
fn delivered_request(source: &Source, value: SigningRequest) -> HeldRequest {
    let path = PathBuf::from(&source.input);
    let stem = (source.entry.is_none() && source.input != "stdin").then(|| pairing::stem(&path));
    HeldRequest { held: Held { path, value }, stem }
}

/// What a file holds, in words.
fn contents(found: &Delivery) -> String {
    let kinds = [
        (!found.certificates.is_empty()).then(|| "a certificate".to_owned()),
        (!found.requests.is_empty()).then(|| "a certificate request".to_owned()),
        (!found.keys.is_empty()).then(|| "a private key".to_owned()),
        found.ignored.first().map(|one| one.what.to_string()),
    ];
    let words: Vec<String> = kinds.into_iter().flatten().collect();
    if words.is_empty() { "nothing that is known".to_owned() } else { words.join(" and ") }
}

/// What was mended and what could not be used, for people.
#[must_use]
pub fn findings_of(delivery: &Delivery) -> Vec<Finding> {
    let mended = pairing::mended(&delivery.repairs);
    mended.iter().map(Finding::from).chain(delivery.ignored.iter().map(Finding::from)).collect()
}

/// What concerns the whole delivery is told with its first pair: once.
fn tell_rest(taken: &mut [Taken], choice: &Choice<'_>, delivery: &Delivery) {
    let in_a_chain = |one: &Certificate| taken.iter().any(|pair| pair.assembly.chain.certificates().contains(one));
    let mut remarks = Vec::new();
    for why in [LeftOut::Root, LeftOut::Unrelated, LeftOut::Duplicate] {
        let left_out = taken.iter().flat_map(|pair| &pair.assembly.left_out);
        let mut labels: Vec<String> = left_out
            .filter(|(one, reason)| *reason == why && (why == LeftOut::Duplicate || !in_a_chain(one)))
            .map(|(one, _)| one.label())
            .collect();
        labels.sort();
        labels.dedup();
        if !labels.is_empty() {
            remarks.push(Remark::LeftOut { labels, why });
        }
    }
    let label = |one: &Certificate| one.label();
    remarks.extend(choice.older.iter().map(|one| Remark::Older { label: label(one), not_after: one.not_after }));
    remarks.extend(choice.unfitted.iter().map(|one| Remark::NotOurs { label: label(one) }));
    let findings = remarks.iter().map(Finding::from).chain(findings_of(delivery));
    if let Some(first) = taken.first_mut() {
        first.findings.extend(findings);
    }
}
