//! What the state of a certificate at the reseller means for an order.

use crate::namecheap::{CertificateId, CertificateInfo, CertificateStatus};
use crate::state::PurchaseStep;

/// What is done next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum NextMove {
    /// The request is sent for the first time; the certificate is unused.
    Activate,
    /// The request is sent; the certificate has another one.
    Reissue,
    /// The CA waits for the records, or issues.
    Validate,
    /// It is issued for this request.
    Download,
    /// A reissue has this id.
    Follow(CertificateId),
    /// The reseller processes the request and does not show it yet.
    Wait,
    /// It is used for another request.
    OtherRequest,
    /// It cannot be issued.
    Stop,
}

/// Whether a certificate at the reseller is for the request of the order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RequestMatch {
    Own,
    Other,
    /// The reseller does not show a request.
    Unknown,
}

/// Decides from the state, the request and the last step of the journal.
pub(super) fn judge(info: &CertificateInfo, request: RequestMatch, step: PurchaseStep) -> NextMove {
    let was_sent = step == PurchaseStep::Started;
    let was_tried = matches!(step, PurchaseStep::Activating | PurchaseStep::Reissuing);
    match (&info.status, request) {
        // The reseller has confirmed the activation: it is not sent again.
        (CertificateStatus::NewPurchase | CertificateStatus::NewRenewal, _) if was_sent => {
            NextMove::Wait
        }
        (CertificateStatus::NewPurchase | CertificateStatus::NewRenewal, _) => NextMove::Activate,
        (CertificateStatus::Purchased, RequestMatch::Own) => NextMove::Validate,
        (CertificateStatus::Purchased, RequestMatch::Unknown) if was_sent || was_tried => {
            NextMove::Validate
        }
        (CertificateStatus::Purchased, _) => NextMove::OtherRequest,
        (CertificateStatus::Active, RequestMatch::Own) => NextMove::Download,
        (CertificateStatus::Active, _) if was_sent => NextMove::OtherRequest,
        (CertificateStatus::Active, _) => NextMove::Reissue,
        (CertificateStatus::Replaced, _) => match info.replaced_by {
            Some(next) => NextMove::Follow(next),
            None if was_sent || was_tried => NextMove::Wait,
            None => NextMove::Stop,
        },
        (
            CertificateStatus::PurchaseError
            | CertificateStatus::Cancelled
            | CertificateStatus::Expired
            | CertificateStatus::Other(_),
            _,
        ) => NextMove::Stop,
    }
}

#[cfg(test)]
mod tests;
