//! Advice of `install` and `rollback`: which command to run next, for which certificate.

use std::path::Path;

use super::rerun::{self, RepeatOption};
use crate::advice::command_lines::certctl_step;
use crate::finding::{Finding, NextStep};

/// The certificate `stem` is to be installed again.
#[must_use]
pub(crate) fn install_again(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("Install {stem} again");
    certctl_step(root, sentence, &["install", stem])
}

/// The command of `--after` failed.
#[must_use]
pub(crate) fn run_hook_again(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = "When its cause is fixed, run the command again; `--after auto` forgets it";
    certctl_step(root, sentence, &["install", stem]).later()
}

/// The command of `--after` has not succeeded since the certificate was installed.
#[must_use]
pub(crate) fn report_due_hook(stem: &str, command: &str) -> Finding {
    let message =
        format!("the command of `--after` has not succeeded for this certificate: `{command}`");
    Finding::warning("hook-failed", message).with_step(run_hook_again(None, stem))
}

/// What an install would do is not what was approved.
#[must_use]
pub(crate) fn plan_changed(now: &str, approved: &str) -> Finding {
    let message = format!(
        "the plan has changed since it was approved: its id is {now} now, and `--plan` has {approved}"
    );
    let dry_run = RepeatOption {
        name: "--dry-run",
        value: None,
    };
    let sentence = "Check what would be done now, and approve its id";
    let plan = RepeatOption {
        name: "--plan",
        value: Some(""),
    };
    Finding::error("plan-changed", message).with_step(rerun::repeat_instead_of(
        sentence,
        &["install"],
        plan,
        dry_run,
    ))
}

/// Runs the plan that a dry run has shown, unless anything has changed by then.
#[must_use]
pub(crate) fn run_this_plan(id: &str) -> NextStep {
    let dry_run = RepeatOption {
        name: "--dry-run",
        value: None,
    };
    let plan = RepeatOption {
        name: "--plan",
        value: Some(id),
    };
    let sentence = "Run exactly this plan, which is refused if anything has changed by then";
    rerun::repeat_instead_of(sentence, &["install"], dry_run, plan)
}

/// The certificate is older than the live one.
#[must_use]
pub(crate) fn install_older_anyway() -> NextStep {
    let option = RepeatOption {
        name: "--allow",
        value: Some("ends-earlier"),
    };
    rerun::repeat_with(
        "Pass the newest files from the CA; to install the older certificate nevertheless, repeat \
            the command",
        &["install"],
        &[option],
    )
}

/// The server's configuration names a key that is not a file.
#[must_use]
pub(crate) fn install_without_key() -> NextStep {
    let option = RepeatOption {
        name: "--key",
        value: Some("none"),
    };
    rerun::repeat_with(
        "If the request was made with that key, install the chain alone; a handshake then shows \
            whether they match",
        &["install"],
        &[option],
    )
}

/// No key was found; it may be one that only the server can open.
#[must_use]
pub(crate) fn install_chain_alone() -> NextStep {
    let option = RepeatOption {
        name: "--key",
        value: Some("none"),
    };
    let sentence = "If the server opens the key itself in a hardware module (PKCS#11), install the \
        chain alone";
    rerun::repeat_with(sentence, &["install"], &[option]).later()
}

/// HAProxy cannot use a key that is not a file.
#[must_use]
pub(crate) fn install_with_key_file() -> NextStep {
    let sentence = "Install with the key file, without `--key none`";
    rerun::repeat_without(sentence, &["install"], "--key")
}

/// One of the servers cannot use a key that is not a file.
#[must_use]
pub(crate) fn install_for_other_servers() -> NextStep {
    NextStep::say("Or name the servers that open the key themselves, with `--server`")
}

/// No handshake can show that the server has the key.
#[must_use]
pub(crate) fn probe_for_key() -> NextStep {
    NextStep::say(
        "Repeat the command with `--probe HOST:PORT`, an address where a server uses the \
            certificate; to install it unchecked, with `--allow key-not-checked`",
    )
}

/// A certificate was installed with a key file and is now to be installed without one, or the other
/// way round.
#[must_use]
pub(crate) fn forget_other_key_storage(stem: &str) -> NextStep {
    let sentence = "Stop managing it, which leaves plain files at its paths, and run the same command \
        again";
    rerun::run_in_same_tree(sentence, &["forget", stem])
}

/// The paths belong to the certificate `owner`.
#[must_use]
pub(crate) fn install_as_owner(owner: &str) -> NextStep {
    let option = RepeatOption {
        name: "--cert-name",
        value: Some(owner),
    };
    let sentence = format!("If this is the next version of {owner}, repeat the command");
    rerun::repeat_with(&sentence, &["install"], &[option])
}

