//! Reads the arguments of a command: inputs, names, keys and requests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::advice::delivery::{MOST_CAUSES, item_in_words};
use crate::delivery::{
    CaDelivery, DecryptError, DeliveryInput, EncryptedKey, IgnoredItem, ItemSource, UnusedContent,
};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::folder::{self, ArgumentMeaning};
use crate::inputs::key_files::{self, NamedKeyOrigin, OpenedFiles, STDIN};
use crate::inputs::reader::InputReader;
use crate::matching::key_trust::{KeySource, RefusedKeyFile, TrustedKeyFile};
use crate::matching::{
    self, FolderContents, HeldFile, HeldRequest, KeyCandidates, MatchingError, NamedKeys,
};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::system::fs::folders;
use crate::wording::joined_with_and;

/// The contents and names that the arguments of a command select.
#[derive(Default)]
pub(crate) struct PassedArguments {
    /// The content of files and of stdin.
    pub inputs: Vec<DeliveryInput>,
    /// The files that were read.
    pub opened: OpenedFiles,
    /// Names that are known in the working directory.
    pub names: Vec<DnsName>,
}

/// Reads the files among the arguments, and collects the names.
pub(crate) fn arguments(
    files: &[String],
    here: &FolderContents,
) -> Result<PassedArguments, Failure> {
    let mut passed = PassedArguments::default();
    for text in files {
        match ArgumentMeaning::resolve(text, here)? {
            ArgumentMeaning::File(path) if folders::is_folder(&path) => {
                let inputs = folder::read_folder_identified(&path, &mut passed.opened)?;
                passed.inputs.extend(inputs);
            }
            ArgumentMeaning::File(path) => passed.read(&path)?,
            ArgumentMeaning::Name(name) => passed.names.push(name),
            ArgumentMeaning::Stdin => passed.read(Path::new("-"))?,
        }
    }
    Ok(passed)
}

impl PassedArguments {
    /// Reads a file, or stdin for `-`.
    fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let (input, identity) = folder::read_identified(path)?;
        let (followed, source) = if path == Path::new("-") {
            (Path::new(STDIN), KeySource::Given)
        } else {
            (path, KeySource::Passed)
        };
        self.opened.add(&input.name, followed, identity, source);
        self.inputs.push(input);
        Ok(())
    }
}

/// Returns all certificates of the working directory.
pub(crate) fn all_certificates(here: &FolderContents) -> Vec<Certificate> {
    here.certificates
        .iter()
        .flat_map(|file| file.value.iter().cloned())
        .collect()
}

/// Returns the failure for files without a certificate; it says what they contain instead.
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
            let ignored = delivery.ignored.iter().take(MOST_CAUSES);
            failure.causes.extend(ignored.map(item_in_words));
            failure
        }
        None => delivery.ignored.as_slice().into(),
    }
}

/// Returns the failure for files without a server certificate of which some could not be read: the
/// certificate may be in one of these, so nothing else is worth reporting.
pub(crate) fn unread_leaf(delivery: &CaDelivery) -> Option<Failure> {
    let mut certificates = delivery.certificates.iter();
    if certificates.any(|found| found.is_server_certificate()) {
        return None;
    }
    let unread: Vec<IgnoredItem> = delivery
        .ignored
        .iter()
        .filter(|item| item.may_hold_certificate() && !delivery.has_items_of(&item.source))
        .cloned()
        .collect();
    if unread.is_empty() {
        return None;
    }
    let failure = Failure::from(unread.as_slice());
    Some(failure.because("no other file contains a server certificate"))
}

/// The keys and certificates of the arguments.
pub(crate) struct PassedKeys<'a> {
    pub delivery: &'a mut CaDelivery,
    /// The files that they were read from. Keys from other files are not judged.
    pub opened: &'a OpenedFiles,
}

/// The files of `--key` and `--csr`.
#[derive(Clone, Copy)]
pub(crate) struct NamedFiles<'a> {
    pub key: Option<&'a Path>,
    /// Who named the key.
    pub key_origin: NamedKeyOrigin,
    pub csr: Option<&'a Path>,
}

impl NamedFiles<'_> {
    fn kind(self) -> NamedKeys {
        match (self.key, self.csr) {
            (Some(_), _) => NamedKeys::Key,
            (None, Some(_)) => NamedKeys::Request,
            (None, None) => NamedKeys::Nothing,
        }
    }
}

