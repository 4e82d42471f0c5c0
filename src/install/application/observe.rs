//! An application as it is, and what would change.

use std::path::PathBuf;

use super::accounts::{self, ApplicationUser};
use super::environment::{ApplicationEnvironment, EnvironmentFault};
use super::service::{self, ApplicationService, ServiceState};
use crate::diagnosis::FileBarrier;
use crate::install::worker_access::WorkerIdentity;
use crate::site::application::service_file::is_writable_path;
use crate::site::application::{
    ApplicationAccount, GunicornCommand, RecognizedObject, ServiceFile, ServiceManager,
};
use crate::site::plan::{ObservedSite, SiteChange, SiteObstacle};
use crate::system::fs::files::{self, FileError};
use crate::webserver::control::FILE_LIMIT;

/// Whose virtual environment runs the application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EnvironmentChoice {
    /// certctl makes one for the application.
    Own,
    /// That in the folder of the project.
    Project,
}

/// The application that a site is to have.
#[derive(Clone, Debug)]
pub(crate) struct ApplicationRequest {
    /// The folder of the source, an absolute path.
    pub folder: PathBuf,
    pub object: RecognizedObject,
    pub environment: EnvironmentChoice,
    /// `None` for the service manager that runs on this machine.
    pub manager: Option<ServiceManager>,
}

/// What exists of the application of a site.
#[derive(Debug)]
pub(crate) struct ObservedApplication {
    pub account: ApplicationAccount,
    user: ApplicationUser,
    has_folder: bool,
    /// The service with the content of its file.
    installed: Option<(ApplicationService, String)>,
}

/// What is put into service.
#[derive(Debug)]
pub(crate) struct WantedApplication {
    pub environment: ApplicationEnvironment,
    /// The group of the web server, which may use the socket.
    pub web_group: u32,
}

/// What changes about the application of a site.
#[derive(Debug)]
pub(crate) struct ApplicationPlan {
    pub account: ApplicationAccount,
    pub service: ApplicationService,
    /// The change of the service's file.
    pub change: SiteChange,
    /// `None` if the application is removed.
    pub wanted: Option<WantedApplication>,
    /// Whether the application existed before, so that a rollback keeps its user and folders.
    pub existed: bool,
    /// Whether the service manager says that it runs.
    pub was_running: bool,
}

/// Why an application is not put into service.
#[derive(Debug)]
pub(crate) enum ApplicationObstacle {
    /// A user of this name exists, and certctl did not create it.
    AccountTaken(String),
    /// The path of the folder cannot be written into the file of a service.
    Unwritable(PathBuf),
    Environment(EnvironmentFault),
    /// Something is in the way of the service's file.
    File(SiteObstacle),
    /// No service manager runs, or not the one that was chosen.
    NoManager(Option<ServiceManager>),
    /// Another service manager runs the application now.
    OtherManager(ServiceManager),
    /// The user of the application may not use a file or folder.
    Unreadable(FileBarrier),
}

