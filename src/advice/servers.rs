//! Advice on servers: which to name, where to probe them, and what to do when a test or a reload
//! fails.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::NextStep;
use crate::webserver::model::ServerSoftware;

/// Chain and key have one path, or a path of certctl's own.
#[must_use]
pub(crate) fn choose_two_paths() -> NextStep {
    NextStep::say("choose two paths:  --chain-path PATH --key-path PATH")
}

/// `--probe` is no `HOST:PORT`.
#[must_use]
pub(crate) fn give_host_and_port() -> NextStep {
    NextStep::say("give host and port:  --probe 127.0.0.1:443")
}

/// The host of `--probe` cannot be resolved.
#[must_use]
pub(crate) fn give_address() -> NextStep {
    NextStep::say("give an address:  --probe 127.0.0.1:443")
}

/// `--probe none` was given.
#[must_use]
pub(crate) fn probe_somewhere() -> NextStep {
    NextStep::say("to have it asked, say where:  --probe HOST:PORT")
}

/// The configuration names the certificate, and no address of it can be probed.
#[must_use]
pub(crate) fn probe_somewhere_or_nowhere() -> NextStep {
    NextStep::say(
        "say where to ask:  --probe HOST:PORT, or that nobody is to be asked:  --probe none",
    )
}

/// `--server none` was given together with servers.
#[must_use]
pub(crate) fn name_servers_or_none() -> NextStep {
    NextStep::say("name the servers that read the files, or none")
}

/// Several servers read the certificate, and an option is for one.
#[must_use]
pub(crate) fn choose_server(name: &str) -> NextStep {
    NextStep::say(format!("say which:  --server {name}"))
}

/// A server that was named is not installed.
#[must_use]
pub(crate) fn install_server_or_none(software: ServerSoftware) -> [NextStep; 2] {
    [
        NextStep::shell(format!("sudo apt-get install {}", software.package())),
        NextStep::say("or put the files into place alone:  --server none"),
    ]
}

/// The command that starts a server that does not run.
#[must_use]
pub(crate) fn start_server(start_command: String) -> NextStep {
    NextStep::say(start_command)
}

/// certctl does not let Apache reload while a certificate of its configuration would end it.
#[must_use]
pub(crate) fn repair_gated_lines() -> NextStep {
    NextStep::say(
        "give each of these lines a certificate and the key that belongs to it, then type the \
                same certctl install again",
    )
}

/// A configuration names files that do not exist; they may be meant for this certificate.
#[must_use]
pub(crate) fn claim_missing_paths(chain: &Path, key: &Path) -> NextStep {
    NextStep::say(format!(
        "if this certificate belongs there, say so:  --chain-path {} --key-path {}",
        shell_path(chain),
        shell_path(key)
    ))
}

/// The server's own test fails.
#[must_use]
pub(crate) fn repair_config(test_command: &str) -> NextStep {
    NextStep::say(format!("mend it, then try again:  {test_command}"))
}

/// The new files stay after a failure; to be without them, the blocks have to go.
#[must_use]
pub(crate) fn remove_blocks(blocks: &str) -> NextStep {
    NextStep::say(format!(
        "to be without them, take out the block first:  {blocks}"
    ))
}

/// Nothing older was verified live: what is served has to be checked.
#[must_use]
pub(crate) fn check_what_is_served(stem: &str) -> NextStep {
    NextStep::say(format!(
        "see who serves what:  certctl install --check {stem}"
    ))
}

/// An address serves now the new certificate, now the old one.
#[must_use]
pub(crate) fn find_other_listeners() -> [NextStep; 2] {
    [
        NextStep::say("see who listens there:  sudo ss -ltnp"),
        NextStep::say("when the old ones are gone, install again"),
    ]
}

/// A reload succeeded and had no effect.
#[must_use]
pub(crate) fn pass_working_reload() -> NextStep {
    NextStep::say(
        "find what makes your server read its files again, and pass it:  --reload COMMAND",
    )
}

/// No command told the server to read its files again.
#[must_use]
pub(crate) fn pass_reload() -> NextStep {
    NextStep::say("pass what does:  --reload COMMAND")
}
