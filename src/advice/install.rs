//! Advice for `install` and `rollback`.

use std::path::Path;

use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{ProbeAnswer, StepError};
use crate::install_plan::observe::PathObstacle;
use crate::probe::ProbeVerdict;
use crate::store::key_access::acl::AclSubject;
use crate::store::key_access::on_disk::AccessRemark;
use crate::store::key_access::owner::OwnerError;
use crate::store::root::RootError;
use crate::system::fs::files::FileError;
use crate::system::process::FinishedCommand;
use crate::webserver::control::ServerError;
use crate::wording::with_causes;

impl From<RootError> for Failure {
    fn from(error: RootError) -> Self {
        match error {
            RootError::File(error) => error.into(),
            RootError::Outside { .. } => Self::from_error(FailureKind::Usage, &error)
                .with_step(NextStep::say("name paths inside of --root")),
        }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let error = match error {
            InstallError::File(error) => return error.into(),
            other => other,
        };
        let failure = Self::from_error(install_failure_kind(&error), &error)
            .with_step(NextStep::say(install_step(&error)));
        match error {
            InstallError::LockHeld { .. } => {
                failure.with_step(NextStep::say("wait longer:  --lock-timeout 10m"))
            }
            _ => failure,
        }
    }
}

fn install_failure_kind(error: &InstallError) -> FailureKind {
    match error {
        InstallError::Damaged { .. }
        | InstallError::NotOurs { .. }
        | InstallError::Settings { .. } => FailureKind::Malformed,
        InstallError::ReplacedByLink { .. } | InstallError::WritableByOthers { .. } => {
            FailureKind::Hostile
        }
        InstallError::Interrupted { signal } => FailureKind::Interrupted(*signal),
        InstallError::LockHeld { .. } => FailureKind::LockHeld,
        InstallError::NotWritable { .. }
        | InstallError::File(_)
        | InstallError::DiskFull { .. } => FailureKind::Io,
    }
}

/// What to do about an error of the installation.
fn install_step(error: &InstallError) -> String {
    match error {
        InstallError::Damaged { path, .. } => {
            let folder = path.parent().unwrap_or(path).display().to_string();
            let aside = shell_word(&format!("{folder}.damaged"));
            format!(
                "move it aside, then install again:  sudo mv {} {aside}",
                shell_word(&folder)
            )
        }
        InstallError::NotWritable { folder, .. } => {
            let folder = path_word(folder);
            format!("run the same with sudo, or see whose it is:  sudo ls -ld {folder}")
        }
        InstallError::Interrupted { .. } => {
            "type the same again: it takes up where this stands".to_owned()
        }
        InstallError::ReplacedByLink { path, .. } => format!(
            "find out who put it there, then take it away:  sudo rm {}",
            path_word(path)
        ),
        InstallError::DiskFull { folder, what, .. } => {
            let df = if *what == "files" { "df -hi" } else { "df -h" };
            format!("make room:  {df} {}", path_word(folder))
        }
        InstallError::Settings { path, .. } => format!(
            "mend it, or move it aside and name the paths again:  sudo mv {0} {0}.broken",
            path_word(path)
        ),
        InstallError::WritableByOthers { path, .. } => format!(
            "look at what it says, then:  sudo chown root {0} && sudo chmod go-w {0}",
            path_word(path)
        ),
        InstallError::LockHeld { path, .. } => {
            format!("see who holds it:  sudo fuser -v {}", path_word(path))
        }
        InstallError::NotOurs { path } => format!("ls -ld {}", path_word(path)),
        InstallError::File(error) => format!("ls -ld {}", path_word(&error.path)),
    }
}

/// A path as a shell reads it back unchanged.
fn path_word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// An `--owner` that cannot be resolved; `path` is the file in which it was looked up.
#[must_use]
pub(crate) fn owner_failure(error: &OwnerError, path: &Path) -> Failure {
    let failure = Failure::from_error(FailureKind::Usage, error);
    match error {
        OwnerError::Empty => failure.with_step(NextStep::say("--owner root:ssl-cert")),
        OwnerError::NoGroup(_) | OwnerError::NoUser(_) => failure
            .because(format!("it was looked up in {}", path.display()))
            .with_step(NextStep::say(format!(
                "see who is there:  cut -d: -f1,3 {}",
                path_word(path)
            ))),
        OwnerError::Unknown(user) => failure
            .because(format!("it was looked up in {}", path.display()))
            .with_step(NextStep::say(format!(
                "say the group too:  --owner {user}:GROUP"
            ))),
    }
}

impl From<&ServerError> for Finding {
    /// A configuration that cannot be read stops the installation.
    fn from(error: &ServerError) -> Self {
        let step = match error {
            ServerError::ApacheConfig(_) => {
                "mend it, then try again:  apachectl configtest".to_owned()
            }
            ServerError::File(FileError { path, .. }) => {
                format!(
                    "is it there, and may you read it?  ls -l {}",
                    path_word(path)
                )
            }
            _ => "mend it, then try again:  nginx -t".to_owned(),
        };
        Self::error("server-config-broken", with_causes(error)).with_step(NextStep::say(step))
    }
}

