//! `certctl install`: what the CA sent, or what lies here, into the place where servers read it;
//! tested, reloaded, seen live, or put back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::{MatchedCertificate, PasswordArgs};
use crate::install::outcome::day;
use crate::install::request::{InstallGoal, InstallRequest, RunMode, again, judged_by_now};
use crate::install::transaction;
use crate::install_plan::allow;
use crate::matching::file_names;
use crate::pki::certified_key::CertifiedKey;
use crate::pki::chain::{ChainPreference, OmissionReason};
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{VerifiedChain, VerifyPolicy};
use crate::probe::ProbePatience;
use crate::store::settings::LineageSettings;
use crate::system::clock;
use crate::system::fs::folders;
use crate::system::http::NetworkReach;

pub(crate) mod check;
mod key_access_flags;
mod outcome;
mod placeholder;
mod select;
mod server_flags;

pub(crate) use server_flags::ServerChoice;

pub(crate) use outcome::InstallOutcome;
use outcome::{CertificateOutcome, InstallResult};
use select::{CertificateCount, InputSelection, SelectedCertificate};

/// Put a certificate into place, test and reload the server, see it live, or put all back
///
/// Examples:
///   sudo certctl install example_com.zip
///   certctl install example.com --root /srv/image --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct InstallArgs {
    /// What the CA sent (zip, PEM, DER), or a name known here
    #[arg(value_name = "NAME|FILE")]
    pub files: Vec<String>,
    /// The private key, where it is not the one here that fits
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Roots that the chain must end in: mozilla, or a file [default: mozilla]
    #[arg(long, value_name = "mozilla|FILE")]
    pub trust: Option<String>,
    /// Which way, where the certificates have several: to the root that most clients know, or the
    /// shortest
    #[arg(long, value_enum, default_value_t)]
    pub prefer: ChainPreference,
    /// Fetch issuers that are missing from where the certificates say they are; =any: also from
    /// this machine's own network, and through a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public")]
    pub aia: Option<NetworkReach>,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// Who reads the files; may be repeated [default: every server here that names them, else those
    /// installed; none under --root]
    #[arg(long)]
    pub server: Vec<ServerChoice>,
    /// The server's main configuration file; of several servers each its own:  --server-config
    /// haproxy=FILE
    #[arg(long, value_name = "FILE")]
    pub server_config: Vec<PathBuf>,
    /// Where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]
    #[arg(long, value_name = "PATH")]
    pub chain_path: Option<PathBuf>,
    /// Where servers read the key [default: /etc/ssl/private/NAME.key]
    #[arg(long, value_name = "PATH")]
    pub key_path: Option<PathBuf>,
    /// Who may read the key.
    #[command(flatten)]
    pub access: key_access_flags::KeyAccessArgs,
    /// What the pair is called in /etc/ssl [default: as its request, else its first name]
    #[arg(long, value_name = "STEM", value_parser = file_names::chosen)]
    pub cert_name: Option<String>,
    /// A finding that is not to refuse it; it is still told (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = allow::code)]
    pub allow: Vec<&'static str>,
    /// Tests the server's configuration; split into words, never given to a shell; auto: certctl's
    /// own way again
    #[arg(long, value_name = "COMMAND")]
    pub test: Option<String>,
    /// Makes the server read its files again; split into words, never given to a shell; auto:
    /// certctl's own way again
    #[arg(long, value_name = "COMMAND")]
    pub reload: Option<String>,
    /// Also ask there what is served; none: ask nobody, in this run alone; auto: forget where else
    /// was asked
    #[arg(long, value_name = "HOST:PORT|none|auto")]
    pub probe: Vec<String>,
    /// The last day of the term that is paid for: until then a round is a reissue, after it a
    /// purchase; none: forget it
    #[arg(long, value_name = "DATE|none", value_parser = term)]
    pub paid_until: Option<PaidTerm>,
    /// How long to wait for another certctl [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    pub lock_timeout: Option<Duration>,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Is all as it was installed, and served? Names pairs that are installed [default: all];
    /// touches nothing
    #[arg(long, conflicts_with_all = ["dry_run", "key", "owner", "key_mode", "cert_name", "allow", "chain_path", "key_path", "paid_until"])]
    pub check: bool,
    /// A self-signed pair for these names (one: all of its request here), for a week, so that the
    /// server can start; where there is none yet
    #[arg(long, conflicts_with_all = ["check", "key", "trust"])]
    pub placeholder: bool,
    /// How long the server is asked before it is judged. No flag: a rehearsal, whose server answers
    /// at once, waits less.
    #[arg(skip)]
    pub patience: ProbePatience,
}

