//! `certctl dcv-check`: checks whether the CA would see the domain validation now, and if not, why
//! and when to check again.

pub(crate) mod batch;
mod email;
mod file;
mod method;
mod outcome;
mod wait;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use self::method::MethodCheck;
pub(crate) use self::method::MethodOutcome;
pub(crate) use self::outcome::DcvCheckOutcome;
use self::outcome::FollowUpCommands;
use self::wait::WaitObservation;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::report::Outcome;
use crate::system::clock;
use crate::system::dns::{self, ResolverList};
use crate::validation::expected;
use crate::validation::record_check::check_records;
use crate::validation::select::{self, ChosenRecords, DcvSelection, RecordStorage};

/// Check whether the CA would see the validation record now
///
/// Examples:
///   certctl dcv-check --wait --record -
///   certctl dcv-check example.com --resolver 9.9.9.9
#[derive(Clone, Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DcvCheckArgs {
    /// Names or request files (CSR) [default: every request here that has no certificate]
    #[arg(value_name = "NAME|CSR")]
    pub names: Vec<String>,
    /// Reseller or CA that received the request
    #[arg(long)]
    pub ca: Option<Ca>,
    /// Validation method that was chosen at the CA
    #[arg(long, default_value = "dns")]
    pub method: DcvMethod,
    /// Record that the CA shows: a zone-file line, host and value, or an API response (may be
    /// repeated); - reads it from stdin
    #[arg(long, value_name = "TEXT")]
    pub record: Vec<String>,
    /// Resolver to query instead of the system's (may be repeated); with a port other than 53,
    /// only this resolver is queried
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::parse_address)]
    pub resolver: Vec<SocketAddr>,
    /// Check every line of a file: a name, a request file, or a record (host and value); - reads
    /// stdin
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["method", "names", "record", "wait"])]
    pub batch: Option<PathBuf>,
    /// Repeat the check until the record is visible, for at most this time [without a value: 2h]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "2h", value_parser = clock::parse_duration)]
    pub wait: Option<Duration>,
}

impl DcvCheckArgs {
    /// Adds the configured resolvers.
    fn with_defaults(&self, context: &Context) -> Result<Self, Failure> {
        let mut args = self.clone();
        if args.resolver.is_empty() {
            args.resolver = context.defaults()?.resolvers;
        }
        Ok(args)
    }
}

/// How the CA validates control of the domain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum DcvMethod {
    /// A record in the DNS
    #[default]
    Dns,
    /// A file on the web server
    Http,
    /// An answer to an email
    Email,
}

/// Checks whether the CA would see the validation; with `--wait`, repeats the check until it is
/// visible, the time is over or a signal arrives.
///
/// # Errors
/// A request that does not exist, a text that is not a record, a file that cannot be written, or a
/// signal.
pub(crate) fn run(context: &Context, args: &DcvCheckArgs) -> Result<Box<dyn Outcome>, Failure> {
    let args = &args.with_defaults(context)?;
    let wait_command = wait_command(context, args, &args.names);
    let selection = DcvSelection {
        names: &args.names,
        records: &args.record,
        ca: args.ca,
        wait_command: &wait_command,
        storage: RecordStorage::BesideRequest,
    };
    let chosen = select::choose_records(context, &selection)?;
    match args.method {
        DcvMethod::Dns => check_dns(context, args, &chosen, &wait_command),
        DcvMethod::Http => check_method(context, args, &chosen, &wait_command, file::check_files),
        DcvMethod::Email => check_method(
            context,
            args,
            &chosen,
            &wait_command,
            email::check_mailboxes,
        ),
    }
}

/// Checks the DNS records of the chosen requests.
fn check_dns(
    context: &Context,
    args: &DcvCheckArgs,
    chosen: &ChosenRecords,
    wait_command: &[String],
) -> Result<Box<dyn Outcome>, Failure> {
    let commands = FollowUpCommands::new(context, wait_command.to_vec());
    let mut outcome = DcvCheckOutcome::new(chosen, commands);
    let records = expected::expected_records(context, args.ca, chosen)?;
    // No amount of waiting makes a record of another request the right one.
    let limit = args.wait.filter(|_| chosen.strays.is_empty());
    if limit.is_some() {
        outcome.announce(context);
    }
    let checks = check_until_settled(context, limit, wait_command, || {
        check_records(context, &ResolverList::new(&args.resolver), &records)
    })?;
    outcome.conclude(checks, &chosen.strays);
    outcome.add_first(&chosen.keyless);
    Ok(Box::new(outcome))
}

/// Checks the chosen requests by a file on the web server or by email.
fn check_method(
    context: &Context,
    args: &DcvCheckArgs,
    chosen: &ChosenRecords,
    wait_command: &[String],
    check_once: impl Fn(&MethodCheck<'_>) -> Result<MethodOutcome, Failure>,
) -> Result<Box<dyn Outcome>, Failure> {
    let resolvers = ResolverList::new(&args.resolver);
    let check = MethodCheck {
        context,
        resolvers: &resolvers,
        ca: args.ca,
        chosen,
        wait_command,
    };
    let outcome = check_until_settled(context, args.wait, wait_command, || check_once(&check))?;
    Ok(Box::new(outcome))
}

/// Calls `check_once` once or, with a `limit`, until its result is final or the time is over.
fn check_until_settled<T: WaitObservation>(
    context: &Context,
    limit: Option<Duration>,
    wait_command: &[String],
    check_once: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    match limit {
        Some(limit) => wait::wait_until_settled(context, limit, wait_command, check_once),
        None => check_once().map_err(|failure| wait::stopped(failure, "", wait_command)),
    }
}

/// The words of the command line that waits for these names with the same CA and resolvers.
fn wait_command(context: &Context, args: &DcvCheckArgs, names: &[String]) -> Vec<String> {
    let mut words = context.command_words("dcv-check");
    words.push("--wait".to_owned());
    for name in names {
        if name != "-" {
            words.push(name.clone());
        }
    }
    let method = match args.method {
        DcvMethod::Dns => None,
        DcvMethod::Http => Some("http"),
        DcvMethod::Email => Some("email"),
    };
    if let Some(method) = method {
        words.extend(["--method".to_owned(), method.to_owned()]);
    }
    if let Some(ca) = args.ca {
        words.extend(["--ca".to_owned(), ca.name().to_owned()]);
    }
    for address in &args.resolver {
        words.extend(["--resolver".to_owned(), dns::format_address(*address)]);
    }
    words
}
