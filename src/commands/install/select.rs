//! Selects what `install` installs: the certificates, the name of each in /etc/ssl, and the trust
//! anchors that it is verified with.

mod groups;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use self::groups::{InputGroup, input_groups, selects_folders};
use self::key_storage::StorageChoice;
use super::key_argument::KeyArgument;
use crate::advice::install_command;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::inputs::{
    self, DeliveryOptions, InputReader, KeyUse, MatchedCertificate, NamedKeyOrigin, PasswordArgs,
};
use crate::install::installed::{self, InstalledLineages};
use crate::matching::{FolderContents, file_names, file_stem_of};
use crate::pki::chain::ChainPreference;
use crate::pki::trust::TrustAnchors;
use crate::store::layout::KeyStorage;
use crate::store::settings::{LineageSettings, ROOT_REQUESTS};
use crate::system::accounts;
use crate::system::fs::{files, folders};
use crate::system::http::NetworkReach;

mod key_storage;
mod live_comparison;

use live_comparison::{LiveComparison, compare_with_live};

/// The options of the command line that select certificates.
#[derive(Clone, Copy)]
pub(super) struct InputSelection<'a> {
    pub files: &'a [String],
    /// `--key`
    pub key: Option<&'a KeyArgument>,
    /// `--trust`
    pub trust: Option<&'a str>,
    /// The configured `trust`, for certificates that were installed without `--trust`.
    pub default_trust: Option<&'a str>,
    /// `--prefer`
    pub prefer: ChainPreference,
    /// `--aia`
    pub aia: Option<NetworkReach>,
    /// How encrypted files are opened.
    pub reading: &'a PasswordArgs,
    /// `--cert-name`
    pub cert_name: Option<&'a str>,
    /// Whether there are options that only one certificate can have.
    pub count: CertificateCount,
}

impl InputSelection<'_> {
    /// The file of `--key`.
    fn key_file(&self) -> Option<&Path> {
        self.key.and_then(KeyArgument::file)
    }
}

/// How many certificates the command line allows.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum CertificateCount {
    Any,
    One,
}

/// One certificate that the arguments select.
pub(super) struct SelectedCertificate {
    pub matched: MatchedCertificate,
    pub anchors: Rc<TrustAnchors>,
    /// Where its key is.
    pub key_storage: KeyStorage,
    /// Its name in /etc/ssl.
    pub stem: String,
    /// What the next renewal needs: the request, its folder or that of the key, the CA.
    pub origin: LineageSettings,
    /// Why it cannot be installed together with the others.
    pub refusal: Option<Finding>,
}

/// The stored options of a lineage that a certificate has to be read with.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
struct StoredSources {
    /// The trust anchors.
    trust: Option<String>,
    /// The folder of its request.
    folder: Option<PathBuf>,
}

/// The certificates of a group, read with one set of stored options.
struct ReadGroup {
    anchors: Rc<TrustAnchors>,
    certificates: Vec<MatchedCertificate>,
}

/// Returns every certificate that the arguments select.
///
/// # Errors
/// When files cannot be used, or no certificate is ready to be installed.
pub(super) fn select_certificates(
    context: &Context,
    inputs: InputSelection<'_>,
) -> Result<Vec<SelectedCertificate>, Failure> {
    let mut selector = CertificateSelector {
        context,
        inputs,
        reader: InputReader::new(context, inputs.reading)?,
        lineages: InstalledLineages::default(),
        anchors: HashMap::new(),
    };
    let mut selected = Vec::new();
    for group in input_groups(context, inputs.files, inputs.key_file())? {
        selected.extend(selector.select(&group)?);
    }
    if selects_folders(inputs.files) {
        selected = choose_newest(context, selected);
        selected = choose_ready(context, selected)?;
    }
    if selected.len() > 1 && inputs.count == CertificateCount::One {
        return Err(only_for_one(&selected));
    }
    refuse_same_names(&mut selected);
    Ok(selected)
}

/// Reads groups; installed lineages and trust anchors are read once per run.
struct CertificateSelector<'a> {
    context: &'a Context,
    inputs: InputSelection<'a>,
    reader: InputReader,
    lineages: InstalledLineages,
    anchors: HashMap<Option<String>, Rc<TrustAnchors>>,
}

