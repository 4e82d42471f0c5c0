//! The pairs that certctl installed: where they lie and what is remembered of them.

use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::install_plan::observe;
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::store::root::root;
use crate::store::settings::LineageSettings;

/// A pair that certctl installed.
pub(crate) struct InstalledCertificate {
    pub(crate) layout: LineageLayout,
    pub(crate) settings: LineageSettings,
    pub(crate) live: ReleaseId,
}

/// The pairs of the tree; what is wrong with one is told by `tell`.
pub(crate) fn pairs(
    context: &Context,
    mut tell: impl FnMut(Failure),
) -> Result<Vec<InstalledCertificate>, Failure> {
    let root = root(context.root.as_deref())?;
    let mut pairs = Vec::new();
    for stem in installed::all(context)? {
        let look = || -> Result<Option<InstalledCertificate>, Failure> {
            let settings = observe::settings(&root, &stem)?;
            let layout = installed::placed(context, &stem, &settings)?;
            let live = observe::pointer(&layout, ReleasePointer::Live)?;
            Ok(live.map(|live| InstalledCertificate {
                layout,
                settings,
                live,
            }))
        };
        match look() {
            Ok(pair) => pairs.extend(pair),
            Err(failure) => tell(failure),
        }
    }
    Ok(pairs)
}