impl From<&PathObstacle> for Finding {
    fn from(obstacle: &PathObstacle) -> Self {
        let finding = Self::error("path-taken", obstacle.to_string());
        match obstacle {
            PathObstacle::Folder(path) | PathObstacle::NotRegular(path) => {
                finding.with_step(NextStep::shell(format!("ls -ld {}", path_word(path))))
            }
            PathObstacle::NotOurLink(_, install) => finding.with_step(NextStep::say(format!(
                "put the links \
                there:  {install}"
            ))),
            PathObstacle::OtherCertificate(path, shown) => finding.with_step(NextStep::say(format!(
                "have the server that reads {} read {} too, with its key; or install there alone:  \
                    --server NAME",
                path.display(),
                shown.display()
            ))),
            PathObstacle::Present(_, install) => finding.with_step(NextStep::say(format!(
                "install the real one over it:  {install}"
            ))),
            PathObstacle::Link(..) => finding.with_step(NextStep::say(
                "choose paths of your own:  --chain-path PATH --key-path PATH, and \
                    name them in the server's configuration",
            )),
        }
    }
}

impl From<&AccessRemark> for Finding {
    fn from(remark: &AccessRemark) -> Self {
        let message = remark.to_string();
        match remark {
            AccessRemark::Readers { .. } => Self::note("acl-kept", message),
            AccessRemark::KeptOut { path, who } => {
                let path = path_word(path);
                let entries: Vec<String> = who.iter().map(acl_entry).collect();
                let entries = entries.join(",");
                Self::warning("acl-not-kept", message).with_step(NextStep::say(format!(
                    "where they need it, after the install:  sudo setfacl -m {entries} {path}"
                )))
            }
            AccessRemark::Linked { path, inode, .. } => {
                let folder = path_word(path.parent().unwrap_or(path));
                let find =
                    format!("sudo find $(findmnt -no TARGET -T {folder}) -xdev -inum {inode}");
                Self::warning("hard-link", message).with_step(NextStep::say(format!(
                    "find them, and have the new file read there too:  {find}"
                )))
            }
        }
    }
}

/// The entry that lets `subject` read, as `setfacl` takes it.
fn acl_entry(subject: &AclSubject) -> String {
    match subject {
        AclSubject::User(user) => format!("u:{user}:r"),
        AclSubject::Group(group) => format!("g:{group}:r"),
    }
}

impl From<&StepError> for Finding {
    /// What ended a plan after the new release became live.
    fn from(error: &StepError) -> Self {
        match error {
            StepError::Test(finished) => {
                command_failed("test-failed", "the server's test failed", finished)
                    .with_step(NextStep::say("mend what it says, then install again"))
            }
            StepError::Reload(finished) => {
                command_failed("reload-failed", "the reload failed", finished).with_step(
                    NextStep::say("run it by hand to see why, mend it, then install again"),
                )
            }
            StepError::NotServed(probes) => {
                let served = probes
                    .iter()
                    .filter(|probe| !probe.agrees())
                    .map(probe_in_words);
                Self::error("new-certificate-not-served", "not every address serves it")
                    .with_quote(served)
                    .with_step(NextStep::say("see who listens there:  sudo ss -ltnp"))
            }
            StepError::Install(error) => step_failed(with_causes(error)),
            StepError::Process(error) => step_failed(with_causes(error)),
            StepError::Interrupted(_) | StepError::Skipped => step_failed(error.to_string()),
        }
    }
}

fn step_failed(message: String) -> Finding {
    Finding::error("step-failed", message).with_step(NextStep::say(
        "mend the cause, then install again: it takes up where this stands",
    ))
}

/// How a command of the server ended, and its output.
fn command_failed(code: &'static str, what: &str, finished: &FinishedCommand) -> Finding {
    let how = match (finished.timed_out, finished.status, finished.signal) {
        (true, ..) => "it did not end in time".to_owned(),
        (_, Some(status), _) => format!("exit {status}"),
        (_, None, Some(signal)) => format!("ended by signal {signal}"),
        (_, None, None) => "it did not end well".to_owned(),
    };
    let output = finished.output.trim();
    let ending = if output.is_empty() {
        " and said nothing"
    } else {
        ""
    };
    Finding::error(code, format!("{what} ({how}){ending}"))
        .with_quote(output.lines().map(str::to_owned))
}

/// What an address serves for a name.
fn probe_in_words(probe: &ProbeAnswer) -> String {
    let address = probe.target.address;
    let name = &probe.target.name;
    match &probe.answer {
        Err(error) => format!("{address} for {name}: {}", with_causes(error)),
        Ok((_, ProbeVerdict::Matches)) => format!("{address} for {name}: this certificate"),
        Ok((_, ProbeVerdict::OtherLeaf { sha256, label })) => {
            let short = sha256.get(..8).unwrap_or_default();
            format!("{address} for {name}: another certificate, {label} ({short}…)")
        }
        Ok((_, ProbeVerdict::ChainDiffers { expected, served })) => format!(
            "{address} for {name}: this certificate, but after it {} in place of {}",
            labels_in_words(served),
            labels_in_words(expected)
        ),
    }
}

fn labels_in_words(labels: &[String]) -> String {
    if labels.is_empty() {
        "nothing".to_owned()
    } else {
        labels.join(", ")
    }
}
