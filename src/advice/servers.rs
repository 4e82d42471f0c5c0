//! Advice on servers: which to name, where to probe them, and what to do when a test or a reload
//! fails.

use std::path::Path;

use super::command_lines::certctl_step;
use super::rerun::{self, RepeatOption, repeat_with};
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, StepTiming, shell_word};
use crate::webserver::model::ServerSoftware;

/// `--chain-path` and `--key-path` are equal, or inside of certctl's own folder.
#[must_use]
pub(crate) fn choose_two_paths() -> NextStep {
    NextStep::say(
        "Choose two different paths outside of that folder, for example \
         `--chain-path /etc/ssl/example.com.fullchain.pem` and \
         `--key-path /etc/ssl/private/example.com.key`",
    )
}

/// `--probe` is not a `HOST:PORT`.
#[must_use]
pub(crate) fn give_host_and_port() -> NextStep {
    NextStep::say("Give a host and a port, for example `--probe 127.0.0.1:443`")
}

/// The host of `--probe` cannot be resolved.
#[must_use]
pub(crate) fn give_address() -> NextStep {
    NextStep::say("Give an IP address and a port, for example `--probe 127.0.0.1:443`")
}

/// `--probe none` was given.
#[must_use]
pub(crate) fn probe_somewhere() -> NextStep {
    NextStep::say(
        "To verify the served certificate, give the address of the server, for example \
         `--probe 127.0.0.1:443`",
    )
}

/// The configuration names the certificate, and none of its addresses can be probed.
#[must_use]
pub(crate) fn probe_somewhere_or_nowhere() -> NextStep {
    NextStep::say(
        "Give the address of the server, for example `--probe 127.0.0.1:443`, or install without \
         verifying what is served: `--probe none`",
    )
}

/// `--server none` was given together with servers.
#[must_use]
pub(crate) fn name_servers_or_none() -> NextStep {
    NextStep::say("Give web servers (nginx, apache, haproxy), or one other server alone")
}

/// Several servers use the certificate, and an option applies to one.
#[must_use]
pub(crate) fn choose_server(name: &str) -> NextStep {
    let sentence = format!("If the option is for {name}, repeat the command");
    repeat_for_server(&sentence, name)
}

/// Several servers are installed and none is running: the same command line for one of them.
#[must_use]
pub(crate) fn install_for_one(software: ServerSoftware) -> NextStep {
    let sentence = format!(
        "If {} serves the site, repeat the command",
        software.title()
    );
    repeat_for_server(&sentence, software.name())
}

/// As [`install_for_one`], for a command that does not have the option.
#[must_use]
pub(crate) fn install_for_server(
    root: Option<&Path>,
    stem: &str,
    software: ServerSoftware,
) -> NextStep {
    let sentence = format!(
        "If {} serves the site, install the live version for it, then repeat the command",
        software.title()
    );
    certctl_step(
        root,
        sentence,
        &["install", stem, "--server", software.name()],
    )
}

/// A server that was given with `--server` is not installed.
#[must_use]
pub(crate) fn install_server_or_none(software: ServerSoftware) -> [NextStep; 2] {
    [
        NextStep::run_shell(
            format!("Install {} (on Debian or Ubuntu)", software.title()),
            format!("sudo apt-get install {}", software.package()),
        ),
        repeat_for_server(
            "Or write the files for no server in particular: repeat the command",
            "none",
        ),
    ]
}

fn repeat_for_server(sentence: &str, server: &str) -> NextStep {
    let option = RepeatOption {
        name: "--server",
        value: Some(server),
    };
    repeat_with(sentence, &["install"], &[option])
}

/// The server does not run; `start_command` starts it.
#[must_use]
pub(crate) fn start_server(start_command: String) -> NextStep {
    NextStep::run_shell("Start the server", start_command)
}

/// A configuration names files that do not exist; they may be meant for this certificate.
#[must_use]
pub(crate) fn claim_missing_paths(chain: &Path, key: &Path) -> NextStep {
    let chain = chain.display().to_string();
    let key = key.display().to_string();
    let options =
        [("--chain-path", &chain), ("--key-path", &key)].map(|(name, path)| RepeatOption {
            name,
            value: Some(path),
        });
    let sentence = "If this certificate belongs there, repeat the command";
    repeat_with(sentence, &["install"], &options)
}

