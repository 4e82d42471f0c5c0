//! `certctl order`: orders a certificate through ACME and installs it, from the request to the server
//! that serves it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::acme::ca_table::{AcmeChoice, CaPurpose};
use crate::acme::registration::ExternalAccount;
use crate::advice::order::{self as advice, PossibleMethod};
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::saved_trust;
use crate::install::installed;
use crate::install::request::RunMode;
use crate::matching::file_names;
use crate::ordering::{
    CHALLENGE_FILE_UNCHECKED, ChargeConsent, InstallChoice, KeyChoice, NameExpansion, OrderOutcome,
    OrderSpec, OrderTiming, TermsConsent, ValidationSetup, Webroots, order_certificate,
};
use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::name::DnsName;
use crate::providers::{HOOK_TIMEOUT, open_provider};
use crate::publication::{UNCHECKED_RECORD, UncheckedRule};
use crate::publishing::profiles::PROFILES;
use crate::publishing::provider::ProviderChoice;
use crate::secret::SecretText;
use crate::store::settings::{LineageSettings, StoredOrder};
use crate::system::dns;
use crate::system::fs::{files, folders};
use crate::webserver::control::ports;
use crate::wording::find_keyword;

/// The maximum number of bytes of a file with an HMAC key.
pub(crate) const HMAC_KEY_LIMIT: u64 = 64 * 1024;
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
    /// Serve validation files with certctl's own server, at port 80 of all addresses or at ADDR
    #[arg(
        long,
        value_name = "ADDR[:PORT]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = parse_listener,
        conflicts_with_all = ["webroot", "dns"]
    )]
    pub standalone: Option<ListenerAddress>,
    /// DNS provider through which validation records are published instead of files: alidns,
    /// cloudflare, rfc2136, lexicon:NAME, exec:PROGRAM [default: `dns` in config.toml]
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

/// The value of `--standalone`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenerAddress(Option<SocketAddr>);

/// Reads an address with or without a port; without both, it is port 80 of all addresses.
fn parse_listener(text: &str) -> Result<ListenerAddress, &'static str> {
    if text.is_empty() {
        return Ok(ListenerAddress(None));
    }
    if let Ok(address) = text.parse() {
        return Ok(ListenerAddress(Some(address)));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let Ok(ip) = bare.parse() else {
        return Err("an IP address of this machine, with or without a port");
    };
    let address = SocketAddr::new(ip, 80);
    Ok(ListenerAddress(Some(address)))
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
    let Some(method) = method(args, &saved, defaults.dns)? else {
        return Err(choose_method(context, &configuration, &names));
    };
    let resolvers = given_or(&args.resolver, defaults.resolvers);
    let charges = charges(args, saved.order.as_ref(), &names);
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
        charges,
        timing: timing(args),
        key: KeyChoice::New,
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
) -> Result<Option<ValidationSetup>, Failure> {
    let files = |values: &[String]| Webroots::parse(values).map(ValidationSetup::Files);
    if let Some(choice) = &args.dns {
        return Ok(Some(ValidationSetup::Records(choice.clone())));
    }
    if let Some(ListenerAddress(address)) = args.standalone {
        return Ok(Some(ValidationSetup::Listener(address)));
    }
    if !args.webroot.is_empty() {
        return files(&args.webroot).map(Some);
    }
    if let Some(order) = &saved.order
        && let Some(method) = ValidationSetup::from_stored(order)?
    {
        return Ok(Some(method));
    }
    Ok(configured.map(ValidationSetup::Records))
}

/// The error without a method: one line for each method that is possible here. A file validates no
/// wildcard, and a DNS provider needs its credentials.
fn choose_method(
    context: &Context,
    configuration: &ConfigurationFolders,
    names: &AltNames,
) -> Failure {
    let mut possible = Vec::new();
    for profile in PROFILES {
        let Ok(choice) = profile.name.parse() else {
            continue;
        };
        let opened = open_provider(&choice, configuration, HOOK_TIMEOUT, &context.interrupt);
        if opened.is_ok() {
            let name = profile.name.to_owned();
            possible.push(PossibleMethod::Provider(name));
        }
    }
    let is_wildcard = |name: &AltName| name.dns().is_some_and(DnsName::is_wildcard);
    if !names.iter().any(is_wildcard) {
        possible.extend(possible_files());
    }
    advice::choose_method(&possible)
}

/// The methods that serve a file, as far as this machine shows them.
fn possible_files() -> Vec<PossibleMethod> {
    let mut possible = Vec::new();
    for folder in USUAL_WEBROOTS {
        if folders::is_folder(Path::new(folder)) {
            let folder = folder.to_owned();
            possible.push(PossibleMethod::Webroot(folder));
        }
    }
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80));
    let sockets = ports::current_sockets();
    if !sockets.iter().any(|socket| socket.covers(any)) {
        possible.push(PossibleMethod::Standalone);
    }
    possible
}

/// The roots of the command line, else the saved ones.
fn trust(args: &OrderArgs, saved: LineageSettings) -> Result<Option<String>, Failure> {
    let given = saved_trust(args.trust.as_deref())?;
    Ok(given.or(saved.trust))
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
