//! Certificates in files, as a server would send them.

use std::path::{Path, PathBuf};

use super::key_files::{NamedKeyOrigin, OpenedFiles};
use super::sources::{self, NamedFiles, PassedKeys};
use crate::context::Context;
use crate::delivery::{CaDelivery, DeliveryLimits};
use crate::failure::Failure;
use crate::inputs::folder::{self, ArgumentMeaning, FolderContents};
use crate::inputs::reader::InputReader;
use crate::matching::{self, KeyCandidates, LeafCandidates, LoadedFile, MatchingError, NamedKeys};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;

/// The options for reading files as a server would.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedFileOptions<'a> {
    /// `--key`: use only this key.
    pub key: Option<&'a Path>,
    /// `--chain`: certificates in any order.
    pub chain: Option<&'a Path>,
    /// Reads the files.
    pub reader: &'a InputReader,
}

/// Certificates in the order in which a server would send them.
#[derive(Debug)]
pub(crate) struct ServedCertificates {
    /// The name of the file, for people.
    pub file_name: String,
    /// The contents of the file, and how it was read.
    pub delivery: CaDelivery,
    /// What servers load of the files.
    pub loaded: Vec<LoadedFile>,
    /// The certificates in their order; empty if the order does not matter (`--chain` alone).
    pub served: Vec<Certificate>,
    /// The server certificate among them.
    pub leaf: Certificate,
    /// All certificates from which its chain is built.
    pub bag: Vec<Certificate>,
}

/// Reads `items` (files and names; without any, the certificates of the working directory) and the
/// keys that they are compared with. A file with only CA certificates is appended to the server
/// certificates, as servers with two files do.
///
/// # Errors
/// When files cannot be read or contain no certificate.
pub(crate) fn read_served_files(
    context: &Context,
    items: &[String],
    options: &ServedFileOptions<'_>,
) -> Result<(Vec<ServedCertificates>, KeyCandidates), Failure> {
    let here = FolderContents::read(context)?;
    let PassedFiles {
        mut files,
        mut others,
        names,
    } = read_arguments(items, options, &here)?;
    let keyring = keyring(files.iter_mut().chain(&mut others), options, here)?;
    let chain = match options.chain {
        Some(path) => Some(options.reader.read_file(path)?),
        None => None,
    };
    let bag = chain
        .as_ref()
        .map(CaDelivery::clone_certificates)
        .unwrap_or_default();
    let mut presented = served_by_file(files, &keyring, &bag);
    if items.is_empty() && chain.is_none() || !names.is_empty() {
        presented.extend(served_by_name(context, &names, &keyring, &bag)?);
    }
    if let (true, Some(path), Some(chain)) = (presented.is_empty(), options.chain, chain) {
        presented.push(from_chain(path, chain)?);
    }
    Ok((presented, keyring))
}

/// A file that was passed.
struct PassedFile {
    name: String,
    delivery: CaDelivery,
    loaded: Vec<LoadedFile>,
}

impl PassedFile {
    fn read(reading: &InputReader, path: &Path) -> Result<Self, Failure> {
        let name = if path == Path::new("-") {
            "stdin".to_owned()
        } else {
            path.display().to_string()
        };
        let input = folder::read_input(path)?;
        let loaded = vec![LoadedFile::new(&input)];
        let (delivery, _) = reading.read_input_with_keys(path, input)?;
        Ok(Self {
            name,
            delivery,
            loaded,
        })
    }

    /// Returns the certificates as they are sent; `None` without any.
    fn present(self, keyring: &KeyCandidates, bag: &[Certificate]) -> Option<ServedCertificates> {
        let served = self.delivery.clone_certificates();
        let leaf = leaf(&served, keyring)?.clone();
        Some(ServedCertificates {
            file_name: self.name,
            delivery: self.delivery,
            loaded: self.loaded,
            leaf,
            bag: [served.as_slice(), bag].concat(),
            served,
        })
    }

