//! Which trust store to use, and whether another one disagrees about a chain.

use std::convert::Infallible;
use std::path::Path;

use crate::advice::inputs as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::folder;
use crate::matching::MatchingError;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainEnd};
use crate::pki::trust::{self, TrustAnchors, TrustSource};
use crate::pki::verify;
use crate::system::fs::folders;
use crate::system::roots;
use crate::wording::spell_keyword;

/// The code of findings about trust stores that disagree.
const CODE: &str = "trust-stores-disagree";

/// Returns the trust anchors of `--trust`: Mozilla's list by default, the system's roots, or the
/// certificates of a file.
///
/// # Errors
/// When the file or the system's store cannot be read or contains no certificate.
pub(crate) fn trust_anchors(trust: Option<&str>) -> Result<TrustAnchors, Failure> {
    let path = match trust {
        None | Some("mozilla") => return Ok(TrustAnchors::mozilla()),
        Some("system") => return Ok(system_anchors()?),
        Some(path) => path,
    };
    let certificates = folder::read_file(Path::new(path))?.clone_certificates();
    let anchors = TrustAnchors::from_certificates(path, &trust::select_anchors(certificates));
    if anchors.is_empty() {
        Err(MatchingError::NoAnchor(path.to_owned()).into())
    } else {
        Ok(anchors)
    }
}

/// Parses the value of `--trust`: the two words in any case, else a file's path.
///
/// # Errors
/// Never.
pub(crate) fn parse_trust(text: &str) -> Result<String, Infallible> {
    Ok(spell_keyword(text, &["mozilla", "system"]))
}

/// Returns the value of `--trust` as it is saved: a file is named by its path without links.
///
/// # Errors
/// When the file does not exist.
pub(crate) fn saved_trust(given: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(given) = given else {
        return Ok(None);
    };
    if ["mozilla", "system"].contains(&given) {
        return Ok(Some(given.to_owned()));
    }
    let path = folders::resolve_links(Path::new(given))?;
    Ok(Some(path.display().to_string()))
}

fn system_anchors() -> Result<TrustAnchors, roots::RootsError> {
    let roots = roots::system_roots()?;
    let roots: Vec<Certificate> = roots
        .iter()
        .filter_map(|root| Certificate::from_der(root).ok())
        .collect();
    Ok(TrustAnchors::system(&roots))
}

/// Returns the flags that select the same anchors again.
#[must_use]
pub(crate) fn trust_flags(anchors: &TrustAnchors) -> Vec<String> {
    let word = match anchors.source() {
        TrustSource::Mozilla => return Vec::new(),
        TrustSource::System => "system",
        TrustSource::File(path) => path,
    };
    vec!["--trust".to_owned(), word.to_owned()]
}

/// Returns the `certctl bundle` command line for the same files and anchors.
#[must_use]
pub(crate) fn bundle_command(
    context: &Context,
    arguments: &[String],
    anchors: &TrustAnchors,
) -> Vec<String> {
    [
        context.command_words("bundle"),
        trust_flags(anchors),
        arguments.to_vec(),
    ]
    .concat()
}

/// Returns a finding if Mozilla's list and this system's roots disagree about `chain`, which was
/// built from `bag`: clients have other roots than this machine.
#[must_use]
pub(crate) fn trust_difference(
    chain: &Chain,
    bag: &[Certificate],
    criteria: ChainCriteria<'_>,
) -> Option<Finding> {
    let is_known = *chain.end() == ChainEnd::Anchored;
    // If this trust store trusts the chain, the other one judges exactly the chain that a server
    // will send.
    let bag = if is_known { chain.intermediates() } else { bag };
    let other = match criteria.anchors.source() {
        TrustSource::Mozilla => system_anchors_for(chain, bag, criteria)?,
        TrustSource::System => TrustAnchors::mozilla(),
        TrustSource::File(_) => return None,
    };
    let is_known_to_other = is_anchored(
        chain,
        bag,
        ChainCriteria {
            anchors: &other,
            ..criteria
        },
    );
    if is_known == is_known_to_other {
        return None;
    }
    let trust = TrustDifference {
        label: chain.leaf().label(),
        current: criteria.anchors.source(),
        other: other.source(),
    };
    Some(if is_known {
        trust.known_only_to_current()
    } else {
        trust.known_only_to_other()
    })
}

/// Returns the roots of this system that a chain from `bag` can lead to.
fn system_anchors_for(
    chain: &Chain,
    bag: &[Certificate],
    criteria: ChainCriteria<'_>,
) -> Option<TrustAnchors> {
    let names: Vec<&[u8]> = chain
        .certificates()
        .iter()
        .chain(bag)
        .flat_map(|certificate| [certificate.subject_der(), certificate.issuer_der()])
        .collect();
    // The bundle file nearly always contains the root, and is faster to read than the whole store.
    let bundle = TrustAnchors::system_named(roots::bundle_roots(), &names);
    if is_anchored(
        chain,
        bag,
        ChainCriteria {
            anchors: &bundle,
            ..criteria
        },
    ) {
        return Some(bundle);
    }
    let roots = roots::system_roots().ok()?;
    Some(TrustAnchors::system_named(roots, &names))
}

/// Returns whether the leaf of `chain` has a chain to an anchor of `criteria`.
fn is_anchored(chain: &Chain, bag: &[Certificate], criteria: ChainCriteria<'_>) -> bool {
    let assembly = verify::assemble_chain(chain.leaf(), bag, criteria);
    *assembly.chain.end() == ChainEnd::Anchored
}

/// Two trust stores, only one of which contains the root of a chain.
struct TrustDifference<'a> {
    /// The label of the leaf.
    label: String,
    /// The trust store that the chain is validated with.
    current: &'a TrustSource,
    /// The other trust store.
    other: &'a TrustSource,
}

impl TrustDifference<'_> {
    fn known_only_to_other(self) -> Finding {
        let Self {
            label,
            current,
            other,
        } = self;
        if *other == TrustSource::System {
            let message = format!("{label}: {current} does not contain its root, but {other} do");
            return Finding::warning(CODE, message).with_step(advice::trust_system_roots());
        }
        let message = format!("{label}: {current} do not contain its root, but {other} does");
        Finding::warning(CODE, message).with_step(advice::trust_mozilla_roots())
    }

    fn known_only_to_current(self) -> Finding {
        let Self {
            label,
            current,
            other,
        } = self;
        if *other == TrustSource::System {
            let message = format!(
                "{label}: {current} contains its root, but {other} do not; browsers accept it, \
                programs on this machine (curl, wget) do not"
            );
            return Finding::note(CODE, message).with_step(advice::update_system_roots());
        }
        let message = format!(
            "{label}: {current} contain its root, but {other} does not; browsers on other machines \
            reject it"
        );
        Finding::warning(CODE, message).with_step(advice::order_from_public_root())
    }
}