/// Several certificates are to be installed again.
#[must_use]
pub(crate) fn install_several_again(root: Option<&Path>, stems: &[&str]) -> NextStep {
    let words = [&["install"], stems].concat();
    certctl_step(root, "Install these certificates again", &words)
}

/// As [`install_again`], after changes to a server's configuration that other steps describe.
#[must_use]
pub(crate) fn install_after_changes(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = "When the server's configuration is changed, install again to verify it";
    certctl_step(root, sentence, &["install", stem]).later()
}

/// The working directory has only older certificates than the installed one.
#[must_use]
pub(crate) fn install_installed(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("Verify the installed certificate {stem}, or finish its install");
    certctl_step(root, sentence, &["install", stem])
}

/// A plain file or another certificate is where a placeholder would be installed.
#[must_use]
pub(crate) fn install_over_files(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("Install the certificate {stem} itself in place of these files");
    certctl_step(root, sentence, &["install", stem]).later()
}

/// A path is not certctl's link: an install makes it one.
#[must_use]
pub(crate) fn install_links(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("Install {stem}, which puts certctl's links at these paths again");
    certctl_step(root, sentence, &["install", stem])
}

/// The last install is not verified yet.
#[must_use]
pub(crate) fn finish_install(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("Finish the install of {stem}");
    certctl_step(root, sentence, &["install", stem])
}

/// A running server uses the certificate too, and is not among these.
#[must_use]
pub(crate) fn install_for_servers(
    root: Option<&Path>,
    stem: &str,
    server_names: &[&str],
) -> NextStep {
    let mut words = vec!["install", stem];
    for name in server_names {
        words.extend(["--server", name]);
    }
    certctl_step(root, "Install for these servers as well", &words)
}

/// The files that were live before can be restored.
#[must_use]
pub(crate) fn restore_previous(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = "Restore the previous certificate";
    certctl_step(root, sentence, &["rollback", stem])
}

/// The previous files of several certificates can be restored.
#[must_use]
pub(crate) fn restore_several(root: Option<&Path>, stems: &[&str]) -> NextStep {
    const FEW: usize = 20;
    if let [first, .., _] = stems
        && stems.len() > FEW
    {
        let sentence = format!(
            "Restore the previous version of one of the {} certificates by its name, for example",
            stems.len()
        );
        return certctl_step(root, sentence, &["rollback", first]);
    }
    // The name is inserted unquoted, so that the shell expands the variable.
    const NAME: &str = "NAME";
    let rollback = certctl_step(root, "", &["rollback", NAME]).command;
    let rollback = rollback.unwrap_or_default().replacen(NAME, "\"$name\"", 1);
    let names = stems.join(" ");
    NextStep::run_shell(
        "Restore the previous certificates",
        format!("for name in {names}; do {rollback}; done"),
    )
}

/// A version of the certificate that is kept; `description` is its id with its dates.
#[must_use]
pub(crate) fn restore_version(
    root: Option<&Path>,
    stem: &str,
    id: &str,
    description: &str,
) -> NextStep {
    let sentence = format!("Restore version {description}");
    certctl_step(root, sentence, &["rollback", stem, "--to", id])
}

/// A rollback replaced the version `id`.
#[must_use]
pub(crate) fn restore_replaced(root: Option<&Path>, stem: &str, id: &str) -> NextStep {
    let sentence = "Restore the version that was replaced";
    certctl_step(root, sentence, &["rollback", stem, "--to", id])
}

/// Several certificates are installed and `verb` is for one.
#[must_use]
pub(crate) fn choose_installed(root: Option<&Path>, verb: &str, stem: &str) -> NextStep {
    let sentence = match verb {
        "forget" => format!("Stop managing {stem}"),
        "install --check" => format!("Check {stem}"),
        "rollback" => format!("Restore the previous version of {stem}"),
        _ => format!("Choose {stem}"),
    };
    let mut words: Vec<&str> = verb.split(' ').collect();
    words.push(stem);
    certctl_step(root, sentence, &words)
}

/// A path of the certificate leads to no file.
#[must_use]
pub(crate) fn check_installed(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("List everything that changed since the last install of {stem}");
    certctl_step(root, sentence, &["install", stem, "--check"])
}

/// A command line for a placeholder.
#[must_use]
pub(crate) fn placeholder_example() -> NextStep {
    NextStep::say(
        "Give the names, for example \
            `certctl install --placeholder example.com www.example.com`",
    )
}

/// For certificates that would have the same name in /etc/ssl.
#[must_use]
pub(crate) fn install_under_another_name() -> NextStep {
    NextStep::say(
        "Install each in a separate run, and give one of them another name, for example with \
            `--cert-name example-rsa`",
    )
}

/// For several certificates with options that only one can have.
#[must_use]
pub(crate) fn install_alone() -> NextStep {
    NextStep::say("Give only the files of the certificate that these options are for")
}
