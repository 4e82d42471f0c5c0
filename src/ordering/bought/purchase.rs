//! Which certificate of the account is used, and what happens to it.

use crate::advice::namecheap as advice;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::installed;
use crate::inventory::RenewBefore;
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms};
use crate::namecheap::{CertificateId, CertificateInfo, CertificateStatus};
use crate::ordering::order_ca::{PurchaseChoice, WantedPurchase};
use crate::ordering::order_run::OrderRun;
use crate::ordering::spec::{OrderSpec, OrderTiming};
use crate::system::namecheap::NamecheapClient;

/// How many reissues are followed from one certificate to the next.
const MOST_REISSUES: usize = 50;

/// What is used, and its state before anything is changed.
pub(super) enum ChosenPurchase {
    Buy(WantedPurchase),
    Existing(CertificateId, Box<CertificateInfo>),
    /// There is one, and it cannot be used.
    Unusable(Finding),
}

impl ChosenPurchase {
    pub(super) fn id(&self) -> Option<CertificateId> {
        match self {
            Self::Buy(_) | Self::Unusable(_) => None,
            Self::Existing(id, _) => Some(*id),
        }
    }

    /// Returns whether the reseller is sent the administrator's address.
    pub(super) fn needs_email(&self) -> bool {
        match self {
            Self::Buy(_) => true,
            Self::Unusable(_) => false,
            Self::Existing(_, info) => info.status != CertificateStatus::Purchased,
        }
    }

    /// What a dry run says about it.
    pub(super) fn planned_step(&self, spec: &OrderSpec) -> String {
        let names = spec.name_texts().join(", ");
        match self {
            Self::Unusable(finding) => finding.message.clone(),
            Self::Buy(wanted) => format!(
                "buy {} for {} at Namecheap, which charges the account, and activate it for {names}",
                wanted.product,
                years_in_words(wanted)
            ),
            Self::Existing(id, info) if info.status.is_unused() => {
                advice::activation_in_words(*id, &info.product, &names)
            }
            Self::Existing(id, info) if info.status == CertificateStatus::Purchased => format!(
                "continue the certificate {id} ({}), which is activated already, for {names}",
                info.product
            ),
            Self::Existing(id, info) => {
                format!(
                    "reissue the certificate {id} ({}) for {names}",
                    info.product
                )
            }
        }
    }
}

fn years_in_words(wanted: &WantedPurchase) -> String {
    match wanted.term.years() {
        1 => "1 year".to_owned(),
        years => format!("{years} years"),
    }
}

/// Finds the certificate; nothing is bought or changed.
///
/// # Errors
/// When none was given, or the certificate cannot be used.
pub(super) fn choose(
    run: &OrderRun<'_>,
    client: &NamecheapClient,
) -> Result<ChosenPurchase, Failure> {
    match &run.spec.purchase {
        PurchaseChoice::Unspecified => {
            let mut unused = client.list()?;
            unused.retain(|one| one.status.is_unused());
            Err(advice::choose_certificate(&unused))
        }
        PurchaseChoice::Buy(wanted) => {
            check_names_to_buy(run.spec)?;
            Ok(ChosenPurchase::Buy(wanted.clone()))
        }
        PurchaseChoice::Certificate(id) => {
            let (id, info) = follow_reissues(client, *id)?;
            if let Some(finding) = find_obstacle(run, id, &info)? {
                return Ok(ChosenPurchase::Unusable(finding));
            }
            Ok(ChosenPurchase::Existing(id, Box::new(info)))
        }
    }
}

/// Follows the certificates that reissues have created.
pub(super) fn follow_reissues(
    client: &NamecheapClient,
    first: CertificateId,
) -> Result<(CertificateId, CertificateInfo), Failure> {
    let mut id = first;
    for _ in 0..MOST_REISSUES {
        let info = client.info(id)?;
        match info.replaced_by {
            Some(next) if info.status == CertificateStatus::Replaced && next != id => id = next,
            _ => return Ok((id, info)),
        }
    }
    Err(advice::too_many_reissues(first))
}

/// A purchase is for one domain: how many names a product includes is not in the API.
fn check_names_to_buy(spec: &OrderSpec) -> Result<(), Failure> {
    if further_names(spec).is_empty() {
        Ok(())
    } else {
        Err(advice::buy_for_one_domain())
    }
}

/// Returns why none for these names can be had from a certificate.
fn find_obstacle(
    run: &OrderRun<'_>,
    id: CertificateId,
    info: &CertificateInfo,
) -> Result<Option<Finding>, Failure> {
    let spec = run.spec;
    Ok(match &info.status {
        CertificateStatus::NewPurchase | CertificateStatus::NewRenewal if is_renewal(spec) => {
            return Err(advice::activation_is_not_a_renewal(id, &info.product));
        }
        CertificateStatus::NewPurchase
        | CertificateStatus::NewRenewal
        | CertificateStatus::Purchased => None,
        CertificateStatus::Active => {
            let ends = is_renewal(spec) && is_paid_term_over(run)?;
            ends.then(|| advice::paid_term_ends(spec.name_texts().as_slice(), &info.product))
        }
        CertificateStatus::Cancelled | CertificateStatus::Expired if is_renewal(spec) => Some(
            advice::paid_term_ends(spec.name_texts().as_slice(), &info.product),
        ),
        CertificateStatus::Cancelled
        | CertificateStatus::Expired
        | CertificateStatus::PurchaseError
        | CertificateStatus::Replaced
        | CertificateStatus::Other(_) => Some(advice::not_usable(id, info)),
    })
}

fn is_renewal(spec: &OrderSpec) -> bool {
    matches!(spec.timing, OrderTiming::Renewal(_))
}

/// Returns whether a reissue would end with, or soon after, the certificate that it replaces.
fn is_paid_term_over(run: &OrderRun<'_>) -> Result<bool, Failure> {
    let settings = installed::read_settings(run.context, &run.spec.name)?;
    let (Some(last), OrderTiming::Renewal(renewed)) = (settings.paid_until, &run.spec.timing)
    else {
        return Ok(false);
    };
    let now = run.context.now();
    let terms = RenewalTerms {
        expiry: renewed.not_after,
        due: now,
        validated_at: now,
        paid_until: Some(last),
    };
    let renewals = schedule::renewals(terms, RenewBefore::default(), now);
    let next = renewals.first().and_then(|next| next.payment);
    Ok(next == Some(PaymentCoverage::Purchase))
}

/// Returns the names that make it a certificate for several domains: `www.` before the first name is
/// part of every certificate.
pub(super) fn further_names(spec: &OrderSpec) -> Vec<String> {
    let texts = spec.name_texts();
    let first = texts.first().cloned().unwrap_or_default();
    let bare = first.strip_prefix("*.").unwrap_or(&first).to_owned();
    let included = [first.clone(), format!("www.{first}"), bare];
    let mut further = texts;
    further.retain(|name| !included.contains(name) && format!("www.{name}") != first);
    further
}
