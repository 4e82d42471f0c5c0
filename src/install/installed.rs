//! The certificates that are installed in a tree; finds the one that a certificate or a name means.

mod by_name;
mod saved_paths;
mod usual;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub(super) use self::by_name::InstalledNames;
use self::by_name::InstalledRelease;
pub(crate) use self::saved_paths::{added_paths, former_links, saved_layout};
use self::usual::is_proven;
pub(crate) use self::usual::usual_layout;
use super::rollback;
use crate::advice::{install_command, lineages};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::MatchedCertificate;
use crate::install_plan::observe;
use crate::matching::HeldFile;
use crate::matching::file_names::{is_safe_name, strip_renewal_number};
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::pki::name::{DnsName, join_listed};
use crate::pki::request::SigningRequest;
use crate::store::deployed::DeployedCertificate;
use crate::store::disk::{self, PublicRelease};
use crate::store::layout::{self, LineageLayout, ReleaseFile, ReleaseId, ReleasePointer};
use crate::store::root::resolve_root;
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;

/// How many installed certificates are read at most.
const LIMIT: usize = 100_000;

/// Identifies an installed certificate: its names, sorted, and the algorithm of its key.
#[derive(Debug, Eq, Hash, PartialEq)]
struct NamesAndAlgorithm {
    names: Vec<String>,
    algorithm: String,
}

impl NamesAndAlgorithm {
    fn read(leaf: &Certificate) -> Self {
        let mut names = leaf.dns_names.clone();
        names.sort();
        Self {
            names,
            algorithm: leaf.algorithm.to_string(),
        }
    }
}

/// The installed certificates, read once per run, when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct InstalledLineages {
    stems: Option<HashMap<NamesAndAlgorithm, String>>,
}

impl InstalledLineages {
    /// Returns the name in /etc/ssl of the certificate with the same names and key algorithm.
    fn find_stem(
        &mut self,
        context: &Context,
        leaf: &Certificate,
    ) -> Result<Option<String>, Failure> {
        let stems = match &mut self.stems {
            Some(stems) => stems,
            unread => unread.insert(read_stems(context)?),
        };
        Ok(stems.get(&NamesAndAlgorithm::read(leaf)).cloned())
    }
}

fn read_stems(context: &Context) -> Result<HashMap<NamesAndAlgorithm, String>, Failure> {
    let mut stems = HashMap::new();
    for installed in load_live_releases(context)? {
        let recognized_by = NamesAndAlgorithm::read(installed.release.leaf());
        stems.entry(recognized_by).or_insert(installed.stem);
    }
    Ok(stems)
}

/// Chooses the name of a certificate in /etc/ssl: that of its request without the renewal number;
/// else that of the installed certificate with the same names and key algorithm; else the first DNS
/// name.
///
/// # Errors
/// When the installed certificates cannot be read.
pub(crate) fn choose_stem(
    context: &Context,
    matched: &MatchedCertificate,
    known: &mut InstalledLineages,
) -> Result<String, Failure> {
    if matched.request.is_some() {
        let stem = strip_renewal_number(&matched.stem);
        if is_safe_name(stem) {
            return Ok(stem.to_owned());
        }
    }
    let leaf = matched.leaf();
    let installed = known.find_stem(context, leaf)?;
    Ok(installed.unwrap_or_else(|| crate::inputs::file_stem_of(leaf)))
}

/// Returns the live certificate with a name, and whether it is proven; `None` for a placeholder.
///
/// # Errors
/// When it exists and cannot be read.
pub(crate) fn load_live_leaf(
    context: &Context,
    stem: &str,
) -> Result<Option<(Certificate, bool)>, Failure> {
    let Some((layout, live)) = find_live_id(context, stem)? else {
        return Ok(None);
    };
    let leaf = match disk::load(&layout, &live) {
        // A key that no server can load is replaced by the next install.
        Ok(release) => release.map(|release| release.leaf().clone()),
        // The certificate is public; this user may not read its key.
        Err(error) if error.is_denied() => {
            disk::load_public(&layout, &live)?.map(|release| release.leaf().clone())
        }
        Err(error) => return Err(error.into()),
    };
    let Some(leaf) = leaf else {
        return Ok(None);
    };
    Ok(Some((leaf, is_proven(&layout, &live)?)))
}

/// Describes what is deployed under a name: the live release at its saved paths.
///
/// # Errors
/// When it exists and cannot be read.
pub(crate) fn find_deployed(
    context: &Context,
    stem: &str,
) -> Result<Option<DeployedCertificate>, Failure> {
    let Some(live) = find_live(context, stem)? else {
        return Ok(None);
    };
    let layout = saved_layout(context, stem, &read_settings(context, stem)?)?;
    let PublicRelease {
        certificates,
        access,
    } = live.release;
    Ok(Some(DeployedCertificate::describe(
        &certificates,
        access,
        &layout,
    )))
}

