//! Advice on certificate revocation lists that `status` was given.

use super::rerun::{RepeatOption, repeat_with};
use crate::finding::{Finding, NextStep, shell_word};
use crate::inventory::crls::CrlRemark;

/// Downloads from private addresses too, if they belong to the user's own CA.
#[must_use]
pub(crate) fn allow_private_list() -> NextStep {
    let any = RepeatOption {
        name: "--crl=any",
        value: None,
    };
    let sentence = "If that address belongs to your own CA, repeat the command";
    repeat_with(sentence, &["status"], &[any])
}

/// Shows what the server of a list answers.
#[must_use]
pub(crate) fn check_list_address(url: &str) -> NextStep {
    NextStep::run_shell(
        "See what the CA's server answers; if it stays like that, tell the CA",
        format!("curl -sSI {}", shell_word(url)),
    )
}

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
