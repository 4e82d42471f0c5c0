//! What certctl installed: the files that are live, and what is remembered of them.

use super::gathered::Survey;
use crate::changeover::installed;
use crate::changeover::tree::root;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::layout::{Layout, Piece, Pointer, ReleaseId};
use crate::install::observe;
use crate::install::settings::Settings;
use crate::inventory::Origin;
use crate::inventory::item::Terms;

/// A pair that certctl installed.
pub(super) struct Pair {
    pub(super) layout: Layout,
    pub(super) settings: Settings,
    pub(super) live: ReleaseId,
}

/// The pairs of the tree; what is wrong with one is told by `tell`.
fn pairs(context: &Context, mut tell: impl FnMut(Failure)) -> Result<Vec<Pair>, Failure> {
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

/// The names of all certificates that are live.
pub(super) fn names(context: &Context) -> Result<Vec<String>, Failure> {
    let mut survey = Survey::default();
    survey.installed(context)?;
    let certificates = survey.items.into_iter().filter_map(|item| match item.what {
        crate::inventory::What::Certificates(chain) => chain.into_iter().next(),
        _ => None,
    });
    Ok(certificates.flat_map(|leaf| leaf.dns_names.clone()).collect())
}

impl Survey {
    /// The live files of all pairs.
    pub(super) fn installed(&mut self, context: &Context) -> Result<(), Failure> {
        let mut failures = Vec::new();
        for Pair { layout, settings, live } in pairs(context, |failure| failures.push(failure))? {
            let stem = layout.stem().to_owned();
            let origin = Origin::Installed(stem.clone());
            self.file(&layout.piece(&live, Piece::FullChain), &origin, layout.chain_path());
            self.file(&layout.piece(&live, Piece::Key), &origin, layout.key_path());
            let paid_until = settings.other.get("paid_until").and_then(|day| day.as_str()?.parse().ok());
            let placeholder = settings.placeholder.as_ref() == Some(&live);
            let trust = settings.trust.filter(|trust| trust != "mozilla");
            if let Some(trust) = &trust {
                self.anchors_of(&stem, trust);
            }
            self.terms.insert(stem, Terms { paid_until, placeholder, trust });
        }
        failures.iter().for_each(|failure| self.tell(failure, "pair-unreadable"));
        Ok(())
    }
}
