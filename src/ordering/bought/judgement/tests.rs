//! Tests of the module above.

use super::{NextMove, RequestMatch, judge};
use crate::namecheap::{CertificateInfo, CertificateStatus};
use crate::state::PurchaseStep;

fn info(status: CertificateStatus) -> CertificateInfo {
    CertificateInfo {
        status,
        description: String::new(),
        product: String::new(),
        replaced_by: None,
        request: None,
        chain: Vec::new(),
    }
}

#[test]
fn an_activation_that_was_confirmed_is_never_sent_again() {
    use CertificateStatus::{Active, Cancelled, NewPurchase, PurchaseError, Purchased, Replaced};
    use PurchaseStep::{Activating, Chosen, Reissuing, Started};
    use RequestMatch::{Other, Own, Unknown};
    for (status, request, step, expected) in [
        (NewPurchase, Unknown, Chosen, NextMove::Activate),
        (NewPurchase, Unknown, Activating, NextMove::Activate),
        (NewPurchase, Unknown, Started, NextMove::Wait),
        (Purchased, Own, Chosen, NextMove::Validate),
        (Purchased, Unknown, Activating, NextMove::Validate),
        (Purchased, Unknown, Chosen, NextMove::OtherRequest),
        (Purchased, Other, Started, NextMove::OtherRequest),
        (Active, Own, Started, NextMove::Download),
        (Active, Own, Chosen, NextMove::Download),
        (Active, Other, Chosen, NextMove::Reissue),
        (Active, Other, Reissuing, NextMove::Reissue),
        (Active, Unknown, Started, NextMove::OtherRequest),
        (Replaced, Other, Chosen, NextMove::Stop),
        (Replaced, Other, Reissuing, NextMove::Wait),
        (PurchaseError, Own, Started, NextMove::Stop),
        (Cancelled, Own, Started, NextMove::Stop),
    ] {
        let found = judge(&info(status.clone()), request, step);
        assert_eq!(found, expected, "{status} {request:?} {step:?}");
    }
}

#[test]
fn a_reissue_is_followed_in_every_step() {
    let next = "34351741".parse().unwrap();
    let replaced = CertificateInfo {
        replaced_by: Some(next),
        ..info(CertificateStatus::Replaced)
    };
    for step in [
        PurchaseStep::Chosen,
        PurchaseStep::Reissuing,
        PurchaseStep::Started,
    ] {
        let found = judge(&replaced, RequestMatch::Other, step);
        assert_eq!(found, NextMove::Follow(next));
    }
}
