//! `certctl install`: deploys the certificate that the CA sent or that is in the folder, tests and
//! reloads the server, and verifies that the certificate is live; otherwise rolls back.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::PasswordArgs;
use crate::install::outcome::TransactionOutcome;
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::install::public_facts;
use crate::install::request::{InstallGoal, InstallRequest, RunMode, refuse_at_option};
use crate::install::transaction;
use crate::install_plan::allow;
use crate::matching::file_names;
use crate::pki::chain::ChainPreference;
use crate::probe::ProbePatience;
use crate::store::layout::DeployMode;
use crate::store::settings::{FORGET, LineageSettings};
use crate::system::clock;
use crate::system::fs::files::FileError;
use crate::system::fs::folders;
use crate::system::http::NetworkReach;
use crate::wording::{find_keyword, spell_keyword};

mod approval;
pub(crate) mod check;
mod checked;
mod hook_flags;
mod key_access_flags;
mod outcome;
mod placeholder;
mod probe_flags;
mod select;
mod server_flags;

pub(crate) use server_flags::ServerChoice;

use checked::{CheckedCertificate, check_certificate};
use outcome::CertificateOutcome;
pub(crate) use outcome::InstallOutcome;
use placeholder::PlaceholderNames;
use select::{CertificateCount, InputSelection};

/// Deploy a certificate, reload the server and verify it; a failure is rolled back
///
/// Examples:
///   sudo certctl install example_com.zip
///   certctl install example.com --root /srv/image --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct InstallArgs {
    /// Files from the CA (zip, PEM or DER), or names of requests or certificates [default: the
    /// certificates in the working directory]
    #[arg(value_name = "NAME|FILE")]
    pub files: Vec<String>,
    /// Private key of the certificate [default: the matching key in the working directory]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]
    #[arg(long, value_name = "mozilla|FILE", value_parser = crate::inputs::parse_trust)]
    pub trust: Option<String>,
    /// Preferred chain when several are possible: to the root that most clients trust, or the
    /// shortest
    #[arg(long, value_enum, default_value_t)]
    pub prefer: ChainPreference,
    /// Download missing intermediates from the URLs in the certificates; =any also allows private
    /// addresses and a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public")]
    pub aia: Option<NetworkReach>,
    /// How encrypted files are opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// Server that uses the certificate (may be repeated) [default: the servers whose configuration
    /// references it or has its names, else the running ones, else the only one that is installed;
    /// none under --root]
    #[arg(long, value_delimiter = ',')]
    pub server: Vec<ServerChoice>,
    /// Main configuration file of the server; SERVER=FILE sets it for one of several servers
    #[arg(long, value_name = "FILE")]
    pub server_config: Vec<PathBuf>,
    /// Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]
    #[arg(long, value_name = "PATH", value_parser = parse_stored_path)]
    pub chain_path: Option<PathBuf>,
    /// Path where servers read the private key [default: /etc/ssl/private/NAME.key]
    #[arg(long, value_name = "PATH", value_parser = parse_stored_path)]
    pub key_path: Option<PathBuf>,
    /// How servers get the files: link, or copy for containers, chroots and shared folders [default:
    /// the saved mode, else copy if a server would not see a link's target, else link]
    #[arg(long, value_enum, value_name = "link|copy")]
    pub deploy: Option<DeployMode>,
    /// Who may read the key.
    #[command(flatten)]
    pub access: key_access_flags::KeyAccessArgs,
    /// Name of the certificate in /etc/ssl [default: the name of its request, else its first DNS
    /// name]
    #[arg(long, value_name = "STEM", value_parser = file_names::parse_cert_name)]
    pub cert_name: Option<String>,
    /// Report the finding with this code as a warning instead of refusing (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = allow::parse_allowed_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Command that tests the server's configuration, run without a shell; auto restores the
    /// built-in command
    #[arg(long, value_name = "COMMAND|auto", value_parser = parse_command)]
    pub test: Option<String>,
    /// Command that reloads the server, run without a shell; auto restores the built-in command
    #[arg(long, value_name = "COMMAND|auto", value_parser = parse_command)]
    pub reload: Option<String>,
    /// The command that is run last.
    #[command(flatten)]
    pub hook: hook_flags::HookArgs,
    /// The addresses that are probed.
    #[command(flatten)]
    pub probes: probe_flags::ProbeArgs,
    /// Last day of the paid order term: until then a renewal is a reissue, afterwards a purchase;
    /// none forgets the date
    #[arg(long, value_name = "DATE|none", value_parser = parse_term)]
    pub paid_until: Option<PaidTerm>,
    /// How long to wait for another certctl to finish [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
    /// Install only if the plan_id of a dry run (--dry-run --json) would be this one now
    #[arg(long, value_name = "ID", value_parser = approval::parse_plan_id, conflicts_with_all = ["check", "dry_run"])]
    pub plan: Option<String>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Check that the installed files and the served certificate are unchanged; takes names of
    /// installed certificates [default: all] and changes nothing
    #[arg(long, conflicts_with_all = ["dry_run", "key", "owner", "key_mode", "cert_name", "allow", "chain_path", "key_path", "deploy", "paid_until"])]
    pub check: bool,
    /// Install a self-signed certificate for these names, valid for a week, so that the server can
    /// start; a single name stands for all names of its request in the working directory
    #[arg(long, conflicts_with_all = ["check", "key", "trust"])]
    pub placeholder: bool,
    /// How long the server is probed before a verdict. Not an option: only a rehearsal, whose server
    /// answers at once, uses another value.
    #[arg(skip)]
    pub patience: ProbePatience,
}

