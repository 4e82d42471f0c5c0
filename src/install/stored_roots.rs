//! The roots of companies' own CAs that are stored with installed certificates.

use std::path::PathBuf;

use crate::advice;
use crate::advice::dcv_check_command::RootSource;
use crate::context::Context;
use crate::finding::Finding;
use crate::inputs;
use crate::install::installed;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;

/// The maximum number of installed certificates whose roots are read.
const LIMIT: usize = 500;

/// A root that is stored with an installed certificate.
pub(crate) struct StoredRoot {
    /// The name of the certificate.
    pub stem: String,
    pub path: PathBuf,
}

/// Returns where an install for these names gets the root of a company's own CA from.
#[must_use]
pub(crate) fn root_source(context: &Context, names: &[String]) -> RootSource {
    let defaults = context.defaults();
    if let Ok(defaults) = defaults
        && defaults.trust.is_some()
    {
        return RootSource::Stored;
    }
    match stored_trust(context, names) {
        Some(_) => RootSource::Stored,
        None => RootSource::Argument,
    }
}

/// Returns what `--trust` was when a certificate for these names was installed.
fn stored_trust(context: &Context, names: &[String]) -> Option<String> {
    let stem = names.first()?;
    // Names of certificates are untrusted text.
    DnsName::parse(stem).ok()?;
    let settings = installed::read_settings(context, stem);
    settings.ok()?.trust
}

/// Loads the trust anchors that are stored with the installed certificate for these names.
#[must_use]
pub(crate) fn load_anchors(context: &Context, names: &[String]) -> Option<TrustAnchors> {
    let trust = stored_trust(context, names)?;
    let anchors = inputs::trust_anchors(Some(&trust));
    anchors.ok()
}

/// Finds the stored root that signed `last`, the last certificate of a chain.
#[must_use]
fn find_stored_root(context: &Context, last: &Certificate) -> Option<StoredRoot> {
    let stems = installed::list_installed(context).ok()?;
    for stem in stems.into_iter().take(LIMIT) {
        let Ok(settings) = installed::read_settings(context, &stem) else {
            continue;
        };
        let Some(trust) = settings.trust else {
            continue;
        };
        // Not the words for Mozilla's list and the system's.
        let path = PathBuf::from(&trust);
        if !path.is_absolute() {
            continue;
        }
        let Ok(anchors) = inputs::trust_anchors(Some(&trust)) else {
            continue;
        };
        let is_signer = |root: &Certificate| {
            let is_root = root.is_self_issued();
            is_root && last.is_signed_by(root)
        };
        let roots = anchors.certificates();
        if roots.iter().any(is_signer) {
            return Some(StoredRoot { stem, path });
        }
    }
    None
}

/// If the root of a chain is the one of an installed certificate, the step of the error names its
/// file; a root in the working directory takes precedence. `last` is the last certificate of the chain.
pub(crate) fn use_stored_root(
    context: &Context,
    last: Option<&Certificate>,
    findings: &mut [Finding],
) {
    let is_untrusted = |one: &&mut Finding| ["unknown-root", "unknown-issuer"].contains(&one.code);
    if findings.iter().any(|one| one.code == "root-found") {
        return;
    }
    let mut untrusted: Vec<&mut Finding> = findings.iter_mut().filter(is_untrusted).collect();
    if untrusted.is_empty() {
        return;
    }
    let Some(root) = last.and_then(|last| find_stored_root(context, last)) else {
        return;
    };
    let step = advice::inputs::trust_stored_root(&root.stem, &root.path);
    for finding in &mut untrusted {
        finding.next = vec![step.clone()];
    }
}