impl ObservedApplication {
    /// Observes the application of the site with this file stem.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub(crate) fn observe(stem: &str) -> Result<Self, FileError> {
        let account = ApplicationAccount::for_site(stem);
        let mut installed = None;
        for manager in [ServiceManager::Systemd, ServiceManager::Supervisor] {
            let service = ApplicationService {
                manager,
                name: account.name.clone(),
            };
            if let Some(text) = read_text(&service)? {
                installed = Some((service, text));
            }
        }
        Ok(Self {
            user: accounts::find(&account),
            has_folder: files::exists(&account.folder()),
            account,
            installed,
        })
    }

    /// Whether certctl has created anything for an application.
    #[must_use]
    pub(crate) fn is_present(&self) -> bool {
        let is_own = matches!(self.user, ApplicationUser::Own(_));
        is_own || self.has_folder || self.installed.is_some()
    }

    /// Decides how the application is removed; `None` if there is none.
    ///
    /// # Errors
    /// What prevents it.
    pub(crate) fn plan_removal(&self) -> Result<Option<ApplicationPlan>, ApplicationObstacle> {
        if !self.is_present() {
            return Ok(None);
        }
        let running = || service::running_managers().first().copied();
        let service = match &self.installed {
            Some((service, _)) => service.clone(),
            None => self.service(running().unwrap_or(ServiceManager::Systemd)),
        };
        self.plan(service, None, None).map(Some)
    }

    /// Decides how the application is put into service.
    ///
    /// # Errors
    /// What prevents it.
    pub(crate) fn plan_service(
        &self,
        request: &ApplicationRequest,
        web_group: u32,
    ) -> Result<ApplicationPlan, ApplicationObstacle> {
        if self.user == ApplicationUser::Foreign {
            return Err(ApplicationObstacle::AccountTaken(self.account.name.clone()));
        }
        if !is_writable_path(&request.folder) {
            return Err(ApplicationObstacle::Unwritable(request.folder.clone()));
        }
        let service = self.choose_service(request)?;
        let environment = self.choose_environment(request)?;
        if let Some(barrier) = self.find_barrier(request, &environment) {
            return Err(ApplicationObstacle::Unreadable(barrier));
        }
        let text = self.service_text(request, &environment, &service);
        let wanted = WantedApplication {
            environment,
            web_group,
        };
        self.plan(service, Some(&text), Some(wanted))
    }

    fn choose_environment(
        &self,
        request: &ApplicationRequest,
    ) -> Result<ApplicationEnvironment, ApplicationObstacle> {
        let (folder, object) = (&request.folder, &request.object);
        match request.environment {
            EnvironmentChoice::Own => Ok(ApplicationEnvironment::to_make(
                &self.account,
                folder,
                object,
            )),
            EnvironmentChoice::Project => {
                let found = ApplicationEnvironment::find(folder, object);
                found.map_err(ApplicationObstacle::Environment)
            }
        }
    }

    /// The content of the service's file.
    fn service_text(
        &self,
        request: &ApplicationRequest,
        environment: &ApplicationEnvironment,
        service: &ApplicationService,
    ) -> String {
        let command = GunicornCommand {
            environment: environment.folder.clone(),
            object: request.object.path.clone(),
            interface: request.object.interface,
            asgi_worker: environment.asgi_worker,
            socket: self.account.socket(),
        };
        let file = ServiceFile {
            account: &self.account,
            folder: &request.folder,
            command: &command,
            log: &service.log(),
        };
        file.text(service.manager)
    }

    fn plan(
        &self,
        service: ApplicationService,
        text: Option<&str>,
        wanted: Option<WantedApplication>,
    ) -> Result<ApplicationPlan, ApplicationObstacle> {
        let observed = ObservedSite {
            file: service.file(),
            text: self.installed.as_ref().map(|(_, text)| text.clone()),
            link: None,
        };
        let change = observed.decide(text).map_err(ApplicationObstacle::File)?;
        Ok(ApplicationPlan {
            account: self.account.clone(),
            existed: self.is_present(),
            was_running: self.is_running(&service),
            service,
            change,
            wanted,
        })
    }

    fn service(&self, manager: ServiceManager) -> ApplicationService {
        ApplicationService {
            manager,
            name: self.account.name.clone(),
        }
    }

    fn choose_service(
        &self,
        request: &ApplicationRequest,
    ) -> Result<ApplicationService, ApplicationObstacle> {
        let running = service::running_managers();
        let installed = self.installed.as_ref().map(|(service, _)| service.manager);
        let wanted = request.manager.or(installed);
        let wanted = wanted.or_else(|| running.first().copied());
        let Some(manager) = wanted.filter(|manager| running.contains(manager)) else {
            return Err(ApplicationObstacle::NoManager(wanted));
        };
        if let Some(other) = installed.filter(|installed| *installed != manager) {
            return Err(ApplicationObstacle::OtherManager(other));
        }
        Ok(self.service(manager))
    }

    fn is_running(&self, service: &ApplicationService) -> bool {
        self.installed.is_some() && matches!(service.state(), ServiceState::Running(_))
    }

    /// The first file or folder that the user of the application may not use.
    fn find_barrier(
        &self,
        request: &ApplicationRequest,
        environment: &ApplicationEnvironment,
    ) -> Option<FileBarrier> {
        let user = match self.user {
            ApplicationUser::Own(owner) => WorkerIdentity::of_account(owner),
            ApplicationUser::Absent | ApplicationUser::Foreign => WorkerIdentity::stranger(),
        };
        let module = request.object.path.module.replace('.', "/");
        let module = request.folder.join(module);
        let file = [module.with_extension("py"), module.join("__init__.py")];
        let file = file.into_iter().find(|file| files::exists(file));
        let python = environment.folder.join("bin/python");
        let python = environment.packages.is_none().then_some(python);
        let folder = user.find_barrier(&request.folder, 'x');
        let folder = folder.or_else(|| user.find_barrier(&request.folder, 'r'));
        let file = || file.and_then(|file| user.find_barrier(&file, 'r'));
        let python = || python.and_then(|python| user.find_barrier(&python, 'x'));
        folder.or_else(file).or_else(python)
    }
}

impl ApplicationPlan {
    /// Whether anything is to be done.
    #[must_use]
    pub(crate) fn is_needed(&self) -> bool {
        self.wanted.is_none() || self.change.is_needed() || !self.was_running
    }
}

fn read_text(service: &ApplicationService) -> Result<Option<String>, FileError> {
    match files::read(&service.file(), FILE_LIMIT) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
