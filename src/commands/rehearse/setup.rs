//! Sets up the DNS zone and the web server of a rehearsal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::pause::StepPause;
use super::step::RehearsalStep;
use crate::context::Context;
use crate::failure::Failure;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::rehearsal::ca::RehearsalCa;
use crate::rehearsal::web::{self, RehearsalNginx, RehearsalPaths, RehearsalSite};
use crate::rehearsal::zone::RehearsalZone;
use crate::report::Sink;
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::dns::DnsServer;

/// Which web server serves the site.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum RehearsalServer {
    /// Built into certctl.
    #[default]
    Embedded,
    /// The nginx of this machine.
    Nginx,
}

/// The DNS zone and the web server of a rehearsal, and the steps so far.
pub(super) struct RehearsalRun<'a> {
    /// The context of the commands: silent, in the rehearsal's folder.
    pub inner: Context,
    pub name: DnsName,
    pub zone: RehearsalZone,
    pub dns: DnsServer,
    pub root: Certificate,
    pub root_path: PathBuf,
    pub old: Certificate,
    pub web: RehearsalSite,
    pub steps: Vec<RehearsalStep>,
    /// Whether it waits after each step.
    pub pause: StepPause<'a>,
}

impl<'a> RehearsalRun<'a> {
    /// Starts the parties in `scratch`; the site has a certificate of `authority`. It does not wait after
    /// a step.
    ///
    /// # Errors
    /// When a file cannot be written, or no loopback port is free.
    pub(super) fn set_up(
        context: &Context,
        server: RehearsalServer,
        name: &DnsName,
        scratch: &ScratchFolder,
        authority: &RehearsalCa,
    ) -> Result<Self, Failure> {
        let zone = RehearsalZone::new(zone_of(name))?;
        let dns = start_dns(&zone)?;
        let root = authority.root()?;
        let root_path = scratch.path().join("root.pem");
        files::create_new(&root_path, root.to_pem().as_bytes(), Mode::new(0o644))?;
        let old = web::create_old_certificate(scratch, authority, name)?;
        let web = start_site(server, name, scratch, old.paths)?;
        Ok(Self {
            inner: inner_context(context, scratch.path()),
            name: name.clone(),
            zone,
            dns,
            root,
            root_path,
            old: old.leaf,
            web,
            steps: Vec::new(),
            pause: StepPause::Never,
        })
    }
}

fn start_dns(zone: &RehearsalZone) -> Result<DnsServer, Failure> {
    let zone = zone.clone();
    let server = DnsServer::start(Arc::new(move |query: &[u8]| zone.answer(query)))
        .context("the embedded DNS server cannot be started")?;
    Ok(server)
}

fn start_site(
    server: RehearsalServer,
    name: &DnsName,
    scratch: &ScratchFolder,
    paths: RehearsalPaths,
) -> Result<RehearsalSite, Failure> {
    let site = match server {
        RehearsalServer::Embedded => RehearsalSite::embedded(scratch, paths)?,
        RehearsalServer::Nginx => {
            RehearsalSite::Nginx(RehearsalNginx::start(scratch, name.as_str(), &paths)?)
        }
    };
    Ok(site)
}

/// Returns the context of the commands.
fn inner_context(context: &Context, folder: &Path) -> Context {
    Context {
        directory: folder.to_owned(),
        root: Some(folder.to_owned()),
        at: context.at,
        sink: Sink::silent(),
        interrupt: context.interrupt.clone(),
    }
}

/// Returns the DNS zone of a name.
pub(super) fn zone_of(name: &DnsName) -> &str {
    name.registrable().unwrap_or_else(|| name.base())
}
