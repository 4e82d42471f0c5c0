//! `certctl order`: orders a certificate through ACME or a reseller and installs it, from the request to the server
//! that serves it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::acme::ca_table::CaPurpose;
use crate::acme::registration::ExternalAccount;
use crate::advice::order as advice;
use crate::commands::deployment_args::DeploymentArgs;
use crate::commands::method_args::{MethodArgs, choose_method};
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::saved_trust;
use crate::install::installed;
use crate::install::request::RunMode;
use crate::install_plan::allow::parse_allowed_code;
use crate::matching::file_names;
use crate::namecheap::{CertificateId, PurchaseTerm};
use crate::ordering::{
    CHALLENGE_FILE_UNCHECKED, ChargeConsent, DeploymentSpec, InstallChoice, KeyChoice,
    NameExpansion, OrderCa, OrderOutcome, OrderSpec, OrderTiming, PurchaseChoice, TermsConsent,
    ValidationSetup, WantedPurchase, order_certificate,
};
use crate::pki::alt_name::AltNames;
use crate::publication::{UNCHECKED_RECORD, UncheckedRule};
use crate::publishing::provider::ProviderChoice;
use crate::secret::SecretText;
use crate::store::settings::{LineageSettings, StoredOrder};
use crate::system::dns;
use crate::system::fs::files;
use crate::wording::find_keyword;

/// The maximum number of bytes of a file with an HMAC key.
pub(crate) const HMAC_KEY_LIMIT: u64 = 64 * 1024;
/// What is not checked before the CA checks it.
const ORDER_CODES: [&str; 2] = [CHALLENGE_FILE_UNCHECKED, UNCHECKED_RECORD];

/// Order a certificate through an API, and install it
///
/// Examples:
///   sudo certctl order example.com --ca letsencrypt --dns alidns --agree-tos
///   certctl order example.com --ca letsencrypt-staging --webroot /srv/www
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct OrderArgs {
    /// DNS names, the primary one first
    #[arg(required = true, value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// CA: letsencrypt, letsencrypt-staging (a test, not installed), zerossl, ssl.com, sectigo,
    /// google, digicert, globalsign, actalis, the URL of an ACME directory, or namecheap
    #[arg(long, value_name = "CA|URL")]
    pub ca: OrderCa,
    /// How control of the names is proven.
    #[command(flatten)]
    pub method: MethodArgs,
    /// Resolver to query instead of the system's (may be repeated)
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::parse_address)]
    pub resolver: Vec<SocketAddr>,
    /// Agree to the CA's terms of service, for a new account
    #[arg(long)]
    pub agree_tos: bool,
    /// Mail address that the CA may use, for a new account; at namecheap, of the administrator
    #[arg(long, value_name = "MAIL")]
    pub email: Vec<String>,
    /// Key id of an external account binding, for a new account at a CA that requires one
    #[arg(long, value_name = "ID", requires = "eab_hmac_key_file")]
    pub eab_kid: Option<String>,
    /// File with the HMAC key of the external account binding
    #[arg(long, value_name = "FILE", requires = "eab_kid")]
    pub eab_hmac_key_file: Option<PathBuf>,
    /// Profile of the certificate, if the CA offers several
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Number of the certificate in the account at namecheap: one that was bought is activated, an
    /// active one is reissued
    #[arg(long, value_name = "ID", conflicts_with = "buy")]
    pub certificate: Option<CertificateId>,
    /// Buy this product at namecheap, once, and activate it
    #[arg(long, value_name = "PRODUCT", requires = "years")]
    pub buy: Option<String>,
    /// For how many years it is bought, 1 to 5
    #[arg(long, value_name = "N", requires = "buy")]
    pub years: Option<PurchaseTerm>,
    /// Accept what the certificate costs, or may cost
    #[arg(long)]
    pub accept_charges: bool,
    /// Replace the certificate by one with more names
    #[arg(long)]
    pub expand: bool,
    /// Order although the certificate is not due, or the CA's limit is near
    #[arg(long)]
    pub force: bool,
    /// Write key, request and chain to the working directory, and install nothing
    #[arg(long)]
    pub no_install: bool,
    /// Trusted roots of the CA and of its API: mozilla, system, or a file of CA certificates
    /// [default: the saved one, else mozilla]
    #[arg(long, value_name = "mozilla|FILE", value_parser = crate::inputs::parse_trust)]
    pub trust: Option<String>,
    /// Name of the certificate in /etc/ssl [default: the first name]
    #[arg(long, value_name = "STEM", value_parser = file_names::parse_cert_name)]
    pub cert_name: Option<String>,
    /// How it is deployed.
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// Report this finding as a warning instead of refusing: a code of `install --allow`, or
    /// challenge-file-unchecked (the validation file cannot be fetched from here), unchecked-record
    /// (the zone's servers cannot be queried from here)
    #[arg(long, value_name = "CODE", value_parser = parse_allowed, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Show what would be done; order and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Parses a code of the order, else one of the install.