/// The server's own test cannot run as this user.
#[must_use]
pub(crate) fn test_as_root() -> NextStep {
    rerun::as_root().unwrap_or_else(|| {
        let sentence = "Run the check as root, who may open the files that the server opens";
        NextStep::run_certctl(sentence, &["status"]).with_sudo()
    })
}

/// The server's own test fails.
#[must_use]
pub(crate) fn repair_config(test_command: &str) -> NextStep {
    if test_command.is_empty() {
        return NextStep::say(
            "Fix the configuration of the server, then run the same command again",
        );
    }
    let test = format!("sudo {test_command}");
    let step = match rerun::same_line(&["install"]) {
        Some(again) => NextStep::run_shell(
            "Fix the configuration; this tests it and, if that passes, installs again",
            format!("{test} && {again}"),
        ),
        None => NextStep::run_shell(
            "Fix the configuration until the server's own test passes",
            test,
        ),
    };
    step.later()
}

/// The new files stay after a failure; they can be removed only after the blocks that name them.
#[must_use]
pub(crate) fn remove_blocks(blocks: &str) -> NextStep {
    NextStep::say(format!(
        "If you want to remove the files, first remove what uses them from the configuration: \
         {blocks}"
    ))
}

/// Nothing older was verified live: what is served has to be checked.
#[must_use]
pub(crate) fn check_what_is_served(root: Option<&Path>, stem: &str) -> NextStep {
    let words = ["install", stem, "--check"];
    certctl_step(root, "Check which certificate each address serves", &words)
}

/// A configuration does not use the certificate that `repair` installs again.
#[must_use]
pub(crate) fn show_lines_to_add(repair: &NextStep) -> NextStep {
    let mut step = repair.clone();
    if step.when == StepTiming::Now {
        step.text = "See which lines to add to the configuration".to_owned();
    }
    step
}

/// A running server belongs to another user.
#[must_use]
pub(crate) fn run_as_root() -> NextStep {
    rerun::as_root()
        .unwrap_or_else(|| NextStep::say("Run the same command again as root, with sudo"))
}

/// A running server is in other namespaces, where certctl can neither reload nor probe it.
#[must_use]
pub(crate) fn reload_in_namespaces(software: ServerSoftware, pid: i32) -> NextStep {
    let signal = match software {
        ServerSoftware::Apache => "USR1",
        ServerSoftware::Haproxy => "USR2",
        ServerSoftware::Nginx => "HUP",
    };
    NextStep::run_shell(
        "Check that it can read the new files, then make it read them again",
        format!("sudo kill -{signal} {pid}"),
    )
    .later()
}

/// Something has to be found out about a running process.
#[must_use]
pub(crate) fn find_process(pid: i32) -> NextStep {
    NextStep::run_shell(
        "Find out what started the process",
        format!("sudo ps -fp {pid}"),
    )
}

/// Another process listens at an address of a server.
#[must_use]
pub(crate) fn free_addresses() -> NextStep {
    let sentence =
        "Stop the process that listens there, or remove the address from the configuration";
    match rerun::same_line(&["install"]) {
        Some(again) => {
            NextStep::run_shell(format!("{sentence}, then install again"), again).later()
        }
        None => NextStep::say(format!(
            "{sentence}, then run the same `certctl install` again"
        )),
    }
}

/// The step that starts a server; where another process listens at its addresses, the server cannot
/// start before that process is stopped.
#[must_use]
pub(crate) fn free_before_start(mut start: NextStep, findings: &[Finding]) -> NextStep {
    let is_taken =
        |finding: &Finding| finding.code == "server-not-running" && !finding.lines.is_empty();
    if findings.iter().any(is_taken) {
        start.text = "Stop the process that listens there, then start the server, and verify that \
            it serves the certificate"
            .to_owned();
        return start.later();
    }
    start
}

/// An address alternates between the new certificate and the old one.
#[must_use]
pub(crate) fn find_other_listeners() -> [NextStep; 2] {
    [
        NextStep::run_shell("List the processes that listen there", "sudo ss -ltnp"),
        NextStep::say("When only the right one is left, run the same `certctl install` again"),
    ]
}

