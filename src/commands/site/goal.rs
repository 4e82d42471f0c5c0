//! What a site is to become, and the server that gets its block.

use std::path::{Path, PathBuf};

use crate::advice::{site_application, site_command};
use crate::failure::{Failure, FailureKind};
use crate::install::application::observe::{ApplicationRequest, EnvironmentChoice};
use crate::install::application::source;
use crate::pki::name::DnsName;
use crate::site::application::recognition::recognize_object;
use crate::site::application::{
    ApplicationAccount, ApplicationArgument, Recognition, ServiceManager,
};
use crate::site::{SiteContent, UpstreamUrl};
use crate::system::fs::folders;
use crate::system::listening;
use crate::webserver::control::{ServerObservation, ServerProgram};
use crate::webserver::model::{ServerSoftware, UpstreamAddress};

/// What the site shows.
#[derive(Debug, clap::Args)]
pub(crate) struct ContentArgs {
    /// URL of the application that answers requests; WebSocket connections are passed on as well
    #[arg(long, value_name = "URL", value_parser = UpstreamUrl::parse, conflicts_with_all = ["app", "folder", "remove"])]
    pub upstream: Option<UpstreamUrl>,
    /// Folder of a Python application (Flask, Django, FastAPI, ...), which gunicorn runs as a user of
    /// its own; the object that answers requests is recognized, or given as DIR:MODULE:OBJECT
    #[arg(long, value_name = "DIR[:MODULE:OBJECT]", value_parser = ApplicationArgument::parse, conflicts_with_all = ["folder", "remove"])]
    pub app: Option<ApplicationArgument>,
    /// Make a virtual environment for the application with gunicorn and its requirements.txt; without
    /// this, the environment in its folder is used
    #[arg(long, requires = "app")]
    pub venv: bool,
    /// What starts the application
    ///
    /// Default: systemd where it runs the machine, else supervisor where supervisord runs.
    #[arg(long, value_name = "MANAGER", requires = "app", ignore_case = true)]
    pub process: Option<ManagerArgument>,
    /// Folder of the files to serve
    #[arg(long = "static", value_name = "DIR", conflicts_with = "remove")]
    pub folder: Option<PathBuf>,
    /// Add TLS to the block that serves the name in plain text now
    #[arg(long, conflicts_with_all = ["app", "upstream", "folder", "remove"])]
    pub adopt: bool,
    /// Remove what certctl wrote for this site; an issued certificate stays installed
    #[arg(long)]
    pub remove: bool,
}

/// The service managers that `--process` accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ManagerArgument {
    Supervisor,
    Systemd,
}

impl From<ManagerArgument> for ServiceManager {
    fn from(argument: ManagerArgument) -> Self {
        match argument {
            ManagerArgument::Supervisor => Self::Supervisor,
            ManagerArgument::Systemd => Self::Systemd,
        }
    }
}

/// What the site is to become.
#[derive(Clone, Debug)]
pub(super) enum SiteGoal {
    Serve(SiteContent),
    /// An application that certctl runs, with the address at which the server reaches it.
    Run(Box<ApplicationRequest>, SiteContent),
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
        if let Some(app) = &args.app {
            return parse_application(args, app, name);
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
            Self::Run(_, content) | Self::Serve(content) => Some(content),
            Self::Remove => None,
        }
    }

    pub(super) fn application(&self) -> Option<&ApplicationRequest> {
        match self {
            Self::Run(request, _) => Some(request),
            Self::Remove | Self::Serve(_) => None,
        }
    }
}

/// Recognizes the application from its source.
fn parse_application(
    args: &ContentArgs,
    app: &ApplicationArgument,
    name: &DnsName,
) -> Result<SiteGoal, Failure> {
    let folder = folders::absolute(&app.folder)?;
    check_folder(&folder)?;
    let modules = source::read_modules(&folder)?;
    let object = match &app.object {
        Some(path) => recognize_object(&modules, path),
        None => match Recognition::of(&modules) {
            Recognition::Found(object) => object,
            Recognition::Several(objects) => {
                return Err(site_application::report_several(&folder, &objects));
            }
            Recognition::Nothing => {
                return Err(site_application::report_nothing_recognized(&folder));
            }
        },
    };
    let environment = if args.venv {
        EnvironmentChoice::Own
    } else {
        EnvironmentChoice::Project
    };
    let socket = ApplicationAccount::for_site(&name.file_stem()).socket();
    let request = ApplicationRequest {
        folder,
        object,
        environment,
        manager: args.process.map(ServiceManager::from),
    };
    let content = SiteContent::Application(UpstreamUrl::of_socket(socket));
    Ok(SiteGoal::Run(Box::new(request), content))
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