fn parse_allowed(text: &str) -> Result<&'static str, String> {
    if let Some(code) = find_keyword(text, &ORDER_CODES) {
        return Ok(code);
    }
    let unknown =
        |known: String| format!("{known}, {} (it is not checked)", ORDER_CODES.join(", "));
    parse_allowed_code(text).map_err(unknown)
}

/// Orders the certificate.
///
/// # Errors
/// What prevents the order from starting, or a signal.
pub(crate) fn run(context: &Context, args: &OrderArgs) -> Result<OrderOutcome, Failure> {
    check_reseller_options(args)?;
    let names = AltNames::parse(&args.names)?;
    let name = certificate_name(args, &names);
    let saved = installed::read_settings(context, &name)?;
    let configuration = ConfigurationFolders::find(context.root.as_deref());
    let defaults = read_defaults(&configuration)?;
    let Some(method) = method(args, &saved, defaults.dns)? else {
        return Err(choose_method(context, &configuration, &names));
    };
    let subject = OrderSubject {
        name,
        names,
        method,
        resolvers: given_or(&args.resolver, defaults.resolvers),
    };
    order_certificate(context, &order_spec(context, args, subject, saved)?)
}

/// The options of a reseller belong to a reseller.
fn check_reseller_options(args: &OrderArgs) -> Result<(), Failure> {
    if args.ca.is_reseller() || (args.certificate.is_none() && args.buy.is_none()) {
        return Ok(());
    }
    Err(advice::only_at_reseller(args.ca.title()))
}

/// What is ordered, and how it is validated.
struct OrderSubject {
    /// The certificate's name in /etc/ssl.
    name: String,
    names: AltNames,
    method: ValidationSetup,
    resolvers: Vec<SocketAddr>,
}

/// Adds the options of the command line to the subject.
fn order_spec(
    context: &Context,
    args: &OrderArgs,
    subject: OrderSubject,
    saved: LineageSettings,
) -> Result<OrderSpec, Failure> {
    Ok(OrderSpec {
        charges: charges(args, saved.order.as_ref(), &subject.names),
        ca: args.ca.clone(),
        purchase: purchase(args, saved.order.as_ref()),
        profile: args.profile.clone(),
        contact: contact(args, saved.order.as_ref()),
        external: external_account(args)?,
        trust: trust(args, saved)?,
        terms: terms(args),
        timing: timing(args),
        key: KeyChoice::New,
        expansion: expansion(args),
        install: install_choice(args),
        unchecked: unchecked_rule(args, &subject.method),
        deployment: deployment(context, args)?,
        mode: mode(args),
        name: subject.name,
        names: subject.names,
        method: subject.method,
        resolvers: subject.resolvers,
    })
}

/// How the certificate is deployed, as far as the command line says it.
fn deployment(context: &Context, args: &OrderArgs) -> Result<DeploymentSpec, Failure> {
    let mut allow = args.allow.clone();
    allow.retain(|code| !ORDER_CODES.contains(code));
    Ok(DeploymentSpec {
        flags: args.deployment.settings(context)?,
        allow,
        lock_wait: args.deployment.lock_wait(),
    })
}

/// The name of the certificate in /etc/ssl.
fn certificate_name(args: &OrderArgs, names: &AltNames) -> String {
    let given = args.cert_name.clone();
    given.unwrap_or_else(|| names.primary().file_stem())
}

/// The values of the command line, else the configured ones.
fn given_or(given: &[SocketAddr], configured: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if given.is_empty() {
        configured
    } else {
        given.to_vec()
    }
}

/// `--agree-tos`.
fn terms(args: &OrderArgs) -> TermsConsent {
    if args.agree_tos {
        TermsConsent::Agreed
    } else {
        TermsConsent::Unasked
    }
}

/// `--accept-charges`, now or in an earlier order of these names from this CA.
fn charges(args: &OrderArgs, saved: Option<&StoredOrder>, names: &AltNames) -> ChargeConsent {
    let is_saved = saved.is_some_and(|order| {
        let accepted = |name: &String| order.charges_accepted.contains(name);
        order.ca == args.ca.to_string() && names.texts().iter().all(accepted)
    });
    if args.accept_charges || is_saved {
        ChargeConsent::Accepted
    } else {
        ChargeConsent::Unasked
    }
}