/// What is paid for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PaidTerm {
    /// Nobody knows any more.
    Unknown,
    /// Up to this day.
    Until(Date),
}

fn term(text: &str) -> Result<PaidTerm, &'static str> {
    match text {
        "none" => Ok(PaidTerm::Unknown),
        date => date
            .parse()
            .map(PaidTerm::Until)
            .map_err(|_| "not a date such as 2027-06-10, or none"),
    }
}

/// The lock is waited for that long.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Installs the certificates that are meant: all in one transaction.
///
/// # Errors
/// Files that cannot be used, a lock that is held, a signal. What is judged wrong is an outcome,
/// and so is what fails of several.
pub(crate) fn run(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    judged_by_now(context, mode)?;
    if args.placeholder {
        return keep_the_place(context, args);
    }
    let flags = flags(context, args)?;
    let (mut parts, mut pairs): (
        Vec<CertificateOutcome>,
        Vec<(usize, CertifiedKey, LineageSettings)>,
    ) = (Vec::new(), Vec::new());
    for (place, meant) in select::all(context, said(args))?.into_iter().enumerate() {
        let (part, pair) = certified(context, meant);
        parts.push(part);
        pairs.extend(pair.map(|(pair, origin)| (place, pair, with_origin(flags.clone(), origin))));
    }
    let mut orders: Vec<InstallRequest<'_>> = Vec::new();
    for (place, pair, flags) in &pairs {
        orders.push(order(
            args,
            parts[*place].stem.clone(),
            InstallGoal::Install(pair),
            flags.clone(),
        ));
    }
    let done = transaction::run_all(context, &orders)?;
    for ((place, ..), came) in pairs.iter().zip(done) {
        let part = &mut parts[*place];
        part.came = match came {
            Ok(changeover) => {
                part.undo = changeover
                    .replaced()
                    .then(|| again(context, &["rollback", &part.stem]));
                InstallResult::Done(Box::new(changeover))
            }
            Err(failure) => InstallResult::Failed(failure),
        };
    }
    InstallOutcome::of(context, parts)
}

/// What the command line says, words such as `auto` as they are, and where the pair comes from.
fn with_origin(flags: LineageSettings, origin: LineageSettings) -> LineageSettings {
    LineageSettings {
        folder: flags.folder.or(origin.folder),
        request: flags.request.or(origin.request),
        ca: flags.ca.or(origin.ca),
        ..flags
    }
}

fn said(args: &InstallArgs) -> InputSelection<'_> {
    let one = args.cert_name.is_some() || args.chain_path.is_some() || args.key_path.is_some();
    InputSelection {
        files: &args.files,
        key: args.key.as_deref(),
        trust: args.trust.as_deref(),
        prefer: args.prefer,
        aia: args.aia,
        reading: &args.reading,
        cert_name: args.cert_name.as_deref(),
        number: if one {
            CertificateCount::One
        } else {
            CertificateCount::Any
        },
    }
}

/// What is known of a certificate before anything is done; with it the pair and where it comes
/// from, where it holds.
fn certified(
    context: &Context,
    meant: SelectedCertificate,
) -> (CertificateOutcome, Option<(CertifiedKey, LineageSettings)>) {
    let SelectedCertificate {
        taken,
        anchors,
        stem,
        origin,
        refusal,
    } = meant;
    let (mut found, approved) = (described(&taken), approved(&taken, &anchors));
    let mut findings = taken.findings.clone();
    let certified = match refusal {
        Some(refusal) => Err(vec![refusal]),
        None => certify(context, taken, &anchors),
    };
    let pair = match certified {
        Ok(pair) => {
            found = format!("{found}; {approved}");
            Some((pair, origin))
        }
        Err(problems) => {
            findings.retain(|told| problems.iter().all(|problem| problem.code != told.code));
            findings.extend(problems);
            None
        }
    };
    (
        CertificateOutcome {
            stem,
            found,
            findings,
            came: InstallResult::Refused,
            undo: None,
        },
        pair,
    )
}

/// What is asked of a changeover.
fn order<'a>(
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
        mode: if args.dry_run {
            RunMode::DryRun
        } else {
            RunMode::Run
        },
    }
}