/// The files of an installed certificate.
#[derive(Debug)]
pub(crate) struct InstalledFiles {
    /// The name of the certificate in /etc/ssl.
    pub stem: String,
    /// Whether they were verified live, or no server could be probed.
    pub is_proven: bool,
    /// Leaf and intermediates.
    pub chain_path: PathBuf,
    /// `None` if the key is not a file.
    pub key_path: Option<PathBuf>,
    /// The requests in the working directory with the same key, if that was searched.
    pub requests: Vec<HeldFile<SigningRequest>>,
}

/// Returns the live files of every installed certificate.
///
/// # Errors
/// When the installed certificates cannot be read.
pub(crate) fn list_live_files(context: &Context) -> Result<Vec<InstalledFiles>, Failure> {
    let mut all = Vec::new();
    for installed in load_live_releases(context)? {
        let live = find_live(context, &installed.stem)?;
        all.extend(live.map(|live| live.files));
    }
    Ok(all)
}

/// A live release, and the paths of its files.
pub(crate) struct LiveRelease {
    pub files: InstalledFiles,
    pub release: PublicRelease,
}

/// Finds the live release with a name, without reading its key; `None` for a placeholder.
///
/// # Errors
/// When it exists and cannot be read.
pub(crate) fn find_live(context: &Context, stem: &str) -> Result<Option<LiveRelease>, Failure> {
    let Some((layout, live)) = find_live_id(context, stem)? else {
        return Ok(None);
    };
    let Some(release) = disk::load_public(&layout, &live)? else {
        return Ok(None);
    };
    let has_key = layout.key_path().is_some();
    let files = InstalledFiles {
        stem: stem.to_owned(),
        is_proven: is_proven(&layout, &live)?,
        chain_path: layout.file_path(&live, ReleaseFile::FullChain),
        key_path: has_key.then(|| layout.file_path(&live, ReleaseFile::Key)),
        requests: Vec::new(),
    };
    Ok(Some(LiveRelease { files, release }))
}

/// Finds the id of the live release with a name; `None` for a placeholder, which does not count as a
/// certificate.
pub(crate) fn find_live_id(
    context: &Context,
    stem: &str,
) -> Result<Option<(LineageLayout, ReleaseId)>, Failure> {
    let layout = usual_layout(&resolve_root(context.root.as_deref())?, stem);
    let Some(live) = observe::read_pointer(&layout, ReleasePointer::Live)? else {
        return Ok(None);
    };
    let settings = read_settings(context, stem)?;
    if settings.placeholder.as_ref() == Some(&live) {
        return Ok(None);
    }
    let layout = layout.with_key_storage(settings.key_storage());
    Ok(Some((layout, live)))
}

/// Finds the certificate that has a folder of exactly this name, or had one until `forget` was
/// killed while it deleted the folder.
///
/// # Errors
/// When the tree cannot be read.
pub(crate) fn find_folder(context: &Context, name: &str) -> Result<Option<String>, Failure> {
    let stem = DnsName::parse(name).map_or_else(|_| name.to_owned(), |name| name.file_stem());
    if !is_safe_name(&stem) {
        return Ok(None);
    }
    let layout = usual_layout(&resolve_root(context.root.as_deref())?, &stem);
    let there = folders::is_folder(&layout.folder()) || !disk::find_leftovers(&layout)?.is_empty();
    Ok(there.then_some(stem))
}

/// Returns the key ids of all certificates that are live or can be restored, with their names in
/// /etc/ssl, as far as this user may read them. Reads only chains, which are not secret.
#[must_use]
pub(crate) fn list_keys(context: &Context) -> Vec<(String, PublicKeyId)> {
    let Ok(root) = resolve_root(context.root.as_deref()) else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for stem in list_stems(&root).unwrap_or_default() {
        let of_stem = keys_of(&usual_layout(&root, &stem)).into_iter();
        keys.extend(of_stem.map(|key| (stem.clone(), key)));
    }
    keys
}

/// Returns the same as [`list_keys`] for one certificate.
#[must_use]
pub(crate) fn list_keys_of(context: &Context, stem: &str) -> Vec<PublicKeyId> {
    resolve_root(context.root.as_deref())
        .map(|root| keys_of(&usual_layout(&root, stem)))
        .unwrap_or_default()
}

fn keys_of(layout: &LineageLayout) -> Vec<PublicKeyId> {
    let names = folders::list_names(&layout.releases(), LIMIT).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| ReleaseId::parse(name.to_str()?))
        .filter_map(|release| read_leaf(layout, &release))
        .map(|leaf| leaf.key_id)
        .collect()
}

/// The first certificate in the chain of a release.
fn read_leaf(layout: &LineageLayout, release: &ReleaseId) -> Option<Certificate> {
    let mut public = disk::load_public(layout, release).ok()??;
    Some(public.certificates.swap_remove(0))
}

