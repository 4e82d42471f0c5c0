//! Advice of `site --app`: how the application is found, what it needs, and why it does not answer.

use std::path::Path;

use super::command_lines::shell_path;
use super::rerun::{self, RepeatOption};
use super::site_command::repeat_after;
use crate::diagnosis::FileBarrier;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::site::application::{RecognizedObject, ServiceManager};

/// What is shown of the objects that were found.
const SHOWN: usize = 8;

/// Several objects may answer requests.
#[must_use]
pub(crate) fn report_several(folder: &Path, objects: &[RecognizedObject]) -> Failure {
    let words: Vec<String> = objects
        .iter()
        .map(|object| object.path.in_words())
        .collect();
    let message = format!(
        "{} has several applications: {}",
        folder.display(),
        words.join(", ")
    );
    let mut failure = Failure::new(FailureKind::Ambiguous, message);
    for object in objects.iter().take(SHOWN) {
        let value = format!("{}:{}", folder.display(), object.path.in_words());
        let sentence = format!("For the {}", object.in_words());
        failure = failure.with_step(repeat_app(&sentence, &value));
    }
    failure
}

/// No object that answers requests was recognized.
#[must_use]
pub(crate) fn report_nothing_recognized(folder: &Path) -> Failure {
    let message = format!(
        "no Python application was recognized in {}: no object of Flask, Django, FastAPI, Starlette \
         or another framework, and no function with the parameters of WSGI or ASGI",
        folder.display()
    );
    let value = format!("{}:wsgi:application", folder.display());
    Failure::new(FailureKind::NotFound, message)
        .with_step(repeat_app("Give the module and the object, for example", &value).later())
}

fn repeat_app(sentence: &str, value: &str) -> NextStep {
    let option = RepeatOption {
        name: "--app",
        value: Some(value),
    };
    rerun::repeat_with(sentence, &["site"], &[option])
}

fn repeat_with_venv(sentence: &str) -> NextStep {
    let option = RepeatOption {
        name: "--venv",
        value: None,
    };
    rerun::repeat_with(sentence, &["site"], &[option])
}

/// The project has no virtual environment.
#[must_use]
pub(crate) fn report_no_environment(folder: &Path) -> Finding {
    let message = format!("{} has no virtual environment", folder.display());
    Finding::error("gunicorn-missing", message).with_step(repeat_with_venv(
        "Let certctl make one as the application's own user, with gunicorn and what \
         requirements.txt lists",
    ))
}

/// The project's virtual environment lacks packages; `owner` is the user that it belongs to, `None`
/// for root.
#[must_use]
pub(crate) fn report_missing_packages(
    environment: &Path,
    packages: &[&str],
    owner: Option<&str>,
) -> Finding {
    let message = format!(
        "the virtual environment {} has no {}, which runs the application",
        environment.display(),
        packages.join(", ")
    );
    let finding = Finding::error("gunicorn-missing", message);
    let finding = match owner {
        Some(owner) => {
            let pip = shell_path(&environment.join("bin/pip"));
            let packages = packages.join(" ");
            let line = format!("sudo -u {} {pip} install {packages}", shell_word(owner));
            finding.with_step(NextStep::run_shell(
                "Install it there, then run the same command again",
                line,
            ))
        }
        None => finding,
    };
    finding.with_step(repeat_with_venv(
        "Or let certctl make another environment, as the application's own user",
    ))
}

/// No service manager can start the application.
#[must_use]
pub(crate) fn report_no_manager(wanted: Option<ServiceManager>) -> Finding {
    let message = match wanted {
        Some(manager) => format!("{} does not run on this machine", manager.name()),
        None => "neither systemd nor supervisor runs on this machine".to_owned(),
    };
    Finding::error("service-manager-missing", message)
        .with_step(NextStep::run_shell(
            "Install and start supervisor (on Debian or Ubuntu), then run the same command again",
            "sudo apt-get install supervisor && sudo service supervisor start",
        ))
        .with_step(NextStep::say(
            "Or start the application yourself, and pass its URL with `--upstream`",
        ))
}

/// Another service manager runs the application.
#[must_use]
pub(crate) fn report_other_manager(installed: ServiceManager, site: &str) -> Finding {
    let manager = installed.name();
    let message = format!("{manager} runs the application of {site} already");
    let words = ["site", site, "--remove"];
    Finding::error("service-manager-missing", message).with_step(
        NextStep::run_certctl("Remove it first, or omit `--process`", &words).with_sudo(),
    )
}

/// A user with the name of the application's exists.
#[must_use]
pub(crate) fn report_taken_account(name: &str) -> Finding {
    let message = format!("the user {name} exists, and certctl did not create it");
    Finding::error("application-user-taken", message).with_step(NextStep::run_shell(
        "Find out what it is for",
        format!("getent passwd {}", shell_word(name)),
    ))
}

/// The path of the source has characters that configurations read as their own syntax.
#[must_use]
pub(crate) fn report_unwritable_path(folder: &Path) -> Finding {
    let message = format!(
        "{} contains a character that the service manager reads as its own syntax",
        folder.display()
    );
    Finding::error("application-unreadable", message)
        .with_step(NextStep::say("Rename the folder, or give another one"))
}

/// The user of the application may not use a file.
#[must_use]
pub(crate) fn report_barrier(barrier: &FileBarrier) -> Finding {
    let path = barrier.path.display();
    let message = format!(
        "the application's own user may not use {path}: its mode is {} and its owner {}",
        barrier.mode, barrier.owner
    );
    let step = if barrier.path == Path::new("/root") {
        NextStep::run_shell(
            "Move the application to a folder such as /srv: root's home folder should stay closed",
            "ls -ld /root /srv",
        )
    } else {
        NextStep::run_shell(
            "Let other users of this machine use it, then run the same command again",
            format!(
                "sudo chmod o+{} {}",
                barrier.missing,
                shell_path(&barrier.path)
            ),
        )
    };
    Finding::error("application-unreadable", message).with_step(step)
}

/// The application did not start, or does not answer as it should; `log` has its last lines.
#[must_use]
pub(crate) fn report_failed(message: String, log: &[String]) -> Finding {
    let finding = Finding::error("application-failed", message).with_quote(log.iter().cloned());
    let module = log.iter().find_map(|line| {
        let (_, rest) = line.split_once("No module named '")?;
        rest.split_once('\'').map(|(module, _)| module)
    });
    match module {
        Some(module) => finding.with_step(repeat_after(&format!(
            "Install the Python package with the module {module} in the virtual environment (with \
             `--venv`: add it to requirements.txt)"
        ))),
        None => finding.with_step(repeat_after("Repair the application")),
    }
}

/// Django answers 400 for hosts that its settings do not list.
#[must_use]
pub(crate) fn allow_host(host: &str) -> NextStep {
    NextStep::say("If it is Django, allow the name in its settings")
        .with_lines([format!("ALLOWED_HOSTS = [\"{host}\"]")])
}

/// Steps of removing the application failed.
#[must_use]
pub(crate) fn report_left_over(user: &str, folder: &Path, failed: &[String]) -> Finding {
    let message = format!(
        "not everything of the application could be removed: {}",
        failed.join("; ")
    );
    let line = format!(
        "ls -ld {}; getent passwd {}",
        shell_path(folder),
        shell_word(user)
    );
    Finding::error("rollback-incomplete", message)
        .with_step(NextStep::run_shell("See what is left", line))
}