/// The order term of `--paid-until`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PaidTerm {
    /// `none`: the term is not known any more.
    Unknown,
    /// The last day of the term.
    Until(Date),
}

fn parse_term(text: &str) -> Result<PaidTerm, &'static str> {
    if find_keyword(text, &["none"]).is_some() {
        return Ok(PaidTerm::Unknown);
    }
    text.parse()
        .map(PaidTerm::Until)
        .map_err(|_| "expected a date such as 2027-06-10, or none")
}

/// Parses the value of `--test` and `--reload`: the keyword in any case, else a command.
fn parse_command(text: &str) -> Result<String, Infallible> {
    Ok(spell_keyword(text, &[FORGET]))
}

/// Parses a path that is saved in settings.json, which holds UTF-8 only; clap refuses other text.
fn parse_stored_path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// How long to wait for the lock without `--lock-timeout`.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Installs the selected certificates in one transaction.
///
/// # Errors
/// When files cannot be used, the lock is held by another certctl, or a signal arrives. A certificate
/// that is refused, or one of several that fails, is an outcome.
pub(crate) fn run(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    refuse_at_option(context, run_mode(args))?;
    if args.placeholder {
        return install_placeholder(context, args);
    }
    let flags = flags(context, args)?;
    let default_trust = context.defaults()?.trust;
    let inputs = InputSelection {
        default_trust: default_trust.as_deref(),
        ..input_selection(args)
    };
    let selected = select::select_certificates(context, inputs)
        .map_err(|failure| public_facts::add_facts_of_names(context, &args.files, failure))?;
    let checked: Vec<CheckedCertificate> = selected
        .into_iter()
        .map(|one| check_certificate(context, one))
        .collect();
    let mut requests = install_requests(args, &flags, &checked);
    if let Some(id) = &args.plan
        && let Some(changed) = approval::approve(context, &checked, &mut requests, id)?
    {
        return Ok(changed);
    }
    let results = transaction::run_all(context, &requests)?;
    let outcomes = add_results(context, checked, results);
    InstallOutcome::new(context, run_mode(args), outcomes)
}

/// One request for each certificate that is not refused.
fn install_requests<'a>(
    args: &InstallArgs,
    flags: &LineageSettings,
    checked: &'a [CheckedCertificate],
) -> Vec<InstallRequest<'a>> {
    let mut requests = Vec::new();
    for one in checked {
        if let Some(certified) = &one.certified {
            let flags = with_origin(flags.clone(), &one.origin);
            let goal = InstallGoal::Install(certified);
            let stem = one.outcome.stem.clone();
            requests.push(install_request(args, stem, goal, flags));
        }
    }
    requests
}

/// Adds the results of the transaction to the certificates that took part in it.
fn add_results(
    context: &Context,
    checked: Vec<CheckedCertificate>,
    results: Vec<Result<TransactionOutcome, Failure>>,
) -> Vec<CertificateOutcome> {
    let mut results = results.into_iter();
    let mut outcomes = Vec::new();
    for one in checked {
        let mut outcome = one.outcome;
        if one.certified.is_some()
            && let Some(result) = results.next()
        {
            outcome.record_result(context, result);
            outcome.audit_decrypted_key(context, one.decrypted_key.as_deref());
        }
        outcomes.push(outcome);
    }
    outcomes
}

