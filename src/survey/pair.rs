//! The pairs that certctl installed: where they lie and what is remembered of them.

use crate::changeover::installed;
use crate::changeover::tree::root;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::layout::{Layout, Pointer, ReleaseId};
use crate::install::observe;
use crate::install::settings::Settings;

/// A pair that certctl installed.
pub(super) struct Pair {
    pub(super) layout: Layout,
    pub(super) settings: Settings,
    pub(super) live: ReleaseId,
}

/// The pairs of the tree; what is wrong with one is told by `tell`.
pub(super) fn pairs(context: &Context, mut tell: impl FnMut(Failure)) -> Result<Vec<Pair>, Failure> {
    let root = root(context)?;
    let mut pairs = Vec::new();
    for stem in installed::all(context)? {
        let look = || -> Result<Option<Pair>, Failure> {
            let settings = observe::settings(&root, &stem)?;
            let layout = installed::placed(context, &stem, &settings)?;
            let live = observe::pointer(&layout, Pointer::Live)?;
            Ok(live.map(|live| Pair { layout, settings, live }))
        };
        match look() {
            Ok(pair) => pairs.extend(pair),
            Err(failure) => tell(failure),
        }
    }
    Ok(pairs)
}