/// Finds a live certificate that covers all of these names, and its name in /etc/ssl. Reads only
/// chains.
#[must_use]
pub(crate) fn find_with_names(
    context: &Context,
    names: &[String],
) -> Option<(String, Certificate)> {
    let root = resolve_root(context.root.as_deref()).ok()?;
    list_stems(&root).ok()?.into_iter().find_map(|stem| {
        let layout = usual_layout(&root, &stem);
        let live = observe::read_pointer(&layout, ReleasePointer::Live).ok()??;
        let leaf = read_leaf(&layout, &live)?;
        // A placeholder does not count as a certificate.
        (!leaf.is_self_issued() && has_all_names(&leaf, names)).then_some((stem, leaf))
    })
}

fn has_all_names(leaf: &Certificate, names: &[String]) -> bool {
    names.iter().all(|name| {
        leaf.dns_names
            .iter()
            .any(|dns_name| dns_name.eq_ignore_ascii_case(name))
    })
}

/// Returns the names of all installed certificates, sorted.
///
/// # Errors
/// When the tree cannot be read.
pub(crate) fn list_installed(context: &Context) -> Result<Vec<String>, Failure> {
    list_stems(&resolve_root(context.root.as_deref())?)
}

fn list_stems(root: &Path) -> Result<Vec<String>, Failure> {
    let names = folders::list_names(&layout::base(root), LIMIT)?.into_iter();
    let mut stems: Vec<String> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| is_safe_name(name))
        .collect();
    stems.sort();
    Ok(stems)
}

/// Loads the live release of every installed certificate that can be read.
pub(super) fn load_live_releases(context: &Context) -> Result<Vec<InstalledRelease>, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    let mut installed = Vec::new();
    for stem in list_stems(&root)? {
        let layout = usual_layout(&root, &stem);
        // A broken certificate does not affect the others.
        let Ok(Some(live)) = observe::read_pointer(&layout, ReleasePointer::Live) else {
            continue;
        };
        if let Ok(Some(release)) = disk::load_public(&layout, &live) {
            installed.push(InstalledRelease { stem, release });
        }
    }
    Ok(installed)
}

/// Finds the certificate that a name means: the one with that name in /etc/ssl, else the one that
/// covers it; without a name, the only one. `verb` is the command, for the advice.
///
/// # Errors
/// When no certificate matches, or several do.
pub(crate) fn find_named(
    context: &Context,
    verb: &str,
    name: Option<&str>,
) -> Result<String, Failure> {
    let installed = load_live_releases(context)?;
    let mut found: Vec<String> = match name {
        Some(name) => InstalledNames::new(installed).find(name),
        None => installed.into_iter().map(|one| one.stem).collect(),
    };
    match found.len() {
        0 => Err(none_installed(context, verb, name)),
        1 => Ok(found.swap_remove(0)),
        _ => Err(several_installed(context, verb, &found)),
    }
}

fn none_installed(context: &Context, verb: &str, name: Option<&str>) -> Failure {
    let next = if ["forget", "rollback"].contains(&verb) {
        lineages::show_what_is_served(&context.command_words("status"))
    } else {
        lineages::install_one(context.root.as_deref())
    };
    let Some(name) = name else {
        let message = "certctl has not installed any certificate here";
        return Failure::new(FailureKind::NotFound, message).with_step(next);
    };
    let message = format!("no certificate for {name} is installed here");
    let failure = Failure::new(FailureKind::NotFound, message);
    match list_installed(context) {
        Ok(stems) if stems.is_empty() => failure.with_step(next),
        Ok(stems) => failure
            .because(format!("installed here: {}", join_listed(&stems)))
            .with_step(lineages::show_status(&context.command_words("status"))),
        Err(error) => error,
    }
}

fn several_installed(context: &Context, verb: &str, stems: &[String]) -> Failure {
    let message = format!(
        "more than one installed certificate matches: {}",
        stems.join(", ")
    );
    let root = context.root.as_deref();
    let failure = Failure::new(FailureKind::Ambiguous, message);
    let mut possible = stems
        .iter()
        .filter(|stem| verb != "rollback" || has_earlier_version(context, stem))
        .peekable();
    if possible.peek().is_none() {
        let words = context.command_words("status");
        return failure
            .because("none of them has an earlier version to restore")
            .with_step(lineages::show_what_is_served(&words));
    }
    possible
        .map(|stem| install_command::choose_installed(root, verb, stem))
        .fold(failure, Failure::with_step)
}

/// Whether a rollback of the certificate finds a version to restore.
fn has_earlier_version(context: &Context, stem: &str) -> bool {
    let Ok(root) = resolve_root(context.root.as_deref()) else {
        return false;
    };
    let layout = usual_layout(&root, stem);
    read_settings(context, stem)
        .and_then(|settings| rollback::find_release(context, &layout, &settings, None))
        .is_ok()
}

/// Reads the saved options of a certificate.
///
/// # Errors
/// When they cannot be read, or other users could have written them.
pub(crate) fn read_settings(context: &Context, stem: &str) -> Result<LineageSettings, Failure> {
    Ok(observe::read_settings(
        &resolve_root(context.root.as_deref())?,
        stem,
    )?)
}
