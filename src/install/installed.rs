//! The pairs that are installed in a tree, and which of them a certificate or a name means.

mod by_name;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::by_name::InstalledNames;
use super::placeholder;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::inputs::MatchedCertificate;
use crate::inputs::folder::{self, ArgumentMeaning};
use crate::install::request::again;
use crate::install_plan::observe::{self, PathContent};
use crate::install_plan::plan::PathState;
use crate::matching::file_names::{plain, without_round};
use crate::matching::{FolderContents, HeldFile};
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::store::disk;
use crate::store::layout::{
    self, LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, StableLink,
};
use crate::store::release::Release;
use crate::store::root::{below, real, root};
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;

/// More pairs than that are not looked at.
const LIMIT: usize = 100_000;

/// What is installed, as far as it was asked for: read once in a run.
#[derive(Debug, Default)]
pub(crate) struct InstalledLineages {
    /// By names and kind of key.
    stems: Option<HashMap<(Vec<String>, String), String>>,
}

impl InstalledLineages {
    fn stem(&mut self, context: &Context, leaf: &Certificate) -> Result<Option<String>, Failure> {
        let class = |leaf: &Certificate| {
            let mut names = leaf.dns_names.clone();
            names.sort();
            (names, leaf.algorithm.to_string())
        };
        if self.stems.is_none() {
            let mut stems = HashMap::new();
            for (stem, release) in pairs(context)? {
                stems.entry(class(release.leaf())).or_insert(stem);
            }
            self.stems = Some(stems);
        }
        Ok(self
            .stems
            .as_ref()
            .and_then(|stems| stems.get(&class(leaf)).cloned()))
    }
}

/// The name of a pair in /etc/ssl: its request's without the round; else that of the installed pair
/// with the same names and kind of key; else the first DNS name.
///
/// # Errors
/// When what is installed cannot be read.
pub(crate) fn stem(
    context: &Context,
    taken: &MatchedCertificate,
    known: &mut InstalledLineages,
) -> Result<String, Failure> {
    if taken.request.is_some() {
        let stem = without_round(&taken.stem);
        if plain(stem) {
            return Ok(stem.to_owned());
        }
    }
    let leaf = taken.leaf();
    Ok(known
        .stem(context, leaf)?
        .unwrap_or_else(|| crate::inputs::stem_of(leaf)))
}

/// The certificate that is live under a name, and whether it is proven; none for a placeholder.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn live_leaf(
    context: &Context,
    stem: &str,
) -> Result<Option<(Certificate, bool)>, Failure> {
    let live = live(context, stem.to_owned())?;
    Ok(live.map(|(files, release)| (release.leaf().clone(), files.proven)))
}

/// The files of an installed pair.
#[derive(Debug)]
pub(crate) struct InstalledFiles {
    /// The name of the pair in /etc/ssl.
    pub stem: String,
    /// Whether they were seen to be served, or there was nobody to ask.
    pub proven: bool,
    /// Leaf and intermediates.
    pub chain: PathBuf,
    pub key: PathBuf,
    /// The requests of the directory that it can have come of, where names were looked up there.
    pub requests: Vec<HeldFile<SigningRequest>>,
}

