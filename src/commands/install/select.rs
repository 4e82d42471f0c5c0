//! What the arguments of `install` mean: which certificates, what each is called in /etc/ssl, whose
//! roots it is judged by.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::inputs::dcv_file;
use crate::inputs::{self, DeliveryOptions, InputReader, KeyUse, MatchedCertificate, PasswordArgs};
use crate::install::installed::{self, InstalledFiles, InstalledLineages};
use crate::install::request::again;
use crate::matching::{FolderContents, HeldFile, file_names, stem};
use crate::pki::chain::ChainPreference;
use crate::pki::request::SigningRequest;
use crate::pki::trust::TrustAnchors;
use crate::store::settings::LineageSettings;
use crate::system::fs::{files, folders};
use crate::system::http::NetworkReach;

/// What the command line says of what is read.
#[derive(Clone, Copy)]
pub(super) struct InputSelection<'a> {
    pub(super) files: &'a [String],
    /// `--key`
    pub(super) key: Option<&'a Path>,
    /// `--trust`
    pub(super) trust: Option<&'a str>,
    /// `--prefer`
    pub(super) prefer: ChainPreference,
    /// `--aia`
    pub(super) aia: Option<NetworkReach>,
    /// What opens what is locked.
    pub(super) reading: &'a PasswordArgs,
    /// `--cert-name`
    pub(super) cert_name: Option<&'a str>,
    /// Whether it says what only one certificate can have.
    pub(super) number: CertificateCount,
}

/// How many certificates the command line can be about.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum CertificateCount {
    Any,
    One,
}

/// One certificate that the arguments mean.
pub(super) struct SelectedCertificate {
    pub(super) taken: MatchedCertificate,
    pub(super) anchors: Rc<TrustAnchors>,
    /// Its name in /etc/ssl.
    pub(super) stem: String,
    /// What the next round goes by: the request, and where it or the key lies.
    pub(super) origin: LineageSettings,
    /// Why it cannot be installed together with the others.
    pub(super) refusal: Option<Finding>,
}

/// Files that are read together, and the key that is theirs, where it is said.
struct Bag {
    files: Vec<String>,
    key: Option<PathBuf>,
    installed: Option<Installed>,
}

/// What is known of files that are installed without looking again.
struct Installed {
    stem: String,
    requests: Vec<HeldFile<SigningRequest>>,
}

/// What is read once in a run.
#[derive(Default)]
struct Once {
    known: InstalledLineages,
    anchors: HashMap<Option<String>, Rc<TrustAnchors>>,
}

impl Once {
    fn anchors(&mut self, trust: Option<&str>) -> Result<Rc<TrustAnchors>, Failure> {
        let trust = trust.map(str::to_owned);
        if let Some(anchors) = self.anchors.get(&trust) {
            return Ok(anchors.clone());
        }
        let anchors = Rc::new(inputs::anchors(trust.as_deref())?);
        self.anchors.insert(trust, anchors.clone());
        Ok(anchors)
    }
}

/// What is remembered of a pair and read again by: whose roots, and the folder of its request.
type Memory = (Option<String>, Option<PathBuf>);

/// Every certificate that the arguments mean.
///
/// # Errors
/// Files that cannot be used, nothing that is ready.
pub(super) fn all(
    context: &Context,
    said: InputSelection<'_>,
) -> Result<Vec<SelectedCertificate>, Failure> {
    let reading = InputReader::new(context, said.reading)?;
    let mut once = Once::default();
    let mut meant = Vec::new();
    for bag in bags(context, said)? {
        meant.extend(take(context, said, &reading, &bag, &mut once)?);
    }
    if said.files.is_empty() {
        meant = ready(context, meant)?;
    }
    if meant.len() > 1 && said.number == CertificateCount::One {
        return Err(for_one(&meant));
    }
    tell_apart(&mut meant);
    Ok(meant)
}

