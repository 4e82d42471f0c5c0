//! `certctl install`: deploys the certificate that the CA sent or that is in the folder, tests and
//! reloads the server, and verifies that the certificate is live; otherwise rolls back.

use std::path::Path;

use jiff::civil::Date;

use crate::commands::deployment_args::DeploymentArgs;
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
use crate::store::settings::LineageSettings;
use crate::system::fs::files::FileError;
use crate::system::fs::folders;
use crate::system::http::NetworkReach;
use crate::wording::find_keyword;

mod approval;
pub(crate) mod check;
mod checked;
mod key_argument;
mod outcome;
mod placeholder;
mod select;

pub(crate) use key_argument::KeyArgument;

use checked::{CheckedCertificate, check_certificate};
use outcome::CertificateOutcome;
pub(crate) use outcome::InstallOutcome;
use placeholder::PlaceholderNames;
use select::{CertificateCount, InputSelection};

/// Deploy a certificate and verify it; roll back on failure
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
    /// Private key of the certificate; none if the key is not a file (a hardware module): installs
    /// the chain alone [default: the matching key in the working directory]
    #[arg(long, value_name = "FILE|none", value_parser = key_argument::parser())]
    pub key: Option<KeyArgument>,
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
    /// How it is deployed.
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// Name of the certificate in /etc/ssl [default: the name of its request, else its first DNS
    /// name]
    #[arg(long, value_name = "STEM", value_parser = file_names::parse_cert_name)]
    pub cert_name: Option<String>,
    /// Report the finding with this code as a warning instead of refusing (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = allow::parse_allowed_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Last day of the paid order term: until then a renewal is a reissue, afterwards a purchase;
    /// none forgets the date
    #[arg(long, value_name = "DATE|none", value_parser = parse_term)]
    pub paid_until: Option<PaidTerm>,
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
        if let Some(certificate) = &one.certified {
            let flags = with_origin(flags.clone(), &one.origin);
            let goal = InstallGoal::Install(certificate);
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
    let is_for_one = args.deployment.has_path() || args.cert_name.is_some();
    InputSelection {
        files: &args.files,
        key: args.key.as_ref(),
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
        lock_timeout: args.deployment.lock_wait(),
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
    let paid_until = match args.paid_until {
        Some(PaidTerm::Until(day)) => Some(day),
        Some(PaidTerm::Unknown) | None => None,
    };
    Ok(LineageSettings {
        key: args.key.as_ref().map(KeyArgument::storage),
        trust: trust_option(args.trust.as_deref())?,
        paid_until,
        no_term: matches!(args.paid_until, Some(PaidTerm::Unknown)),
        ..args.deployment.settings(context)?
    })
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