fn run_mode(args: &InstallArgs) -> RunMode {
    if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    }
}

/// The options of the command line, with the folder, request and CA of the certificate.
fn with_origin(flags: LineageSettings, origin: &LineageSettings) -> LineageSettings {
    LineageSettings {
        folder: flags.folder.or_else(|| origin.folder.clone()),
        request: flags.request.or_else(|| origin.request.clone()),
        ca: flags.ca.or_else(|| origin.ca.clone()),
        trust: flags.trust.or_else(|| origin.trust.clone()),
        ..flags
    }
}

fn input_selection(args: &InstallArgs) -> InputSelection<'_> {
    let has_path = args.chain_path.is_some() || args.key_path.is_some();
    let is_for_one = has_path || args.cert_name.is_some();
    InputSelection {
        files: &args.files,
        key: args.key.as_deref(),
        trust: args.trust.as_deref(),
        default_trust: None,
        prefer: args.prefer,
        aia: args.aia,
        reading: &args.reading,
        cert_name: args.cert_name.as_deref(),
        count: if is_for_one {
            CertificateCount::One
        } else {
            CertificateCount::Any
        },
    }
}

fn install_request<'a>(
    args: &InstallArgs,
    stem: String,
    goal: InstallGoal<'a>,
    flags: LineageSettings,
) -> InstallRequest<'a> {
    InstallRequest {
        stem,
        goal,
        flags,
        allow: args.allow.clone(),
        lock_timeout: args.lock_timeout.unwrap_or(LOCK_TIMEOUT),
        patience: args.patience,
        mode: run_mode(args),
        approved: None,
    }
}

/// Installs a self-signed certificate until the CA has sent the real one (`--placeholder`).
fn install_placeholder(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    let flags = flags(context, args)?;
    let names = PlaceholderNames::parse(context, &args.files)?;
    let certificate = PlaceholderCertificate::new(&names.all, context.now())
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let stem = args
        .cert_name
        .clone()
        .unwrap_or_else(|| names.first.file_stem());
    let goal = InstallGoal::Placeholder(&certificate);
    let mut request = install_request(args, stem, goal, flags);
    if let Some(id) = &args.plan
        && let Some(changed) = approval::approve_placeholder(context, &mut request, id)?
    {
        return Ok(changed);
    }
    let transaction = transaction::run(context, &request)?;
    let outcome = placeholder::outcome(context, transaction);
    InstallOutcome::new(context, run_mode(args), vec![outcome])
}

/// Returns the options of the command line, which the next renewal uses too; words such as `auto`
/// are kept.
fn flags(context: &Context, args: &InstallArgs) -> Result<LineageSettings, Failure> {
    let configs = server_flags::ConfigFiles::parse(&args.server_config)?;
    let mut server = Vec::new();
    for choice in &args.server {
        server.push(choice.name().to_owned());
    }
    let chain_path = absolute(args.chain_path.as_deref())?;
    let key_path = absolute(args.key_path.as_deref())?;
    let paid_until = match args.paid_until {
        Some(PaidTerm::Until(day)) => Some(day),
        Some(PaidTerm::Unknown) | None => None,
    };
    let flags = args.hook.add_to(LineageSettings {
        server_configs: configs.by_server,
        server,
        server_config: configs.any_server,
        chain_path,
        key_path,
        deploy: args.deploy,
        test: args.test.clone(),
        reload: args.reload.clone(),
        trust: trust_option(args.trust.as_deref())?,
        paid_until,
        no_term: matches!(args.paid_until, Some(PaidTerm::Unknown)),
        ..args.access.settings(context)?
    });
    Ok(args.probes.add_to(flags))
}

/// Returns the value of `--trust`; a file is named by its path without links.
fn trust_option(trust: Option<&str>) -> Result<Option<String>, FileError> {
    Ok(match trust {
        None | Some("mozilla" | "system") => trust.map(str::to_owned),
        Some(file) => {
            let path = folders::resolve_links(Path::new(file))?;
            Some(path.display().to_string())
        }
    })
}

fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>, FileError> {
    path.map(folders::absolute).transpose()
}