/// What is read: the arguments, all of them one bag; but for a name that nothing newer here is for,
/// the files that are installed under it, so that an install that ended `not-served` or was
/// interrupted is taken up where it stands.
fn bags(context: &Context, said: InputSelection<'_>) -> Result<Vec<Bag>, Failure> {
    let rest = || Bag {
        files: said.files.to_vec(),
        key: said.key.map(Path::to_owned),
        installed: None,
    };
    if said.key.is_some() || said.files.is_empty() {
        return Ok(vec![rest()]);
    }
    let (mut bags, mut rest) = (
        Vec::new(),
        Bag {
            files: Vec::new(),
            ..rest()
        },
    );
    for (name, installed) in said
        .files
        .iter()
        .zip(installed::newest(context, said.files)?)
    {
        match installed {
            Some(InstalledFiles {
                stem,
                chain,
                key,
                requests,
                ..
            }) => bags.push(Bag {
                files: vec![chain.display().to_string()],
                key: Some(key),
                installed: Some(Installed { stem, requests }),
            }),
            None => rest.files.push(name.clone()),
        }
    }
    if !rest.files.is_empty() {
        bags.push(rest);
    }
    Ok(bags)
}

/// The certificates of a bag. What is remembered of an installed one is asked where the command
/// line does not say: whom to trust, and the folder of the request where its key is not here.
fn take(
    context: &Context,
    said: InputSelection<'_>,
    reading: &InputReader,
    bag: &Bag,
    once: &mut Once,
) -> Result<Vec<SelectedCertificate>, Failure> {
    let first = match &bag.installed {
        Some(Installed { stem, .. }) => (
            installed::settings(context, stem)?
                .trust
                .filter(|_| said.trust.is_none()),
            None,
        ),
        None => (None, None),
    };
    let (anchors, found) = read(context, said, reading, bag, (once, &first))?;
    let mut again: HashMap<Memory, (Rc<TrustAnchors>, Vec<MatchedCertificate>)> = HashMap::new();
    let mut meant = Vec::new();
    for mut taken in found {
        let stem = match (said.cert_name, &bag.installed) {
            (Some(name), _) => name.to_owned(),
            (None, Some(installed)) => installed.stem.clone(),
            (None, None) => installed::stem(context, &taken, &mut once.known)?,
        };
        let memory = memory(said, installed::settings(context, &stem)?, &taken, bag);
        let mut anchors = anchors.clone();
        if memory != first {
            if !again.contains_key(&memory) {
                again.insert(
                    memory.clone(),
                    read(context, said, reading, bag, (once, &memory))?,
                );
            }
            if let Some((others, found)) = again.get_mut(&memory)
                && let Some(place) = found.iter().position(|other| other.leaf() == taken.leaf())
            {
                (anchors, taken) = (others.clone(), found.swap_remove(place));
            }
        }
        let origin = origin(said, bag, &taken)?;
        meant.push(SelectedCertificate {
            taken,
            anchors,
            stem,
            origin,
            refusal: None,
        });
    }
    Ok(meant)
}

/// The certificates of a bag as they are with what is remembered.
fn read(
    context: &Context,
    said: InputSelection<'_>,
    reading: &InputReader,
    bag: &Bag,
    (once, (trust, folder)): (&mut Once, &Memory),
) -> Result<(Rc<TrustAnchors>, Vec<MatchedCertificate>), Failure> {
    let anchors = once.anchors(said.trust.or(trust.as_deref()))?;
    let (key, prefer, key_use) = (bag.key.as_deref(), said.prefer, KeyUse::Installing);
    let options = DeliveryOptions {
        key,
        csr: None,
        anchors: &anchors,
        prefer,
        aia: said.aia,
        reading,
        key_use,
    };
    let taken = match (&bag.installed, folder) {
        (Some(Installed { requests, .. }), _) => {
            let (path, requests) = (context.directory.clone(), requests.clone());
            let here = FolderContents {
                path,
                requests,
                complete: true,
                ..FolderContents::default()
            };
            inputs::take_beside(context, here, &bag.files, &options)?
        }
        (None, Some(folder)) => {
            inputs::take(&context.in_folder(folder.clone()), &bag.files, &options)?
        }
        (None, None) => inputs::take(context, &bag.files, &options)?,
    };
    Ok((anchors, taken))
}