/// For each of `names`: the files that are live for it, where it is a name and the directory has no
/// certificate for it that ends later.
///
/// # Errors
/// When the directory or what is installed cannot be read, or only a placeholder has the name.
pub(crate) fn newest(
    context: &Context,
    names: &[String],
) -> Result<Vec<Option<InstalledFiles>>, Failure> {
    let parsed = |name: &String| {
        DnsName::parse(name)
            .ok()
            .filter(|_| ArgumentMeaning::of_path(name).is_none())
    };
    let mut asked: Vec<Option<DnsName>> = names.iter().map(parsed).collect();
    if asked.iter().all(Option::is_none) {
        return Ok(names.iter().map(|_| None).collect());
    }
    let here = FolderContents::read(context)?;
    for (name, asked) in names.iter().zip(&mut asked) {
        // What is not known here may be installed all the same.
        *asked = asked.take().filter(|_| {
            !matches!(
                ArgumentMeaning::resolve(name, &here),
                Ok(ArgumentMeaning::File(_))
            )
        });
    }
    let (pairs, ends) = (InstalledNames::new(pairs(context)?), here.ends());
    let newest =
        |(name, wanted): (&String, Option<DnsName>)| -> Result<Option<InstalledFiles>, Failure> {
            let Some(wanted) = wanted else {
                return Ok(None);
            };
            let Some(stem) = pairs.fitting(name).first().cloned() else {
                return Ok(None);
            };
            let Some((mut files, release)) = live(context, stem.clone())? else {
                return if here.knows(&wanted) {
                    Ok(None)
                } else {
                    Err(placeholder::alone(context, &stem))
                };
            };
            let of_it =
                |held: &&HeldFile<SigningRequest>| held.value.key_id == release.leaf().key_id;
            files.requests = here.requests.iter().filter(of_it).cloned().collect();
            let newer = ends
                .get(wanted.as_str())
                .is_some_and(|end| *end > release.not_after());
            Ok((!newer).then_some(files))
        };
    names.iter().zip(asked).map(newest).collect()
}

/// The files that are live, of every pair that is installed.
///
/// # Errors
/// When what is installed cannot be read.
pub(crate) fn all_files(context: &Context) -> Result<Vec<InstalledFiles>, Failure> {
    let found = pairs(context)?
        .into_iter()
        .map(|(stem, _)| live(context, stem));
    Ok(found
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .map(|(files, _)| files)
        .collect())
}

fn live(context: &Context, stem: String) -> Result<Option<(InstalledFiles, Release)>, Failure> {
    let layout = layout(&root(context.root.as_deref())?, &stem);
    let Some(live) = observe::pointer(&layout, ReleasePointer::Live)? else {
        return Ok(None);
    };
    // A placeholder only keeps the place.
    if settings(context, &stem)?.placeholder.as_ref() == Some(&live) {
        return Ok(None);
    }
    let Some(release) = disk::load(&layout, &live)? else {
        return Ok(None);
    };
    let piece = |piece| layout.piece(&live, piece);
    let proven = observe::pointer(&layout, ReleasePointer::Proven)?.as_ref() == Some(&live);
    let (chain, key) = (piece(ReleaseFile::FullChain), piece(ReleaseFile::Key));
    Ok(Some((
        InstalledFiles {
            proven,
            chain,
            key,
            requests: Vec::new(),
            stem,
        },
        release,
    )))
}

/// The usual layout of a pair of the tree.
#[must_use]
pub(crate) fn layout(root: &Path, stem: &str) -> LineageLayout {
    let (chain, key) = observe::family(root).stable_paths(stem);
    LineageLayout::new(Some(root), stem, root.join(chain), root.join(key))
}

/// The links of ours that an earlier install made at paths that `layout` does not have any more:
/// somebody may read them still. As they are remembered.
///
/// # Errors
/// When a path cannot be looked at.
pub(crate) fn former(
    layout: &LineageLayout,
    before: &LineageSettings,
) -> Result<Vec<StableLink>, Failure> {
    let root = layout.root();
    let (chain, key) = observe::family(root).stable_paths(layout.stem());
    let usual = [
        (Some(&chain), ReleaseFile::FullChain),
        (Some(&key), ReleaseFile::Key),
    ];
    let said = [
        (before.chain_path.as_ref(), ReleaseFile::FullChain),
        (before.key_path.as_ref(), ReleaseFile::Key),
    ];
    let first = usual
        .into_iter()
        .chain(said)
        .filter_map(|(path, piece)| Some(StableLink::new(path?, piece)));
    let mut former: Vec<StableLink> = Vec::new();
    for link in first.chain(before.links.iter().chain(&before.former).cloned()) {
        let spelled = below(root, &link.path);
        if layout.links().iter().any(|known| known.path == spelled) {
            continue;
        }
        // A folder that leads out of the tree by now holds nothing of ours.
        let Ok(path) = real(root, &link.path) else {
            continue;
        };
        let real = StableLink::new(path, link.piece);
        let is_new = |known: &StableLink| known.path != real.path && known.path != link.path;
        if layout.links().iter().chain(&former).all(is_new)
            && observe::spot(layout, &real)? == PathContent::Replaceable(PathState::Ours)
        {
            former.push(StableLink::new(layout.inside(&spelled), link.piece));
        }
    }
    former.retain(|link| link.path.to_str().is_some());
    Ok(former)
}

