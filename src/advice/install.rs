//! Advice for `install` and `rollback`.

use std::path::Path;

use super::{command_lines, install_command, lineages};
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
                .with_step(NextStep::say("Choose a path inside the tree of `--root`")),
        }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let error = match error {
            InstallError::File(error) => return error.into(),
            other => other,
        };
        let failure = Self::from_error(install_failure_kind(&error), &error);
        install_steps(&error)
            .into_iter()
            .fold(failure, Self::with_step)
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
fn install_steps(error: &InstallError) -> Vec<NextStep> {
    match error {
        InstallError::NotWritable { folder, .. } => vec![
            NextStep::say("Run the command again as root, with sudo"),
            NextStep::run_shell(
                "If root may not write there either, check the owner and mode of the folder",
                format!("sudo ls -ld {}", path_word(folder)),
            ),
        ],
        InstallError::Interrupted { .. } => vec![command_lines::repeat_to_continue()],
        InstallError::DiskFull { folder, what, .. } => {
            let df = if *what == "inodes" { "df -hi" } else { "df -h" };
            vec![NextStep::run_shell(
                "Free some space on the file system, whose usage this shows",
                format!("{df} {}", path_word(folder)),
            )]
        }
        InstallError::LockHeld { path, .. } => vec![
            NextStep::run_shell(
                "Find the process that holds the lock",
                format!("sudo fuser -v {}", path_word(path)),
            ),
            NextStep::say("Or wait longer, for example with `--lock-timeout 10m`"),
        ],
        InstallError::Damaged { path, .. } => vec![move_aside(path)],
        InstallError::ReplacedByLink { path, .. } => vec![remove_link(path)],
        InstallError::Settings { path, .. } => vec![NextStep::run_shell(
            "Move the file aside, then install again with the paths and options that it had",
            format!("sudo mv {0} {0}.broken", path_word(path)),
        )],
        InstallError::WritableByOthers { path, .. } => vec![restrict_to_root(path)],
        InstallError::NotOurs { path } => vec![inspect(path)],
        InstallError::File(error) => vec![inspect(&error.path)],
    }
}

/// The release with the file `path` differs from what was written.
fn move_aside(path: &Path) -> NextStep {
    let folder = path.parent().unwrap_or(path).display().to_string();
    let aside = shell_word(&format!("{folder}.damaged"));
    NextStep::run_shell(
        "Move the damaged folder aside, and install the certificate again before a server is \
            reloaded",
        format!("sudo mv {} {aside}", shell_word(&folder)),
    )
}

fn remove_link(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Find out what created the link; if nothing needs it, remove it",
        format!("sudo rm {}", path_word(path)),
    )
    .later()
}

fn restrict_to_root(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Check that its content is as you expect, then let only root write to it",
        format!(
            "sudo chown root {0} && sudo chmod go-w {0}",
            path_word(path)
        ),
    )
    .later()
}

fn inspect(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Check what is at this path",
        format!("ls -ld {}", path_word(path)),
    )
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
        OwnerError::Empty => failure.with_step(NextStep::say(
            "Give a user and a group, for example `--owner root:ssl-cert`",
        )),
        OwnerError::NoGroup(_) | OwnerError::NoUser(_) => failure
            .because(format!("it was looked up in {}", path.display()))
            .with_step(NextStep::run_shell(
                "List the names and numbers that exist",
                format!("cut -d: -f1,3 {}", path_word(path)),
            )),
        OwnerError::Unknown(user) => failure
            .because(format!("it was looked up in {}", path.display()))
            .with_step(NextStep::say(format!(
                "Give the group as well, for example `--owner {user}:ssl-cert`"
            ))),
    }
}

const FIX_CONFIG: &str = "Fix the configuration until its test succeeds, then try again";

impl From<&ServerError> for Finding {
    /// A configuration that cannot be read stops the installation.
    fn from(error: &ServerError) -> Self {
        let step = match error {
            ServerError::ApacheConfig(_) => {
                NextStep::run_shell(FIX_CONFIG, "sudo apachectl configtest")
            }
            ServerError::File(FileError { path, .. }) => NextStep::run_shell(
                "Check that the file exists and that you may read it",
                format!("ls -l {}", path_word(path)),
            ),
            _ => NextStep::run_shell(FIX_CONFIG, "sudo nginx -t"),
        };
        Self::error("server-config-broken", with_causes(error)).with_step(step)
    }
}

