//! `certctl rehearse`: the whole life of a certificate on this machine alone. The reseller, the DNS
//! zone and the web server run in this process; each command line is parsed and run as a user types
//! it.

mod outcome;
mod scenario;
mod setup;
mod step;

pub(crate) use self::outcome::RehearseOutcome;
pub(crate) use self::setup::RehearsalServer;
use crate::advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::pki::name::DnsName;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::process;

/// The whole round on this machine alone, against a shop, a DNS server and a web server of its own
///
/// Examples:
///   certctl rehearse
///   certctl rehearse www.example.com --server nginx
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RehearseArgs {
    /// The site's name; nobody is asked about it
    #[arg(default_value = "shop.example", value_name = "NAME")]
    pub name: String,
    /// The web server: one of its own, or the nginx of this machine on a free loopback port
    #[arg(long, default_value = "embedded", value_name = "SERVER")]
    pub server: RehearsalServer,
}

/// Runs the rehearsal in the folder `rehearsal/`.
///
/// # Errors
/// A folder that belongs to something else, a name that is none, no loopback port.
pub(crate) fn run(context: &Context, args: &RehearseArgs) -> Result<RehearseOutcome, Failure> {
    let name = DnsName::parse(&args.name)?;
    if context.root.is_some() {
        let failure = Failure::new(FailureKind::Usage, "rehearse takes no --root");
        return Err(failure
            .because("it installs into a folder of its own")
            .with_step(advice::rehearsal::rehearse(&name)));
    }
    if args.server == RehearsalServer::Nginx && process::find_program("nginx").is_none() {
        let failure = Failure::new(FailureKind::NotFound, "there is no nginx on this machine");
        return Err(failure.with_step(advice::rehearsal::install_nginx_or_use_embedded()));
    }
    if context.directory.to_str().is_none() {
        let failure = Failure::new(FailureKind::Usage, "the name of the folder is not UTF-8");
        return Err(failure
            .because("the rehearsal types its commands as you would")
            .with_step(advice::rehearsal::rehearse_in_tmp(&name)));
    }
    let scratch = ScratchFolder::claim(&context.path_of("rehearsal"))?;
    scenario::run(context, args.server, &name, &scratch)
}
