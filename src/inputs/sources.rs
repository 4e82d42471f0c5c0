//! What the arguments bring along: anchors, inputs, keys and requests.

use std::path::{Path, PathBuf};

use crate::delivery::{CaDelivery, DeliveryInput, FoundItem, ItemSource, UnusedContent};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::folder::{self, ArgumentMeaning};
use crate::inputs::reader::InputReader;
use crate::matching::{
    self, FolderContents, HeldFile, HeldRequest, KeyCandidates, MatchingError, NamedKeys,
};
use crate::pki::certificate::Certificate;
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::system::fs::folders;

/// Inputs and names that the arguments mean.
pub(crate) fn arguments(
    files: &[String],
    here: &FolderContents,
) -> Result<(Vec<DeliveryInput>, Vec<DnsName>), Failure> {
    let (mut inputs, mut names) = (Vec::new(), Vec::new());
    for text in files {
        match ArgumentMeaning::resolve(text, here)? {
            ArgumentMeaning::File(path) if folders::is_folder(&path) => {
                inputs.extend(folder::read_folder(&path)?)
            }
            ArgumentMeaning::File(path) => inputs.push(folder::read_input(&path)?),
            ArgumentMeaning::Name(name) => names.push(name),
            ArgumentMeaning::Stdin => inputs.push(folder::read_input(Path::new("-"))?),
        }
    }
    Ok((inputs, names))
}

/// All certificates of the directory.
pub(crate) fn all(here: &FolderContents) -> Vec<Certificate> {
    here.certificates
        .iter()
        .flat_map(|file| file.value.iter().cloned())
        .collect()
}

/// Why a delivery is of no use, as told by what it holds instead.
pub(crate) fn no_certificate(delivery: &CaDelivery) -> Failure {
    let request = delivery
        .requests
        .first()
        .map(|request| MatchingError::OnlyRequest(request.source.to_string()));
    let key = delivery
        .keys
        .first()
        .map(|key| MatchingError::OnlyKey(key.source.to_string()));
    match request.or(key) {
        Some(error) if delivery.ignored.is_empty() => error.into(),
        Some(error) => {
            let mut failure = Failure::from(error);
            failure.causes.extend(
                delivery
                    .ignored
                    .iter()
                    .take(8)
                    .map(|one| format!("{} is {}", one.source, one.what)),
            );
            failure
        }
        None => delivery.ignored.as_slice().into(),
    }
}

/// All that the leaves are compared with: `--key` and `--csr`, else what was delivered, then what
/// lies in the directory.
pub(crate) fn keyring(
    reading: &InputReader,
    key: Option<&Path>,
    csr: Option<&Path>,
    delivery: &mut CaDelivery,
    mut here: FolderContents,
) -> Result<KeyCandidates, Failure> {
    let named = match (key, csr) {
        (Some(_), _) => NamedKeys::Key,
        (None, Some(_)) => NamedKeys::Request,
        (None, None) => NamedKeys::Nothing,
    };
    let requests = match csr {
        Some(path) => vec![named_request(path)?],
        None => {
            let delivered = std::mem::take(&mut delivery.requests).into_iter();
            let delivered = delivered.map(|found| delivered_request(&found.source, found.value));
            delivered
                .chain(
                    std::mem::take(&mut here.requests)
                        .into_iter()
                        .map(own_request),
                )
                .collect()
        }
    };
    let (mut locked, mut sent, mut decrypted) =
        (Vec::new(), Vec::new(), std::mem::take(&mut delivery.opened));
    let keys = match key {
        Some(path) => {
            let (keys, opened) = named_keys(reading, path)?;
            decrypted = opened;
            keys
        }
        None => {
            let source = |source: ItemSource| PathBuf::from(source.input);
            let delivered = std::mem::take(&mut delivery.locked).into_iter();
            locked.extend(delivered.map(|found| HeldFile {
                path: source(found.source),
                value: found.value,
            }));
            locked.append(&mut here.locked);
            let together = |key: &&FoundItem<PrivateKey>| {
                let beside = |one: &FoundItem<Certificate>| one.source.input == key.source.input;
                key.source.entry.is_some() || delivery.certificates.iter().any(beside)
            };
            let told = |key: &FoundItem<PrivateKey>| HeldFile {
                path: key.source.input.clone().into(),
                value: key.id(),
            };
            sent.extend(delivery.keys.iter().filter(together).map(told));
            let delivered = std::mem::take(&mut delivery.keys).into_iter();
            let delivered = delivered.map(|found| HeldFile {
                path: found.source.input.into(),
                value: found.value,
            });
            let (own, combined) = here.take_keys();
            delivered.chain(combined).chain(own).collect()
        }
    };
    let sites = delivery
        .certificates
        .iter()
        .filter(|one| one.is_site() && one.source.input != "stdin");
    let delivered = sites
        .map(|one| HeldFile {
            path: one.source.input.clone().into(),
            value: one.fingerprint,
        })
        .collect();
    Ok(KeyCandidates {
        keys,
        requests,
        brought: 0,
        locked,
        shut: None,
        sent,
        decrypted,
        delivered,
        named,
        here,
    })
}