/// The reload `commands` succeeded and had no effect; `servers` are the names that were given.
#[must_use]
pub(crate) fn pass_working_reload(commands: &[String], servers: &[String]) -> NextStep {
    const SENTENCE: &str =
        "Give the command that makes your server load its certificate files again";
    let named = servers.iter().map(|name| service_of(name));
    let services = commands.iter().map(|command| service_in(command));
    let service = services.chain(named).flatten().next();
    let Some(service) = service else {
        return NextStep::say(format!("{SENTENCE} with `--reload`"));
    };
    let restart = format!("systemctl restart {service}");
    let reload = RepeatOption {
        name: "--reload",
        value: Some(&restart),
    };
    repeat_with(
        &format!("{SENTENCE}: a restart does, if a reload does not. Repeat the command"),
        &["install"],
        &[reload],
    )
}

/// Returns the service that a reload command names.
fn service_in(command: &str) -> Option<&str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        [
            ..,
            "systemctl",
            "reload" | "restart" | "reload-or-restart",
            service,
        ]
        | [.., "service", service, _] => Some(service.trim_end_matches(".service")),
        _ => None,
    }
}

/// Returns the service of a server's name for `--server`; nothing for `none`.
fn service_of(name: &str) -> Option<&str> {
    match name {
        "none" => None,
        "apache" => Some(ServerSoftware::Apache.package()),
        "exim" => Some("exim4"),
        "openldap" => Some("slapd"),
        "stunnel" => Some("stunnel4"),
        "postgres" => Some("postgresql"),
        other => Some(other),
    }
}

/// Several commands were given for a server that certctl tests and reloads itself.
#[must_use]
pub(crate) fn repeat_without_server() -> NextStep {
    let none = RepeatOption {
        name: "--server",
        value: Some("none"),
    };
    let sentence = "To test and reload all servers with the given commands, repeat the command";
    repeat_with(sentence, &["install"], &[none])
}

/// A saved command cannot be used; `failure` says why.
#[must_use]
pub(crate) fn report_unusable_saved_command(
    option: &str,
    command: &str,
    failure: &Failure,
) -> Failure {
    let message = format!("the saved command of `{option}` cannot be used: {command}");
    Failure::new(failure.kind, message).because(failure.with_causes())
}

/// The saved command of `option` is to be forgotten.
#[must_use]
pub(crate) fn repeat_without_saved_command(option: &str) -> NextStep {
    let forget = RepeatOption {
        name: option,
        value: Some("auto"),
    };
    repeat_with("To forget it, repeat the command", &["install"], &[forget])
}

/// The command of `--reload` names a process by its number; `unit` runs that process.
#[must_use]
pub(crate) fn reload_by_name(unit: Option<&str>) -> NextStep {
    let command = unit.map(|unit| format!("systemctl reload {unit}"));
    let name = RepeatOption {
        name: "--reload",
        value: Some(command.as_deref().unwrap_or("auto")),
    };
    let sentence = match unit {
        Some(_) => "To name the unit instead, repeat the command",
        None => "To let certctl find the way to reload, repeat the command",
    };
    repeat_with(sentence, &["install"], &[name])
}

/// As [`repeat_without_saved_command`], for a command that does not have the option.
#[must_use]
pub(crate) fn install_without_saved_command(
    root: Option<&Path>,
    stem: &str,
    option: &str,
) -> NextStep {
    let sentence = "To forget it, install the live version again, then repeat the command";
    certctl_step(root, sentence, &["install", stem, option, "auto"])
}

/// Saved options, each with its value, took part in a step that failed.
#[must_use]
pub(crate) fn report_saved_options(used: &[(&str, &String)]) -> Finding {
    let words: Vec<String> = used
        .iter()
        .map(|(option, value)| format!("`{option} {}`", shell_word(value)))
        .collect();
    let message = format!("saved from an earlier install: {}", words.join(", "));
    let mut forgotten: Vec<RepeatOption<'_>> = Vec::new();
    for &(name, _) in used {
        if forgotten.iter().all(|option| option.name != name) {
            let value = Some("auto");
            forgotten.push(RepeatOption { name, value });
        }
    }
    let sentence = "If that is the cause, forget it: repeat the command";
    Finding::note("saved-options-used", message).with_step(repeat_with(
        sentence,
        &["install"],
        &forgotten,
    ))
}

/// No command makes the server load its files again.
#[must_use]
pub(crate) fn pass_reload() -> NextStep {
    NextStep::say(
        "Give the command that reloads your server, for example \
         `--reload 'systemctl reload nginx'`",
    )
}
