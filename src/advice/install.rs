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

impl From<RootError> for Failure {
    fn from(error: RootError) -> Self {
        match error {
            RootError::File(error) => error.into(),
            RootError::Outside { .. } => Self::of(FailureKind::Usage, &error)
                .with(NextStep::say("name paths inside of --root")),
        }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        match &error {
            InstallError::Damaged { path, .. } => {
                let folder = path.parent().unwrap_or(path).display().to_string();
                let aside = shell_word(&format!("{folder}.damaged"));
                Self::of(FailureKind::Malformed, &error).with(NextStep::say(format!(
                    "move it aside, then install again:  sudo mv {} {aside}",
                    shell_word(&folder)
                )))
            }
            InstallError::Denied { folder, .. } => {
                let folder = shell_word(&folder.display().to_string());
                let step =
                    format!("run the same with sudo, or see whose it is:  sudo ls -ld {folder}");
                Self::of(FailureKind::Io, &error).with(NextStep::say(step))
            }
            InstallError::File(_) => match error {
                InstallError::File(error) => error.into(),
                other => Self::of(FailureKind::Internal, &other),
            },
            InstallError::Interrupted { signal } => {
                Self::of(FailureKind::Interrupted(*signal), &error).with(NextStep::say(
                    "type the same again: it takes up where this stands",
                ))
            }
            InstallError::Linked { path, .. } => {
                Self::of(FailureKind::Hostile, &error).with(NextStep::say(format!(
                    "find out who put it there, then take it away:  sudo rm {}",
                    shell_word(&path.display().to_string())
                )))
            }
            InstallError::LockHeld { path, .. } => Self::of(FailureKind::LockHeld, &error)
                .with(NextStep::say(format!(
                    "see who holds it:  sudo fuser -v {}",
                    shell_word(&path.display().to_string())
                )))
                .with(NextStep::say("wait longer:  --lock-timeout 10m")),
            InstallError::NoRoom { folder, what, .. } => {
                let df = if *what == "files" { "df -hi" } else { "df -h" };
                let step = format!(
                    "make room:  {df} {}",
                    shell_word(&folder.display().to_string())
                );
                Self::of(FailureKind::Io, &error).with(NextStep::say(step))
            }
            InstallError::NotOurs { path } => {
                Self::of(FailureKind::Malformed, &error).with(NextStep::say(format!(
                    "ls -ld {}",
                    shell_word(&path.display().to_string())
                )))
            }
            InstallError::Settings { path, .. } => {
                Self::of(FailureKind::Malformed, &error).with(NextStep::say(format!(
                    "mend it, or move it aside and name the paths again:  sudo mv {0} {0}.broken",
                    shell_word(&path.display().to_string())
                )))
            }
            InstallError::Writable { path, .. } => {
                Self::of(FailureKind::Hostile, &error).with(NextStep::say(format!(
                    "look at what it says, then:  sudo chown root {0} && sudo chmod go-w {0}",
                    shell_word(&path.display().to_string())
                )))
            }
        }
    }
}

impl From<(&OwnerError, &Path)> for Failure {
    /// With the file that was looked in.
    fn from((error, path): (&OwnerError, &Path)) -> Self {
        let failure = Self::of(FailureKind::Usage, error);
        match error {
            OwnerError::Empty => failure.with(NextStep::say("--owner root:ssl-cert")),
            OwnerError::NoGroup(_) | OwnerError::NoUser(_) => failure
                .because(format!("it was looked up in {}", path.display()))
                .with(NextStep::say(format!(
                    "see who is there:  cut -d: -f1,3 {}",
                    shell_word(&path.display().to_string())
                ))),
            OwnerError::Unknown(user) => failure
                .because(format!("it was looked up in {}", path.display()))
                .with(NextStep::say(format!(
                    "say the group too:  --owner {user}:GROUP"
                ))),
        }
    }
}

impl From<&ServerError> for Finding {
    /// A configuration that cannot be read forbids to go on.
    fn from(error: &ServerError) -> Self {
        let causes = Failure::of(FailureKind::Malformed, error).causes;
        let message = std::iter::once(error.to_string())
            .chain(causes)
            .collect::<Vec<_>>()
            .join(": ");
        let step = match error {
            ServerError::ApacheConfig(_) => {
                "mend it, then try again:  apachectl configtest".to_owned()
            }
            ServerError::File(FileError { path, .. }) => {
                format!(
                    "is it there, and may you read it?  ls -l {}",
                    shell_word(&path.display().to_string())
                )
            }
            _ => "mend it, then try again:  nginx -t".to_owned(),
        };
        Self::error("server-config-broken", message).with(NextStep::say(step))
    }
}

