//! `certctl rehearse`: renews a certificate of a made-up site, on this machine only. The reseller, the
//! DNS zone and the web server run in this process; each command line is parsed and run as if a user
//! had typed it.

mod outcome;
mod pause;
mod scenario;
mod setup;
mod step;

pub(crate) use self::outcome::RehearseOutcome;
use self::pause::StepPause;
pub(crate) use self::setup::RehearsalServer;
use crate::advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::pki::name::DnsName;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::process;

/// The folder of the rehearsal, in the working directory.
pub(crate) const FOLDER: &str = "rehearsal";

/// Rehearse a renewal on this machine only, with a built-in CA, DNS server and web server
///
/// Examples:
///   certctl rehearse
///   certctl rehearse www.example.com --server nginx
///   certctl rehearse --step
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RehearseArgs {
    /// Name of the site; it is never looked up outside of this machine
    #[arg(default_value = "shop.example", value_name = "NAME")]
    pub name: String,
    /// Web server: the built-in one, or the nginx of this machine on a free loopback port
    #[arg(long, default_value = "embedded", value_name = "SERVER")]
    pub server: RehearsalServer,
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
    if !name.as_str().contains('.') {
        let message = format!("{name} is not a host name with a domain");
        return Err(Failure::new(FailureKind::Usage, message)
            .with_step(advice::rehearsal::rehearse_with_domain(&name)));
    }
    if context.root.is_some() {
        let failure = Failure::new(FailureKind::Usage, "`rehearse` does not accept `--root`");
        return Err(failure
            .because("it installs into its own folder, `rehearsal`")
            .with_step(advice::rehearsal::rehearse(&name)));
    }
    if args.server == RehearsalServer::Nginx && process::find_program("nginx").is_none() {
        let failure = Failure::new(FailureKind::NotFound, "nginx was not found on this machine");
        return Err(failure.with_step(advice::rehearsal::install_nginx_or_use_embedded(&name)));
    }
    if context.directory.to_str().is_none() {
        let failure = Failure::new(FailureKind::Usage, "the path of the folder is not UTF-8");
        return Err(failure
            .because("the rehearsal shows it in its command lines")
            .with_step(advice::rehearsal::rehearse_in_tmp(&name)));
    }
    let pause = if args.step {
        StepPause::after_each_step(context)?
    } else {
        StepPause::Never
    };
    let scratch = ScratchFolder::claim(&context.path_of(FOLDER))?;
    scenario::run(context, args.server, &name, &scratch, pause)
}