    fn has_server_certificate(&self) -> bool {
        let mut certificates = self.delivery.certificates.iter();
        certificates.any(|found| found.is_server_certificate())
    }
}

/// The files and names that were passed.
#[derive(Default)]
struct PassedFiles {
    /// Files with certificates, each read by itself.
    files: Vec<PassedFile>,
    /// Files without certificates: keys and requests.
    others: Vec<PassedFile>,
    names: Vec<DnsName>,
}

/// Reads the arguments; refuses files without usable content.
fn read_arguments(
    items: &[String],
    options: &ServedFileOptions<'_>,
    here: &FolderContents,
) -> Result<PassedFiles, Failure> {
    let mut passed = PassedFiles::default();
    for item in items {
        let path = match ArgumentMeaning::resolve(item, here)? {
            ArgumentMeaning::File(path) => path,
            ArgumentMeaning::Name(name) => {
                passed.names.push(name);
                continue;
            }
            ArgumentMeaning::Stdin => PathBuf::from("-"),
        };
        let file = PassedFile::read(options.reader, &path)?;
        if file.delivery.certificates.is_empty() {
            passed.others.push(file);
        } else {
            passed.files.push(file);
        }
    }
    let has_certificates = !passed.files.is_empty() || options.chain.is_some();
    if !has_certificates && passed.names.is_empty() && !passed.others.is_empty() {
        return Err(sources::no_certificate(&merged(passed.others)));
    }
    // A file that cannot be compared must not count as one that matches.
    match passed.others.iter().find(|file| file.delivery.is_empty()) {
        Some(empty) => Err(empty.delivery.ignored.as_slice().into()),
        None => Ok(passed),
    }
}

/// Returns the keys to compare with: those of `--key`, else only those in the files. Another
/// matching key in the directory would hide that these do not match.
fn keyring<'a>(
    files: impl Iterator<Item = &'a mut PassedFile>,
    options: &ServedFileOptions<'_>,
    here: FolderContents,
) -> Result<KeyCandidates, Failure> {
    let mut passed = CaDelivery::default();
    for PassedFile { delivery, .. } in files {
        passed.keys.append(&mut delivery.keys);
        passed.encrypted_keys.append(&mut delivery.encrypted_keys);
        passed.requests.append(&mut delivery.requests);
        // A root in the files may be the one that is to be trusted.
        let roots = delivery.certificates.iter();
        let roots = roots.filter(|one| one.is_ca && one.is_self_issued());
        passed.certificates.extend(roots.cloned());
    }
    let key_count = passed.keys.len();
    let request_count = passed.requests.len();
    let named = NamedFiles {
        key: options.key,
        // `verify` only compares keys.
        key_origin: NamedKeyOrigin::Comparison,
        csr: None,
    };
    let passed_keys = PassedKeys {
        delivery: &mut passed,
        opened: &OpenedFiles::default(),
    };
    let mut keyring = sources::keyring(options.reader, named, passed_keys, here)?;
    keyring.passed_request_count = request_count;
    if options.key.is_none() && key_count > 0 {
        keyring.directory.keys = keyring.keys.split_off(key_count);
        keyring.refused_keys.clear();
        keyring.named_option = NamedKeys::Key;
    }
    Ok(keyring)
}

/// Returns each file with a server certificate, with the files that contain only CA certificates
/// appended; if there are only such files, all of them as one.
fn served_by_file(
    files: Vec<PassedFile>,
    keyring: &KeyCandidates,
    bag: &[Certificate],
) -> Vec<ServedCertificates> {
    let (mut sites, authorities): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(PassedFile::has_server_certificate);
    let first_name = authorities.first().map(|file| file.name.clone());
    let mut also_loaded: Vec<LoadedFile> = Vec::new();
    for file in &authorities {
        also_loaded.extend_from_slice(&file.loaded);
    }
    let mut appended = merged(authorities);
    if let (true, Some(name)) = (sites.is_empty(), first_name) {
        sites.push(PassedFile {
            name,
            delivery: std::mem::take(&mut appended),
            loaded: std::mem::take(&mut also_loaded),
        });
    }
    for site in &mut sites {
        append(&mut site.delivery, certificates_of(&appended));
        site.loaded.extend_from_slice(&also_loaded);
    }
    sites
        .into_iter()
        .filter_map(|site| site.present(keyring, bag))
        .collect()
}

