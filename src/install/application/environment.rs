//! The virtual environment of an application: that of the project, which is never changed, or one
//! that certctl makes as the user of the application.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::{ApplicationFault, require_success, run_in};
use crate::context::Context;
use crate::site::application::{ApplicationAccount, RecognizedObject, WebInterface};
use crate::system::fs::{files, folders};
use crate::system::process::CommandSurroundings;

/// The names that a project's virtual environment usually has.
const USUAL: [&str; 3] = [".venv", "venv", "env"];
/// Where Debian's packages are, for an environment that sees them.
const SYSTEM_PACKAGES: &str = "/usr/lib/python3/dist-packages";
/// How long pip may take.
const PIP_TIMEOUT: Duration = Duration::from_secs(1200);
const CONFIG_LIMIT: u64 = 64 * 1024;
const ENTRY_LIMIT: usize = 1000;

/// The worker class of uvicorn from its own package, and from older versions of uvicorn.
const ASGI_WORKERS: [(&str, &str); 2] = [
    ("uvicorn_worker", "uvicorn_worker.UvicornWorker"),
    ("uvicorn", "uvicorn.workers.UvicornWorker"),
];

/// A virtual environment with the packages that run an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApplicationEnvironment {
    pub folder: PathBuf,
    pub asgi_worker: &'static str,
    /// What pip installs; `None` if the environment exists and is not changed.
    pub packages: Option<Vec<String>>,
}

/// Why an application has no virtual environment that can run it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum EnvironmentFault {
    /// The project has none.
    Missing,
    /// It lacks these packages.
    Incomplete {
        environment: PathBuf,
        packages: Vec<&'static str>,
    },
}

impl ApplicationEnvironment {
    /// Finds the virtual environment of a project.
    ///
    /// # Errors
    /// When it has none, or one without gunicorn.
    pub(crate) fn find(
        project: &Path,
        object: &RecognizedObject,
    ) -> Result<Self, EnvironmentFault> {
        let is_environment = |folder: &PathBuf| {
            files::exists(&folder.join("pyvenv.cfg")) && files::exists(&folder.join("bin/python"))
        };
        let mut folders = USUAL.iter().map(|name| project.join(name));
        let folder = folders
            .find(is_environment)
            .ok_or(EnvironmentFault::Missing)?;
        let packages = PackageFolders::of(&folder);
        let mut missing = Vec::new();
        if !packages.has("gunicorn") {
            missing.push("gunicorn");
        }
        let worker = ASGI_WORKERS
            .iter()
            .find(|(package, _)| packages.has(package));
        if object.interface == WebInterface::Asgi && worker.is_none() {
            missing.extend(["uvicorn", "uvicorn-worker"]);
        }
        if !missing.is_empty() {
            return Err(EnvironmentFault::Incomplete {
                environment: folder,
                packages: missing,
            });
        }
        Ok(Self {
            folder,
            asgi_worker: worker.map_or(ASGI_WORKERS[0].1, |(_, class)| class),
            packages: None,
        })
    }

    /// Plans an environment of the application's own, with what the project requires.
    #[must_use]
    pub(crate) fn to_make(
        account: &ApplicationAccount,
        project: &Path,
        object: &RecognizedObject,
    ) -> Self {
        let mut packages = vec!["gunicorn".to_owned()];
        if object.interface == WebInterface::Asgi {
            packages.extend(["uvicorn", "uvicorn-worker"].map(str::to_owned));
        }
        let requirements = project.join("requirements.txt");
        if files::exists(&requirements) {
            packages.extend([
                "--requirement".to_owned(),
                requirements.display().to_string(),
            ]);
        } else {
            packages.extend(
                object
                    .framework
                    .map(|framework| framework.package.to_owned()),
            );
        }
        Self {
            folder: account.environment(),
            asgi_worker: ASGI_WORKERS[0].1,
            packages: Some(packages),
        }
    }

    /// Makes the environment as the user of the application, in an empty folder that belongs to it.
    ///
    /// # Errors
    /// When Python or pip fails.
    pub(crate) fn make(
        &self,
        context: &Context,
        account: &ApplicationAccount,
        packages: &[String],
    ) -> Result<(), ApplicationFault> {
        let folder = self.folder.display().to_string();
        let python = self.folder.join("bin/python").display().to_string();
        run_as(
            context,
            account,
            &["/usr/bin/python3", "-m", "venv", &folder],
        )?;
        let mut words = vec![python.as_str(), "-m", "pip", "install", "--quiet"];
        words.extend(["--no-cache-dir", "--disable-pip-version-check"]);
        words.extend(packages.iter().map(String::as_str));
        run_as(context, account, &words)
    }
}

/// Runs a command as the user of an application.
fn run_as(
    context: &Context,
    account: &ApplicationAccount,
    words: &[&str],
) -> Result<(), ApplicationFault> {
    let home = account.home();
    let variables = vec![("HOME".to_owned(), home.display().to_string())];
    let surroundings = CommandSurroundings {
        folder: Some(home),
        variables: Some(variables),
        interrupt: Some(context.interrupt.clone()),
        ..CommandSurroundings::default()
    };
    let words = [&["runuser", "-u", account.name.as_str(), "--"], words].concat();
    let finished = run_in(&words, PIP_TIMEOUT, &surroundings)?;
    match context.interrupt.signal() {
        Some(signal) => Err(ApplicationFault::Interrupted(signal)),
        None => require_success(&words, &finished),
    }
}

/// The folders in which an environment finds packages.
struct PackageFolders(Vec<PathBuf>);

impl PackageFolders {
    fn of(environment: &Path) -> Self {
        let libraries = folders::list_names(&environment.join("lib"), ENTRY_LIMIT);
        let mut found = Vec::new();
        for name in libraries.unwrap_or_default() {
            found.push(environment.join("lib").join(name).join("site-packages"));
        }
        let config = files::read(&environment.join("pyvenv.cfg"), CONFIG_LIMIT).unwrap_or_default();
        let config = String::from_utf8_lossy(&config).to_ascii_lowercase();
        let sees_system = config.lines().any(|line| {
            let line = line.replace(' ', "");
            line == "include-system-site-packages=true"
        });
        if sees_system {
            found.push(PathBuf::from(SYSTEM_PACKAGES));
        }
        Self(found)
    }

    fn has(&self, package: &str) -> bool {
        self.0
            .iter()
            .any(|folder| files::exists(&folder.join(package)))
    }
}
