//! The user that runs an application, and its folders.

use std::time::Duration;

use super::fault::{ApplicationFault, run};
use crate::permissions::{Mode, Owner};
use crate::site::application::ApplicationAccount;
use crate::system::accounts::{self, SystemAccount};
use crate::system::clock::{self, Stopwatch};
use crate::system::fs::files::FileError;
use crate::system::fs::folders;
use crate::system::fs::owned_folder::{create_owned_folder, remove_empty_folder};

/// How long the processes of an application may take to end after its service has stopped.
const ENDING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// A folder that only its owner and the group of the web server may enter.
const SOCKET_MODE: Mode = Mode::new(0o710);
const HOME_MODE: Mode = Mode::new(0o700);
/// A folder that others may enter: the service manager checks the program in it.
const OPEN_MODE: Mode = Mode::new(0o755);
const ROOT: Owner = Owner { uid: 0, gid: 0 };

/// Whether the user of an application exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ApplicationUser {
    Absent,
    /// certctl created it.
    Own(Owner),
    /// An account of this name has another home folder, so certctl did not create it.
    Foreign,
}

/// Finds the user of an application.
#[must_use]
pub(crate) fn find(account: &ApplicationAccount) -> ApplicationUser {
    match accounts::find_account(&account.name) {
        None => ApplicationUser::Absent,
        Some(SystemAccount { owner, home }) if home == account.home() => {
            ApplicationUser::Own(owner)
        }
        Some(_) => ApplicationUser::Foreign,
    }
}

/// Creates the user, if it does not exist.
///
/// # Errors
/// When useradd fails.
pub(crate) fn create(account: &ApplicationAccount) -> Result<Owner, ApplicationFault> {
    if let ApplicationUser::Own(owner) = find(account) {
        return Ok(owner);
    }
    let home = account.home().display().to_string();
    let comment = format!("application of {}", account.site);
    run(&[
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        &home,
        "--shell",
        "/usr/sbin/nologin",
        "--comment",
        &comment,
        &account.name,
    ])?;
    match find(account) {
        ApplicationUser::Own(owner) => Ok(owner),
        ApplicationUser::Absent | ApplicationUser::Foreign => Err(ApplicationFault::Command {
            command: "useradd".to_owned(),
            output: vec![format!("the user {} is not in /etc/passwd", account.name)],
        }),
    }
}

/// Removes the user, if certctl has created it. Its last processes may still be ending.
///
/// # Errors
/// When userdel fails.
pub(crate) fn remove(account: &ApplicationAccount) -> Result<(), ApplicationFault> {
    match find(account) {
        ApplicationUser::Own(_) => try_again(|| run(&["userdel", &account.name])),
        ApplicationUser::Absent | ApplicationUser::Foreign => Ok(()),
    }
}

/// Repeats a step that processes which are about to end may disturb.
fn try_again(step: impl Fn() -> Result<(), ApplicationFault>) -> Result<(), ApplicationFault> {
    let started = Stopwatch::start();
    loop {
        match step() {
            Err(_) if started.elapsed() < ENDING => clock::sleep(PAUSE),
            other => return other,
        }
    }
}

/// Creates the folders of the application. Root owns the one around them, so that nothing in it can
/// be replaced while root works there.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn create_folders(
    account: &ApplicationAccount,
    owner: Owner,
    web_group: u32,
) -> Result<(), FileError> {
    folders::create_folder(ApplicationAccount::parent(), OPEN_MODE)?;
    create_owned_folder(&account.folder(), OPEN_MODE, ROOT)?;
    create_owned_folder(&account.home(), HOME_MODE, owner)?;
    let entering = Owner {
        uid: owner.uid,
        gid: web_group,
    };
    create_owned_folder(&account.socket_folder(), SOCKET_MODE, entering)
}

/// Creates the empty folder of the virtual environment.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn create_environment_folder(
    account: &ApplicationAccount,
    owner: Owner,
) -> Result<(), FileError> {
    create_owned_folder(&account.environment(), OPEN_MODE, owner)
}

/// Removes everything below the folder of the application.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove_folders(account: &ApplicationAccount) -> Result<(), ApplicationFault> {
    try_again(|| Ok(folders::remove_folder(&account.folder())?))?;
    Ok(remove_empty_folder(ApplicationAccount::parent())?)
}