impl From<&PathObstacle> for Finding {
    fn from(obstacle: &PathObstacle) -> Self {
        let finding = Self::error("path-taken", obstacle.to_string());
        match obstacle {
            PathObstacle::Folder(path) | PathObstacle::Special(path) => {
                finding.with(NextStep::say(format!(
                    "ls -ld {}",
                    shell_word(&path.display().to_string())
                )))
            }
            PathObstacle::Unlinked(_, install) => finding.with(NextStep::say(format!(
                "put the links \
                there:  {install}"
            ))),
            PathObstacle::Another(path, shown) => finding.with(NextStep::say(format!(
                "have the server that reads {} read {} too, with its key; or install there alone:  \
                    --server NAME",
                path.display(),
                shown.display()
            ))),
            PathObstacle::Present(_, install) => finding.with(NextStep::say(format!(
                "install the real one over it:  {install}"
            ))),
            PathObstacle::Link(..) => finding.with(NextStep::say(
                "choose paths of your own:  --chain-path PATH --key-path PATH, and \
                    name them in the server's configuration",
            )),
        }
    }
}

impl From<&AccessRemark> for Finding {
    fn from(remark: &AccessRemark) -> Self {
        let said = remark.to_string();
        match remark {
            AccessRemark::Readers { .. } => Self::note("acl-kept", said),
            AccessRemark::KeptOut { path, who } => {
                let path = shell_word(&path.display().to_string());
                let words = who.iter().map(|who| match who {
                    AclSubject::User(user) => format!("u:{user}:r"),
                    AclSubject::Group(group) => format!("g:{group}:r"),
                });
                let words = words.collect::<Vec<_>>().join(",");
                Self::warning("acl-not-kept", said).with(NextStep::say(format!(
                    "where they need it, after the install:  sudo setfacl -m {words} {path}"
                )))
            }
            AccessRemark::Linked { path, inode, .. } => {
                let folder = shell_word(&path.parent().unwrap_or(path).display().to_string());
                let find =
                    format!("sudo find $(findmnt -no TARGET -T {folder}) -xdev -inum {inode}");
                Self::warning("hard-link", said).with(NextStep::say(format!(
                    "find them, and have the new file read there too:  {find}"
                )))
            }
        }
    }
}

impl From<&StepError> for Finding {
    /// What ended a plan after its switch.
    fn from(trouble: &StepError) -> Self {
        match trouble {
            StepError::Test(finished) => said("test-failed", "the server's test failed", finished)
                .with(NextStep::say("mend what it says, then install again")),
            StepError::Reload(finished) => said("reload-failed", "the reload failed", finished)
                .with(NextStep::say(
                    "run it by hand to see why, mend it, then install again",
                )),
            StepError::NotServed(probes) => {
                let served = probes.iter().filter(|probe| !probe.agrees()).map(seen);
                Self::error("new-certificate-not-served", "not every address serves it")
                    .quoting(served)
                    .with(NextStep::say("see who listens there:  sudo ss -ltnp"))
            }
            StepError::Install(error) => step_failed(chain(error)),
            StepError::Process(error) => step_failed(chain(error)),
            StepError::Interrupted(_) | StepError::Skipped => step_failed(trouble.to_string()),
        }
    }
}

fn step_failed(message: String) -> Finding {
    Finding::error("step-failed", message).with(NextStep::say(
        "mend the cause, then install again: it takes up where this stands",
    ))
}

fn chain(error: &dyn std::error::Error) -> String {
    let failure = Failure::of(FailureKind::Io, error);
    std::iter::once(failure.message)
        .chain(failure.causes)
        .collect::<Vec<_>>()
        .join(": ")
}

/// How a command of the server's ended, and its own words.
fn said(code: &'static str, what: &str, finished: &FinishedCommand) -> Finding {
    let how = match (finished.timed_out, finished.status, finished.signal) {
        (true, ..) => "it did not end in time".to_owned(),
        (_, Some(status), _) => format!("exit {status}"),
        (_, None, Some(signal)) => format!("ended by signal {signal}"),
        (_, None, None) => "it did not end well".to_owned(),
    };
    let said = finished.output.trim();
    let ending = if said.is_empty() {
        " and said nothing"
    } else {
        ""
    };
    Finding::error(code, format!("{what} ({how}){ending}")).quoting(said.lines().map(str::to_owned))
}

fn seen(probe: &ProbeAnswer) -> String {
    let (address, name) = (probe.target.address, &probe.target.name);
    match &probe.answer {
        Err(error) => format!("{address} for {name}: {}", chain(error)),
        Ok((_, ProbeVerdict::Same)) => format!("{address} for {name}: this certificate"),
        Ok((_, ProbeVerdict::OtherLeaf { sha256, label })) => {
            let short = sha256.get(..8).unwrap_or_default();
            format!("{address} for {name}: another certificate, {label} ({short}…)")
        }
        Ok((_, ProbeVerdict::ChainDiffers { expected, served })) => format!(
            "{address} for {name}: this certificate, but after it {} in place of {}",
            listed(served),
            listed(expected)
        ),
    }
}

fn listed(labels: &[String]) -> String {
    if labels.is_empty() {
        "nothing".to_owned()
    } else {
        labels.join(", ")
    }
}
