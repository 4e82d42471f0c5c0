//! `certctl doctor`: what is wrong with a site, one cause and one command each.

mod certificates;
mod examination;
mod outcome;
mod pages;
mod ports;
mod server;

use crate::advice::doctor_command;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::request::refuse_root_option;
use crate::pki::name::DnsName;
use crate::webserver::model::ServerName;

use examination::SiteExamination;
use outcome::{DoctorOutcome, ExaminedSite};
use server::LocalServers;

/// How many sites are checked if no name is given.
const SITE_LIMIT: usize = 20;

/// Find out why a site does not work, and what repairs it
///
/// Examples:
///   sudo certctl doctor example.com
///   certctl doctor --json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DoctorArgs {
    /// Name of the site, managed by certctl or not [default: the names in the configurations of the
    /// servers of this machine]
    #[arg(value_name = "NAME|HOST")]
    pub name: Option<String>,
}

/// Checks one site, or those of this machine. Changes nothing.
///
/// # Errors
/// When the name is malformed, or none is known, with `--root`, or when a signal arrives.
pub(crate) fn run(context: &Context, args: &DoctorArgs) -> Result<DoctorOutcome, Failure> {
    refuse_root_option(context, "doctor", "checks the servers of this machine")?;
    let servers = LocalServers::observe();
    let mut names = match &args.name {
        Some(name) => vec![DnsName::parse(name)?],
        None => find_names(&servers),
    };
    if names.is_empty() {
        return Err(doctor_command::report_no_name());
    }
    let further = names.get(SITE_LIMIT).cloned();
    names.truncate(SITE_LIMIT);
    let mut sites = Vec::new();
    for name in names {
        if let Some(signal) = context.interrupt.signal() {
            let message = "interrupted; nothing was changed";
            return Err(Failure::new(FailureKind::Interrupted(signal), message));
        }
        let examination = SiteExamination {
            context,
            servers: &servers,
            name: &name,
        };
        sites.push(ExaminedSite::judge(examination.gather()));
    }
    let more = further.map(|next| doctor_command::report_more_sites(SITE_LIMIT, &next));
    Ok(DoctorOutcome { sites, more })
}

/// The host names in the configurations of the servers of this machine, each once.
fn find_names(servers: &LocalServers) -> Vec<DnsName> {
    let mut names = Vec::new();
    for server in servers.observed() {
        for block in server.observation.config.blocks() {
            for name in &block.names {
                let ServerName::Exact(text) = name else {
                    continue;
                };
                let name = DnsName::parse(text).ok();
                let is_public = |name: &DnsName| name.as_str().contains('.');
                if let Some(name) = name.filter(is_public)
                    && !names.contains(&name)
                {
                    names.push(name);
                }
            }
        }
    }
    names
}