impl From<&PathObstacle> for Finding {
    fn from(obstacle: &PathObstacle) -> Self {
        let finding = Self::error("path-taken", obstacle.to_string());
        match obstacle {
            PathObstacle::Folder(path) | PathObstacle::NotRegular(path) => {
                finding.with_step(inspect(path))
            }
            PathObstacle::NotOurLink(_, install) | PathObstacle::Present(_, install) => {
                finding.with_step(install.as_ref().clone())
            }
            PathObstacle::OtherCertificate(path, shown) => finding
                .with_step(NextStep::say(format!(
                    "Configure the server that reads {} to read {} and its key instead",
                    path.display(),
                    shown.display()
                )))
                .with_step(NextStep::say(
                    "Or install for one server alone, for example with `--server nginx`",
                )),
            PathObstacle::OtherLineage { owner, .. } => finding
                .with_step(install_command::install_as_owner(owner))
                .with_step(lineages::forget_owner(owner)),
            PathObstacle::Link(..) => finding.with_step(NextStep::say(
                "Choose other paths with `--chain-path` and `--key-path`, and reference them in \
                    the server's configuration",
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
                let step = NextStep::run_shell(
                    "After the install, let them read the new key if they need it",
                    format!("sudo setfacl -m {entries} {path}"),
                );
                Self::warning("acl-not-kept", message).with_step(step.later())
            }
            AccessRemark::Linked { path, inode, .. } => {
                let folder = path_word(path.parent().unwrap_or(path));
                let find =
                    format!("sudo find $(findmnt -no TARGET -T {folder}) -xdev -inum {inode}");
                Self::warning("hard-link", message).with_step(NextStep::run_shell(
                    "Find the other hard links to the file, so that the programs that read them \
                        can be given the new file too",
                    find,
                ))
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
                command_failed("test-failed", "the server's test failed", finished).with_step(
                    NextStep::say("Fix what the test reports, then install again"),
                )
            }
            StepError::Reload(finished) => {
                command_failed("reload-failed", "the reload failed", finished).with_step(
                    NextStep::say(
                        "Run the reload command by hand to find the cause, fix it, then install \
                            again",
                    ),
                )
            }
            StepError::NotServed(probes) => {
                let served = probes
                    .iter()
                    .filter(|probe| !probe.agrees())
                    .map(probe_in_words);
                let message = "not every probed address serves the certificate";
                Self::error("new-certificate-not-served", message)
                    .with_quote(served)
                    .with_step(NextStep::run_shell(
                        "Find the processes that listen on these addresses",
                        "sudo ss -ltnp",
                    ))
            }
            StepError::Hook(finished) => command_failed("hook-failed", HOOK_FAILED, finished),
            StepError::Install(error) => step_failed(with_causes(error)),
            StepError::Process(error) => step_failed(with_causes(error)),
            StepError::Interrupted(_) | StepError::NoServer(_) | StepError::Skipped => {
                step_failed(error.to_string())
            }
        }
    }
}

const HOOK_FAILED: &str = "the certificate is installed, and the command of `--after` failed";

/// The command of `--after` failed, or could not be run; nothing is rolled back.
#[must_use]
pub(crate) fn report_failed_hook(root: Option<&Path>, stem: &str, error: StepError) -> Finding {
    let finding = match error {
        StepError::Process(error) => {
            let mut failure = Failure::from(error);
            failure.message = format!("{HOOK_FAILED}: {}", failure.message);
            failure.into_finding("hook-failed")
        }
        StepError::Hook(finished) => command_failed("hook-failed", HOOK_FAILED, &finished),
        other => Finding::error(
            "hook-failed",
            format!("{HOOK_FAILED}: {}", with_causes(&other)),
        ),
    };
    finding.with_step(install_command::run_hook_again(root, stem))
}

fn step_failed(message: String) -> Finding {
    Finding::error("step-failed", message).with_step(NextStep::say(
        "Fix the cause, then install again; the install continues from here",
    ))
}

/// How a command of the server ended, and its output.
fn command_failed(code: &'static str, what: &str, finished: &FinishedCommand) -> Finding {
    let how = match (finished.timed_out, finished.status, finished.signal) {
        (true, ..) => "timed out".to_owned(),
        (_, Some(status), _) => format!("exit {status}"),
        (_, None, Some(signal)) => format!("killed by signal {signal}"),
        (_, None, None) => "unknown exit status".to_owned(),
    };
    let output = finished.output.trim();
    let ending = if output.is_empty() {
        "; it printed nothing"
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
            "{address} for {name}: this certificate, followed by {} instead of {}",
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