/// `--placeholder`.
fn keep_the_place(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    let flags = flags(context, args)?;
    let order = |first: &DnsName| {
        let stem = args.cert_name.clone().unwrap_or_else(|| first.file_stem());
        order(args, stem, InstallGoal::Back(None), flags)
    };
    let (found, findings, changeover) = placeholder::run(context, &args.files, order)?;
    let stem = changeover.name.clone();
    InstallOutcome::of(
        context,
        vec![CertificateOutcome {
            stem,
            found,
            findings,
            came: InstallResult::Done(Box::new(changeover)),
            undo: None,
        }],
    )
}

/// Key and chain belong together and hold; else everything that is wrong.
fn certify(
    context: &Context,
    taken: MatchedCertificate,
    anchors: &TrustAnchors,
) -> Result<CertifiedKey, Vec<Finding>> {
    let policy = VerifyPolicy {
        hosts: &[],
        anchors,
        at: context.now(),
    };
    let known: Vec<&str> = taken.findings.iter().map(|finding| finding.code).collect();
    let problems = taken.problems(policy);
    let mut refused: Vec<Finding> = problems
        .iter()
        .map(Finding::from)
        .filter(|finding| !known.contains(&finding.code))
        .collect();
    let wrong = !problems.is_empty()
        || taken
            .findings
            .iter()
            .any(|one| one.severity == Severity::Error);
    let MatchedCertificate {
        assembly,
        key,
        no_key,
        ..
    } = taken;
    let Some((_, key)) = key else {
        // What is a remark to others is why nothing is done here.
        let why = no_key.iter().filter(|_| !wrong).map(Finding::from);
        refused.extend(why.map(|why| Finding {
            severity: Severity::Error,
            ..why
        }));
        return Err(refused);
    };
    if wrong {
        return Err(refused);
    }
    let chain = VerifiedChain::new(assembly.chain, policy)
        .map_err(|all| all.iter().map(Finding::from).collect::<Vec<_>>())?;
    CertifiedKey::new(chain, key).map_err(|problem| vec![Finding::from(&problem)])
}

/// What the command line says, for the next round too.
fn flags(context: &Context, args: &InstallArgs) -> Result<LineageSettings, Failure> {
    let absolute = |path: &Option<PathBuf>| path.as_deref().map(folders::absolute).transpose();
    let trust = match args.trust.as_deref() {
        None | Some("mozilla" | "system") => args.trust.clone(),
        Some(file) => Some(folders::real(Path::new(file))?.display().to_string()),
    };
    let (server_config, server_configs) = server_flags::configs(&args.server_config)?;
    Ok(LineageSettings {
        server_configs,
        server: args
            .server
            .iter()
            .map(|server| server.name().to_owned())
            .collect(),
        server_config,
        chain_path: absolute(&args.chain_path)?,
        key_path: absolute(&args.key_path)?,
        test: args.test.clone(),
        reload: args.reload.clone(),
        probe: args.probe.clone(),
        trust,
        paid_until: args.paid_until.and_then(|term| {
            if let PaidTerm::Until(day) = term {
                Some(day)
            } else {
                None
            }
        }),
        no_term: matches!(args.paid_until, Some(PaidTerm::Unknown)),
        ..args.access.settings(context)?
    })
}

/// `example.com, www.example.com, ends 2027-06-10`
fn described(taken: &MatchedCertificate) -> String {
    let leaf = taken.leaf();
    let names = if leaf.dns_names.is_empty() {
        leaf.label()
    } else {
        leaf.dns_names.join(", ")
    };
    format!("{names}, ends {}", day(leaf.not_after))
}

/// `fits example.com.key; 1 intermediate, root left out; trusted by Mozilla's list`: of a pair that
/// holds.
fn approved(taken: &MatchedCertificate, anchors: &TrustAnchors) -> String {
    let key = taken
        .key
        .as_ref()
        .map(|(path, _)| path.display().to_string())
        .unwrap_or_default();
    let intermediates = match taken.assembly.chain.intermediates().len() {
        0 => "no intermediate".to_owned(),
        1 => "1 intermediate".to_owned(),
        count => format!("{count} intermediates"),
    };
    let root = taken
        .assembly
        .left_out
        .iter()
        .any(|(_, why)| *why == OmissionReason::Root);
    let root = if root { ", root left out" } else { "" };
    format!(
        "fits {key}; {intermediates}{root}; trusted by {}",
        anchors.source()
    )
}