impl CertificateSelector<'_> {
    /// The certificates of a group. Stored options of a lineage apply where the command line has
    /// none: the trust anchors, and the folder of the request if the key is not in this folder.
    fn select(&mut self, group: &InputGroup) -> Result<Vec<SelectedCertificate>, Failure> {
        let first_sources = self.first_sources(group)?;
        let first_read = self.read(group, &first_sources)?;
        let mut reads: HashMap<StoredSources, ReadGroup> = HashMap::new();
        let mut selected = Vec::new();
        for mut matched in first_read.certificates {
            let stem = self.stem(group, &matched)?;
            let settings = installed::read_settings(self.context, &stem)?;
            let StorageChoice {
                key_storage,
                refusal,
            } = StorageChoice::new(&stem, self.inputs.key, &settings);
            let default_trust = self.trust(None).filter(|_| settings.trust.is_none());
            let sources = self.stored_sources(group, settings, &matched);
            let mut anchors = first_read.anchors.clone();
            if sources != first_sources {
                let read = self.read_once(group, sources, &mut reads)?;
                if let Some(same) = read.take_same(&matched) {
                    anchors = read.anchors.clone();
                    matched = same;
                }
            }
            selected.push(SelectedCertificate {
                origin: LineageSettings {
                    trust: default_trust,
                    ..self.origin(group, &matched)?
                },
                matched,
                anchors,
                key_storage,
                stem,
                refusal,
            });
        }
        Ok(selected)
    }

    /// The certificates of a group, read with these stored options unless they were read already.
    fn read_once<'r>(
        &mut self,
        group: &InputGroup,
        sources: StoredSources,
        reads: &'r mut HashMap<StoredSources, ReadGroup>,
    ) -> Result<&'r mut ReadGroup, Failure> {
        match reads.entry(sources) {
            Entry::Occupied(read) => Ok(read.into_mut()),
            Entry::Vacant(unread) => {
                let read = self.read(group, unread.key())?;
                Ok(unread.insert(read))
            }
        }
    }

    fn first_sources(&self, group: &InputGroup) -> Result<StoredSources, Failure> {
        let saved = match &group.installed {
            Some(installed) => installed::read_settings(self.context, &installed.stem)?.trust,
            None => None,
        };
        Ok(StoredSources {
            trust: self.trust(saved),
            ..StoredSources::default()
        })
    }

    /// The trust anchors where the command line has none.
    fn trust(&self, saved: Option<String>) -> Option<String> {
        let default = self.inputs.default_trust.map(str::to_owned);
        saved.or(default).filter(|_| self.inputs.trust.is_none())
    }

    fn stem(
        &mut self,
        group: &InputGroup,
        matched: &MatchedCertificate,
    ) -> Result<String, Failure> {
        match (self.inputs.cert_name, &group.installed) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Some(installed)) => Ok(installed.stem.clone()),
            (None, None) => installed::choose_stem(self.context, matched, &mut self.lineages),
        }
    }

    fn stored_sources(
        &self,
        group: &InputGroup,
        settings: LineageSettings,
        matched: &MatchedCertificate,
    ) -> StoredSources {
        let needs_key = matched.key.is_none() && group.key.is_none();
        let stored = settings.folder.filter(|folder| folders::is_folder(folder));
        StoredSources {
            trust: self.trust(settings.trust),
            folder: needs_key
                .then(|| self.folder_with_key(group, matched).or(stored))
                .flatten(),
        }
    }

    /// The folder of a file that was passed, if it has the key or the request of the certificate.
    fn folder_with_key(&self, group: &InputGroup, matched: &MatchedCertificate) -> Option<PathBuf> {
        let id = matched.leaf().key_id;
        let files = group.files.iter().map(Path::new);
        let mut parents = files
            .filter(|file| folders::is_file(file))
            .map(files::parent);
        let has_key = |folder: &&Path| {
            let there = FolderContents::read(&self.context.in_folder((*folder).to_owned()));
            there.is_ok_and(|there| there.key_ids().contains(&id))
        };
        parents.find(has_key).map(Path::to_owned)
    }

    /// The certificates of a group, read with these stored options.
    fn read(&mut self, group: &InputGroup, sources: &StoredSources) -> Result<ReadGroup, Failure> {
        let anchors = self.anchors(self.inputs.trust.or(sources.trust.as_deref()))?;
        let options = DeliveryOptions {
            key: group.key.as_deref(),
            key_origin: match group.installed {
                Some(_) => NamedKeyOrigin::Installed,
                None => NamedKeyOrigin::User,
            },
            csr: None,
            anchors: &anchors,
            prefer: self.inputs.prefer,
            aia: self.inputs.aia,
            reader: &self.reader,
            key_use: KeyUse::Installing,
        };
        let certificates = match (&group.installed, &sources.folder) {
            (Some(installed), _) => {
                let folder = installed.folder(self.context);
                inputs::match_delivery_in_folder(self.context, folder, &group.files, &options)?
            }
            (None, Some(folder)) => {
                let context = self.context.in_folder(folder.clone());
                inputs::match_delivery(&context, &group.files, &options)?
            }
            (None, None) => inputs::match_delivery(self.context, &group.files, &options)?,
        };
        Ok(ReadGroup {
            anchors,
            certificates,
        })
    }

    fn anchors(&mut self, trust: Option<&str>) -> Result<Rc<TrustAnchors>, Failure> {
        let trust = trust.map(str::to_owned);
        if let Some(anchors) = self.anchors.get(&trust) {
            return Ok(anchors.clone());
        }
        let anchors = Rc::new(inputs::trust_anchors(trust.as_deref())?);
        self.anchors.insert(trust, anchors.clone());
        Ok(anchors)
    }

    /// The request's folder, else the key's, with the stem and CA of the request. The key of the
    /// installed files themselves has no such folder.
    fn origin(
        &self,
        group: &InputGroup,
        matched: &MatchedCertificate,
    ) -> Result<LineageSettings, Failure> {
        let request = matched.request.as_ref().map(|(path, _)| path.as_path());
        let key = matched
            .key
            .as_ref()
            .map(|(path, _)| path.as_path())
            .filter(|_| group.key.as_deref() == self.inputs.key_file());
        let folder = request
            .or(key)
            .map(|path| folders::absolute(files::parent(path)))
            .transpose()?
            .map(folder_to_store);
        // A `.dcv` file that cannot be read matters only to the next validation.
        let stored = request.and_then(|path| dcv_file::read_record(&dcv_file::dcv_path(path)).ok());
        let ca = stored.and_then(|stored| stored.ca());
        let request = request
            .map(file_stem_of)
            .filter(|stem| file_names::is_safe_name(stem));
        Ok(LineageSettings {
            folder,
            request,
            ca: ca.map(|ca| ca.name().to_owned()),
            ..LineageSettings::default()
        })
    }
}

