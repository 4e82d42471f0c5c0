//! `certctl dcv-check`: would the CA see the proof of control now? If not, why, and when to look
//! again.

pub(crate) mod batch;
mod email;
mod expected;
mod file;
mod key_reuse;
mod method;
mod outcome;
mod select;
mod wait;
mod zone_health;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use self::expected::ExpectedRecord;
pub(crate) use self::method::MethodOutcome;
use self::outcome::NextLines;
pub(crate) use self::outcome::{DcvCheckOutcome, RecordCheck};
use self::select::DcvSelection;
use self::wait::WaitObservation;
pub(crate) use self::zone_health::ZoneHealth;
use crate::context::Context;
use crate::dcv::answer::DnsSurvey;
use crate::dcv::ca::Ca;
use crate::dcv::caa::CaaLookup;
use crate::dcv::judge::{RecordJudgement, judge};
use crate::failure::{Failure, FailureKind};
use crate::report::Outcome;
use crate::system::clock;
use crate::system::dns::{self, RecordQuery, ResolverList};

/// Would the CA see the proof of control now? If not, why
///
/// Examples:
///   certctl dcv-check --wait --record -
///   certctl dcv-check example.com --resolver 9.9.9.9
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DcvCheckArgs {
    /// Names or requests (CSR); none: every request here that has no certificate yet
    #[arg(value_name = "NAME|CSR")]
    pub names: Vec<String>,
    /// The shop or CA that the request went to
    #[arg(long)]
    pub ca: Option<Ca>,
    /// What the CA looks at: a record in the DNS, a file on the web server, or mail
    #[arg(long, default_value = "dns")]
    pub method: DcvMethod,
    /// The record that the shop shows, as it is pasted: a zone-file line, host and value, an API's
    /// answer; '-' reads stdin
    #[arg(long, value_name = "TEXT")]
    pub record: Vec<String>,
    /// Ask this resolver, not the system's; with a port other than 53 it alone is asked
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::address)]
    pub resolver: Vec<SocketAddr>,
    /// Check what a list names, one line each (a name, a request's file, or a record: host and
    /// value); '-' is stdin
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["method", "names", "record", "wait"])]
    pub batch: Option<PathBuf>,
    /// Look again and again until it is visible, for so long [without a value: 2h]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "2h", value_parser = clock::duration)]
    pub wait: Option<Duration>,
}

/// What the CA looks at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum DcvMethod {
    /// A record in the DNS
    #[default]
    Dns,
    /// A file on the web server
    Http,
    /// An answer to an e-mail
    Email,
}

/// Asks and judges; with `--wait` until the record is visible, the time is over or a signal comes.
///
/// # Errors
/// No such request, a record that is none, files that cannot be written; a signal.
pub(crate) fn run(context: &Context, args: &DcvCheckArgs) -> Result<Box<dyn Outcome>, Failure> {
    let again = again(context, args, &args.names);
    let wanted = DcvSelection {
        names: &args.names,
        records: &args.record,
        ca: args.ca,
        again: &again,
    };
    let chosen = select::choose(context, &wanted)?;
    let resolvers = ResolverList::new(&args.resolver);
    let otherwise =
        |look: &dyn Fn() -> Result<MethodOutcome, Failure>| -> Result<Box<dyn Outcome>, Failure> {
            Ok(Box::new(looked(context, args.wait, &again, look)?))
        };
    match args.method {
        DcvMethod::Dns => {}
        DcvMethod::Http => {
            return otherwise(&|| file::look(context, &resolvers, args.ca, &chosen, &again));
        }
        DcvMethod::Email => {
            return otherwise(&|| email::look(context, &resolvers, args.ca, &chosen, &again));
        }
    }
    let mut outcome = DcvCheckOutcome::new(&chosen, NextLines::new(context, again.clone()));
    let pending = expected::pending(context, args.ca, &chosen)?;
    // Looking again does not make another request's record the right one.
    let limit = args.wait.filter(|_| chosen.strays.is_empty());
    if limit.is_some() {
        outcome.announce(context);
    }
    let checks = looked(context, limit, &again, || look(context, args, &pending))?;
    outcome.conclude(checks, &chosen.strays);
    Ok(Box::new(outcome))
}