/// `--force`.
fn timing(args: &OrderArgs) -> OrderTiming {
    if args.force {
        OrderTiming::Now
    } else {
        OrderTiming::WhenDue
    }
}

/// `--expand`.
fn expansion(args: &OrderArgs) -> NameExpansion {
    if args.expand {
        NameExpansion::Allowed
    } else {
        NameExpansion::Refused
    }
}

/// `--dry-run`.
fn mode(args: &OrderArgs) -> RunMode {
    if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    }
}

/// `--allow`: the code depends on the method.
fn unchecked_rule(args: &OrderArgs, method: &ValidationSetup) -> UncheckedRule {
    let code = match method {
        ValidationSetup::Files(_) | ValidationSetup::Listener(_) => CHALLENGE_FILE_UNCHECKED,
        ValidationSetup::Records(_) | ValidationSetup::Manual => UNCHECKED_RECORD,
    };
    if args.allow.contains(&code) {
        UncheckedRule::Allow
    } else {
        UncheckedRule::Refuse
    }
}

/// `--no-install`; the certificates of a CA for tests are never installed.
fn install_choice(args: &OrderArgs) -> InstallChoice {
    let is_test = args
        .ca
        .known()
        .is_some_and(|ca| ca.purpose == CaPurpose::Testing);
    if args.no_install || is_test {
        InstallChoice::FilesOnly
    } else {
        InstallChoice::Install
    }
}

/// The method of the command line, else the saved one, else that of the configuration.
fn method(
    args: &OrderArgs,
    saved: &LineageSettings,
    configured: Option<ProviderChoice>,
) -> Result<Option<ValidationSetup>, Failure> {
    if let Some(given) = args.method.given()? {
        return Ok(Some(given));
    }
    if let Some(order) = &saved.order
        && let Some(method) = ValidationSetup::from_stored(order)?
    {
        return Ok(Some(method));
    }
    let by_hand = args.ca.is_reseller().then_some(ValidationSetup::Manual);
    Ok(configured.map(ValidationSetup::Records).or(by_hand))
}

/// The roots of the command line, else the saved ones.
fn trust(args: &OrderArgs, saved: LineageSettings) -> Result<Option<String>, Failure> {
    let given = saved_trust(args.trust.as_deref())?;
    Ok(given.or(saved.trust))
}

/// `--email`, else the saved address.
fn contact(args: &OrderArgs, saved: Option<&StoredOrder>) -> Vec<String> {
    let mut given = args.email.clone();
    if given.is_empty() && args.ca.is_reseller() {
        given.extend(saved.and_then(|order| order.email.clone()));
    }
    given.iter().map(|mail| contact_url(mail)).collect()
}

/// The certificate of a reseller: that of the command line, else the saved one.
fn purchase(args: &OrderArgs, saved: Option<&StoredOrder>) -> PurchaseChoice {
    if let Some(id) = args.certificate {
        return PurchaseChoice::Certificate(id);
    }
    if let (Some(product), Some(term)) = (&args.buy, args.years) {
        return PurchaseChoice::Buy(WantedPurchase {
            product: product.clone(),
            term,
        });
    }
    let saved = saved.filter(|order| order.ca == args.ca.to_string());
    let id = saved.and_then(|order| order.certificate.as_deref());
    match id.and_then(|id| id.parse().ok()) {
        Some(id) => PurchaseChoice::Certificate(id),
        None => PurchaseChoice::Unspecified,
    }
}

/// A mail address as the URL that RFC 8555 7.1.2 asks for.
fn contact_url(mail: &str) -> String {
    if mail.starts_with("mailto:") {
        mail.to_owned()
    } else {
        format!("mailto:{mail}")
    }
}

/// The external account; its HMAC key is read from a file that only its owner can read.
fn external_account(args: &OrderArgs) -> Result<Option<ExternalAccount>, Failure> {
    let (Some(key_id), Some(path)) = (&args.eab_kid, &args.eab_hmac_key_file) else {
        return Ok(None);
    };
    let (bytes, mode) = files::read_with_mode(path, HMAC_KEY_LIMIT)?;
    let bytes = zeroize::Zeroizing::new(bytes);
    if mode.has_any(0o077) {
        return Err(advice::hmac_key_exposed(path));
    }
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(Some(ExternalAccount {
        key_id: key_id.clone(),
        hmac_key: SecretText::new(text),
    }))
}