/// Returns the folder for the next request. Root writes nothing to the home of another user later,
/// when that user may not expect it; that user's own `renew` uses the folder that it runs in.
fn folder_to_store(folder: PathBuf) -> PathBuf {
    if accounts::is_in_other_home(&folder) {
        PathBuf::from(ROOT_REQUESTS)
    } else {
        folder
    }
}

impl ReadGroup {
    /// Removes and returns the certificate with the same leaf.
    fn take_same(&mut self, matched: &MatchedCertificate) -> Option<MatchedCertificate> {
        let leaf = matched.leaf();
        let index = self
            .certificates
            .iter()
            .position(|one| one.leaf() == leaf)?;
        Some(self.certificates.swap_remove(index))
    }
}

/// Of certificates with the same name in /etc/ssl and the same DNS names, such as those of this
/// renewal and of the last one, only the newest that is valid.
fn choose_newest(
    context: &Context,
    mut selected: Vec<SelectedCertificate>,
) -> Vec<SelectedCertificate> {
    let now = context.now();
    selected.sort_by_key(|one| std::cmp::Reverse(one.matched.leaf().usability_rank(now)));
    let mut seen = HashSet::new();
    selected.retain(|one| {
        let names: BTreeSet<String> = one.matched.leaf().dns_names.iter().cloned().collect();
        seen.insert((one.stem.clone(), names))
    });
    selected.sort_by(|one, other| one.stem.cmp(&other.stem));
    selected
}

/// Returns those certificates of the folder that are newer than the live ones or not proven yet; if
/// there are none, those that are live already.
fn choose_ready(
    context: &Context,
    selected: Vec<SelectedCertificate>,
) -> Result<Vec<SelectedCertificate>, Failure> {
    let is_only_one = selected.len() == 1;
    let mut ready = Vec::new();
    let mut already_live = Vec::new();
    let mut older = Vec::new();
    for one in selected {
        match compare_with_live(context, &one.stem, one.matched.leaf())? {
            LiveComparison::AlreadyLive => already_live.push(one),
            LiveComparison::Older if !is_only_one => older.push(one.stem),
            LiveComparison::Ready | LiveComparison::Older => ready.push(one),
        }
    }
    if !ready.is_empty() {
        return Ok(ready);
    }
    if !already_live.is_empty() {
        return Ok(already_live);
    }
    let message = format!(
        "the installed version of {} expires later than the certificate in this folder",
        older.join(", ")
    );
    let failure = Failure::new(FailureKind::NotFound, message);
    Err(older.iter().fold(failure, |failure, name| {
        let root = context.root.as_deref();
        failure.with_step(install_command::install_installed(root, name))
    }))
}

/// Refuses certificates with the same name in /etc/ssl: none of them is installed.
fn refuse_same_names(selected: &mut [SelectedCertificate]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for one in selected.iter() {
        *counts.entry(one.stem.clone()).or_default() += 1;
    }
    for one in selected {
        if counts.get(&one.stem).is_some_and(|count| *count > 1) {
            let message = format!(
                "several of these certificates would have the name {} in /etc/ssl, so they cannot be \
                    installed together",
                one.stem
            );
            let refusal = Finding::error("duplicate-cert-name", message)
                .with_step(install_command::install_under_another_name());
            one.refusal = Some(refusal);
        }
    }
}

fn only_for_one(selected: &[SelectedCertificate]) -> Failure {
    let labels: Vec<String> = selected
        .iter()
        .map(|one| one.matched.leaf().label())
        .collect();
    let message = "`--cert-name`, `--chain-path` and `--key-path` apply to a single certificate";
    Failure::new(FailureKind::Usage, message)
        .because(format!(
            "{} certificates are given: {}",
            labels.len(),
            labels.join(", ")
        ))
        .with_step(install_command::install_alone())
}