/// Returns all keys and requests that leaves are compared with: those of `--key` and `--csr`, else
/// those that were passed with the certificates, then those of the working directory.
pub(crate) fn keyring(
    reading: &InputReader,
    named: NamedFiles<'_>,
    passed: PassedKeys<'_>,
    mut here: FolderContents,
) -> Result<KeyCandidates, Failure> {
    let PassedKeys { delivery, opened } = passed;
    let requests = match named.csr {
        Some(path) => vec![named_request(path)?],
        None => unnamed_requests(delivery, &mut here),
    };
    let decrypted = std::mem::take(&mut delivery.decrypted_key_ids);
    let found = match named.key {
        Some(path) => {
            let (keys, decrypted) = read_named_keys(reading, path, named.key_origin)?;
            FoundKeys {
                keys,
                decrypted,
                ..FoundKeys::default()
            }
        }
        None => unnamed_keys(decrypted, delivery, opened, &mut here),
    };
    let delivered_leaves = delivered_leaves(delivery);
    let roots = DeliveredRoots::collect(delivery, &found.sent);
    Ok(KeyCandidates {
        keys: found.keys,
        refused_keys: found.refused,
        requests,
        passed_request_count: 0,
        encrypted_keys: found.locked,
        password_failure: None,
        keys_with_certificates: found.sent,
        decrypted_key_ids: found.decrypted,
        delivered_leaves,
        delivered_roots: roots.readable,
        roots_with_keys: roots.with_key,
        named_option: named.kind(),
        directory: here,
    })
}

/// Returns the server certificates that were passed in files.
fn delivered_leaves(delivery: &CaDelivery) -> Vec<HeldFile<Fingerprint>> {
    let mut leaves = Vec::new();
    for certificate in &delivery.certificates {
        let is_file = certificate.source.input != "stdin";
        if is_file && certificate.is_server_certificate() {
            let input = &certificate.source.input;
            leaves.push(HeldFile {
                path: PathBuf::from(input),
                value: certificate.fingerprint,
            });
        }
    }
    leaves
}

/// The roots in files that were passed, without stdin.
struct DeliveredRoots {
    /// Those in files that `--trust` can name.
    readable: Vec<HeldFile<Certificate>>,
    /// Those in PKCS#12 files with a key, which may need a password.
    with_key: Vec<HeldFile<Certificate>>,
}

impl DeliveredRoots {
    fn collect(delivery: &CaDelivery, keys: &[HeldFile<PublicKeyId>]) -> Self {
        let mut roots = Self {
            readable: Vec::new(),
            with_key: Vec::new(),
        };
        for found in &delivery.certificates {
            let value = found.value.clone();
            let is_root = value.is_ca && value.is_self_issued();
            if !is_root || found.source.input == "stdin" {
                continue;
            }
            let path = PathBuf::from(&found.source.input);
            let has_key = keys.iter().any(|file| file.path == path);
            let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
            let is_pkcs12 = ["pfx", "p12"].contains(&extension.to_ascii_lowercase().as_str());
            if !has_key {
                roots.readable.push(HeldFile { path, value });
            } else if is_pkcs12 {
                roots.with_key.push(HeldFile { path, value });
            }
        }
        roots
    }
}

/// Returns the requests that were passed with the certificates, then those of the working
/// directory.
fn unnamed_requests(delivery: &mut CaDelivery, here: &mut FolderContents) -> Vec<HeldRequest> {
    let delivered = std::mem::take(&mut delivery.requests)
        .into_iter()
        .map(|found| delivered_request(&found.source, found.value));
    let own = std::mem::take(&mut here.requests)
        .into_iter()
        .map(own_request);
    delivered.chain(own).collect()
}

/// Keys to compare leaves with.
#[derive(Default)]
struct FoundKeys {
    keys: Vec<TrustedKeyFile<PrivateKey>>,
    /// Keys that need a password.
    locked: Vec<TrustedKeyFile<EncryptedKey>>,
    /// Keys that must not be used.
    refused: Vec<RefusedKeyFile>,
    /// Keys that came with certificates, in an archive or in the same file.
    sent: Vec<HeldFile<PublicKeyId>>,
    /// Keys that were decrypted with a password.
    decrypted: Vec<PublicKeyId>,
}

/// Returns the keys that were passed with the certificates, then those of the working directory.
fn unnamed_keys(
    decrypted: Vec<PublicKeyId>,
    delivery: &mut CaDelivery,
    opened: &OpenedFiles,
    here: &mut FolderContents,
) -> FoundKeys {
    let mut found = FoundKeys {
        sent: keys_sent_with_certificates(delivery),
        decrypted,
        ..FoundKeys::default()
    };
    for key in std::mem::take(&mut delivery.encrypted_keys) {
        match opened.admit(key, None) {
            Ok(key) => found.locked.push(key),
            Err(refused) => found.refused.push(refused),
        }
    }
    found.locked.append(&mut here.locked);
    for key in std::mem::take(&mut delivery.keys) {
        let id = key.value.id();
        match opened.admit(key, Some(id)) {
            Ok(key) => found.keys.push(key),
            Err(refused) => found.refused.push(refused),
        }
    }
    let (own, combined) = here.remove_keys();
    found.keys.extend(combined);
    found.keys.extend(own);
    found.refused.extend(here.refused_keys.iter().cloned());
    found
}