/// Returns the first server certificate with a matching key or request, else the first server
/// certificate, else the first CA certificate with a matching key or request, else the first one.
fn leaf<'a>(served: &'a [Certificate], keyring: &KeyCandidates) -> Option<&'a Certificate> {
    let mut sites = served
        .iter()
        .filter(|certificate| certificate.is_server_certificate());
    let first_site = sites.clone().next();
    sites
        .find(|site| keyring.matches_key_id(site.key_id))
        .or(first_site)
        .or_else(|| {
            served
                .iter()
                .find(|certificate| keyring.matches_key_id(certificate.key_id))
        })
        .or_else(|| served.first())
}

/// Returns the certificates of the working directory, or those for `names`, each with the contents
/// of its file as a server would load it.
fn served_by_name(
    context: &Context,
    names: &[DnsName],
    keyring: &KeyCandidates,
    bag: &[Certificate],
) -> Result<Vec<ServedCertificates>, Failure> {
    let certificates = sources::all_certificates(&keyring.directory);
    let candidates = LeafCandidates::new(&certificates, None, names, context.now());
    if candidates.leaves.is_empty() {
        return Err(no_certificate_here(&keyring.directory, names));
    }
    let mut presented = Vec::new();
    for leaf in matching::select_leaves_to_check(&candidates, &certificates, keyring) {
        for path in keyring.directory.files_of(leaf) {
            let input = folder::read_input(path)?;
            let loaded = vec![LoadedFile::new(&input)];
            let delivery = CaDelivery::read(vec![input], &DeliveryLimits::default())?;
            let served = delivery.clone_certificates();
            presented.push(ServedCertificates {
                file_name: path.display().to_string(),
                delivery,
                loaded,
                leaf: leaf.clone(),
                bag: [served.as_slice(), bag].concat(),
                served,
            });
        }
    }
    Ok(presented)
}

fn no_certificate_here(here: &FolderContents, names: &[DnsName]) -> Failure {
    let name = names.first().map(|name| name.as_str().to_owned());
    let directory = here.describe();
    let error = MatchingError::NoCertificateInDirectory { directory, name };
    here.explain_unusable(error.into())
}

/// Reads `--chain` without other files: the first certificate is the leaf, the others come in any
/// order.
fn from_chain(path: &Path, chain: CaDelivery) -> Result<ServedCertificates, Failure> {
    let bag = chain.clone_certificates();
    let Some(leaf) = bag.first().cloned() else {
        return Err(sources::no_certificate(&chain));
    };
    Ok(ServedCertificates {
        file_name: path.display().to_string(),
        delivery: CaDelivery::default(),
        loaded: Vec::new(),
        served: Vec::new(),
        leaf,
        bag,
    })
}

fn merged(files: Vec<PassedFile>) -> CaDelivery {
    let mut all = CaDelivery::default();
    for file in files {
        append(&mut all, file.delivery);
    }
    all
}

fn append(to: &mut CaDelivery, from: CaDelivery) {
    to.certificates.extend(from.certificates);
    to.requests.extend(from.requests);
    to.keys.extend(from.keys);
    to.encrypted_keys.extend(from.encrypted_keys);
    to.repairs.extend(from.repairs);
    to.ignored.extend(from.ignored);
}

/// Returns the certificates of a file and how they were read, without its keys and requests.
fn certificates_of(delivery: &CaDelivery) -> CaDelivery {
    CaDelivery {
        certificates: delivery.certificates.clone(),
        repairs: delivery.repairs.clone(),
        ignored: delivery.ignored.clone(),
        ..CaDelivery::default()
    }
}
