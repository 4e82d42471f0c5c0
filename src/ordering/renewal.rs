//! What a renewal orders: the same names from the same CA, with the saved options.

use std::net::SocketAddr;

use super::document::{OrderOutcome, OrderVerdict};
use super::order_ca::{OrderCa, PurchaseChoice};
use super::spec::{
    CertificatePlace, ChargeConsent, DeploymentSpec, InstallChoice, KeyChoice, NameExpansion,
    OrderSpec, OrderTiming, RenewedCertificate, TermsConsent, ValidationSetup,
};
use crate::acme::renewal_info::certificate_id;
use crate::advice::import_command::renewed_elsewhere;
use crate::advice::renew_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::RunMode;
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::publication::UncheckedRule;
use crate::state::FailedTry;
use crate::store::settings::{ImportedOrder, LineageSettings, StoredOrder};
use crate::system::dns;
use crate::wording::date_and_time;

/// The options of a renewal that are not saved.
pub(crate) struct RenewalOptions {
    pub key: KeyChoice,
    pub install: InstallChoice,
    pub urgency: RenewalUrgency,
    pub place: CertificatePlace,
    pub mode: RunMode,
}

/// Why a certificate is renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RenewalUrgency {
    WhenDue,
    /// The user wants another one now.
    Now,
}

/// Returns what the renewal of a certificate orders; `None` if it is not ordered through an API.
///
/// # Errors
/// When a saved option is not valid.
pub(crate) fn renewal_spec(
    name: &str,
    leaf: &Certificate,
    settings: &LineageSettings,
    options: RenewalOptions,
) -> Result<Option<OrderSpec>, Failure> {
    let Some(order) = &settings.order else {
        return Ok(None);
    };
    let ca: Result<OrderCa, String> = order.ca.parse();
    let Some(method) = method(order, &ca)? else {
        return Ok(None);
    };
    let ca = ca.map_err(|_| advice::saved_ca_unknown(name, &order.ca))?;
    let names = AltNames::parse(&certificate_names(leaf))?;
    Ok(Some(OrderSpec {
        name: name.to_owned(),
        charges: charges(order, &names),
        names,
        ca,
        purchase: purchase(order),
        method,
        resolvers: resolvers(order),
        profile: order.profile.clone(),
        contact: order.email.iter().cloned().collect(),
        external: None,
        trust: settings.trust.clone(),
        terms: terms(order),
        timing: timing(leaf, &options),
        key: options.key,
        expansion: NameExpansion::Refused,
        install: options.install,
        unchecked: UncheckedRule::Refuse,
        deployment: DeploymentSpec::default(),
        mode: options.mode,
    }))
}

fn resolvers(order: &StoredOrder) -> Vec<SocketAddr> {
    let saved = order.resolver.iter();
    saved
        .filter_map(|text| dns::parse_address(text).ok())
        .collect()
}

/// The saved method; at a reseller, the user publishes the record unless another one is saved.
fn method(
    order: &StoredOrder,
    ca: &Result<OrderCa, String>,
) -> Result<Option<ValidationSetup>, Failure> {
    let saved = ValidationSetup::from_stored(order)?;
    let by_hand = matches!(ca, Ok(ca) if ca.is_reseller());
    Ok(saved.or_else(|| by_hand.then_some(ValidationSetup::Manual)))
}

/// The certificate that is reissued.
fn purchase(order: &StoredOrder) -> PurchaseChoice {
    let id = order.certificate.as_deref();
    match id.and_then(|id| id.parse().ok()) {
        Some(id) => PurchaseChoice::Certificate(id),
        None => PurchaseChoice::Unspecified,
    }
}

/// Who orders with another program has agreed to the terms of the CA there.
fn terms(order: &StoredOrder) -> TermsConsent {
    match order.imported {
        Some(_) => TermsConsent::Agreed,
        None => TermsConsent::Unasked,
    }
}

/// A renewal is for the certificate that it replaces.
fn timing(leaf: &Certificate, options: &RenewalOptions) -> OrderTiming {
    OrderTiming::Renewal(RenewedCertificate {
        sha256: leaf.sha256(),
        certificate_id: certificate_id(leaf),
        not_before: leaf.not_before,
        is_forced: options.urgency == RenewalUrgency::Now,
        place: options.place,
        not_after: leaf.not_after,
    })
}

/// Returns the outcome for a renewal that failed, and is not tried again yet.
#[must_use]
pub(crate) fn wait_after_failure(
    context: &Context,
    spec: &OrderSpec,
    last: &FailedTry,
) -> OrderOutcome {
    let mut waiting = OrderOutcome::new(spec, OrderVerdict::Pending);
    waiting.exit_code = 1;
    waiting.not_before = Some(last.again_at);
    waiting.summary = format!(
        "nothing was ordered: certctl tries again after {}",
        date_and_time(last.again_at)
    );
    waiting.findings = vec![advice::last_renewal_failed(
        last,
        context.command_words("renew"),
    )];
    waiting
}

/// Returns the outcome for a certificate that another program still renews.
#[must_use]
pub(crate) fn leave_to_other_tool(spec: &OrderSpec, origin: &ImportedOrder) -> OrderOutcome {
    let mut left = OrderOutcome::new(spec, OrderVerdict::Refused);
    "nothing was ordered".clone_into(&mut left.summary);
    let finding = renewed_elsewhere(&origin.tool, &spec.name, &origin.renewal_file);
    left.findings = vec![finding];
    left
}

/// Returns the DNS names and the IP addresses of a certificate.
#[must_use]
pub(crate) fn certificate_names(leaf: &Certificate) -> Vec<String> {
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    leaf.dns_names.iter().cloned().chain(addresses).collect()
}

/// Charges were accepted for certain names.
fn charges(order: &StoredOrder, names: &AltNames) -> ChargeConsent {
    let accepted = &order.charges_accepted;
    if !accepted.is_empty() && names.texts().iter().all(|name| accepted.contains(name)) {
        ChargeConsent::Accepted
    } else {
        ChargeConsent::Unasked
    }
}