/// Returns the keys that came in an archive, or in one file with a certificate.
fn keys_sent_with_certificates(delivery: &CaDelivery) -> Vec<HeldFile<PublicKeyId>> {
    delivery
        .keys
        .iter()
        .filter(|key| {
            key.source.entry.is_some()
                || delivery
                    .certificates
                    .iter()
                    .any(|certificate| certificate.source.input == key.source.input)
        })
        .map(|key| HeldFile {
            path: key.source.input.clone().into(),
            value: key.id(),
        })
        .collect()
}

/// Reads the keys of a key file; also returns the ids of those that were decrypted.
///
/// # Errors
/// When the file cannot be read or contains no usable key.
pub(crate) fn read_named_keys(
    reading: &InputReader,
    path: &Path,
    origin: NamedKeyOrigin,
) -> Result<(Vec<TrustedKeyFile<PrivateKey>>, Vec<PublicKeyId>), Failure> {
    let (found, decrypt_error, identity) = reading.read_key_file_identified(path)?;
    if found.keys.is_empty() {
        return Err(no_usable_key(path, &found, decrypt_error));
    }
    let judgement = key_files::judge_named(path, identity, origin);
    let mut keys = Vec::new();
    for key in found.keys {
        let id = key.value.id();
        let file = HeldFile {
            path: path.to_owned(),
            value: key.value,
        };
        let is_encrypted = found.decrypted_key_ids.contains(&id);
        let id = (!is_encrypted).then_some(id);
        // A key that was named is never refused.
        keys.extend(TrustedKeyFile::admit(file, id, &judgement));
    }
    Ok((keys, found.decrypted_key_ids))
}

/// Returns the failure for a key file without a usable key.
fn no_usable_key(path: &Path, found: &CaDelivery, error: Option<DecryptError>) -> Failure {
    let path = path.to_owned();
    if let Some(error) = error {
        return MatchingError::WrongPassword(path, error).into();
    }
    let mut ignored = found.ignored.iter().map(|ignored| &ignored.content);
    if ignored.any(|what| *what == UnusedContent::EncryptedKey) {
        return MatchingError::LockedKey(path).into();
    }
    if found.ignored.iter().any(|one| one.content.may_hold_key()) {
        return found.ignored.as_slice().into();
    }
    MatchingError::NoKey {
        path,
        holds: contents(found),
    }
    .into()
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
    let stem = Some(matching::file_stem_of(&held.path));
    HeldRequest { file: held, stem }
}

/// Returns a request that was passed. A file of its own determines the stem; an entry of a zip file
/// does not.
fn delivered_request(source: &ItemSource, value: SigningRequest) -> HeldRequest {
    let path = PathBuf::from(&source.input);
    let stem =
        (source.entry.is_none() && source.input != "stdin").then(|| matching::file_stem_of(&path));
    HeldRequest {
        file: HeldFile { path, value },
        stem,
    }
}

/// Describes the contents of a file.
fn contents(found: &CaDelivery) -> String {
    let kinds = [
        (!found.certificates.is_empty()).then(|| "a certificate".to_owned()),
        (!found.requests.is_empty()).then(|| "a certificate request".to_owned()),
        (!found.keys.is_empty()).then(|| "a private key".to_owned()),
        found.ignored.first().map(|one| one.content.to_string()),
    ];
    let found: Vec<String> = kinds.into_iter().flatten().collect();
    if found.is_empty() {
        "nothing that certctl recognizes".to_owned()
    } else {
        joined_with_and(&found)
    }
}

/// Turns a finding about damage into an error, because the damaged part may contain what is
/// missing.
pub(crate) fn escalate_damage(finding: Finding) -> Finding {
    if !is_damage(&finding) {
        return finding;
    }
    Finding {
        severity: Severity::Error,
        message: format!("{}; the missing certificate may be in it", finding.message),
        ..finding
    }
}

/// Sorts findings about damage before the findings that result from it.
pub(crate) fn sort_causes_first(findings: &mut [&Finding]) {
    findings.sort_by_key(|one| !is_damage(one));
}

fn is_damage(finding: &Finding) -> bool {
    finding.code.starts_with("damaged-")
}

/// Returns findings about what was repaired in the files and what could not be used.
#[must_use]
pub(crate) fn reading_findings(delivery: &CaDelivery) -> Vec<Finding> {
    const MOST: usize = 20;
    let repairs = matching::remark_repairs(&delivery.repairs);
    let mut findings: Vec<Finding> = repairs.iter().map(Finding::from).collect();
    findings.extend(delivery.ignored.iter().take(MOST).map(Finding::from));
    let more = delivery.ignored.len().saturating_sub(MOST);
    if more > 0 {
        findings.push(Finding::note(
            "more-findings",
            format!("{more} more items were not used"),
        ));
    }
    findings
}
