//! Whom to trust, and what others say: a chain that one trust store knows and another does not is
//! told as such.

use std::path::Path;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::inputs::folder;
use crate::matching::MatchingError;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainEnd};
use crate::pki::trust::{TrustAnchors, TrustSource};
use crate::pki::verify;
use crate::system::roots;

/// The anchors of `--trust`: Mozilla's list by default, the system's roots, or the certificates of
/// a file.
///
/// # Errors
/// When the file or the system's store cannot be read or holds no certificate.
pub(crate) fn anchors(trust: Option<&str>) -> Result<TrustAnchors, Failure> {
    let path = match trust {
        None | Some("mozilla") => return Ok(TrustAnchors::mozilla()),
        Some("system") => return Ok(system()?),
        Some(path) => path,
    };
    let anchors = TrustAnchors::from_certificates(path, &folder::read_file(Path::new(path))?.bag());
    if anchors.is_empty() {
        Err(MatchingError::NoAnchor(path.to_owned()).into())
    } else {
        Ok(anchors)
    }
}

fn system() -> Result<TrustAnchors, roots::RootsError> {
    let roots = roots::system()?;
    let roots: Vec<Certificate> = roots
        .iter()
        .filter_map(|root| Certificate::from_der(root).ok())
        .collect();
    Ok(TrustAnchors::system(&roots))
}

/// The flags that name the same anchors again.
#[must_use]
pub(crate) fn trust_flags(anchors: &TrustAnchors) -> Vec<String> {
    let word = match anchors.source() {
        TrustSource::Mozilla => return Vec::new(),
        TrustSource::System => "system",
        TrustSource::File(path) => path,
    };
    vec!["--trust".to_owned(), word.to_owned()]
}

/// The words of `certctl bundle` for what was typed.
#[must_use]
pub(crate) fn bundle_again(
    context: &Context,
    typed: &[String],
    anchors: &TrustAnchors,
) -> Vec<String> {
    [
        context.again("bundle"),
        trust_flags(anchors),
        typed.to_vec(),
    ]
    .concat()
}

/// Where Mozilla and this system differ about `chain`, which was made of `bag`: visitors have other
/// roots than this machine.
#[must_use]
pub(crate) fn second_opinion(
    chain: &Chain,
    bag: &[Certificate],
    wanted: ChainCriteria<'_>,
) -> Option<Finding> {
    let known = *chain.end() == ChainEnd::Anchored;
    // What one of them takes, the other is asked about as it will be sent.
    let bag = if known { chain.intermediates() } else { bag };
    let knows = |anchors: &TrustAnchors| {
        *verify::assemble(chain.leaf(), bag, ChainCriteria { anchors, ..wanted })
            .chain
            .end()
            == ChainEnd::Anchored
    };
    let other = match wanted.anchors.source() {
        TrustSource::Mozilla => {
            let all = || chain.certificates().iter().chain(bag);
            let names: Vec<&[u8]> = all()
                .flat_map(|one| [one.subject_der(), one.issuer_der()])
                .collect();
            let named = |roots| TrustAnchors::system_named(roots, &names);
            // Nearly always the one file knows it.
            let bundle = Some(named(roots::bundle())).filter(knows);
            bundle.or_else(|| roots::system().ok().map(named))?
        }
        TrustSource::System => TrustAnchors::mozilla(),
        TrustSource::File(_) => return None,
    };
    let known_there = knows(&other);
    let (label, here, there) = (
        chain.leaf().label(),
        wanted.anchors.source(),
        other.source(),
    );
    let differs = |finding: fn(&'static str, String) -> Finding, what: String, next: &str| {
        Some(finding("trust-stores-disagree", format!("{label}: {what}")).with(NextStep::say(next)))
    };
    match (known, known_there, there) {
        (false, true, TrustSource::System) => differs(
            Finding::warning,
            format!("{there} would do, {here} does not know its root"),
            "if they are whom to trust:  --trust system",
        ),
        (false, true, _) => differs(
            Finding::warning,
            format!("{there} would do, {here} do not know its root"),
            "if that is whom to trust:  --trust mozilla",
        ),
        (true, false, TrustSource::System) => differs(
            Finding::note,
            format!(
                "{here} knows its root, {there} do not: browsers take it, programs on this machine \
                    (curl, wget) do not"
            ),
            "if such programs visit the site, update the package ca-certificates on their machines",
        ),
        (true, false, _) => differs(
            Finding::warning,
            format!(
                "{here} would do; {there} does not know its root, so browsers elsewhere refuse it"
            ),
            "for a public site, ask the CA for a certificate of a root that Mozilla lists",
        ),
        _ => None,
    }
}
