//! What is there, as a server would send it.

use std::path::Path;

use super::sources;
use crate::context::Context;
use crate::delivery::CaDelivery;
use crate::failure::Failure;
use crate::inputs::folder::{self, ArgumentMeaning, FolderContents};
use crate::inputs::reader::InputReader;
use crate::matching::{self, KeyCandidates, LeafCandidates, MatchingError, NamedKeys};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;

/// What to judge by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedFileOptions<'a> {
    /// `--key`: this key and no other.
    pub key: Option<&'a Path>,
    /// `--chain`: certificates in any order.
    pub chain: Option<&'a Path>,
    /// What reads the files.
    pub reading: &'a InputReader,
}

/// Certificates in the order in which a server would send them.
#[derive(Debug)]
pub(crate) struct ServedCertificates {
    /// The file, as people know it.
    pub file: String,
    /// How it was read.
    pub delivery: CaDelivery,
    /// The certificates, in their order; empty where the order does not count (`--chain` alone).
    pub served: Vec<Certificate>,
    /// The site's certificate among them.
    pub leaf: Certificate,
    /// All certificates that its chain may be made of.
    pub bag: Vec<Certificate>,
}

/// Reads what `items` mean (files, names, without any the pairs of the directory), and what they
/// are compared with. A file that holds CA certificates alone goes behind the sites' certificates,
/// as servers with two files send it.
///
/// # Errors
/// Files that cannot be read or hold no certificate.
pub(crate) fn present(
    context: &Context,
    items: &[String],
    options: &ServedFileOptions<'_>,
) -> Result<(Vec<ServedCertificates>, KeyCandidates), Failure> {
    let here = FolderContents::read(context)?;
    let (files, names) = read(options.reading, items, &here)?;
    let (mut files, mut rest): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| !file.delivery.certificates.is_empty());
    if files.is_empty() && !rest.is_empty() && names.is_empty() && options.chain.is_none() {
        return Err(sources::no_certificate(&merged(rest)));
    }
    // A file that was passed to be compared and cannot be must not pass for one that fits.
    if let Some(unused) = rest.iter().find(|file| file.delivery.is_empty()) {
        return Err(unused.delivery.ignored.as_slice().into());
    }
    let keyring = keyring(files.iter_mut().chain(&mut rest), options, here)?;
    let chain = options
        .chain
        .map(|path| options.reading.file(path))
        .transpose()?;
    let bag = chain.as_ref().map(CaDelivery::bag).unwrap_or_default();
    let mut presented = served(files, &keyring, &bag);
    if items.is_empty() && chain.is_none() || !names.is_empty() {
        presented.extend(named(context, &names, &keyring, &bag)?);
    }
    if let (true, Some(path), Some(chain)) = (presented.is_empty(), options.chain, chain) {
        presented.push(from_chain(path, chain)?);
    }
    Ok((presented, keyring))
}

/// A file that was passed.
struct File {
    name: String,
    delivery: CaDelivery,
}

impl File {
    fn read(reading: &InputReader, path: &Path) -> Result<Self, Failure> {
        let name = if path == Path::new("-") {
            "stdin".to_owned()
        } else {
            path.display().to_string()
        };
        Ok(Self {
            name,
            delivery: reading.file_of_keys(path)?.0,
        })
    }
}

/// Each file on its own, and the names.
fn read(
    reading: &InputReader,
    items: &[String],
    here: &FolderContents,
) -> Result<(Vec<File>, Vec<DnsName>), Failure> {
    let (mut files, mut names) = (Vec::new(), Vec::new());
    for item in items {
        match ArgumentMeaning::resolve(item, here)? {
            ArgumentMeaning::File(path) => files.push(File::read(reading, &path)?),
            ArgumentMeaning::Name(name) => names.push(name),
            ArgumentMeaning::Stdin => files.push(File::read(reading, Path::new("-"))?),
        }
    }
    Ok((files, names))
}

