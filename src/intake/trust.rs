//! Whom to trust, and what others say: a chain that one trust store knows and another does not is told as such.

use std::path::Path;

use crate::context::Context;
use crate::directory;
use crate::failure::Failure;
use crate::finding::{Finding, Next};
use crate::pairing::PairingError;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd, Wanted};
use crate::pki::trust::{TrustAnchors, TrustSource};
use crate::pki::verify;
use crate::system::roots;

/// The anchors of `--trust`: Mozilla's list by default, the system's roots, or the certificates of a file.
///
/// # Errors
/// When the file or the system's store cannot be read or holds no certificate.
pub fn anchors(trust: Option<&str>) -> Result<TrustAnchors, Failure> {
    let path = match trust {
        None | Some("mozilla") => return Ok(TrustAnchors::mozilla()),
        Some("system") => return Ok(system()?),
        Some(path) => path,
    };
    let anchors = TrustAnchors::from_certificates(path, &directory::read_file(Path::new(path))?.bag());
    if anchors.is_empty() { Err(PairingError::NoAnchor(path.to_owned()).into()) } else { Ok(anchors) }
}

fn system() -> Result<TrustAnchors, roots::RootsError> {
    let roots = roots::system()?;
    let roots: Vec<Certificate> = roots.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    Ok(TrustAnchors::system(&roots))
}

/// The flags that name the same anchors again.
#[must_use]
pub fn trust_flags(anchors: &TrustAnchors) -> Vec<String> {
    let word = match anchors.source() {
        TrustSource::Mozilla => return Vec::new(),
        TrustSource::System => "system",
        TrustSource::File(path) => path,
    };
    vec!["--trust".to_owned(), word.to_owned()]
}

/// The words of `certctl bundle` for what was typed.
#[must_use]
pub fn bundle_again(context: &Context, typed: &[String], anchors: &TrustAnchors) -> Vec<String> {
    [context.again("bundle"), trust_flags(anchors), typed.to_vec()].concat()
}

/// Where Mozilla and this system differ about `chain`, which was made of `bag`: looked at when one of them refuses it, and
/// always under the system's roots, since the site's visitors have others.
#[must_use]
pub fn second_opinion(chain: &Chain, bag: &[Certificate], wanted: Wanted<'_>) -> Option<Finding> {
    let known = *chain.end() == ChainEnd::Anchored;
    let other = match wanted.anchors.source() {
        TrustSource::Mozilla if !known => system().ok()?,
        TrustSource::System => TrustAnchors::mozilla(),
        TrustSource::Mozilla | TrustSource::File(_) => return None,
    };
    let theirs = verify::assemble(chain.leaf(), bag, Wanted { anchors: &other, ..wanted }).chain;
    let known_there = *theirs.end() == ChainEnd::Anchored;
    let (label, here, there) = (chain.leaf().label(), wanted.anchors.source(), other.source());
    match (known, known_there) {
        (false, true) => {
            let trust = if *there == TrustSource::System { "system" } else { "mozilla" };
            Some(
                Finding::warning("trust-differs", format!("{label}: {there} would do, {here} does not know its root"))
                    .with(Next::say(format!("if they are whom to trust:  --trust {trust}"))),
            )
        }
        (true, false) => Some(
            Finding::warning(
                "trust-differs",
                format!("{label}: {here} would do; {there} does not know its root, so browsers elsewhere refuse it"),
            )
            .with(Next::say("for a public site, ask the CA for a certificate of a root that Mozilla lists")),
        ),
        _ => None,
    }
}