/// The layout of a pair as its settings say it: where servers read it, and where they did.
///
/// # Errors
/// When a path leads out of the tree.
pub(crate) fn placed(
    context: &Context,
    stem: &str,
    settings: &LineageSettings,
) -> Result<LineageLayout, Failure> {
    let root = root(context.root.as_deref())?;
    let (chain, key) = observe::family(&root).stable_paths(stem);
    let at = |path: &Option<PathBuf>, usual: &Path| real(&root, path.as_deref().unwrap_or(usual));
    let (chain, key) = (
        at(&settings.chain_path, &chain)?,
        at(&settings.key_path, &key)?,
    );
    let further: Vec<StableLink> = settings
        .links
        .iter()
        .map(|link| Ok::<_, Failure>(StableLink::new(real(&root, &link.path)?, link.piece)))
        .collect::<Result<_, _>>()?;
    let staged = context.root.as_ref().map(|_| root.as_path());
    let layout = LineageLayout::new(staged, stem, chain, key).with(further);
    let former = former(&layout, settings)?;
    let former = former
        .iter()
        .map(|link| Ok::<_, Failure>(StableLink::new(real(&root, &link.path)?, link.piece)));
    Ok(layout.with(former.collect::<Result<Vec<_>, _>>()?))
}

/// The pair that has a folder of that very name, or had one until a removal was killed.
///
/// # Errors
/// When the tree cannot be looked at.
pub(crate) fn folder_named(context: &Context, name: &str) -> Result<Option<String>, Failure> {
    let stem = DnsName::parse(name).map_or_else(|_| name.to_owned(), |name| name.file_stem());
    if !plain(&stem) {
        return Ok(None);
    }
    let layout = layout(&root(context.root.as_deref())?, &stem);
    let there = folders::is_folder(&layout.folder()) || !disk::leftovers(&layout)?.is_empty();
    Ok(there.then_some(stem))
}

/// The keys of all certificates that are live or were and can be gone back to, and the names of
/// their pairs, as far as this user may look: from the chains alone, which are not secret.
#[must_use]
pub(crate) fn keys(context: &Context) -> Vec<(String, PublicKeyId)> {
    let Ok(root) = root(context.root.as_deref()) else {
        return Vec::new();
    };
    let Ok(stems) = stems(&root) else {
        return Vec::new();
    };
    let of = |stem: String| {
        keys_of(&layout(&root, &stem))
            .into_iter()
            .map(move |key| (stem.clone(), key))
    };
    stems.into_iter().flat_map(of).collect()
}

/// The same of one pair.
#[must_use]
pub(crate) fn issued(context: &Context, stem: &str) -> Vec<PublicKeyId> {
    root(context.root.as_deref())
        .map(|root| keys_of(&layout(&root, stem)))
        .unwrap_or_default()
}

fn keys_of(layout: &LineageLayout) -> Vec<PublicKeyId> {
    let names = folders::names(&layout.releases(), LIMIT).unwrap_or_default();
    let releases = names
        .iter()
        .filter_map(|name| ReleaseId::parse(name.to_str()?));
    let key = |release: ReleaseId| {
        let chain = folder::read_file(&layout.piece(&release, ReleaseFile::FullChain)).ok()?;
        chain.bag().first().map(|leaf| leaf.key_id)
    };
    releases.filter_map(key).collect()
}

/// A certificate that is live and for all of these names: what it is called, and itself. Looked up
/// in the chains alone.
#[must_use]
pub(crate) fn with_names(context: &Context, names: &[String]) -> Option<(String, Certificate)> {
    let has = |leaf: &Certificate, name: &String| {
        leaf.dns_names
            .iter()
            .any(|has| has.eq_ignore_ascii_case(name))
    };
    // A placeholder only keeps the place.
    leaves(context)
        .find(|(_, leaf)| !leaf.is_self_issued() && names.iter().all(|name| has(leaf, name)))
}

