//! Advice of `doctor` on pages that fail: the application or the files behind them.

use std::path::Path;

use super::command_lines::shell_path;
use super::site_command;
use crate::diagnosis::{FileBarrier, SiteCause};
use crate::finding::{Finding, NextStep};
use crate::pki::name::DnsName;

/// The command that starts an application, else the one that lists what listens.
fn start(start_command: Option<&str>) -> NextStep {
    match start_command {
        Some(command) => NextStep::run_shell("Start the application", command),
        None => NextStep::run_shell(
            "Start the application; this lists what listens",
            "sudo ss -ltnp",
        ),
    }
}

/// Reports an application or a page that fails.
#[must_use]
pub(super) fn report_page(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::UpstreamClosed {
            address,
            status,
            start_command,
        } => Finding::error(
            "upstream-closed",
            format!("the site answers {status}: nothing listens at {address}, where the application should be"),
        )
        .with_step(start(start_command.as_deref())),
        SiteCause::SocketMissing {
            path,
            start_command,
        } => Finding::error(
            "socket-missing",
            format!("the socket {} of the application does not exist", path.display()),
        )
        .with_step(start(start_command.as_deref())),
        SiteCause::SocketDead {
            path,
            start_command,
        } => Finding::error(
            "socket-dead",
            format!("the process behind the socket {} has ended", path.display()),
        )
        .with_step(start(start_command.as_deref())),
        SiteCause::RedirectLoop => Finding::error(
            "redirect-loop",
            format!("https://{} redirects to itself without end", name.as_str()),
        )
        .with_step(NextStep::run_shell(
            "See where each redirect comes from; an application behind a proxy often does not know \
             that the visitor uses https",
            format!("curl -skIL --max-redirs 3 https://{}/", name.as_str()),
        )),
        SiteCause::PageFails { answer, log } => report_failure(answer, log.as_deref(), name),
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

/// Reports an error of which only the log knows the reason.
fn report_failure(answer: &str, log: Option<&str>, name: &DnsName) -> Finding {
    let message = format!(
        "https://{} {answer}, and the reason is not visible from outside",
        name.as_str()
    );
    let finding = Finding::error("site-failed", message);
    match log {
        Some(log) => finding.with_step(NextStep::run_shell(
            "Read the last lines of the server's log",
            format!("sudo tail -n 20 {log}"),
        )),
        None => {
            let sentence = "Read the log of the server, then check again";
            let words = ["doctor", name.as_str()];
            finding.with_step(NextStep::run_certctl(sentence, &words).later())
        }
    }
}

/// Reports files that are missing, or that the server may not use.
#[must_use]
pub(super) fn report_files(cause: &SiteCause) -> Finding {
    match cause {
        SiteCause::SocketDenied { path, barrier } => {
            let path = path.display();
            let reason = barrier_in_words(barrier);
            let message = format!("the server may not connect to the socket {path}: {reason}");
            Finding::error("socket-denied", message)
                .with_step(permit(barrier.missing, &barrier.path))
        }
        SiteCause::FilesDenied { barrier } => {
            let reason = barrier_in_words(barrier);
            let message = format!("the server may not read the files of the site: {reason}");
            Finding::error("files-denied", message)
                .with_step(permit(barrier.missing, &barrier.path))
        }
        SiteCause::FolderMissing { folder } => {
            let message = format!("the folder {} of the site does not exist", folder.display());
            Finding::error("folder-of-site-missing", message)
                .with_step(site_command::create_folder(folder))
        }
        SiteCause::IndexMissing { folder, status } => {
            let message = format!(
                "the site answers {status}: {} has no index.html",
                folder.display()
            );
            Finding::error("index-missing", message).with_step(NextStep::run_shell(
                "See what the folder has",
                format!("ls -l {}", shell_path(folder)),
            ))
        }
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

fn barrier_in_words(barrier: &FileBarrier) -> String {
    let FileBarrier {
        path,
        mode,
        owner,
        user,
        ..
    } = barrier;
    let path = path.display();
    format!("{path} has mode {mode} and owner {owner}, and the workers run as user {user}")
}

/// Gives everybody the missing permission on one file or folder; root's home folder stays closed.
fn permit(missing: char, path: &Path) -> NextStep {
    if path == Path::new("/root") {
        return NextStep::run_shell(
            "Move the files to a folder such as /srv: root's home folder should stay closed",
            "ls -ld /root /srv",
        );
    }
    NextStep::run_shell(
        "Let other users of this machine use it",
        format!("sudo chmod o+{missing} {}", shell_path(path)),
    )
}