/// Looks once, or until all is visible or the time is over.
fn looked<T: WaitObservation>(
    context: &Context,
    limit: Option<Duration>,
    again: &[String],
    look: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::of(FailureKind::Internal, &error))?;
    let stopped = |failure, stood: &str| wait::stopped(failure, stood, again);
    match limit {
        Some(limit) => wait::wait(context, limit, stopped, look),
        None => look().map_err(|failure| stopped(failure, "")),
    }
}

/// One look at all records.
fn look(
    context: &Context,
    args: &DcvCheckArgs,
    checks: &[ExpectedRecord],
) -> Result<Vec<RecordCheck>, Failure> {
    let inquiries: Vec<RecordQuery> = checks.iter().map(inquiry).collect();
    let resolvers = ResolverList::new(&args.resolver);
    let surveys = dns::survey(&inquiries, &resolvers, &context.interrupt)?;
    // Where nobody answers, nobody is asked more.
    let answered = |survey: &DnsSurvey| {
        survey
            .said
            .iter()
            .flat_map(|said| &said.answers)
            .any(|one| one.answer.is_answer())
    };
    let names = checks
        .iter()
        .zip(&surveys)
        .filter(|(_, survey)| answered(survey))
        .flat_map(|(check, _)| &check.names);
    let caa = dns::caa(
        &names.cloned().collect::<Vec<String>>(),
        &resolvers,
        &context.interrupt,
    )?;
    Ok(judged(context, checks, surveys, &caa))
}

/// What to ask servers for.
fn inquiry(check: &ExpectedRecord) -> RecordQuery {
    RecordQuery {
        domain: check.expected.domain.clone(),
        top: check.expected.top(),
        kind: check.expected.record.kind,
        names: check
            .expected
            .places(None)
            .into_iter()
            .map(|(_, name)| name.into_owned())
            .collect(),
        values: check.expected.values.clone(),
    }
}

/// What their answers come to.
fn judged(
    context: &Context,
    checks: &[ExpectedRecord],
    surveys: Vec<DnsSurvey>,
    caa: &HashMap<String, CaaLookup>,
) -> Vec<RecordCheck> {
    let judged = checks.iter().zip(surveys).map(|(pending, survey)| {
        let mut expected = Rc::clone(&pending.expected);
        if let Some(zone) = &survey.zone {
            Rc::make_mut(&mut expected).lies_in(zone);
        }
        let mut judgement: RecordJudgement = judge(&expected, &survey);
        let around = ZoneHealth::judge(&mut judgement, &survey, pending, caa, context.now());
        RecordCheck {
            request: pending.request.clone(),
            ca: pending.ca,
            expected,
            judgement,
            around,
        }
    });
    judged.collect()
}

/// The words of the command line to wait with for these names: the same CA and resolvers.
fn again(context: &Context, args: &DcvCheckArgs, names: &[String]) -> Vec<String> {
    let mut words = context.again("dcv-check");
    words.push("--wait".to_owned());
    words.extend(names.iter().filter(|name| *name != "-").cloned());
    let method = [(DcvMethod::Http, "http"), (DcvMethod::Email, "email")]
        .into_iter()
        .find(|(one, _)| *one == args.method);
    words.extend(
        method
            .iter()
            .flat_map(|(_, word)| ["--method".to_owned(), (*word).to_owned()]),
    );
    words.extend(
        args.ca
            .iter()
            .flat_map(|ca| ["--ca".to_owned(), ca.name().to_owned()]),
    );
    words.extend(
        args.resolver
            .iter()
            .flat_map(|address| ["--resolver".to_owned(), dns::typed(*address)]),
    );
    words
}