fn leaves(context: &Context) -> impl Iterator<Item = (String, Certificate)> {
    let of = |(root, stem): (PathBuf, String)| {
        let layout = layout(&root, &stem);
        let live = observe::pointer(&layout, ReleasePointer::Live)
            .ok()
            .flatten()?;
        let chain = folder::read_file(&layout.piece(&live, ReleaseFile::FullChain)).ok()?;
        Some((stem, chain.bag().into_iter().next()?))
    };
    let root = root(context.root.as_deref()).ok();
    let stems = root
        .as_ref()
        .and_then(|root| stems(root).ok())
        .unwrap_or_default();
    root.into_iter()
        .flat_map(move |root| {
            stems
                .clone()
                .into_iter()
                .map(move |stem| (root.clone(), stem))
        })
        .filter_map(of)
}

/// The names of all installed pairs, sorted.
///
/// # Errors
/// When the tree cannot be read.
pub(crate) fn all(context: &Context) -> Result<Vec<String>, Failure> {
    stems(&root(context.root.as_deref())?)
}

fn stems(root: &Path) -> Result<Vec<String>, Failure> {
    let names = folders::names(&layout::base(root), LIMIT)?.into_iter();
    let mut stems: Vec<String> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| plain(name))
        .collect();
    stems.sort();
    Ok(stems)
}

/// Every installed pair that can be read: its name and what is live.
fn pairs(context: &Context) -> Result<Vec<(String, Release)>, Failure> {
    let root = root(context.root.as_deref())?;
    let mut pairs = Vec::new();
    for stem in stems(&root)? {
        let layout = layout(&root, &stem);
        // A pair that is broken is another pair's business.
        let Ok(Some(live)) = observe::pointer(&layout, ReleasePointer::Live) else {
            continue;
        };
        if let Ok(Some(release)) = disk::load(&layout, &live) {
            pairs.push((stem, release));
        }
    }
    Ok(pairs)
}

/// The pair that a name means: one of that name, else the one whose certificate has it; without a
/// name, the only one. `verb` is the command that asks.
///
/// # Errors
/// None fits, or several do.
pub(crate) fn named(context: &Context, verb: &str, name: Option<&str>) -> Result<String, Failure> {
    let pairs = pairs(context)?;
    let found = match name {
        Some(name) => InstalledNames::new(pairs).fitting(name),
        None => pairs.into_iter().map(|(stem, _)| stem).collect(),
    };
    match (found.as_slice(), name) {
        ([one], _) => Ok(one.clone()),
        ([], Some(name)) => Err(Failure::new(
            FailureKind::NotFound,
            format!("no certificate of {name} is installed here"),
        )
        .with(NextStep::say(format!(
            "see what is:  ls {}",
            folder(context)?
        )))),
        ([], None) => Err(Failure::new(
            FailureKind::NotFound,
            "no certificate is installed here by certctl",
        )
        .with(NextStep::say(format!(
            "install one:  {}",
            again(context, &["install", "FILE"]).text
        )))),
        (several, _) => {
            let failure = Failure::new(
                FailureKind::Ambiguous,
                format!("several are installed: {}", several.join(", ")),
            );
            Err(several.iter().fold(failure, |failure, stem| {
                failure.with(again(context, &[verb, stem]))
            }))
        }
    }
}

/// Where they lie, for a command line.
fn folder(context: &Context) -> Result<String, Failure> {
    Ok(shell_word(
        &layout::base(&root(context.root.as_deref())?)
            .display()
            .to_string(),
    ))
}

/// What is remembered of a pair.
///
/// # Errors
/// When it cannot be read, or others could have written it.
pub(crate) fn settings(context: &Context, stem: &str) -> Result<LineageSettings, Failure> {
    Ok(observe::settings(&root(context.root.as_deref())?, stem)?)
}
