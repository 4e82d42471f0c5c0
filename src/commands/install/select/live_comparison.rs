//! Whether a certificate is newer than the one that is live.

use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::pki::certificate::Certificate;

/// How a certificate compares with the live one of its lineage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LiveComparison {
    /// There is no live one, it is not proven yet, or it expires earlier.
    Ready,
    /// The same, and proven.
    AlreadyLive,
    /// The live one expires later.
    Older,
}

/// Compares a certificate with the live one of the lineage `stem`.
///
/// # Errors
/// When the live one exists and cannot be read.
pub(super) fn compare_with_live(
    context: &Context,
    stem: &str,
    leaf: &Certificate,
) -> Result<LiveComparison, Failure> {
    let comparison = match installed::load_live_leaf(context, stem)? {
        Some((live, proven)) if live == *leaf => {
            if proven {
                LiveComparison::AlreadyLive
            } else {
                LiveComparison::Ready
            }
        }
        Some((live, _)) if live.not_after > leaf.not_after => LiveComparison::Older,
        _ => LiveComparison::Ready,
    };
    Ok(comparison)
}