fn memory(
    said: InputSelection<'_>,
    remembered: LineageSettings,
    taken: &MatchedCertificate,
    bag: &Bag,
) -> Memory {
    let keyless = taken.key.is_none() && bag.key.is_none();
    (
        remembered.trust.filter(|_| said.trust.is_none()),
        remembered
            .folder
            .filter(|folder| keyless && folders::is_folder(folder)),
    )
}

/// Where its request lies, else its key, and what is known of the request. A key of the installed
/// files themselves says nothing of that.
fn origin(
    said: InputSelection<'_>,
    bag: &Bag,
    taken: &MatchedCertificate,
) -> Result<LineageSettings, Failure> {
    let request = taken.request.as_ref().map(|(path, _)| path.as_path());
    let own = taken
        .key
        .as_ref()
        .map(|(path, _)| path.as_path())
        .filter(|_| bag.key.as_deref() == said.key);
    let folder = request
        .or(own)
        .map(|path| folders::absolute(files::parent(path)))
        .transpose()?;
    // What cannot be read of the proof is the next proof's business.
    let kept = request.and_then(|path| dcv_file::read(&dcv_file::beside(path)).ok());
    let ca = kept
        .and_then(|kept| kept.ca())
        .map(|ca| ca.name().to_owned());
    let request = request.map(stem).filter(|stem| file_names::plain(stem));
    Ok(LineageSettings {
        folder,
        request,
        ca,
        ..LineageSettings::default()
    })
}

/// Of what lies here: what is newer than what is live, or not proven yet; else what is live
/// already.
fn ready(
    context: &Context,
    meant: Vec<SelectedCertificate>,
) -> Result<Vec<SelectedCertificate>, Failure> {
    let alone = meant.len() == 1;
    let (mut ready, mut same, mut older) = (Vec::new(), Vec::new(), Vec::new());
    for one in meant {
        match installed::live_leaf(context, &one.stem)? {
            Some((live, proven)) if live == *one.taken.leaf() => {
                if proven {
                    same.push(one)
                } else {
                    ready.push(one)
                }
            }
            Some((live, _)) if live.not_after > one.taken.leaf().not_after && !alone => {
                older.push(one)
            }
            _ => ready.push(one),
        }
    }
    match (ready.is_empty(), same.is_empty()) {
        (false, _) => Ok(ready),
        (true, false) => Ok(same),
        (true, true) => {
            let names: Vec<String> = older.iter().map(|one| one.stem.clone()).collect();
            let message = format!(
                "what is installed of {} ends later than what lies here",
                names.join(", ")
            );
            let failure = Failure::new(FailureKind::NotFound, message);
            Err(names.iter().fold(failure, |failure, name| {
                failure.with(again(context, &["install", name]))
            }))
        }
    }
}

/// Two that would have one name cannot be told apart in /etc/ssl: none of them is installed.
fn tell_apart(meant: &mut [SelectedCertificate]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for one in meant.iter() {
        *times.entry(one.stem.clone()).or_default() += 1;
    }
    for one in meant
        .iter_mut()
        .filter(|one| times.get(&one.stem).is_some_and(|times| *times > 1))
    {
        let message = format!(
            "several of these would be called {}: they cannot be installed at once",
            one.stem
        );
        one.refusal = Some(
            Finding::error("duplicate-cert-name", message).with(NextStep::say(
                "install each alone, one of them with a name of its own:  --cert-name NAME",
            )),
        );
    }
}

fn for_one(meant: &[SelectedCertificate]) -> Failure {
    let labels: Vec<String> = meant.iter().map(|one| one.taken.leaf().label()).collect();
    Failure::new(
        FailureKind::Usage,
        "--cert-name, --chain-path and --key-path are for one certificate",
    )
    .because(format!("these are {}: {}", labels.len(), labels.join(", ")))
    .with(NextStep::say("install the one that they are for alone"))
}