/// The keys of a file that was named, and those of them that needed a passphrase.
///
/// # Errors
/// A file that cannot be read or holds no key that can be used.
pub(crate) fn named_keys(
    reading: &InputReader,
    path: &Path,
) -> Result<(Vec<HeldFile<PrivateKey>>, Vec<PublicKeyId>), Failure> {
    let (found, why) = reading.file_of_keys(path)?;
    let holds = contents(&found);
    let path = path.to_owned();
    if !found.keys.is_empty() {
        let held = |key: FoundItem<PrivateKey>| HeldFile {
            path: path.clone(),
            value: key.value,
        };
        return Ok((found.keys.into_iter().map(held).collect(), found.opened));
    }
    let is = |what: &UnusedContent| found.ignored.iter().any(|one| one.what == *what);
    Err(match why {
        Some(error) => MatchingError::StaysLocked(path, error).into(),
        None if is(&UnusedContent::EncryptedKey) => MatchingError::LockedKey(path).into(),
        None if found.ignored.iter().any(|one| one.what.may_hold_key()) => {
            found.ignored.as_slice().into()
        }
        None => MatchingError::NoKey { path, holds }.into(),
    })
}

fn named_request(path: &Path) -> Result<HeldRequest, Failure> {
    let found = folder::read_file(path)?;
    let holds = contents(&found);
    let request = found.requests.into_iter().next();
    let request = request.ok_or_else(|| MatchingError::NoRequest {
        path: path.to_owned(),
        holds,
    })?;
    Ok(own_request(HeldFile {
        path: path.to_owned(),
        value: request.value,
    }))
}

fn own_request(held: HeldFile<SigningRequest>) -> HeldRequest {
    let stem = Some(matching::stem(&held.path));
    HeldRequest { held, stem }
}

/// A request among what was passed: a file of its own gives its stem, an entry of a zip does not.
fn delivered_request(source: &ItemSource, value: SigningRequest) -> HeldRequest {
    let path = PathBuf::from(&source.input);
    let stem = (source.entry.is_none() && source.input != "stdin").then(|| matching::stem(&path));
    HeldRequest {
        held: HeldFile { path, value },
        stem,
    }
}

/// What a file holds, in words.
fn contents(found: &CaDelivery) -> String {
    let kinds = [
        (!found.certificates.is_empty()).then(|| "a certificate".to_owned()),
        (!found.requests.is_empty()).then(|| "a certificate request".to_owned()),
        (!found.keys.is_empty()).then(|| "a private key".to_owned()),
        found.ignored.first().map(|one| one.what.to_string()),
    ];
    let words: Vec<String> = kinds.into_iter().flatten().collect();
    if words.is_empty() {
        "nothing that is known".to_owned()
    } else {
        words.join(" and ")
    }
}

/// What was damaged, where something is missing: that may be in it.
pub(crate) fn blamed(finding: Finding) -> Finding {
    match is_damage(&finding) {
        true => Finding {
            severity: Severity::Error,
            message: format!("{}; what is missing may be in it", finding.message),
            ..finding
        },
        false => finding,
    }
}

/// Puts what was damaged before what is missing for it.
pub(crate) fn causes_first(findings: &mut [Finding]) {
    findings.sort_by_key(|one| !is_damage(one));
}

fn is_damage(finding: &Finding) -> bool {
    finding.code.starts_with("damaged-")
}

/// What was mended and what could not be used, for people.
#[must_use]
pub(crate) fn findings_of(delivery: &CaDelivery) -> Vec<Finding> {
    const MOST: usize = 20;
    let mended = matching::mended(&delivery.repairs);
    let unused = delivery.ignored.iter().take(MOST);
    let mut findings: Vec<Finding> = mended
        .iter()
        .map(Finding::from)
        .chain(unused.map(Finding::from))
        .collect();
    let more = delivery.ignored.len().saturating_sub(MOST);
    if more > 0 {
        findings.push(Finding::note(
            "more-findings",
            format!("not used: {more} more"),
        ));
    }
    findings
}
