//! The paths where servers read a certificate according to its saved options, and those of earlier
//! installs.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::Failure;
use crate::install_plan::observe::{self, PathContent};
use crate::install_plan::plan::PathState;
use crate::store::layout::{LineageLayout, ReleaseFile, StableLink};
use crate::store::root::{path_below_root, resolve_in_tree, resolve_root};
use crate::store::settings::LineageSettings;

/// Finds certctl's links that an earlier install created at paths that `layout` no longer has: a
/// server may still read them. Returns them in the form in which they are saved.
///
/// # Errors
/// When a path cannot be read.
pub(crate) fn former_links(
    layout: &LineageLayout,
    before: &LineageSettings,
) -> Result<Vec<StableLink>, Failure> {
    let root = layout.root();
    let mut former: Vec<StableLink> = Vec::new();
    for link in links_before(layout, before) {
        let spelled = path_below_root(root, &link.path);
        if layout.links().iter().any(|known| known.path == spelled) {
            continue;
        }
        // A folder that is now a link out of the tree has no link of certctl's.
        let Ok(path) = resolve_in_tree(root, &link.path) else {
            continue;
        };
        let real = StableLink::new(path, link.piece);
        let is_new = |known: &StableLink| known.path != real.path && known.path != link.path;
        if layout.links().iter().chain(&former).all(is_new) && is_our_link(layout, &real, before)? {
            former.push(StableLink::new(
                layout.path_inside_tree(&spelled),
                link.piece,
            ));
        }
    }
    former.retain(|link| link.path.to_str().is_some());
    Ok(former)
}

/// Returns the paths of `layout` that no earlier install had.
pub(crate) fn added_paths(layout: &LineageLayout, before: &LineageSettings) -> Vec<PathBuf> {
    let root = layout.root();
    let mut known: Vec<PathBuf> = Vec::new();
    for link in links_before(layout, before) {
        known.push(path_below_root(root, &link.path));
        known.extend(resolve_in_tree(root, &link.path).ok());
    }
    let mut added = Vec::new();
    for link in layout.links() {
        if !known.contains(&link.path) {
            added.push(link.path.clone());
        }
    }
    added
}

/// Returns whether certctl created the link. Who may not look into its folder gets the answer of
/// the last install.
fn is_our_link(
    layout: &LineageLayout,
    link: &StableLink,
    before: &LineageSettings,
) -> Result<bool, Failure> {
    match observe::check_path(layout, link) {
        Err(error) if error.is_denied() => {
            let inside = layout.path_inside_tree(&link.path);
            Ok(before.former.iter().any(|known| known.path == inside))
        }
        content => Ok(content? == PathContent::Replaceable(PathState::OurLink)),
    }
}

/// Every link that an earlier install may have created: the usual ones, then the saved ones.
fn links_before(layout: &LineageLayout, before: &LineageSettings) -> Vec<StableLink> {
    let (chain, key) = observe::detect_distro_family(layout.root()).stable_paths(layout.stem());
    let mut links = vec![
        StableLink::new(chain, ReleaseFile::FullChain),
        StableLink::new(key, ReleaseFile::Key),
    ];
    if let Some(chain) = &before.chain_path {
        links.push(StableLink::new(chain, ReleaseFile::FullChain));
    }
    if let Some(key) = &before.key_path {
        links.push(StableLink::new(key, ReleaseFile::Key));
    }
    links.extend(before.links.iter().cloned());
    links.extend(before.former.iter().cloned());
    links
}

/// Returns the layout of a certificate according to its settings, with the links of earlier installs.
///
/// # Errors
/// When a path leads out of the tree.
pub(crate) fn saved_layout(
    context: &Context,
    stem: &str,
    settings: &LineageSettings,
) -> Result<LineageLayout, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    let (usual_chain, usual_key) = observe::detect_distro_family(&root).stable_paths(stem);
    let chain = resolve_in_tree(&root, settings.chain_path.as_ref().unwrap_or(&usual_chain))?;
    let key = resolve_in_tree(&root, settings.key_path.as_ref().unwrap_or(&usual_key))?;
    let further = resolve_links(&root, &settings.links)?;
    let staged = context.root.as_ref().map(|_| root.as_path());
    let layout = LineageLayout::new(staged, stem, chain, key)
        .with_key_storage(settings.key_storage())
        .with_links(further)
        .with_deploy_mode(settings.deploy.unwrap_or_default());
    let former = former_links(&layout, settings)?;
    Ok(layout.with_links(resolve_links(&root, &former)?))
}

/// Resolves symbolic links in the folders of these links.
fn resolve_links(root: &Path, links: &[StableLink]) -> Result<Vec<StableLink>, Failure> {
    let mut resolved = Vec::new();
    for link in links {
        resolved.push(StableLink::new(
            resolve_in_tree(root, &link.path)?,
            link.piece,
        ));
    }
    Ok(resolved)
}