/// With `--key`, or keys among the files, these alone: another key here that fits would hide that
/// they do not.
fn keyring<'a>(
    files: impl Iterator<Item = &'a mut File>,
    options: &ServedFileOptions<'_>,
    here: FolderContents,
) -> Result<KeyCandidates, Failure> {
    let mut passed = CaDelivery::default();
    for File { delivery, .. } in files {
        passed.keys.append(&mut delivery.keys);
        passed.locked.append(&mut delivery.locked);
        passed.requests.append(&mut delivery.requests);
    }
    let (brought, requests) = (passed.keys.len(), passed.requests.len());
    let mut keyring = sources::keyring(options.reading, options.key, None, &mut passed, here)?;
    keyring.brought = requests;
    if options.key.is_none() && brought > 0 {
        keyring.here.keys = keyring.keys.split_off(brought);
        keyring.named = NamedKeys::Key;
    }
    Ok(keyring)
}

/// Each file with a site's certificate, the files of CAs alone behind each; only such files: all of
/// them as one.
fn served(
    files: Vec<File>,
    keyring: &KeyCandidates,
    bag: &[Certificate],
) -> Vec<ServedCertificates> {
    let is_site = |file: &File| {
        file.delivery
            .certificates
            .iter()
            .any(|found| found.is_site())
    };
    let (mut sites, authorities): (Vec<_>, Vec<_>) = files.into_iter().partition(is_site);
    let mut behind = CaDelivery::default();
    let first = authorities.first().map(|file| file.name.clone());
    for file in authorities {
        append(&mut behind, file.delivery);
    }
    if let (true, Some(name)) = (sites.is_empty(), first) {
        sites.push(File {
            name,
            delivery: std::mem::take(&mut behind),
        });
    }
    let present = |File {
                       name: file,
                       mut delivery,
                   }: File| {
        append(&mut delivery, copy(&behind));
        let served = delivery.bag();
        let leaf = leaf(&served, keyring)?.clone();
        let bag = [served.as_slice(), bag].concat();
        Some(ServedCertificates {
            file,
            delivery,
            served,
            leaf,
            bag,
        })
    };
    sites.into_iter().filter_map(present).collect()
}

/// The certificate that a key or a request fits, else the first that is no CA's, else the first.
fn leaf<'a>(served: &'a [Certificate], keyring: &KeyCandidates) -> Option<&'a Certificate> {
    let fits = |one: &&Certificate| keyring.fits(one.key_id);
    let sites = || served.iter().filter(|one| one.is_site());
    sites()
        .find(fits)
        .or_else(|| sites().next())
        .or_else(|| served.iter().find(fits))
        .or_else(|| served.first())
}

/// The pairs of the directory, or those for `names`: each by the file that a server would be given.
fn named(
    context: &Context,
    names: &[DnsName],
    keyring: &KeyCandidates,
    bag: &[Certificate],
) -> Result<Vec<ServedCertificates>, Failure> {
    let all = sources::all(&keyring.here);
    let scope = LeafCandidates::new(&all, None, names, context.now());
    if scope.leaves.is_empty() {
        let name = names.first().map(|name| name.as_str().to_owned());
        let directory = keyring.here.in_words();
        return Err(MatchingError::NothingHere { directory, name }.into());
    }
    let mut presented = Vec::new();
    for leaf in matching::judged(&scope, &all, keyring) {
        for path in keyring.here.files_of(leaf) {
            let delivery = folder::read_file(path)?;
            let served = delivery.bag();
            let bag = [served.as_slice(), bag].concat();
            presented.push(ServedCertificates {
                file: path.display().to_string(),
                delivery,
                served,
                leaf: leaf.clone(),
                bag,
            });
        }
    }
    Ok(presented)
}

/// `--chain` alone: the first certificate is the site's, the others come in any order.
fn from_chain(path: &Path, chain: CaDelivery) -> Result<ServedCertificates, Failure> {
    let bag = chain.bag();
    let Some(leaf) = bag.first().cloned() else {
        return Err(sources::no_certificate(&chain));
    };
    Ok(ServedCertificates {
        file: path.display().to_string(),
        delivery: CaDelivery::default(),
        served: Vec::new(),
        leaf,
        bag,
    })
}

fn merged(files: Vec<File>) -> CaDelivery {
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
    to.locked.extend(from.locked);
    to.repairs.extend(from.repairs);
    to.ignored.extend(from.ignored);
}

/// What is sent with each site's certificate: certificates and how they were read.
fn copy(from: &CaDelivery) -> CaDelivery {
    let (certificates, repairs) = (from.certificates.clone(), from.repairs.clone());
    CaDelivery {
        certificates,
        repairs,
        ignored: from.ignored.clone(),
        ..CaDelivery::default()
    }
}
