//! What is there, as a server would send it.

use std::path::Path;

use super::sources;
use crate::context::Context;
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::inputs::folder::{self, Argument, Directory};
use crate::inputs::reader::Reading;
use crate::matching::{self, Keyring, Named, PairingError, Scope};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;

/// What to judge by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentOptions<'a> {
    /// `--key`: this key and no other.
    pub key: Option<&'a Path>,
    /// `--chain`: certificates in any order.
    pub chain: Option<&'a Path>,
    /// What reads the files.
    pub reading: &'a Reading,
}

/// Certificates in the order in which a server would send them.
#[derive(Debug)]
pub(crate) struct Presented {
    /// The file, as people know it.
    pub file: String,
    /// How it was read.
    pub delivery: Delivery,
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
    options: &PresentOptions<'_>,
) -> Result<(Vec<Presented>, Keyring), Failure> {
    let here = Directory::read(context)?;
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
    let bag = chain.as_ref().map(Delivery::bag).unwrap_or_default();
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
    delivery: Delivery,
}

impl File {
    fn read(reading: &Reading, path: &Path) -> Result<Self, Failure> {
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
    reading: &Reading,
    items: &[String],
    here: &Directory,
) -> Result<(Vec<File>, Vec<DnsName>), Failure> {
    let (mut files, mut names) = (Vec::new(), Vec::new());
    for item in items {
        match Argument::resolve(item, here)? {
            Argument::File(path) => files.push(File::read(reading, &path)?),
            Argument::Name(name) => names.push(name),
            Argument::Stdin => files.push(File::read(reading, Path::new("-"))?),
        }
    }
    Ok((files, names))
}

/// With `--key`, or keys among the files, these alone: another key here that fits would hide that
/// they do not.
fn keyring<'a>(
    files: impl Iterator<Item = &'a mut File>,
    options: &PresentOptions<'_>,
    here: Directory,
) -> Result<Keyring, Failure> {
    let mut passed = Delivery::default();
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
        keyring.named = Named::Key;
    }
    Ok(keyring)
}

/// Each file with a site's certificate, the files of CAs alone behind each; only such files: all of
/// them as one.
fn served(files: Vec<File>, keyring: &Keyring, bag: &[Certificate]) -> Vec<Presented> {
    let is_site = |file: &File| {
        file.delivery
            .certificates
            .iter()
            .any(|found| found.is_site())
    };
    let (mut sites, authorities): (Vec<_>, Vec<_>) = files.into_iter().partition(is_site);
    let mut behind = Delivery::default();
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
        Some(Presented {
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
fn leaf<'a>(served: &'a [Certificate], keyring: &Keyring) -> Option<&'a Certificate> {
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
    keyring: &Keyring,
    bag: &[Certificate],
) -> Result<Vec<Presented>, Failure> {
    let all = sources::all(&keyring.here);
    let scope = Scope::new(&all, None, names, context.now());
    if scope.leaves.is_empty() {
        let name = names.first().map(|name| name.as_str().to_owned());
        let directory = keyring.here.in_words();
        return Err(PairingError::NothingHere { directory, name }.into());
    }
    let mut presented = Vec::new();
    for leaf in matching::judged(&scope, &all, keyring) {
        for path in keyring.here.files_of(leaf) {
            let delivery = folder::read_file(path)?;
            let served = delivery.bag();
            let bag = [served.as_slice(), bag].concat();
            presented.push(Presented {
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
fn from_chain(path: &Path, chain: Delivery) -> Result<Presented, Failure> {
    let bag = chain.bag();
    let Some(leaf) = bag.first().cloned() else {
        return Err(sources::no_certificate(&chain));
    };
    Ok(Presented {
        file: path.display().to_string(),
        delivery: Delivery::default(),
        served: Vec::new(),
        leaf,
        bag,
    })
}

fn merged(files: Vec<File>) -> Delivery {
    let mut all = Delivery::default();
    for file in files {
        append(&mut all, file.delivery);
    }
    all
}

fn append(to: &mut Delivery, from: Delivery) {
    to.certificates.extend(from.certificates);
    to.requests.extend(from.requests);
    to.keys.extend(from.keys);
    to.locked.extend(from.locked);
    to.repairs.extend(from.repairs);
    to.ignored.extend(from.ignored);
}

/// What is sent with each site's certificate: certificates and how they were read.
fn copy(from: &Delivery) -> Delivery {
    let (certificates, repairs) = (from.certificates.clone(), from.repairs.clone());
    Delivery {
        certificates,
        repairs,
        ignored: from.ignored.clone(),
        ..Delivery::default()
    }
}
