//! `certctl rehearse`: the whole round on this machine alone. The shop, the DNS and the web server
//! are ours and live in this process; what a user types is run as typed: each line is parsed and
//! given to its verb.

mod outcome;
mod round;
mod step;

pub(crate) use self::outcome::RehearseOutcome;
pub(crate) use self::round::RehearsalServer;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
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

/// Plays the round in `rehearsal/`.
///
/// # Errors
/// A folder that is not a rehearsal's, a name that is none, no loopback port.
pub(crate) fn run(context: &Context, args: &RehearseArgs) -> Result<RehearseOutcome, Failure> {
    let name = DnsName::parse(&args.name)?;
    if context.root.is_some() {
        return Err(Failure::new(FailureKind::Usage, "rehearse takes no --root")
            .because("it installs into a folder of its own")
            .with(NextStep::run(&["rehearse", name.as_str()])));
    }
    if args.server == RehearsalServer::Nginx && process::which("nginx").is_none() {
        return Err(
            Failure::new(FailureKind::NotFound, "there is no nginx on this machine").with(
                NextStep::say(
                    "install it, or take the server of the rehearsal itself:  certctl rehearse",
                ),
            ),
        );
    }
    if context.directory.to_str().is_none() {
        return Err(
            Failure::new(FailureKind::Usage, "the name of the folder is not UTF-8")
                .because("the rehearsal types its commands as you would")
                .with(NextStep::run(&["rehearse", name.as_str(), "-C", "/tmp"])),
        );
    }
    let scratch = ScratchFolder::claim(&context.here("rehearsal"))?;
    round::play(context, args.server, &name, &scratch)
}
