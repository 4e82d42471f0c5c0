//! `certctl rehearse`: renews a certificate of a made-up site, on this machine only. The reseller or the
//! CA, the DNS zone and the web server run in this process; each command line is parsed and run as if a
//! user had typed it.

mod api_scenario;
mod outcome;
mod pause;
mod runner;
mod scenario;
mod setup;
mod step;

use self::api_scenario::ApiScenario;
pub(crate) use self::outcome::RehearseOutcome;
use self::pause::StepPause;
use self::scenario::PasteScenario;
use self::setup::RehearsalRun;
pub(crate) use self::setup::RehearsalServer;
use crate::advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::pki::name::DnsName;
use crate::rehearsal::ca::RehearsalCa;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::process;

/// The folder of the rehearsal, in the working directory.
pub(crate) const FOLDER: &str = "rehearsal";

/// Rehearse a renewal on this machine only
///
/// Examples:
///   certctl rehearse
///   certctl rehearse www.example.com --server nginx
///   certctl rehearse --api
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RehearseArgs {
    /// Name of the site; it is never looked up outside of this machine
    #[arg(default_value = "shop.example", value_name = "NAME")]
    pub name: String,
    /// Web server: the built-in one, or the nginx of this machine on a free loopback port
    #[arg(long, default_value = "embedded", value_name = "SERVER")]
    pub server: RehearsalServer,
    /// Order through the APIs of a CA (ACME) and of a DNS provider, and renew without a person
    #[arg(long)]
    pub api: bool,
    /// Show each step when it has run, and wait for Enter before the next one
    #[arg(long)]
    pub step: bool,
}

/// Runs the rehearsal in the folder `rehearsal/`.
///
/// # Errors
/// When `rehearsal/` belongs to something else, the name is invalid, no loopback port is free, or
/// `--step` has no terminal.
pub(crate) fn run(context: &Context, args: &RehearseArgs) -> Result<RehearseOutcome, Failure> {
    let name = DnsName::parse(&args.name)?;
    check_arguments(context, args, &name)?;
    let pause = if args.step {
        StepPause::after_each_step(context)?
    } else {
        StepPause::Never
    };
    let scratch = ScratchFolder::claim(&context.path_of(FOLDER))?;
    // From here on a signal stops the web server too.
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let authority = RehearsalCa::new(context.now())?;
    let mut rehearsal = RehearsalRun::set_up(context, args.server, &name, &scratch, &authority)?;
    rehearsal.pause = pause;
    if args.api {
        runner::play(ApiScenario::new(rehearsal, authority, &scratch)?, &scratch)
    } else {
        runner::play(PasteScenario::new(rehearsal, authority), &scratch)
    }
}

/// Refuses what a rehearsal cannot do, before it writes anything.
fn check_arguments(context: &Context, args: &RehearseArgs, name: &DnsName) -> Result<(), Failure> {
    if !name.as_str().contains('.') {
        let message = format!("{name} is not a host name with a domain");
        return Err(Failure::new(FailureKind::Usage, message)
            .with_step(advice::rehearsal::rehearse_with_domain(name)));
    }
    if context.root.is_some() {
        let failure = Failure::new(FailureKind::Usage, "`rehearse` does not accept `--root`");
        return Err(failure
            .because("it installs into its own folder, `rehearsal`")
            .with_step(advice::rehearsal::rehearse(name)));
    }
    if args.server == RehearsalServer::Nginx && process::find_program("nginx").is_none() {
        let failure = Failure::new(FailureKind::NotFound, "nginx was not found on this machine");
        return Err(failure.with_step(advice::rehearsal::install_nginx_or_use_embedded(name)));
    }
    if context.directory.to_str().is_none() {
        let failure = Failure::new(FailureKind::Usage, "the path of the folder is not UTF-8");
        return Err(failure
            .because("the rehearsal shows it in its command lines")
            .with_step(advice::rehearsal::rehearse_in_tmp(name)));
    }
    Ok(())
}
