//! Advice of `import`: how to stop the other program, and how to let it renew again.

use std::path::{Path, PathBuf};

use super::command_lines::{certctl_step, shell_path};
use crate::acme::ca_table::AcmeChoice;
use crate::acme_clients::ForeignMethod;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};

/// The program has no certificate.
#[must_use]
pub(crate) fn no_certificates(tool: &str, home: &Path) -> Failure {
    let message = format!("{tool} has no certificate in {}", home.display());
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::say(format!(
        "Pass the folder of {tool} with `--from`"
    )))
}

/// The program has no certificate of this name.
#[must_use]
pub(crate) fn unknown_lineage(tool: &str, name: &str, known: &[String]) -> Failure {
    let message = format!("{tool} has no certificate named {name}");
    Failure::new(FailureKind::NotFound, message)
        .because(format!("it has {}", known.join(", ")))
        .with_step(NextStep::say("Pass one of these names"))
}

/// The file of the chain has no certificate.
#[must_use]
pub(crate) fn no_certificate_in(tool: &str, path: &Path) -> Failure {
    let message = format!("{} of {tool} contains no certificate", path.display());
    Failure::new(FailureKind::Malformed, message)
}

/// The program does not save the CA.
#[must_use]
pub(crate) fn ca_unknown(tool: &str, name: &str) -> Failure {
    let message = format!("the files of {tool} do not say from which CA it orders {name}");
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::say(
        "Repeat the command with `--ca` and the CA, or the URL of its ACME directory",
    ))
}

/// The program proves control in a way that certctl does not have; `choice` lists the ones it has.
#[must_use]
pub(crate) fn method_unknown(tool: &str, method: &ForeignMethod, choice: Failure) -> Failure {
    match method {
        ForeignMethod::Unknown(word) => choice.because(format!(
            "{tool} uses its `{word}`, which certctl does not have"
        )),
        ForeignMethod::Standalone(address) => choice.because(format!(
            "{tool} listens at {address}, which is not an address with a port"
        )),
        _ => choice.because(format!("{tool} does not save how it proves control")),
    }
}

/// The account of the program is not used.
#[must_use]
pub(crate) fn new_account(tool: &str, reason: &str, ca: &str) -> Finding {
    Finding::note(
        "account-not-imported",
        format!(
            "the account of {tool} is not taken over: {reason}; the first renewal creates a new one at \
                {ca}, whose terms of service you accepted with {tool}"
        ),
    )
}

/// The account of the program is not used, and a new one needs an external account.
#[must_use]
pub(crate) fn external_account_needed(tool: &str, reason: &str, ca: &AcmeChoice) -> Finding {
    let message = format!(
        "the account of {tool} is not taken over: {reason}; {} demands an external account binding \
            for a new one, so renewals fail until there is one",
        ca.title()
    );
    Finding::warning("account-not-imported", message).with_step(NextStep::say(
        "Create a binding at the CA, then order once with `--eab-kid` and `--eab-hmac-key-file`",
    ))
}

/// The command that the program runs after each renewal.
#[must_use]
pub(crate) fn hook_not_imported(tool: &str, hook: &str) -> Finding {
    let message = format!(
        "{tool} runs a command after each renewal, which certctl does not run; it reloads the servers \
            itself"
    );
    Finding::note("hook-not-imported", message)
        .with_quote([hook.to_owned()])
        .with_step(NextStep::say(
            "If something else needs it, repeat the command with `--after` and the command",
        ))
}

/// How to stop the other program: at once, or when servers use the new files.
pub(crate) struct StopSteps {
    pub at_once: NextStep,
    pub once_served: NextStep,
}

/// Stops the program for one certificate, by another name for a file that it needs.
#[must_use]
pub(crate) fn stop_renewing(tool: &str, name: &str, file: &Path) -> StopSteps {
    let stopped = stopped_file(tool, file);
    let line = format!("sudo mv {} {}", shell_path(file), shell_path(&stopped));
    let what = format!("stop {tool} for {name}, which certctl renews from then on");
    // Nothing of lego itself starts it.
    let cron = match tool {
        "lego" => "; then remove the cron job or timer that runs it",
        _ => "",
    };
    let later = format!("When the server uses the new files, {what}{cron}");
    StopSteps {
        at_once: NextStep::run_shell(format!("Now {what}{cron}"), line.clone()),
        once_served: NextStep::run_shell(later, line).later(),
    }
}

/// Lets the other program renew again.
#[must_use]
pub(crate) fn switch_back(root: Option<&Path>, tool: &str, name: &str, file: &Path) -> NextStep {
    let stopped = stopped_file(tool, file);
    let forget = certctl_step(root, "", &["forget", name]).command;
    let line = format!(
        "sudo mv {} {} && {}",
        shell_path(&stopped),
        shell_path(file),
        forget.unwrap_or_default()
    );
    let sentence =
        format!("To let {tool} renew it again, make the server use the files of {tool}, then");
    NextStep::run_shell(sentence, line)
}

/// The other program still renews a certificate that is due.
#[must_use]
pub(crate) fn renewed_elsewhere(tool: &str, name: &str, file: &Path) -> Finding {
    let message = format!(
        "{name} is not renewed here, because {tool} still renews it: {} exists",
        file.display()
    );
    let stop = stop_renewing(tool, name, file);
    Finding::error("renewed-elsewhere", message).with_step(stop.at_once)
}

/// Another program renews certificates of its own, which certctl leaves to it.
#[must_use]
pub(crate) fn left_to(tool: &str, names: &[String]) -> Finding {
    const SHOWN: usize = 5;
    let mut listed = Vec::new();
    for name in names.iter().take(SHOWN) {
        listed.push(name.clone());
    }
    if names.len() > SHOWN {
        listed.push(format!("{} more", names.len() - SHOWN));
    }
    let message = format!(
        "{tool} renews {}, and certctl leaves that to it; `certctl import {tool}` takes over",
        listed.join(", ")
    );
    Finding::note("renewed-elsewhere", message)
}

/// The name that the file gets. `acme.sh --remove` gives it the same one.
fn stopped_file(tool: &str, file: &Path) -> PathBuf {
    let suffix = match tool {
        "acme.sh" => ".removed",
        _ => ".stopped",
    };
    let mut stopped = file.as_os_str().to_owned();
    stopped.push(suffix);
    PathBuf::from(stopped)
}
