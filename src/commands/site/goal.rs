//! What a site is to become, and the server that gets its block.

use std::path::{Path, PathBuf};

use crate::advice::site_command;
use crate::failure::{Failure, FailureKind};
use crate::pki::name::DnsName;
use crate::site::{SiteContent, UpstreamUrl};
use crate::system::fs::folders;
use crate::system::listening;
use crate::webserver::control::{ServerObservation, ServerProgram};
use crate::webserver::model::{ServerSoftware, UpstreamAddress};

/// What the site shows.
#[derive(Debug, clap::Args)]
pub(crate) struct ContentArgs {
    /// URL of the application that answers requests; WebSocket connections are passed on as well
    #[arg(long, value_name = "URL", value_parser = UpstreamUrl::parse, conflicts_with_all = ["folder", "remove"])]
    pub upstream: Option<UpstreamUrl>,
    /// Folder of the files to serve
    #[arg(long = "static", value_name = "DIR", conflicts_with = "remove")]
    pub folder: Option<PathBuf>,
    /// Add TLS to the block that serves the name in plain text now
    #[arg(long, conflicts_with_all = ["upstream", "folder", "remove"])]
    pub adopt: bool,
    /// Remove what certctl wrote for this site; an issued certificate stays installed
    #[arg(long)]
    pub remove: bool,
}

/// What the site is to become.
#[derive(Clone, Debug)]
pub(super) enum SiteGoal {
    Serve(SiteContent),
    Remove,
}

/// A site on this machine: its server and the configuration of it.
pub(super) struct SiteServer {
    pub program: ServerProgram,
    pub observation: ServerObservation,
}

impl SiteGoal {
    /// Reads what the arguments mean.
    ///
    /// # Errors
    /// When nothing says what the site shows, or the folder does not exist.
    pub(super) fn parse(args: &ContentArgs, name: &DnsName) -> Result<Self, Failure> {
        if args.remove {
            return Ok(Self::Remove);
        }
        if args.adopt {
            return Ok(Self::Serve(SiteContent::Adopted));
        }
        if let Some(upstream) = &args.upstream {
            return Ok(Self::Serve(SiteContent::Upstream(upstream.clone())));
        }
        let Some(folder) = &args.folder else {
            let message = format!("`site` has to know what {name} shows: an application or files");
            return Err(site_command::choose_content(name).into_iter().fold(
                Failure::new(FailureKind::Usage, message),
                Failure::with_step,
            ));
        };
        let folder = folders::absolute(folder)?;
        check_folder(&folder)?;
        Ok(Self::Serve(SiteContent::Static(folder)))
    }

    pub(super) fn content(&self) -> Option<&SiteContent> {
        match self {
            Self::Serve(content) => Some(content),
            Self::Remove => None,
        }
    }
}

fn check_folder(folder: &Path) -> Result<(), Failure> {
    let text = folder.display().to_string();
    if text.contains('$') || text.contains(char::is_control) {
        let message = format!("{text} contains a character that nginx reads as its own syntax");
        let failure = Failure::new(FailureKind::Hostile, message);
        return Err(failure.with_step(site_command::rename_folder()));
    }
    if !folders::is_folder(folder) {
        let message = format!("there is no folder {text}");
        let failure = Failure::new(FailureKind::NotFound, message);
        return Err(failure.with_step(site_command::create_folder(folder)));
    }
    Ok(())
}

impl SiteServer {
    /// Finds the nginx of this machine and reads its configuration.
    ///
    /// # Errors
    /// When it is not installed, or its configuration cannot be read.
    pub(super) fn find() -> Result<Self, Failure> {
        let Some(program) = ServerProgram::find(ServerSoftware::Nginx, None)? else {
            let failure = Failure::new(FailureKind::NotFound, "nginx is not installed");
            return Err(failure.with_step(site_command::install_nginx()));
        };
        let observation = program.observe()?;
        Ok(Self {
            program,
            observation,
        })
    }
}

/// Whether this machine refuses connections to an application.
pub(super) fn refuses_connections(address: &UpstreamAddress) -> bool {
    match address {
        UpstreamAddress::Socket { host, port } => listening::refuses_socket(host, *port),
        UpstreamAddress::Unix(path) => listening::refuses_unix(path),
    }
}
