//! Advice on certificate revocation lists that `status` was given.

use crate::finding::{Finding, NextStep};
use crate::inventory::crls::CrlRemark;

/// A remark on a certificate revocation list as a finding.
impl From<&CrlRemark> for Finding {
    fn from(remark: &CrlRemark) -> Self {
        let message = remark.to_string();
        match remark {
            CrlRemark::Delta { .. } => Self::warning("crl-delta", message).with_step(
                NextStep::say("Pass the complete CRL of the same CA as well"),
            ),
            CrlRemark::Old { .. } => Self::warning("crl-old", message).with_step(NextStep::say(
                "Download the current CRL; its address is in the certificate's CRL distribution \
                    points",
            )),
            CrlRemark::OfOthers { .. } => Self::warning("crl-other-issuer", message),
        }
    }
}
