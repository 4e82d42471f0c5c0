//! `certctl order`: orders a certificate through ACME and installs it, from the request to the server
//! that serves it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::acme::ca_table::{AcmeChoice, CaPurpose};
use crate::acme::registration::ExternalAccount;
use crate::advice::order as advice;
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::install::request::RunMode;
use crate::matching::file_names;
use crate::ordering::{
    CHALLENGE_FILE_UNCHECKED, ChargeConsent, InstallChoice, NameExpansion, OrderOutcome, OrderSpec,
    OrderTiming, TermsConsent, ValidationSetup, Webroots, order_certificate,
};
use crate::pki::alt_name::AltNames;
use crate::publication::{UNCHECKED_RECORD, UncheckedRule};
use crate::publishing::provider::ProviderChoice;
use crate::secret::SecretText;
use crate::store::settings::LineageSettings;
use crate::system::dns;
use crate::system::fs::{files, folders};
use crate::wording::find_keyword;

/// The maximum number of bytes of a file with an HMAC key.
const HMAC_KEY_LIMIT: u64 = 64 * 1024;
/// Folders that Debian's and Red Hat's web servers serve by default.
const USUAL_WEBROOTS: [&str; 2] = ["/var/www/html", "/usr/share/nginx/html"];

/// Order a certificate from a CA with ACME, and install it
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
    /// google, digicert, globalsign, actalis, or the URL of an ACME directory
    #[arg(long, value_name = "CA|URL")]
    pub ca: AcmeChoice,
    /// Folder from which the web server of the names serves files: validation files are written to
    /// its .well-known/acme-challenge (may be repeated, with NAME= for one of several names)
    #[arg(long, value_name = "[NAME=]DIR")]
    pub webroot: Vec<String>,
    /// DNS provider through which validation records are published instead of files: rfc2136 or
    /// exec:PROGRAM [default: `dns` in config.toml, without --webroot]
    #[arg(long, value_name = "PROVIDER", conflicts_with = "webroot")]
    pub dns: Option<ProviderChoice>,
    /// Resolver to query instead of the system's (may be repeated)
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::parse_address)]
    pub resolver: Vec<SocketAddr>,
    /// Agree to the CA's terms of service, for a new account
    #[arg(long)]
    pub agree_tos: bool,
    /// Mail address that the CA may use, for a new account
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
    /// Report this finding as a warning instead of refusing: challenge-file-unchecked (the
    /// validation file cannot be fetched from here), unchecked-record (the zone's servers cannot be
    /// queried from here)
    #[arg(long, value_name = "CODE", value_parser = parse_allowed, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Show what would be done; order and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn parse_allowed(text: &str) -> Result<&'static str, &'static str> {
    find_keyword(text, &[CHALLENGE_FILE_UNCHECKED, UNCHECKED_RECORD]).ok_or(
        "codes that can be allowed: challenge-file-unchecked, unchecked-record (it is not checked)",
    )
}

/// Orders the certificate.
///
/// # Errors
/// What prevents the order from starting, or a signal.
pub(crate) fn run(context: &Context, args: &OrderArgs) -> Result<OrderOutcome, Failure> {
    let names = AltNames::parse(&args.names)?;
    let name = certificate_name(args, &names);
    let saved = installed::read_settings(context, &name)?;
    let configuration = ConfigurationFolders::find(context.root.as_deref());
    let defaults = read_defaults(&configuration)?;
    let method = method(args, &saved, defaults.dns)?;
    let resolvers = given_or(&args.resolver, defaults.resolvers);
    let spec = OrderSpec {
        name,
        names,
        ca: args.ca.clone(),
        resolvers,
        profile: args.profile.clone(),
        contact: args.email.iter().map(|mail| contact_url(mail)).collect(),
        external: external_account(args)?,
        trust: trust(args, saved)?,
        terms: terms(args),
        charges: charges(args),
        timing: timing(args),
        expansion: expansion(args),
        install: install_choice(args),
        unchecked: unchecked_rule(args, &method),
        method,
        mode: mode(args),
    };
    order_certificate(context, &spec)
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

/// `--accept-charges`.
fn charges(args: &OrderArgs) -> ChargeConsent {
    if args.accept_charges {
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
        ValidationSetup::Files(_) => CHALLENGE_FILE_UNCHECKED,
        ValidationSetup::Records(_) => UNCHECKED_RECORD,
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
) -> Result<ValidationSetup, Failure> {
    if let Some(choice) = &args.dns {
        return Ok(ValidationSetup::Records(choice.clone()));
    }
    if !args.webroot.is_empty() {
        return Ok(ValidationSetup::Files(Webroots::parse(&args.webroot)?));
    }
    if let Some(order) = &saved.order {
        if !order.webroot.is_empty() {
            return Ok(ValidationSetup::Files(Webroots::parse(&order.webroot)?));
        }
        let choice = order.dns.as_deref().and_then(|dns| dns.parse().ok());
        if let Some(choice) = choice {
            return Ok(ValidationSetup::Records(choice));
        }
    }
    if let Some(choice) = configured {
        return Ok(ValidationSetup::Records(choice));
    }
    let usual = USUAL_WEBROOTS.into_iter();
    let existing = usual.filter(|folder| folders::is_folder(Path::new(folder)));
    let existing: Vec<String> = existing.map(str::to_owned).collect();
    Err(advice::choose_method(&existing))
}

/// The roots of the command line, else the saved ones; a file is named by its path without links.
fn trust(args: &OrderArgs, saved: LineageSettings) -> Result<Option<String>, Failure> {
    Ok(match args.trust.as_deref() {
        None => saved.trust,
        Some(word @ ("mozilla" | "system")) => Some(word.to_owned()),
        Some(file) => {
            let path = folders::resolve_links(Path::new(file))?;
            Some(path.display().to_string())
        }
    })
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
